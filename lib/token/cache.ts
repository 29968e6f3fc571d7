import { LRUCache } from 'lru-cache'
import type { CacheSettings } from '../options/settings.js'
import type { Verified } from './verifier.js'

const maxTokenLength = 4096
const maxBytes = 33_554_432 // of all tokens together

interface Entry {
  readonly verified: Verified
  /** Seconds since 1970, as the other. */
  readonly keptAt: number
  readonly until: number
}

/**
 * Verified tokens by their text. A token has one spelling only, so the text stands for all that the signature covers.
 * Refusals are not kept: they would push out what serves.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, Entry>
  readonly #ttl: number
  #generation = 0

  constructor ({ max, ttl }: CacheSettings) {
    this.#entries = new LRUCache({ max, maxSize: maxBytes, sizeCalculation: (_entry, token) => token.length })
    this.#ttl = ttl
  }

  /** Changes with each `clear`: what was verified under an older one must not be kept. */
  get generation (): number {
    return this.#generation
  }

  /** What is known of the token behind a header value, or undefined. */
  find (header: string): Verified | undefined {
    if (!header.startsWith('Bearer ')) return undefined
    const token = header.slice(7)
    const entry = this.#entries.get(token)
    if (entry === undefined) return undefined
    const now = Date.now() / 1000
    // The moment it was kept bounds it from below: behind a clock that is set back it would be served for longer, and
    // before its nbf.
    if (now < entry.until && now >= entry.keptAt) return entry.verified
    this.#entries.delete(token)
    return undefined
  }

  keep (token: string, verified: Verified, generation: number | undefined): void {
    if (token.length > maxTokenLength || generation !== this.#generation) return
    const keptAt = Date.now() / 1000
    this.#entries.set(token, { verified, keptAt, until: Math.min(verified.expiresAt, keptAt + this.#ttl) })
  }

  /** For a change of keys: whatever they verified has to be verified anew. */
  clear (): void {
    this.#generation++
    this.#entries.clear()
  }
}
