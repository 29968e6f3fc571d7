import { kinds, type Entry, type Kind } from './entry.js'

type Moments = Record<Kind, Map<string, number>>

/**
 * Entries in memory, found by their ids. Of two about the same, the later moment counts. One takes about 100 bytes and
 * the text of its id.
 */
export class RevocationList {
  /** By issuer; those of the empty one are about all issuers. */
  readonly #moments = new Map<string, Moments>()
  readonly #general: Moments

  constructor () {
    this.#general = this.#momentsOf('')
  }

  get size (): number {
    let size = 0
    for (const moments of this.#moments.values()) for (const kind of kinds) size += moments[kind].size
    return size
  }

  /** @returns whether it says more than was known */
  add ({ kind, id, issuer, moment }: Entry): boolean {
    const moments = this.#momentsOf(issuer)[kind]
    if (moment <= (moments.get(id) ?? -1)) return false
    moments.set(id, moment)
    return true
  }

  /** Removes what this entry says, or less. */
  delete ({ kind, id, issuer, moment }: Entry): void {
    const moments = this.#moments.get(issuer)?.[kind]
    if (moment >= (moments?.get(id) ?? Infinity)) moments?.delete(id)
  }

  /** The moment of what concerns a token of this issuer; -1 where nothing does. */
  find (kind: Kind, id: string, issuer: string): number {
    const moment = this.#general[kind].get(id) ?? -1
    if (this.#moments.size === 1) return moment
    return Math.max(moment, this.#moments.get(issuer)?.[kind].get(id) ?? -1)
  }

  * entries (): Generator<Entry> {
    for (const [issuer, moments] of this.#moments) {
      for (const kind of kinds) for (const [id, moment] of moments[kind]) yield { kind, id, issuer, moment }
    }
  }

  /** Removes the entries of moments before this one. */
  deleteBefore (earliest: number): void {
    for (const moments of this.#moments.values()) {
      for (const kind of kinds) {
        for (const [id, moment] of moments[kind]) if (moment < earliest) moments[kind].delete(id)
      }
    }
  }

  copy (): RevocationList {
    const copy = new RevocationList()
    for (const [issuer, moments] of this.#moments) {
      for (const kind of kinds) for (const [id, moment] of moments[kind]) copy.#momentsOf(issuer)[kind].set(id, moment)
    }
    return copy
  }

  #momentsOf (issuer: string): Moments {
    let moments = this.#moments.get(issuer)
    if (moments === undefined) {
      moments = { user: new Map(), session: new Map(), token: new Map() }
      this.#moments.set(issuer, moments)
    }
    return moments
  }
}
