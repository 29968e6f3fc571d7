import type { FastifyBaseLogger } from 'fastify'
import { createLocalJWKSet, errors, type CryptoKey, type JWK, type JWSHeaderParameters } from 'jose'
import { KeysUnreachableError, refuse, type Refusal } from '../contract/errors.js'
import type { IssuerStatus } from '../contract/issuer.js'
import { logLine } from '../contract/log.js'
import type { IssuerSettings } from '../options/issuers.js'
import { discoverKeys } from './discovery.js'
import { forOtherUse, usableKeys } from './jwk.js'
import { failureOf, FetchFault, fetchJson } from './limited-fetch.js'
import { stopwatch } from './stopwatch.js'

const refreshAt = 0.8 // of maxAge: from then on keys are fetched in the background, so that no request waits
const backOffLimit = 10 // cooldowns
const maxLogged = 10 // ignored keys in a log line

/**
 * The keys of one issuer. They are fetched at boot, before they are older than `maxAge`, and for an unknown `kid`: one
 * fetch at a time, with a pause after each. While the issuer is down, the last keys are used until `maxStale`.
 *
 * `jose` selects and imports keys. The schedule of its remote key set is not used, because it only reads the wall
 * clock: if that is set back, a removed key would still verify. It also lets requests wait for an issuer that is down.
 */
export class RemoteKeys {
  readonly settings: IssuerSettings
  readonly #log: FastifyBaseLogger
  readonly #onChange: () => void
  readonly #stop = new AbortController()
  #jwksUri: string | undefined
  #keys: readonly JWK[] = []
  #ignored = ''
  #select = createLocalJWKSet({ keys: [] })
  /** Seconds since the fetch of the keys began. */
  #age = () => Infinity
  #pending: Promise<void> | undefined
  #lastTry: Date | null = null
  #sinceTry = () => Infinity
  #lastUrl = ''
  #lastError: string | null = null
  #failures = 0 // since the last success; from the first failure on, the issuer counts as down

