import { LRUCache } from 'lru-cache'
import type { CacheSettings } from '../options/settings.js'
import type { Verified } from './verifier.js'

const maxLength = 4096
const maxBytes = 33_554_432 // of all entries together
const sweepEvery = 60 // seconds

interface Entry extends Verified {
  /** In seconds since 1970, as `until`. */
  readonly keptAt: number
  readonly until: number
}

/**
 * Verified tokens by the text of the header that brought them. Refusals are not kept: a flood of bad tokens would push
 * out the good ones.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, Entry>
  readonly #ttl: number
  #generation = 0
  #sweptAt = 0

  constructor ({ max, ttl }: CacheSettings) {
    const sizeCalculation = ({ weight }: Entry, header: string) => 2 * header.length + weight
    this.#entries = new LRUCache({ max, maxSize: maxBytes, sizeCalculation })
    this.#ttl = ttl
  }

  /** Changes with each `clear`: what was verified under an older one must not be kept. */
  get generation (): number {
    return this.#generation
  }

  /** What is known of a header's value, or undefined. */
  find (header: string): Verified | undefined {
    const entry = this.#entries.get(header)
    if (entry === undefined) return undefined
    if (isFresh(entry, Date.now() / 1000)) return entry
    this.#entries.delete(header)
    return undefined
  }

  keep (header: string, verified: Verified, generation: number | undefined): void {
    if (header.length > maxLength || generation !== this.#generation) return
    const keptAt = Date.now() / 1000
    if (Math.abs(keptAt - this.#sweptAt) > sweepEvery) this.#sweep(keptAt)
    // Member by member: a spread costs as much again as all the rest.
    const { user, isMachine, expiresAt, weight } = verified
    const until = Math.min(expiresAt, keptAt + this.#ttl)
    this.#entries.set(header, { user, isMachine, expiresAt, weight, keptAt, until })
  }

  /** For a change of keys: whatever they verified has to be verified anew. */
  clear (): void {
    this.#generation++
    this.#entries.clear()
  }

  #sweep (now: number): void {
    this.#sweptAt = now
    for (const [header, entry] of this.#entries.entries()) {
      if (!isFresh(entry, now)) this.#entries.delete(header)
    }
  }
}

/**
 * Where the clock was set back, an entry is stale: it would be served for longer than the ttl, or before its `nbf`.
 */
const isFresh = ({ keptAt, until }: Entry, now: number): boolean => now < until && now >= keptAt
