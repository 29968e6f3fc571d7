import { kinds, type Entry, type Kind } from './entry.js'
import { Seen } from './seen.js'

/**
 * Marks are lower than this. Moment and mark are stored as one number, which has room for both until the year 2242:
 * objects would take twice the memory.
 */
export const marks = 2 ** 20

/** Returns another mark, and never 0, which is that of new entries. */
export const nextMark = (mark: number): number => mark % (marks - 1) + 1

const short = 4096 // up to this many entries, a look-up is fast without the filter

type Moments = Map<string, number>

export class Entries {
  readonly #general: Moments = new Map()
  /** By issuer; those of any issuer are under `''`. */
  readonly #byIssuer = new Map<string, Moments>([['', this.#general]])
  readonly #seen: Seen

  constructor (seen: Seen) {
    this.#seen = seen
  }

  /** Returns the latest moment for a token of this issuer; -1 if there is none. */
  find (id: string, issuer: string): number {
    const moment = this.#look(this.#general, id)
    return this.#byIssuer.size === 1 ? moment : Math.max(moment, this.#look(this.#byIssuer.get(issuer), id))
  }

  #look (moments: Moments | undefined, id: string): number {
    if (!moments?.size || (moments.size > short && !this.#seen.mayHave(id))) return -1
    return momentOf(moments.get(id))
  }

  /** Returns the moments of an issuer, to add to: a new map if there is none. */
  of (issuer: string): Moments {
    let moments = this.#byIssuer.get(issuer)
    if (moments === undefined) this.#byIssuer.set(issuer, moments = new Map())
    return moments
  }

  /** Adds the ids that stay to `seen`, which was emptied before. */
  deleteBefore (earliest: number): void {
    for (const [issuer, moments] of this.#byIssuer) {
      for (const [id, value] of moments) {
        if (momentOf(value) < earliest) moments.delete(id)
        else this.#seen.add(id)
      }
      if (moments.size === 0 && moments !== this.#general) this.#byIssuer.delete(issuer)
    }
  }

  all (): Iterable<[issuer: string, moments: Moments]> {
    return this.#byIssuer
  }
}

/**
 * Entries in memory. Of two for the same id, the later moment counts. An entry takes about 60 bytes and its id. Its
 * mark tells whether the store has it.
 */
export class RevocationList {
  /** Called when an id is new or has a later moment: one function for each registration that shares the list. */
  readonly onEntry: Array<() => void> = []
  /** Seconds for which entries are kept: the longest of these registrations. */
  lifetime = 0
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

  add ({ kind, id, issuer, moment }: Entry, mark = 0): void {
    const moments = this[kind].of(issuer)
    const known = momentOf(moments.get(id))
    this.#seen.add(id)
    if (moment >= known) moments.set(id, moment * marks + mark)
    if (moment > known) for (const tell of this.onEntry) tell()
  }

  /** Yields entries with another mark and no earlier moment, from an index on. Entries may be added meanwhile. */
  * without (mark: number, from: number, earliest: number): Generator<Entry> {
    let place = -1
    for (const [issuer, kind, moments] of this.#maps()) {
      for (const [id, value] of moments) {
        const moment = momentOf(value)
        if (++place < from || value % marks === mark || moment < earliest) continue
        yield { kind, id, issuer, moment }
      }
    }
  }

  deleteBefore (earliest: number): void {
    this.#seen.clear()
    for (const kind of kinds) this[kind].deleteBefore(earliest)
  }

  * #maps (): Generator<[issuer: string, kind: Kind, moments: Moments]> {
    for (const kind of kinds) for (const [issuer, moments] of this[kind].all()) yield [issuer, kind, moments]
  }
}

const momentOf = (value: number | undefined): number => value === undefined ? -1 : Math.floor(value / marks)
