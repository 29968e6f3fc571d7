import { setTimeout as sleep } from 'node:timers/promises'
import type { LightMyRequestResponse as Response } from 'fastify'
import { findingOf, orAllow, tooGenerous, unfinished, type Failure, type Finding } from './findings.js'
import { answerText } from './held-requests.js'
import { ask, hasId, missingLike, Owner, readId, readOnce, readsOf, subsets } from './objects.js'
import type { FullPlan, ObjectId, Plan } from './objects.js'

const early = 'something answers before the guard, such as a cache by URL. Fix: register it behind the plugin, or ' +
  'let it keep answers by user'
const silent = `If nothing was done, though it answers so: answer 404${orAllow}`
const empty = `it answers the same for what does not exist. Fix: answer 404 where nothing is found${orAllow}`
const valueless = `Fix: give a function in objects, or a value in params: { {name}: { path } }${orAllow}`
const unread = `${unfinished}${orAllow} if it is a WebSocket`
const undone = `${unfinished}, and records in the state that it wants (in a call of its own, with only)`
const shared = `, here or where bob reads it${orAllow} if both may change it, or it counts what all have`
const tells = 'its answer tells that there is such an object. Fix: one query by id and owner, and 404 if it finds none'

/** Tries one route as alice with the ids of bob's objects. */
export class Trial {
  readonly #failures: Failure[] = []
  readonly #notes = new Set<string>()

  /** @param plans the plans of all routes, with which bob reads his objects afterwards */
  constructor (
    readonly plan: FullPlan, readonly plans: readonly Plan[], readonly alice: Owner, readonly bob: Owner
  ) {}

