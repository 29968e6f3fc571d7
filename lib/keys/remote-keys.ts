import type { FastifyBaseLogger } from 'fastify'
import { createRemoteJWKSet, customFetch, errors, type CompactVerifyGetKey, type JWK, type RemoteJWKSet } from 'jose'
import { KeysUnreachableError } from '../contract/errors.js'
import { discoverKeys } from './discovery.js'
import type { IssuerSettings } from '../options/issuers.js'
import { usableKeys } from './jwk.js'
import { FetchFault, fetchJson } from './limited-fetch.js'
import type { IssuerStatus } from '../contract/issuer.js'
import { never, now, since } from './moments.js'

/** No key can be had now, neither held nor fetched. */
export class KeysUnavailable extends Error {
  /** @param retryAfter seconds */
  constructor (readonly retryAfter: number) { super('keys unavailable') }
}

const backOffLimit = 10 // cooldowns
const refreshAt = 0.8 // of the maximum age, so that nobody has to wait

/**
 * The keys of one issuer. `jose` fetches, holds and imports them, one fetch in flight; when to fetch is decided here: at boot, at an
 * unknown `kid`, and before the keys held are older than the maximum age, but not within the cooldown of the last attempt, whether that
 * failed or not; only where the keys held grow old first, a cooldown after success is shorter. A fetch that fails leaves them as they were.
 */
export class RemoteKeys {
  readonly settings: IssuerSettings
  readonly #log: FastifyBaseLogger
  readonly #onChange: () => void
  #remote: RemoteJWKSet | undefined
  #pending: Promise<boolean> | undefined
  #fetched: readonly JWK[] = []
  #held: readonly JWK[] = []
  #fetchedAt = never
  #triedAt = never
  #failures = 0
  #lastError: string | null = null

  /** @param onChange called when the keys held are others than before */
  constructor (settings: IssuerSettings, log: FastifyBaseLogger, onChange: () => void) {
    this.settings = settings
    this.#log = log
    this.#onChange = onChange
  }

  /** For the boot: waits for the first keys. */
  async load (): Promise<void> {
    const first = this.#refresh()
    if (this.settings.lazy || await first) return
    throw new KeysUnreachableError(`issuer "${this.settings.issuer}": its keys cannot be fetched (${this.#lastError}). Mend jwksUri or the network, or set lazy: true to start without them`)
  }

