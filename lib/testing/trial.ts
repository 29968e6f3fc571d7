import type { LightMyRequestResponse as Response } from 'fastify'
import { nameOf } from './app-routes.js'
import { findingOf, notes, tooGenerous, type Failure, type Finding } from './findings.js'
import { answerText } from './held-requests.js'
import { hasId, missingLike, subsets, withoutIds, type Ids, type ObjectId, type SomeIds } from './ids.js'
import { ask, Owner, repairOf, type FullPlan, type Plan } from './objects.js'
import { differs } from './reads.js'
import type { Stage } from './stage.js'

/** In the answer of a search that found nothing: an empty list, or null for a field of GraphQL. */
const nothing = /\[\]|"data":.*null/

/** Tries one route as alice with the ids of bob's objects. */
export class Trial {
  readonly #failures: Failure[] = []
  readonly #notes = new Set<string>()

  constructor (readonly plan: FullPlan, readonly stage: Stage) {}

  get #repair (): string { return repairOf(this.plan) }

  /** @param changed the answer to alice, if it is another since bob has made his objects */
  async run (changed?: Response): Promise<Finding> {
    const { route, places, kinds, unknown, isRead, short } = this.plan
    const names = unknown.map((name) => `":${name}"`).join(', ')
    if (names !== '') return findingOf(route, [`not tried: there is no value for ${names}. ${notes.valueless}`])
    const note = this.#repair + notes.common
    if (changed) this.#fail(changed, note, "alice's token, after bob has made his", 'as before', 'changed')
    if (isRead) await this.#readAsBob()
    else if (kinds.length > 0) await this.#renew()
    // Each of them, and several together: a task of bob's list in her workspace, her task in his.
    for (const some of subsets(kinds)) await this.#tryHis(some)
    for (const { name, part } of places) {
      if (places.some((other) => other.name === name && other.part !== part)) await this.#tryHis([name], part)
    }
    for (const { name } of places.filter(({ isList }) => isList)) await this.#tryBoth(name)
    await this.#tryHerOwn(this.plan)
    if (short) {
      await this.#renew()
      await this.#tryHerOwn(short)
    }
    if (!isRead && kinds.length > 0 && route.method !== 'DELETE') await this.#tryAfterHis()
    return findingOf(route, [...this.#notes], this.#failures)
  }

  /** Bob must be able to read, or the trial proves nothing. What one has read must not be cached for the other. */
  async #readAsBob (): Promise<void> {
    const { alice, bob } = this.stage
    const own = await ask(this.plan, bob)
    if (this.plan.kinds.length > 0) this.#mustPass(own, "bob's token, his own")
    // In a path without the owner, she was the first to read.
    const isHers = [...alice.made].some((id) => !/^\d+$/.test(id) && hasId(own, id, ''))
    if (isHers) this.#fail(own, this.#repair + notes.kept, "bob's token, his own", "nothing of alice's")
    if (this.plan.route.access !== 'owner') return
    const given = await ask(this.plan, new Owner(alice.app, bob.id, alice.token, {}), bob.ids)
    const cause = this.plan.route.delegates ? tooGenerous : notes.early
    if (given.statusCode < 400) this.#fail(given, cause, "alice's token, bob's path", '403')
  }

  /** Sends bob's ids of these kinds instead of hers: everywhere, or only in one part of the request. */
  async #tryHis (kinds: readonly string[], part?: string): Promise<void> {
    const label = `alice's token, bob's ${kinds.join(' and ')}${part === undefined ? '' : ` in the ${part}`}`
    const { stage: { alice, bob }, plan: { route: { method, parameter, url }, places, isRead } } = this
    const his = Object.fromEntries(kinds.map((name) => [name, bob.ids[name]]))
    const none = Object.fromEntries(kinds.map((name) => [name, missingLike(his[name])]))
    // Both in each answer: what alice has, such as a time, may have the same number.
    const textOf = ({ body }: Response, ...more: SomeIds[]) =>
      kinds.reduce((text, name) => withoutIds(text, name, none, his, ...more), body)
    const { given, forNone, again, isUnchecked } = await this.#ask(his, none, label, part)
    const isAlike = given.statusCode === forNone.statusCode
    // An id of the same form may lack a check digit.
    const isMalformed = given.statusCode === 404 && [400, 422].includes(forNone.statusCode)
    const isSame = isAlike && !differs(textOf(forNone), textOf(given), textOf(again))
    const isExact = given.body !== '' && textOf(given) === textOf(forNone)
    // A search may answer that it found nothing. What answers the same to her own id is none: it may have stored his.
    const mayFind = isExact && part === undefined && ['POST', 'QUERY'].includes(method) &&
      given.statusCode === 200 && nothing.test(given.body)
    const isSearch = mayFind && textOf(await ask(this.plan, alice), alice.ids) !== textOf(given, alice.ids)
    if (mayFind) await this.#renew()
    // The path names the owner, so a body that names another may be ignored, if bob reads at that URL what was written.
    // What answers with that id has taken it.
    const isIgnored = (name: string) => parameter !== null && String(his[name]) === bob.id &&
      !hasId(given, bob.id, name) && this.stage.reads.some(({ route }) => route.url === url)
    const hasNothingNew = isExact || given.body.includes('[]')
    const isOptional = ({ name, part, isList, isInList }: Plan['places'][number]) => !kinds.includes(name) ||
      part === 'query' || isList || (isInList && hasNothingNew) || (part === 'body' && isIgnored(name))
    const mayBeEmpty = isSearch || (!isUnchecked && (part !== undefined || places.every(isOptional)))
    const repair = this.#repair + (isRead && parameter === null ? notes.seen : '')
    const asForNone = `as for none: ${answerText(forNone)}`
    if (Math.trunc(given.statusCode / 100) !== 4 && !(mayBeEmpty && isSame)) {
      this.#fail(given, isSame && isRead ? notes.empty : repair, label, mayBeEmpty ? asForNone : '4xx')
      const hasChanged = this.#failures.some(({ answer }) => answer === 'changed')
      if (isSame && !isRead && !hasChanged) this.#notes.add(notes.silent)
      if (mayFind) this.#notes.add(notes.fruitless)
    } else if (!isSame && !isMalformed && !(given.statusCode === 403 && await this.stage.isShown(his))) {
      this.#fail(given, notes.tells, label, asForNone, isAlike ? `${given.statusCode}, another body` : undefined)
    }
  }