  get #repair (): string {
    const { parameter, bound: [tenant] } = this.plan.route
    const ofTenant = tenant && `'${tenant.param}', '=', request.params.${tenant.param}`
    const row = parameter ? "'user_id', '=', getOwnerId(request)" : ofTenant ?? "'user_id', '=', request.user.id"
    return `Fix: look for the object by its owner, too, as in .where(${row})`
  }

  async run (): Promise<Finding> {
    const { route, places, kinds, unknown, isRead, short } = this.plan
    const names = unknown.map((name) => `":${name}"`).join(', ')
    if (names !== '') return findingOf(route, [`not tried: there is no value for ${names}. ${valueless}`])
    if (isRead) await this.#readAsBob()
    else if (kinds.length > 0) await this.alice.make()
    // Each of them, and several together: a task of bob's list in her workspace, her task in his.
    for (const some of subsets(kinds)) await this.#tryHis(some)
    for (const { name, part } of places) {
      if (places.some((other) => other.name === name && other.part !== part)) await this.#tryHis([name], part)
    }
    for (const { name } of places.filter(({ isList }) => isList)) await this.#tryBoth(name)
    await this.#tryHerOwn(this.plan)
    if (short && !isRead) await this.alice.make()
    if (short) await this.#tryHerOwn(short)
    return findingOf(route, [...this.#notes], this.#failures)
  }

  /** Bob must be able to read, or the trial proves nothing. What he has read must not be cached for others. */
  async #readAsBob (): Promise<void> {
    const own = await ask(this.plan, this.bob)
    if (this.plan.kinds.length > 0) this.#mustPass(own, "bob's token, his own")
    if (this.plan.route.access !== 'owner') return
    const given = await ask(this.plan, new Owner(this.alice.app, this.bob.id, this.alice.token, {}), this.bob.ids)
    const cause = this.plan.route.delegates ? tooGenerous : early
    if (given.statusCode < 400) this.#fail(given, cause, "alice's token, bob's path", '403')
  }

  /** Sends bob's ids of these kinds instead of hers: everywhere, or only in one part of the request. */
  async #tryHis (kinds: readonly string[], part?: string): Promise<void> {
    const label = `alice's token, bob's ${kinds.join(' and ')}${part === undefined ? '' : ` in the ${part}`}`
    const his = Object.fromEntries(kinds.map((name) => [name, this.bob.ids[name]]))
    const none = Object.fromEntries(kinds.map((name) => [name, missingLike(his[name])]))
    const textOf = ({ body }: Response, ids: typeof his) =>
      kinds.reduce((text, name) => readId(text, ids[name], name).text, body)
    // Her object in another part may be used up.
    const renew = async () => { if (part !== undefined && !this.plan.isRead) await this.alice.make() }
    const given = await this.#attack(his, label, part).finally(renew)
    const forNone = await ask(this.plan, this.alice, none, part).finally(renew)
    // If the answer changes by itself, such as a time, it also differs between this and the first.
    const again = await ask(this.plan, this.alice, his, part).finally(renew)
    const isAlike = given.statusCode === forNone.statusCode
    const isSame = isAlike && !differs(textOf(forNone, none), textOf(given, his), textOf(again, his))
    // A search or a batch may answer that it found nothing, and a route may ignore an id that it already knows.
    const mayBeEmpty = part !== undefined || this.plan.places
      .every(({ name, part, isList }) => !kinds.includes(name) || part === 'query' || isList)
    const isRefused = given.statusCode >= 400 && given.statusCode < 500
    const asForNone = `as for none: ${answerText(forNone)}`
    if (!isRefused && !(mayBeEmpty && isSame)) {
      this.#fail(given, isSame && this.plan.isRead ? empty : this.#repair, label, mayBeEmpty ? asForNone : '4xx')
      if (isSame && !this.plan.isRead) this.#notes.add(silent)
    } else if (!isSame) {
      this.#fail(given, tells, label, asForNone, isAlike ? `${given.statusCode}, another body` : undefined)
    }
  }

  /** Sends a list with her id and bob's. */
  async #tryBoth (kind: string): Promise<void> {
    const label = `alice's token, her ${kind} and bob's`
    const id = this.bob.ids[kind]
    const none = missingLike(id)
    const forNone = await ask(this.plan, this.alice, { [kind]: [this.alice.ids[kind], none] })
    await this.alice.make()
    const given = await this.#attack({ [kind]: [this.alice.ids[kind], id] }, label)
    await this.alice.make()
    const countOf = ({ body }: Response, each?: ObjectId) => readId(body, each, kind).text.split('…').length
    // The answer may repeat the ids that it was asked for, also of what does not exist.
    const isRepeated = hasId(forNone, none, kind) && countOf(given, id) <= countOf(forNone, none)
    const isLeak = hasId(given, id, kind) && !hasId(forNone, id, kind) && !isRepeated
    if (isLeak) this.#fail(given, this.#repair, label, "nothing of bob's", `${given.statusCode} with bob's ${kind}`)
  }

  /** @param plan that of the route, or the short one, which may be refused */
  async #tryHerOwn (plan: Plan): Promise<void> {
    const { ids, others } = this.bob
    const isWhole = plan === this.plan
    const label = `alice's token, her own${isWhole ? '' : ' without its ids'}`
    const own = plan.isRead ? await ask(plan, this.alice) : await this.#attack({}, label, undefined, plan)
    // A write without an id may need a body that was not given, or come after a logout.
    const mustPass = plan.kinds.length > 0 || plan.isRead || own.statusCode === 403
    if (isWhole && mustPass) this.#mustPass(own, label)
    const leaked: string[] = []
    for (const name of Object.keys(ids)) {
      const found = [ids, ...others].map((each) => each[name]).filter((id) => hasId(own, id, name)).map(String)
      if (found.length > 0 && await this.#isLeak(own, name, found, plan)) leaked.push(name)
    }
    if (leaked.length === 0) return
    this.#fail(own, this.#repair, label, "nothing of bob's", `${own.statusCode} with bob's ${leaked.join(' and ')}`)
  }

  /**
   * Whether what was found in an answer to alice is bob's. A small number may be anything, and any number an id of hers
   * of another kind: it is his if that of a later object of his, which the answer did not have, appears too.
   */
  async #isLeak (own: Response, name: string, found: string[], plan: Plan): Promise<boolean> {
    const mayBeOther = plan.isRead ? /^\d{1,3}$/ : /^\d+$/ // a write may answer with a new id
    if (found.some((id) => !mayBeOther.test(id) && !this.alice.made.has(id))) return true
    const isKnown = () => hasId(own, this.bob.ids[name], name)
    for (let n = 0; isKnown() && n < 100; n++) await this.bob.make()
    await readOnce(this.bob, this.plans)
    if (!plan.isRead) await this.alice.make()
    return isKnown() || hasId(await ask(plan, this.alice), this.bob.ids[name], name)
  }

  /** Sends a request of alice with these ids instead of hers. Bob's objects must not change. */
  async #attack (ids: object, label: string, part?: string, plan: Plan = this.plan): Promise<Response> {
    const hasHis = Object.keys(ids).length > 0
    const before = await this.#readBack(hasHis)
    const given = await ask(plan, this.alice, ids, part)
    const after = await this.#readBack(hasHis)
    const textOf = (answer?: Response) => `${answer?.statusCode} ${answer?.body}`
    const findChange = (later: Response[]) =>
      after.find((answer, i) => differs(textOf(before[i]), textOf(answer), textOf(later[i])))
    let changed = findChange(after)
    // A clock may have ticked between the first two reads. Then it also changes the next one.
    for (const ms of [2, 1100]) {
      if (!changed) return given
      await sleep(ms)
      changed = findChange(await this.#readBack(hasHis))
    }
    if (!changed) return given
    const note = hasHis ? this.#repair : this.#repair + shared
    this.#fail(changed, note, `${label}: what bob reads then`, 'as before', 'changed')
    await this.bob.make()
    await readOnce(this.bob, this.plans)
    return given
  }

  /**
   * Reads bob's objects of all kinds, as a write may change the tasks of his list: by routes with their ids in the
   * path, and by his lists. After a request without his ids, lists are read only if they have the same URL, or a kind
   * has no such route, because they may count the objects of all.
   */
  async #readBack (hasHis: boolean): Promise<Response[]> {
    const { ids } = this.bob
    const reads = readsOf(this.plans)
    const inPath = ({ places }: Plan) => places.filter(({ part }) => part === 'path').map(({ name }) => ids[name])
    const direct = reads.filter((plan) => inPath(plan).length > 0)
    // An object may have several names, such as `task_ids` in a body.
    const isWhole = Object.values(ids).every((id) => direct.some((plan) => inPath(plan).includes(id)))
    const { url, method, bound } = this.plan.route
    // With a tenant, it may be the row of both.
    const isRow = ({ route }: Plan) => route.url === url && method !== 'POST' && bound.length === 0
    const lists = reads.filter((plan) => !direct.includes(plan) && (hasHis || !isWhole || isRow(plan)))
    const answers: Response[] = []
    for (const plan of [...direct, ...lists]) answers.push(await ask(plan, this.bob))
    return answers
  }

  #mustPass (given: Response, label: string): void {
    if (given.statusCode >= 200 && given.statusCode < 400) return
    this.#fail(given, this.plan.isRead ? unread : undone, label, '2xx')
  }

  #fail (given: Response, note: string, label: string, expected: string, answer = answerText(given)): void {
    this.#notes.add(note)
    this.#failures.push({ label, expected, answer, url: String(given.raw.req.url) })
  }
}

/** Whether `two` has a word that `one` lacks and `again` repeats. Other words, such as a time, do not count. */
function differs (...texts: [one: string, two: string, again: string]): boolean {
  const [one, two, again] = texts.map((text) => text.split(/[\s"',;<>{}[\]]+/)) as [string[], string[], string[]]
  return two.length === again.length &&
    (one.length !== two.length || two.some((word, i) => word !== one[i] && word === again[i]))
}
