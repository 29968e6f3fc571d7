import timers from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { detailsOf, InvalidOptionError, RevocationsUnreachableError, type Refusal } from '../contract/errors.js'
import { logLine } from '../contract/log.js'
import type { RevocationStore, StoredRevocation } from '../contract/revocations.js'
import { timeLimit, within } from '../contract/within.js'
import { clockShift, stopwatch } from '../keys/stopwatch.js'
import type { RevocationSettings } from '../options/revocations.js'
import { latestMoment, lifetime, margin, parseEntry, type Entry } from './entry.js'
import { nextMark, type RevocationList } from './list.js'
import { Publisher, reasonOf } from './publisher.js'

const [longestInterval, longestShift, firstPause, longestPause] = [20, 5, 0.1, 2] // seconds

export interface FeedSettings extends RevocationSettings {
  readonly store: RevocationStore
  readonly clockTolerance: number
}

/**
 * Synchronizes a list with a store. Entries of other instances are added to the list. Entries that the store has lost,
 * after a restart or a failover, are published again. No request waits for it.
 */
export class Feed {
  readonly #settings: FeedSettings
  readonly #list: RevocationList
  readonly #log: FastifyBaseLogger
  readonly #stop = new AbortController()
  readonly #publisher: Publisher
  readonly #lifetime: number // of an entry, in seconds
  /** The mark of entries that the current connection has read, or stored again. Others have another. */
  #mark = 0
  #mayMiss = false // whether the list may have entries that the store lacks
  #sinceRepair = stopwatch()
  #alarm: NodeJS.Timeout | undefined
  #isStarted = false
  #fault: string | null = null
  #failures = 0 // in a row
  /** Seconds since the store last answered. */
  #age = () => Infinity

  constructor (settings: FeedSettings, list: RevocationList, log: FastifyBaseLogger) {
    const { store, keepFor, clockTolerance } = settings
    this.#settings = settings
    this.#list = list
    this.#log = log
    this.#lifetime = lifetime(keepFor, clockTolerance)
    this.#publisher = new Publisher(store, keepFor, this.#lifetime + margin, this.#stop.signal)
  }

  get isStale (): boolean {
    return this.#age() > this.#settings.maxStale
  }

  /** Why the store failed last; null while it answers. */
  get fault (): string | null {
    return this.#fault
  }

