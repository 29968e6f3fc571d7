import { LRUCache } from 'lru-cache'
import type { CacheSettings } from '../options/settings.js'
import type { Verified } from './verifier.js'

const maxLength = 4096
// Of a header's end, by which it is looked up: no signature is shorter, and each has another end. To hash the whole
// header would cost more than all the rest of a look-up.
const keyLength = 43
const maxBytes = 33_554_432 // of all entries together
const sweepEvery = 60 // seconds
const markBytes = 1_048_576 // a power of two
const maxMarks = markBytes / 8 // more than there is room for tokens, and few to each byte

interface Entry extends Verified {
  /** All of it, as what only ends alike is another token. */
  readonly header: string
  /** In seconds since 1970, as `until`. */
  readonly keptAt: number
  readonly until: number
}

/**
 * Verified tokens by the text of the header that brought them. Refusals are not kept: a flood of bad tokens would push
 * out the good ones. Nor is, once the cache is full, the token of a secret at its first request: it may come but once.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, Entry>
  readonly #ttl: number
  /** A bit for each token that was not kept, at its hash: a Bloom filter, whose bits go all at once. */
  readonly #seen = new Uint8Array(markBytes)
  #marks = 0
  #generation = 0
  #sweptAt = 0

  constructor ({ max, ttl }: CacheSettings) {
    this.#entries = new LRUCache({ max, maxSize: maxBytes })
    this.#ttl = ttl
  }

  /** Changes with each `clear`: what was verified under an older one must not be kept. */
  get generation (): number {
    return this.#generation
  }

  /** What is known of a header's value, or undefined. */
  find (header: string): Verified | undefined {
    const key = keyOf(header)
    const entry = this.#entries.get(key)
    if (entry?.header !== header) return undefined
    if (isFresh(entry, Date.now() / 1000)) return entry
    this.#entries.delete(key)
    return undefined
  }

  keep (header: string, verified: Verified, generation: number | undefined): void {
    if (header.length > maxLength || generation !== this.#generation) return
    const keptAt = Date.now() / 1000
    if (Math.abs(keptAt - this.#sweptAt) > sweepEvery) this.#sweep(keptAt)
    // Member by member: a spread costs as much again as all the rest.
    const { user, isMachine, expiresAt, weight } = verified
    const size = 2 * header.length + weight
    // To verify the token of an issuer once more would take a promise.
    if (this.#isFullFor(size) && user.issuer === 'secret' && !this.#isSecond(header)) return
    const until = Math.min(expiresAt, keptAt + this.#ttl)
    this.#entries.set(keyOf(header), { header, user, isMachine, expiresAt, weight, keptAt, until }, { size })
  }

  #isFullFor (bytes: number): boolean {
    const { size, max, calculatedSize } = this.#entries
    return size >= max || calculatedSize + bytes > maxBytes
  }

  /** Where two tokens have one bit, the other is kept at its first request, or a request later, and that is all. */
  #isSecond (header: string): boolean {
    let hash = 0 // FNV-1a
    for (let i = header.length - 8; i < header.length; i++) hash = Math.imul(hash ^ header.charCodeAt(i), 16_777_619)
    const [place, bit] = [(hash >>> 3) & (markBytes - 1), 1 << (hash & 7)]
    const marks = Number(this.#seen[place])
    this.#seen[place] = marks ^ bit
    if ((marks & bit) !== 0) return true
    if (++this.#marks > maxMarks) {
      this.#marks = 0
      this.#seen.fill(0)
    }
    return false
  }

  /** For a change of keys: whatever they verified has to be verified anew. */
  clear (): void {
    this.#generation++
    this.#entries.clear()
  }

  #sweep (now: number): void {
    this.#sweptAt = now
    for (const [key, entry] of this.#entries.entries()) {
      if (!isFresh(entry, now)) this.#entries.delete(key)
    }
  }
}

/** In another spelling of the scheme it is another token here, so that the two do not push each other out. */
const keyOf = (header: string) => header.startsWith('Bearer ') ? header.slice(-keyLength) : header

/**
 * Where the clock was set back, an entry is stale: it would be served for longer than the ttl, or before its `nbf`.
 */
const isFresh = ({ keptAt, until }: Entry, now: number): boolean => now < until && now >= keptAt
