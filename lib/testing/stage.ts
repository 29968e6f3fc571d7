import type { LightMyRequestResponse as Response } from 'fastify'
import { hasId, missingLike, type Ids, type ObjectId, type SomeIds } from './ids.js'
import { ask, type Owner, type Plan } from './objects.js'
import { findChanges, isShared, readAll, type Read } from './reads.js'

/** The two users, and the routes by which they read. */
export class Stage {
  /**
   * @param reads the routes with which bob reads his objects
   * @param all all that can be read, also what everybody may read
   */
  constructor (
    readonly alice: Owner, readonly bob: Owner, readonly reads: readonly Plan[], readonly all: readonly Plan[]
  ) {}

  /** Returns an id of the same form that no object has, as far as is known. */
  unusedLike (id: ObjectId | undefined): ObjectId {
    return missingLike(id, (text) => [this.alice, this.bob].some(({ made }) => made.has(text)))
  }

  /** Makes bob's objects anew. The first read may change them, so it is done here. */
  async renewBob (): Promise<void> {
    await this.bob.make()
    await readAll(this.bob, this.reads)
  }

  /**
   * Sends a request of alice with these ids instead of hers, and returns which answer to bob it changed. Bob then gets
   * new objects.
   */
  async attack (plan: Plan, ids: Ids, part?: string): Promise<{ given: Response, change: Read | undefined }> {
    const isHis = (answer: Response) => Object.entries(this.bob.ids).some(([name, id]) => hasId(answer, id, name))
    // Her own request may change shared data, in which no id is his.
    const before = (await readAll(this.bob, this.reads))
      .filter(([plan, answer]) => Object.keys(ids).length > 0 || !isShared(plan) || isHis(answer))
    const given = await ask(plan, this.alice, ids, part)
    const [change] = await findChanges(this.bob, before)
    if (change) await this.renewBob()
    return { given, change }
  }

  /** Makes alice's objects anew, which a write may have used up. */
  async renewAlice ({ isRead }: Plan): Promise<void> {
    if (!isRead) await this.alice.make()
  }

  /** Sends a request of alice with bob's ids, with ids that nobody has, and with bob's again. */
  async compare (plan: Plan, his: SomeIds, none: SomeIds, part?: string) {
    const { given, change } = await this.attack(plan, his, part)
    // Her object in another part may be used up. Otherwise it is not renewed: lists of her objects would differ.
    let isUsedUp = part !== undefined
    const renew = async () => { if (isUsedUp) await this.renewAlice(plan) }
    await renew()
    let forNone = await ask(plan, this.alice, none, part)
    // A write that ignores the id, such as a checkout, has used up her object, too. Then it also refuses bob's id.
    if (!isUsedUp && given.statusCode < 400 && forNone.statusCode >= 400 &&
      (await ask(plan, this.alice, his)).statusCode >= 400) {
      isUsedUp = true
      await renew()
      forNone = await ask(plan, this.alice, none)
    }
    // A route that stores an id that nobody has accepts any id.
    const isRepeated = Object.entries(none).some(([name, id]) => hasId(forNone, id, name))
    const isUnchecked = (forNone.statusCode === 201 && isRepeated) ||
      (!plan.isRead && forNone.statusCode < 400 && await this.isShown(none, this.reads, {}))
    await renew()
    // If the answer changes by itself, such as a time, it also differs between this and the first.
    const again = await ask(plan, this.alice, his, part)
    await renew()
    return { given, change, forNone, again, isUnchecked }
  }

  /**
   * Whether routes show alice these ids, if she sends them (or `sent`). If one of `all` does, a 403 reveals nothing.
   */
  async isShown (ids: SomeIds, reads = this.all, sent: Ids = ids): Promise<boolean> {
    let hidden = Object.entries(ids)
    for (const plan of reads) {
      // No further than needed: a route that `only` leaves out may end her session, or never end.
      if (hidden.length === 0) break
      const answer = await ask(plan, this.alice, sent)
      if (answer.statusCode < 400) hidden = hidden.filter(([name, id]) => !hasId(answer, id, name))
    }
    return hidden.length === 0
  }

  /** Returns the names of bob's ids in an answer to alice. */
  async leaksIn (answer: Response, plan: Plan): Promise<string[]> {
    const { ids, others } = this.bob
    const leaks: string[] = []
    for (const name of Object.keys(ids)) {
      const found = [ids, ...others].map((each) => each[name]).filter((id) => hasId(answer, id, name)).map(String)
      if (found.length > 0 && await this.isLeak(answer, name, found, plan)) leaks.push(name)
    }
    return leaks
  }

  /**
   * Whether ids that were found in an answer to alice are bob's. A number may be something else, or an id of hers. Then
   * it is bob's if the id of a later object of bob's, which the answer did not have, appears too.
   */
  async isLeak (answer: Response, name: string, found: readonly string[], plan: Plan): Promise<boolean> {
    const mayBeOther = plan.isRead ? /^\d{1,3}$/ : /^\d+$/ // a write may answer with a new id
    if (found.some((id) => !mayBeOther.test(id) && !this.alice.made.has(id))) return true
    const isKnown = () => hasId(answer, this.bob.ids[name], name)
    // An end, because a maker may always return the same number.
    for (let n = 0; isKnown() && n < 100; n++) await this.bob.make()
    await readAll(this.bob, this.reads)
    await this.renewAlice(plan)
    return isKnown() || hasId(await ask(plan, this.alice), this.bob.ids[name], name)
  }
}