  /**
   * Follows the store. Resolves when all stored entries were read.
   * @throws RevocationsUnreachableError, InvalidOptionError
   */
  start (): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#followOn(resolve).catch((error: unknown) => { reject(asBootError(error)) })
    })
  }

  stop (): void {
    this.#stop.abort()
    clearTimeout(this.#alarm)
  }

  /** @throws Refusal `REVOCATIONS_UNAVAILABLE`; the entry is stored later, when the store is back */
  async publish (entry: Entry): Promise<void> {
    await this.#publisher.publish(entry).catch((refusal: Refusal) => {
      this.#tryLater(detailsOf(refusal).reason)
      throw refusal
    })
  }

  #tryLater (reason: string): void {
    this.#mayMiss = true
    if (this.#stop.signal.aborted) return
    logLine(this.#log, 'warn', { reason }, 'revocations could not be stored; tried again later')
  }

  /** Follows the store and reconnects. Rejects if the first complete read fails, and when the app closes. */
  async #followOn (onUpToDate: () => void): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      const failure: unknown = await this.#follow(onUpToDate).catch((error: unknown) => error)
      if (!this.#isStarted) throw failure
      signal.throwIfAborted()
      const reason = reasonOf(failure)
      if (this.#fault === null) logLine(this.#log, 'warn', { reason }, 'the store of revocations failed')
      this.#fault = reason
      this.#failures++
      const seconds = Math.min(firstPause * 2 ** this.#failures, longestPause) * Math.random()
      await timers.setTimeout(seconds * 1000, null, { ref: false, signal })
    }
  }

  async #follow (onUpToDate: () => void): Promise<void> {
    const { store, maxStale } = this.#settings
    const interval = Math.min(maxStale / 3, longestInterval)
    const [end, shift] = [new AbortController(), clockShift()]
    this.#mark = nextMark(this.#mark)
    this.#mayMiss = true
    let isWhole = false
    const options = { signal: end.signal, interval, keepFor: this.#lifetime + margin }
    const lists = store.follow(options)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const seconds: number = isWhole ? 2 * interval : timeLimit
        const { done, value } = await within(lists.next(), seconds, this.#stop.signal)
        if (done) throw new Error('it ended')
        // Entries were cut or left out by the old time, so all of them are read again.
        if (Math.abs(shift()) > longestShift) throw new Error('the clock was set')
        this.#read(value, isWhole)
        if (isWhole) this.#failures = 0 // not sooner: a store that fails after each whole read must be read less often
        isWhole ||= value.length === 0
        if (!isWhole) continue // the list is not up to date yet
        this.#markAnswer()
        onUpToDate()
        // If others revoke all the time, no empty list comes.
        if (value.length === 0 || this.#sinceRepair() >= interval) this.#addMissing(end.signal)
      }
    } finally {
      end.abort()
      Promise.resolve().then(() => lists.return?.()).catch(() => {}) // not awaited, as it may hang
    }
  }

  #markAnswer (): void {
    const { maxStale, whenDown } = this.#settings
    const complain = () => {
      logLine(this.#log, 'error', { whenDown, reason: this.#fault }, 'revocations are stale')
    }
    if (this.#fault !== null) this.#log.info('the store of revocations answers again')
    this.#fault = null
    this.#isStarted = true
    this.#age = stopwatch()
    this.#alarm ??= setTimeout(complain, maxStale * 1000).unref()
    this.#alarm.refresh()
  }

  /** @param isLive whether these entries have just been stored */
  #read (list: readonly StoredRevocation[], isLive: boolean): void {
    const { clockTolerance, keepFor } = this.#settings
    const now = Date.now() / 1000
    let [malformed, otherKeepFor] = [0, keepFor]
    for (const each of list) {
      const { entry: text, storedAt } = Object(each) as StoredRevocation // a store may return anything
      const entry = parseEntry(text)
      if (entry === null) {
        malformed++
        continue
      }
      const moment = Math.min(entry.moment, latestMoment(storedAt, now, isLive, clockTolerance))
      const counts = (seconds: number) => moment >= now - lifetime(seconds, clockTolerance)
      if (entry.keepFor !== keepFor && counts(entry.keepFor)) otherKeepFor = entry.keepFor
      if (counts(keepFor)) this.#list.add({ ...entry, moment }, this.#mark)
    }
    if (otherKeepFor !== keepFor) this.#complainOf(otherKeepFor)
    if (malformed > 0) logLine(this.#log, 'warn', { count: malformed }, 'malformed revocations were skipped')
  }

  /** An instance with a shorter `keepFor` would delete the entries of the others. */
  #complainOf (other: number): void {
    const { keepFor } = this.#settings
    const fault = `option "revocations": keepFor is ${keepFor} here, and ${other} where others use the same store. ` +
      'Fix: the same keepFor on all of them, or another store, such as another prefix'
    if (!this.#isStarted) throw new InvalidOptionError(fault)
    this.#log.error(fault)
  }

  /** Not awaited, and never rejects. */
  async #addMissing (signal: AbortSignal): Promise<void> {
    this.#sinceRepair = stopwatch()
    if (!this.#mayMiss) return
    this.#mayMiss = false
    try {
      const earliest = Date.now() / 1000 - this.#lifetime
      const count = await this.#publisher.addMissing(this.#list, this.#mark, earliest, signal)
      if (count > 0) logLine(this.#log, 'warn', { count }, 'revocations that the store lacked were stored again')
    } catch (error) {
      this.#tryLater(reasonOf(error))
    }
  }
}

function asBootError (error: unknown): Error {
  if (error instanceof InvalidOptionError) return error
  const reason = `option "revocations": the store cannot be read (${reasonOf(error)})`
  const fix = 'Fix: start it, or correct its address (with TLS or without), password or permissions. A store of your ' +
    'own must yield lists, and an empty one after all stored entries'
  return new RevocationsUnreachableError(`${reason}. ${fix}`)
}