  /** Seconds since 1970: until then, what these keys verified stands without asking again. */
  get freshUntil (): number {
    const age = since(this.#fetchedAt)
    const left = this.settings.maxAge - age
    // A fetch that is under way may change what is known; one that failed does not, until the next.
    return now().wall + (this.#failures > 0 ? Math.min(Math.max(left, this.#pause), this.#maxAgeWhileDown - age) : left)
  }

  /** For `jose`. Throws KeysUnavailable, or an error of `jose` where no key fits. */
  readonly getKey: CompactVerifyGetKey = async (header, token) => {
    const remote = await this.#ensure()
    try {
      return await remote(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const refreshing = this.#refreshing()
      // While the issuer cannot be asked, nobody knows whether the key is a new one of its.
      if (refreshing ? !await refreshing : this.#failures > 0) throw this.#unavailable()
      if (!refreshing) throw error
      return await remote(header, token)
    }
  }

  status (): IssuerStatus {
    const date = (seconds: number) => Number.isFinite(seconds) ? new Date(Math.round(seconds * 1000)) : null
    return {
      issuer: this.settings.issuer,
      keys: this.#held.map(({ kid }) => kid ?? null),
      age: this.#held.length > 0 ? Math.floor(since(this.#fetchedAt)) : null,
      lastFetch: date(this.#triedAt.wall),
      lastError: this.#lastError,
      nextTry: date(now().wall + this.#pause)
    }
  }

  /** Keys that are not too old. Waits for new ones only where those held do not serve, and lets go of these only where none can be had. */
  async #ensure (): Promise<RemoteJWKSet> {
    const { maxAge } = this.settings
    const age = since(this.#fetchedAt)
    const isOutdated = age >= this.#maxAgeWhileDown
    if (isOutdated && this.#failures > 0) this.#hold([])
    if (age >= maxAge * refreshAt) {
      const refreshing = this.#refreshing()
      // Known to be down: the keys that were good until then serve on, and nobody waits.
      const serve = !isOutdated && (age < maxAge || this.#failures > 0)
      if (!serve && !await refreshing && isOutdated) this.#hold([])
    }
    if (this.#remote === undefined || this.#held.length === 0) throw this.#unavailable()
    return this.#remote
  }

  get #maxAgeWhileDown (): number {
    return Math.max(this.settings.maxAge, this.settings.maxStale)
  }

  /** The fetch in flight, or a new one where one may be tried. */
  #refreshing (): Promise<boolean> | undefined {
    return this.#pending ?? (this.#pause <= 0 ? this.#refresh() : undefined)
  }

  /** Seconds until a fetch may be tried. Longer and longer after failures, as long as there are keys to serve meanwhile. */
  get #pause (): number {
    const { cooldown, maxAge } = this.settings
    const factor = this.#held.length > 0 ? Math.min(2 ** (this.#failures - 1), backOffLimit) : 1
    return (this.#failures > 0 ? cooldown * factor : Math.min(cooldown, maxAge * refreshAt)) - since(this.#triedAt)
  }

  /** Never rejects: resolves to whether keys were fetched. */
  #refresh (): Promise<boolean> {
    this.#triedAt = now()
    this.#pending ??= this.#reload().then(() => true, (error: unknown) => {
      this.#failures++
      this.#lastError = describe(error)
      const held = this.#held.length > 0 ? 'those held serve on' : 'none are held'
      this.#log.warn({ issuer: this.settings.issuer, reason: this.#lastError, failures: this.#failures }, `issuer keys could not be fetched; ${held}`)
      return false
    }).finally(() => { this.#pending = undefined })
    return this.#pending
  }

  async #reload (): Promise<void> {
    const { jwksUri, timeout } = this.settings
    this.#remote ??= createRemoteJWKSet(new URL(jwksUri ?? await discoverKeys(this.settings)), {
      timeoutDuration: timeout,
      // When to fetch is decided above.
      cacheMaxAge: Infinity,
      cooldownDuration: Infinity,
      [customFetch]: (url, init) => this.#fetch(url, init)
    })
    await this.#remote.reload()
    // Not before `jose` uses them: what the old keys verify until then must not be kept as if the new ones had.
    this.#hold(this.#fetched)
    this.#fetchedAt = this.#triedAt
    this.#failures = 0
    this.#lastError = null
  }

  async #fetch (url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    const { fetch, maxBytes, algorithms, issuer } = this.settings
    const { keys, ignored } = usableKeys(await fetchJson(fetch, url, init, maxBytes), algorithms)
    if (ignored.length > 0) this.#log.warn({ issuer, ignored }, 'issuer keys that cannot be used were ignored')
    if (keys.length === 0) throw new FetchFault('no usable key')
    this.#fetched = keys
    return Response.json({ keys })
  }

  #hold (keys: readonly JWK[]): void {
    const changed = JSON.stringify(keys) !== JSON.stringify(this.#held)
    this.#held = keys
    if (changed) this.#onChange()
  }

  #unavailable (): KeysUnavailable {
    return new KeysUnavailable(Math.max(1, Math.ceil(this.#pause)))
  }
}

/** The messages of this library's own errors; of others the name and codes alone, as they may quote what came. */
function describe (error: unknown): string {
  // An injected fetch may reject with anything.
  if (!(error instanceof Error)) return 'unknown error'
  const { name, code, message, cause } = error as Error & { code?: unknown, cause?: { code?: unknown } }
  return error instanceof FetchFault ? message : [name, code, cause?.code].filter(Boolean).join(' ')
}
