import { kinds, type Entry, type Kind } from './entry.js'
import { Seen } from './seen.js'

/**
 * More than any mark. A moment and a mark are kept as one number, which has room for both until the year 2242: objects
 * would take twice the memory.
 */
export const marks = 2 ** 20

const short = 4096 // entries, among which a look-up is fast without the filter

type Moments = Map<string, number>

/** Entries of one kind, found by their ids. */
export class Entries {
  readonly #general: Moments = new Map()
  readonly #ofIssuers = new Map<string, Moments>()
  readonly #seen: Seen

  constructor (seen: Seen) {
    this.#seen = seen
  }

  /** The moment of what concerns a token of this issuer; -1 where nothing does. */
  find (id: string, issuer: string): number {
    const moment = this.#look(this.#general, id)
    return this.#ofIssuers.size === 0 ? moment : Math.max(moment, this.#look(this.#ofIssuers.get(issuer), id))
  }

  #look (moments: Moments | undefined, id: string): number {
    if (!moments?.size || (moments.size > short && !this.#seen.mayHave(id))) return -1
    return momentOf(moments.get(id))
  }

  of (issuer: string): Moments {
    if (issuer === '') return this.#general
    let moments = this.#ofIssuers.get(issuer)
    if (moments === undefined) this.#ofIssuers.set(issuer, moments = new Map())
    return moments
  }

  /** Tells `seen`, which is empty then, of the ids that stay. */
  deleteBefore (earliest: number): void {
    for (const [issuer, moments] of this.all()) {
      for (const [id, value] of moments) {
        if (momentOf(value) < earliest) moments.delete(id)
        else this.#seen.add(id)
      }
      if (moments.size === 0) this.#ofIssuers.delete(issuer)
    }
  }

  * all (): Generator<[issuer: string, moments: Moments]> {
    yield ['', this.#general]
    yield * this.#ofIssuers
  }
}

/**
 * Entries in memory. Of two about the same, the later moment counts. One takes about 60 bytes and its id. Each has a
 * mark of its reader, which tells whether a store has shown it.
 */
export class RevocationList {
  /** The ids of all kinds. */
  readonly #seen = new Seen()
  readonly user = new Entries(this.#seen)
  readonly session = new Entries(this.#seen)
  readonly token = new Entries(this.#seen)

  get size (): number {
    let size = 0
    for (const [, , moments] of this.#maps()) size += moments.size
    return size
  }

  /**
   * @returns whether it says more than was known
   */
  add ({ kind, id, issuer, moment }: Entry, mark = 0): boolean {
    const moments = this[kind].of(issuer)
    const known = momentOf(moments.get(id))
    this.#seen.add(id)
    if (moment >= known) moments.set(id, moment * marks + mark)
    return moment > known
  }

  /** Those that have another mark than this, from a place on. Entries may be added meanwhile. */
  * without (mark: number, from: number): Generator<Entry> {
    let place = -1
    for (const [issuer, kind, moments] of this.#maps()) {
      for (const [id, value] of moments) {
        if (++place < from || value % marks === mark) continue
        yield { kind, id, issuer, moment: momentOf(value) }
      }
    }
  }

  /** Removes the entries of moments before this one. */
  deleteBefore (earliest: number): void {
    this.#seen.clear()
    for (const kind of kinds) this[kind].deleteBefore(earliest)
  }

  * #maps (): Generator<[issuer: string, kind: Kind, moments: Moments]> {
    for (const kind of kinds) for (const [issuer, moments] of this[kind].all()) yield [issuer, kind, moments]
  }
}

const momentOf = (value: number | undefined): number => value === undefined ? -1 : Math.floor(value / marks)
