import { kinds, type Entry, type Kind } from './entry.js'
import { Seen } from './seen.js'

type Table = Record<Kind, Map<string, number>>

/**
 * Marks are lower. A moment and a mark are kept as one number, until the year 2242: an object for each entry would take
 * twice the memory.
 */
export const marks = 2 ** 20

const short = 4096 // entries, among which a look-up is fast without the filter

/**
 * Entries in memory, found by their ids. Of two about the same, the later moment counts. One takes about 60 bytes and
 * its id. Each has a mark of its reader, which tells whether a store has shown it.
 */
export class RevocationList {
  /** By issuer; those of the empty one are about all issuers. */
  readonly #tables = new Map<string, Table>()
  readonly #general: Table
  /** The ids of all kinds. */
  readonly #seen = new Seen()

  constructor () {
    this.#general = this.#tableOf('')
  }

  get size (): number {
    let size = 0
    for (const [, , moments] of this.#maps()) size += moments.size
    return size
  }

  /**
   * @returns whether it says more than was known
   */
  add ({ kind, id, issuer, moment }: Entry, mark = 0): boolean {
    const moments = this.#tableOf(issuer)[kind]
    const known = momentOf(moments.get(id))
    this.#seen.add(id)
    if (moment >= known) moments.set(id, moment * marks + mark)
    return moment > known
  }

  /** The moment of what concerns a token of this issuer; -1 where nothing does. */
  find (kind: Kind, id: string, issuer: string): number {
    const moment = this.#look(this.#general[kind], id)
    if (this.#tables.size === 1) return moment
    return Math.max(moment, this.#look(this.#tables.get(issuer)?.[kind], id))
  }

  #look (moments: Map<string, number> | undefined, id: string): number {
    if (moments === undefined || (moments.size > short && !this.#seen.mayHave(id))) return -1
    return momentOf(moments.get(id))
  }

  /** Those of the places in between that have another mark than this. They may be added to meanwhile. */
  * without (mark: number, from: number, to: number): Generator<Entry> {
    let place = -1
    for (const [issuer, kind, moments] of this.#maps()) {
      for (const [id, value] of moments) {
        if (++place < from || place >= to || value % marks === mark) continue
        yield { kind, id, issuer, moment: momentOf(value) }
      }
    }
  }

  /** Removes the entries of moments before this one. */
  deleteBefore (earliest: number): void {
    this.#seen.clear()
    for (const [, , moments] of this.#maps()) {
      for (const [id, value] of moments) {
        if (momentOf(value) < earliest) moments.delete(id)
        else this.#seen.add(id)
      }
    }
  }

  * #maps (): Generator<[issuer: string, kind: Kind, moments: Map<string, number>]> {
    for (const [issuer, table] of this.#tables) for (const kind of kinds) yield [issuer, kind, table[kind]]
  }

  #tableOf (issuer: string): Table {
    let table = this.#tables.get(issuer)
    if (table === undefined) {
      table = { user: new Map(), session: new Map(), token: new Map() }
      this.#tables.set(issuer, table)
    }
    return table
  }
}

const momentOf = (value: number | undefined): number => value === undefined ? -1 : Math.floor(value / marks)
