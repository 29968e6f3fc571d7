import type { LightMyRequestResponse as Response } from 'fastify'
import { nameOf } from './app-routes.js'
import { findingOf, notes, tooGenerous, type Failure, type Finding } from './findings.js'
import { answerText } from './held-requests.js'
import { hasId, subsets, withoutIds, type Ids, type ObjectId, type SomeIds } from './ids.js'
import { ask, orSeen, Owner, repairOf, type FullPlan, type Plan } from './objects.js'
import { differs, type Read } from './reads.js'
import type { Stage } from './stage.js'

/** In the answer of a search that found nothing: an empty list, or null for a field of GraphQL. */
const nothing = /\[\]|"data":.*null/

/** The text of an answer without the ids that were sent, and without more of them. */
type TextOf = (answer: Response, ...more: SomeIds[]) => string

/** Tries one route as alice with the ids of bob's objects. */
export class Trial {
  readonly #failures: Failure[] = []
  readonly #notes = new Set<string>()

  constructor (readonly plan: FullPlan, readonly stage: Stage) {}

  /** @param sent the names of ids that were sent. One that is always the same is that of the owner, or their tenant */
  #repair (sent: readonly string[] = []): string {
    const { ids, others } = this.stage.bob
    return repairOf(this.plan, sent.find((name) => others.every((each) => each[name] === ids[name])))
  }

  /** @param changed the answer to alice, if it has changed since bob made his objects */
  async run (changed?: Response): Promise<Finding> {
    const { route, places, kinds, unknown, isRead, short } = this.plan
    const names = unknown.map((name) => `":${name}"`).join(', ')
    if (names !== '') return findingOf(route, [`not tried: there is no value for ${names}. ${notes.valueless}`])
    const note = this.#repair() + notes.common
    if (changed) this.#fail(changed, note, "alice's token, after bob has made his", 'as before', 'changed')
    if (isRead) await this.#readAsBob()
    else if (kinds.length > 0) await this.stage.renewAlice(this.plan)
    // Each of them, and several together: a task of bob's list in her workspace, her task in his.
    for (const some of subsets(kinds)) await this.#tryHis(some)
    for (const { name, part } of places) {
      if (places.some((other) => other.name === name && other.part !== part)) await this.#tryHis([name], part)
    }
    for (const { name } of places.filter(({ isList }) => isList)) await this.#tryBoth(name)
    await this.#tryHerOwn(this.plan)
    if (short) {
      await this.stage.renewAlice(this.plan)
      await this.#tryHerOwn(short, true)
    }
    if (!isRead && kinds.length > 0 && route.method !== 'DELETE') await this.#tryAfterHis()
    return findingOf(route, [...this.#notes], this.#failures)
  }

  /** Bob must be able to read, or the trial proves nothing. No answer to one user may be cached for the other. */
  async #readAsBob (): Promise<void> {
    const { alice, bob } = this.stage
    const own = await ask(this.plan, bob)
    if (this.plan.kinds.length > 0) this.#mustPass(own, "bob's token, his own")
    // If the path has no owner, alice has read it before.
    const isHers = [...alice.made].some((id) => !/^\d+$/.test(id) && hasId(own, id, ''))
    if (isHers) this.#fail(own, this.#repair() + notes.kept, "bob's token, his own", "nothing of alice's")
    const { access, delegates } = this.plan.route
    if (access !== 'owner') return
    const given = await ask(this.plan, new Owner(alice.app, bob.id, alice.token, {}), bob.ids)
    const early = delegates ? notes.staff : notes.early
    const cause = delegates === true ? tooGenerous : early
    if (given.statusCode < 400) this.#fail(given, cause, "alice's token, bob's path", '403')
  }

  /** Sends bob's ids of these kinds instead of hers: everywhere, or only in one part of the request. */
  async #tryHis (kinds: readonly string[], part?: string): Promise<void> {
    const label = `alice's token, bob's ${kinds.join(' and ')}${part === undefined ? '' : ` in the ${part}`}`
    const { stage, plan } = this
    const his = Object.fromEntries(kinds.map((name) => [name, stage.bob.ids[name]]))
    const none = Object.fromEntries(kinds.map((name) => [name, stage.unusedLike(his[name])]))
    const { given, change, forNone, again, isUnchecked } = await stage.compare(plan, his, none, part)
    this.#mustNotChange(change, label, this.#repair(kinds))
    // Both in each answer: what alice has, such as a time, may have the same number.
    const textOf: TextOf = ({ body }, ...more) =>
      kinds.reduce((text, name) => withoutIds(text, name, none, his, ...more), body)
    const isAlike = given.statusCode === forNone.statusCode
    const isSame = isAlike && !differs(textOf(forNone), textOf(given), textOf(again))
    const asForNone = `as for none: ${answerText(forNone)}`
    if (Math.trunc(given.statusCode / 100) === 4) {
      // An id of the same form may lack a check digit.
      const isMalformed = given.statusCode === 404 && [400, 422].includes(forNone.statusCode)
      if (isSame || isMalformed || (given.statusCode === 403 && await stage.isShown(his))) return
      return this.#fail(given, notes.tells, label, asForNone, isAlike ? `${given.statusCode}, another body` : undefined)
    }
    const isExact = given.body !== '' && textOf(given) === textOf(forNone)
    const mayFind = isExact && part === undefined && ['POST', 'QUERY'].includes(plan.route.method) &&
      given.statusCode === 200 && nothing.test(given.body)
    const mayAnswer = part !== undefined || this.#isOptional(his, given, isExact) ||
      (mayFind && await this.#isSearch(given, textOf))
    const mayBeEmpty = mayAnswer && !isUnchecked
    if (isSame && mayBeEmpty) return
    const repair = this.#repair(kinds) + orSeen(plan)
    this.#fail(given, isSame && plan.isRead ? notes.empty : repair, label, mayBeEmpty ? asForNone : '4xx')
    const hasChanged = this.#failures.some(({ answer }) => answer === 'changed')
    if (isSame && !plan.isRead && !hasChanged) this.#notes.add(notes.silent)
    if (isSame && mayFind) this.#notes.add(mayAnswer ? notes.recorded : notes.fruitless)
  }

  /**
   * Whether a request that found nothing is a search. A route that answers the same to her own id is not one: it may
   * have stored bob's id.
   */
  async #isSearch (given: Response, textOf: TextOf): Promise<boolean> {
    const { stage, plan } = this
    const { ids } = stage.alice
    const own = await ask(plan, stage.alice)
    await stage.renewAlice(plan)
    return textOf(own, ids) !== textOf(given, ids)
  }

  /** Whether the route may go without each of these ids, or do nothing for it. */
  #isOptional (his: SomeIds, given: Response, isExact: boolean): boolean {
    const { bob, reads } = this.stage
    const { parameter, url } = this.plan.route
    const hasNothingNew = isExact || given.body.includes('[]')
    // The path names the owner, so another owner in the body may be ignored, if bob reads at that URL what was written.
    // If the answer has that id, it was not ignored.
    const isIgnored = (name: string) => parameter !== null && String(his[name]) === bob.id &&
      !hasId(given, bob.id, name) && reads.some(({ route }) => route.url === url)
    return this.plan.places.every(({ name, part, isList, isInList }) => !Object.hasOwn(his, name) ||
      part === 'query' || isList || (isInList && hasNothingNew) || (part === 'body' && isIgnored(name)))
  }

  /** Sends lists with her id and bob's, in both orders. */
  async #tryBoth (kind: string): Promise<void> {
    const { alice, bob } = this.stage
    for (const isHersFirst of [true, false]) {
      const label = `alice's token, ${isHersFirst ? `her ${kind} and bob's` : `bob's ${kind} and hers`}`
      const listWith = (other?: ObjectId) =>
        ({ [kind]: isHersFirst ? [alice.ids[kind], other] : [other, alice.ids[kind]] })
      const id = bob.ids[kind]
      const none = this.stage.unusedLike(id)
      const countIn = ({ body }: Response) =>
        withoutIds(body, kind, { [kind]: none }, { [kind]: id }).split('…').length
      const forNone = await ask(this.plan, alice, listWith(none))
      await this.stage.renewAlice(this.plan)
      const given = await this.#attack(listWith(id), label)
      await this.stage.renewAlice(this.plan)
      // The answer may repeat the ids that it was asked for, also of what does not exist.
      const isRepeated = hasId(forNone, none, kind) && countIn(given) <= countIn(forNone)
      const isLeak = hasId(given, id, kind) && !hasId(forNone, id, kind) && !isRepeated
      if (isLeak) this.#fail(given, this.#repair(), label, "nothing of bob's", `${given.statusCode} with bob's ${kind}`)
    }
  }

  /** If only one object can have a flag, such as the default address, alice may take it from bob's. */
  async #tryAfterHis (): Promise<void> {
    await this.stage.renewAlice(this.plan)
    await ask(this.plan, this.stage.bob)
    await this.#attack({}, "alice's token, her own after bob's own")
    await this.stage.renewBob()
  }

  /** Reads a list as alice. Nobody said that it can be read without an id, so she may be refused. */
  async readList (): Promise<Finding> {
    await this.#tryHerOwn(this.plan, true)
    return findingOf(this.plan.route, [...this.#notes], this.#failures)
  }

  /** @param plan that of the route, or the short one */
  async #tryHerOwn (plan: Plan, mayBeRefused = false): Promise<void> {
    const label = `alice's token, her own${plan === this.plan ? '' : ' without its ids'}`
    const own = plan.isRead ? await ask(plan, this.stage.alice) : await this.#attack({}, label, plan)
    // A write without an id may need a body that was not given, or come after a logout.
    const mustPass = plan.kinds.length > 0 || plan.isRead || own.statusCode === 403
    if (mustPass && !mayBeRefused) this.#mustPass(own, label)
    const leaked = (await this.stage.leaksIn(own, plan)).join(' and ')
    if (!leaked) return
    this.#fail(own, this.#repair() + orSeen(plan), label, "nothing of bob's", `${own.statusCode} with bob's ${leaked}`)
  }

  /** Sends a request of alice with these ids instead of hers. Bob's objects must not change. */
  async #attack (ids: Ids, label: string, plan = this.plan): Promise<Response> {
    const { given, change } = await this.stage.attack(plan, ids)
    this.#mustNotChange(change, label, this.#repair(), Object.keys(ids).length === 0)
    return given
  }

  /** @param isShared whether the request had none of his ids, so that the records may be those of both */
  #mustNotChange (change: Read | undefined, label: string, repair: string, isShared = false): void {
    if (!change) return
    const [{ route }, answer] = change
    const note = isShared ? repair + notes.shared(nameOf(route)) : repair
    this.#fail(answer, note, `${label}: what bob reads then`, 'as before', 'changed')
  }

  #mustPass (given: Response, label: string): void {
    if (given.statusCode >= 200 && given.statusCode < 400) return
    this.#fail(given, this.plan.isRead ? notes.unread : notes.undone, label, '2xx')
  }

  #fail (given: Response, note: string, label: string, expected: string, answer = answerText(given)): void {
    this.#notes.add(note)
    this.#failures.push({ label, expected, answer, url: String(given.raw.req.url) })
  }
}
