import { LRUCache } from 'lru-cache'
import type { CacheSettings } from '../options/settings.js'
import type { Verified } from './verifier.js'

const maxLength = 4096
// Entries are looked up by the last characters of the header, which are of the signature. Hashing the whole header
// would cost more than the rest of the look-up.
const keyLength = 43
const maxBytes = 33_554_432 // of all entries together
const minSize = 256 // bytes of an entry: the shortest header and an empty user take more
const sweepEvery = 60 // seconds
const markBytes = 1_048_576
const maxMarks = markBytes / 8 // so few that two tokens hardly ever share a bit

/** Its times are whole seconds: V8 stores other numbers in objects of their own, which a look-up would have to read. */
interface Entry extends Verified {
  /** The whole Authorization header, because another token may have the same last characters. */
  readonly header: string
  /** Seconds since 1970, like `expiresAt`. */
  readonly keptAt: number
  /** The same as `expiresAt` by the monotonic clock, in its seconds: the wall clock may be set back. */
  readonly ageLimit: number
}

/**
 * Verified tokens by the text of their header. Refusals are not kept, because a flood of bad tokens would push out the
 * good ones. When the cache is full, a token signed with a secret is only kept at its second request, because many
 * tokens are used only once.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, Entry>
  readonly #ttl: number
  /** One bit for each token that was not kept. Its second request clears the bit. A full filter is emptied. */
  readonly #seen = new Uint8Array(markBytes)
  #marks = 0
  #generation = 0
  #sweptAt = 0

  constructor ({ max, ttl }: CacheSettings) {
    // It allocates all places at once: 240 MB for the largest `max`, of which the bytes let it use few.
    this.#entries = new LRUCache({ max: Math.min(max, maxBytes / minSize), maxSize: maxBytes })
    this.#ttl = ttl
  }

  /** Changes with each `clear`. A token that was verified under an older generation must not be kept. */
  get generation (): number {
    return this.#generation
  }

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
    const now = Date.now() / 1000
    if (Math.abs(now - this.#sweptAt) > sweepEvery) this.#sweep(now)
    // Not a spread, which would double the cost of this method.
    const { user, isMachine, weight } = verified
    const size = 2 * header.length + weight
    // Tokens of issuers are always kept: verifying them again would take a promise.
    if (this.#isFullFor(size) && user.issuer === 'secret' && !this.#isSecond(header)) return
    const expiresAt = Math.floor(Math.min(verified.expiresAt, now + this.#ttl))
    const ageLimit = Math.ceil(performance.now() / 1000 + expiresAt - now)
    const entry = { header, user, isMachine, expiresAt, weight, keptAt: Math.floor(now), ageLimit }
    this.#entries.set(keyOf(header), entry, { size })
  }

  #isFullFor (bytes: number): boolean {
    const { size, max, calculatedSize } = this.#entries
    return size >= max || calculatedSize + bytes > maxBytes
  }

  /** Two tokens may share a bit. Then one of them is kept a request too early or too late, which does no harm. */
  #isSecond (header: string): boolean {
    let hash = 0 // FNV-1a
    for (let i = header.length - 8; i < header.length; i++) hash = Math.imul(hash ^ header.charCodeAt(i), 16_777_619)
    const [place, bit] = [(hash >>> 3) % markBytes, 1 << (hash & 7)]
    const marks = Number(this.#seen[place])
    this.#seen[place] = marks ^ bit
    if ((marks & bit) !== 0) return true
    if (++this.#marks > maxMarks) {
      this.#marks = 0
      this.#seen.fill(0)
    }
    return false
  }

  /** Called when keys change: all tokens must be verified again. */
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

/** A header that spells the scheme differently gets its own entry. Otherwise the two would replace each other. */
const keyOf = (header: string) => header.startsWith('Bearer ') ? header.slice(-keyLength) : header

/** If the clock was set back, an entry would live longer than its ttl or its key, or be used before its `nbf`. */
const isFresh = ({ keptAt, expiresAt, ageLimit }: Entry, now: number): boolean =>
  now < expiresAt && now >= keptAt && performance.now() / 1000 < ageLimit