  /** @param onChange called when the keys have changed */
  constructor (settings: IssuerSettings, log: FastifyBaseLogger, onChange: () => void) {
    const fetch: IssuerSettings['fetch'] = (url, init) => {
      const { origin, pathname } = new URL(url)
      this.#lastUrl = origin + pathname // the query may hold a secret
      return settings.fetch(url, { ...init, signal: AbortSignal.any([this.#stop.signal, init.signal as AbortSignal]) })
    }
    this.settings = { ...settings, fetch }
    this.#log = log.child({ issuer: settings.issuer })
    this.#onChange = onChange
    this.#jwksUri = settings.jwksUri
  }

  async load (): Promise<void> {
    const { issuer, lazy } = this.settings
    const first = this.#refresh()
    if (lazy) return
    await first
    if (this.#failures === 0) return
    throw new KeysUnreachableError(`issuer "${issuer}": its keys cannot be fetched (${this.#lastError}, ` +
      `${this.#lastUrl}). Fix: start the issuer, or correct its entry (the URL, or an option that is named here), or ` +
      'set lazy: true to start without keys')
  }

  /** Aborts a fetch in flight, which would keep the process alive after the app has closed. */
  stop (): void {
    this.#stop.abort()
  }

  /** Returns the key for a header. Rejects with a Refusal `KEYS_UNAVAILABLE`, or with an error of `jose`. */
  readonly getKey = async (header: JWSHeaderParameters): Promise<CryptoKey> => {
    await this.#ensureKeys()
    try {
      return await this.#select(header)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    }
    await this.#refresh()
    // While the issuer is down, it is unknown whether it has a new key with this kid.
    if (this.#failures > 0) throw this.#unavailable()
    return await this.#select(header)
  }

  /** Seconds since 1970: until then, a token that these keys verified need not be verified again. */
  get freshUntil (): number {
    const age = this.#age()
    // While the issuer is down, nothing changes before the next fetch. While it is up, #lifetime is maxAge.
    const left = Math.min(Math.max(this.settings.maxAge - age, this.#pause), this.#lifetime - age)
    return Date.now() / 1000 + left
  }

  /** The `kid` of each key; null if it has none. */
  get kids (): Array<string | null> {
    return this.#keys.map(({ kid }) => kid ?? null)
  }

  status (): IssuerStatus {
    const keys = this.#areLost ? [] : this.kids
    const status = {
      issuer: this.settings.issuer,
      keys,
      age: keys.length > 0 ? Math.floor(this.#age()) : null,
      lastFetch: this.#lastTry,
      lastError: this.#lastError,
      nextTry: this.#lastTry && new Date(Math.round(Date.now() + this.#pause * 1000))
    }
    // Without keys an instance gets no traffic, so the health check must trigger the fetch.
    if (this.#lastTry) this.#renew() // not before the boot has tried
    return status
  }

  /** Fetches new keys if they are old. The request only waits if the old ones may no longer be used. */
  async #ensureKeys (): Promise<void> {
    const age = this.#age()
    const renewing = this.#renew()
    if (age >= this.#lifetime) await renewing
    if (this.#areLost) throw this.#unavailable()
  }

  /** Starts a fetch if the keys are old. */
  #renew (): Promise<void> | undefined {
    return this.#age() >= this.settings.maxAge * refreshAt ? this.#refresh() : undefined
  }

  /** Seconds for which the keys are used: longer while the issuer is down. */
  get #lifetime (): number {
    const { maxAge, maxStale } = this.settings
    return this.#failures > 0 ? Math.max(maxAge, maxStale) : maxAge
  }

  get #areLost (): boolean {
    return this.#failures > 0 && this.#age() >= this.#lifetime
  }

  /** Seconds until the next fetch may start. While there are keys, each failure doubles the pause, up to a limit. */
  get #pause (): number {
    const { cooldown, maxAge } = this.settings
    if (this.#failures === 0) return Math.min(cooldown, maxAge * refreshAt) - this.#sinceTry()
    const growth = this.#areLost ? 1 : Math.min(2 ** (this.#failures - 1), backOffLimit)
    return Math.max(cooldown, Math.min(cooldown * growth, maxAge)) - this.#sinceTry()
  }

  /** Returns the fetch in flight, or starts one if the pause is over. Never rejects. */
  #refresh (): Promise<void> | undefined {
    if (this.#pause <= 0) this.#pending ??= this.#fetch()
    return this.#pending
  }

  async #fetch (): Promise<void> {
    const age = this.#sinceTry = stopwatch()
    this.#lastTry = new Date()
    try {
      await this.#replaceKeys()
      this.#age = age
      this.#failures = 0
      this.#lastError = null
    } catch (error) {
      this.#failures++
      this.#lastError = failureOf(error)
      const fields = { url: this.#lastUrl, reason: this.#lastError, failures: this.#failures }
      const outcome = this.#areLost ? 'none are left' : 'the last ones are still used'
      if (!this.#stop.signal.aborted) logLine(this.#log, 'warn', fields, `issuer keys could not be fetched; ${outcome}`)
    } finally {
      this.#pending = undefined
    }
  }

  async #replaceKeys (): Promise<void> {
    this.#jwksUri ??= await discoverKeys(this.settings)
    const set = await fetchJson(this.settings, this.#jwksUri, AbortSignal.timeout(this.settings.timeout))
    const { keys, ignored } = usableKeys(set, this.settings.algorithms)
    this.#tellIgnored(ignored, keys.length)
    if (keys.length === 0) throw new FetchFault(`no usable key: ${ignored[0]?.reason ?? 'the set is empty'}`)
    if (JSON.stringify(keys) === JSON.stringify(this.#keys)) return
    this.#keys = keys
    this.#select = createLocalJWKSet({ keys })
    this.#onChange()
  }

  /** Writes a line if other keys are ignored than at the fetch before. */
  #tellIgnored (ignored: ReturnType<typeof usableKeys>['ignored'], usable: number): void {
    const before = this.#ignored
    this.#ignored = JSON.stringify(ignored)
    if (ignored.length === 0 || this.#ignored === before) return
    const isUsual = usable > 0 && ignored.every(({ reason }) => reason === forOtherUse)
    const fields = { count: ignored.length, ignored: ignored.slice(0, maxLogged) }
    logLine(this.#log, isUsual ? 'debug' : 'warn', fields, 'issuer keys that cannot be used were ignored')
  }

  #unavailable (): Refusal {
    const reason = `the keys of the issuer "${this.settings.issuer}" are unavailable`
    return refuse('KEYS_UNAVAILABLE', `${reason} (${this.#lastError}, ${this.#lastUrl})`, {
      retryAfter: Math.max(1, Math.ceil(this.#pause))
    })
  }
}