  /** Asks as alice with bob's ids, with ids that nobody has, and with bob's again. */
  async #ask (his: SomeIds, none: SomeIds, label: string, part?: string) {
    const { plan: { isRead }, stage: { alice } } = this
    const given = await this.#attack(his, label, part)
    // Her object in another part may be used up. Else not: answers that list what is hers would differ by new ones.
    let isUsedUp = part !== undefined
    const renew = async () => { if (isUsedUp) await this.#renew() }
    await renew()
    let forNone = await ask(this.plan, alice, none, part)
    // A checkout that looks at no id has used up what is hers, too. Then it also refuses bob's.
    if (!isUsedUp && !isRead && given.statusCode < 400 && forNone.statusCode >= 400 &&
      (await ask(this.plan, alice, his)).statusCode >= 400) {
      isUsedUp = true
      await renew()
      forNone = await ask(this.plan, alice, none)
    }
    // What is made or kept with an id that nobody has takes any id.
    const isRepeated = Object.entries(none).some(([name, id]) => hasId(forNone, id, name))
    const isUnchecked = (forNone.statusCode === 201 && isRepeated) ||
      (!isRead && forNone.statusCode < 400 && await this.stage.isShown(none, this.stage.reads, {}))
    await renew()
    // If the answer changes by itself, such as a time, it also differs between this and the first.
    const again = await ask(this.plan, alice, his, part)
    await renew()
    return { given, forNone, again, isUnchecked }
  }

  /** Sends lists with her id and bob's, in both orders. */
  async #tryBoth (kind: string): Promise<void> {
    const { alice, bob } = this.stage
    for (const isHersFirst of [true, false]) {
      const label = `alice's token, ${isHersFirst ? `her ${kind} and bob's` : `bob's ${kind} and hers`}`
      const listWith = (other?: ObjectId) =>
        ({ [kind]: isHersFirst ? [alice.ids[kind], other] : [other, alice.ids[kind]] })
      const id = bob.ids[kind]
      const none = missingLike(id)
      const countIn = ({ body }: Response) =>
        withoutIds(body, kind, { [kind]: none }, { [kind]: id }).split('…').length
      const forNone = await ask(this.plan, alice, listWith(none))
      await this.#renew()
      const given = await this.#attack(listWith(id), label)
      await this.#renew()
      // The answer may repeat the ids that it was asked for, also of what does not exist.
      const isRepeated = hasId(forNone, none, kind) && countIn(given) <= countIn(forNone)
      const isLeak = hasId(given, id, kind) && !hasId(forNone, id, kind) && !isRepeated
      if (isLeak) this.#fail(given, this.#repair, label, "nothing of bob's", `${given.statusCode} with bob's ${kind}`)
    }
  }

  /** Where one record alone can have a flag, such as the default address, alice may take it from bob's. */
  async #tryAfterHis (): Promise<void> {
    await this.#renew()
    await ask(this.plan, this.stage.bob)
    await this.#attack({}, "alice's token, her own after bob's own")
    await this.stage.renewBob()
  }

  /** @param plan that of the route, or the short one, which may be refused */
  async #tryHerOwn (plan: Plan): Promise<void> {
    const { alice, bob: { ids, others } } = this.stage
    const isWhole = plan === this.plan
    const label = `alice's token, her own${isWhole ? '' : ' without its ids'}`
    const own = plan.isRead ? await ask(plan, alice) : await this.#attack({}, label, undefined, plan)
    // A write without an id may need a body that was not given, or come after a logout.
    const mustPass = plan.kinds.length > 0 || plan.isRead || own.statusCode === 403
    if (isWhole && mustPass) this.#mustPass(own, label)
    const leaked: string[] = []
    for (const name of Object.keys(ids)) {
      const found = [ids, ...others].map((each) => each[name]).filter((id) => hasId(own, id, name)).map(String)
      if (found.length > 0 && await this.stage.isLeak(own, name, found, plan)) leaked.push(name)
    }
    if (leaked.length === 0) return
    this.#fail(own, this.#repair, label, "nothing of bob's", `${own.statusCode} with bob's ${leaked.join(' and ')}`)
  }

  /** Makes alice's objects anew, which a write may have used up. */
  async #renew (): Promise<void> {
    if (!this.plan.isRead) await this.stage.alice.make()
  }

  /** Sends a request of alice with these ids instead of hers. Bob's objects must not change. */
  async #attack (ids: Ids, label: string, part?: string, plan = this.plan): Promise<Response> {
    const { given, change } = await this.stage.attack(plan, ids, part)
    if (!change) return given
    const [{ route }, answer] = change
    const note = Object.keys(ids).length > 0 ? this.#repair : this.#repair + notes.shared(nameOf(route))
    this.#fail(answer, note, `${label}: what bob reads then`, 'as before', 'changed')
    return given
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
