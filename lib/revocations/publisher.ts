import timers from 'node:timers/promises'
import { refuse } from '../contract/errors.js'
import type { RevocationStore } from '../contract/revocations.js'
import { timeLimit, within } from '../contract/within.js'
import { stopwatch } from '../keys/stopwatch.js'
import { writeEntry, type Entry } from './entry.js'
import type { RevocationList } from './list.js'

const pauseBetween = 0.1 // seconds
const batchSize = 100

export class Publisher {
  readonly #write: (entry: Entry, seconds: number) => Promise<unknown>
  readonly #signal: AbortSignal

  /**
   * @param keepFor written into the entries
   * @param storeFor seconds for which the store must keep them
   * @param signal aborts when the app closes
   */
  constructor (store: RevocationStore, keepFor: number, storeFor: number, signal: AbortSignal) {
    this.#write = async (entry, seconds) =>
      await within(store.publish(writeEntry(entry, keepFor), storeFor), seconds, signal)
    this.#signal = signal
  }

  /**
   * Stores an entry, and tries again for 5 seconds if the store fails.
   * @throws Refusal `REVOCATIONS_UNAVAILABLE`
   */
  async publish (entry: Entry): Promise<void> {
    const elapsed = stopwatch()
    for (;;) {
      try {
        await this.#write(entry, timeLimit - elapsed())
        return
      } catch (error) {
        if (this.#signal.aborted || elapsed() + pauseBetween >= timeLimit) {
          const reason = `the revocation holds here and is not stored yet (${reasonOf(error)})`
          throw refuse('REVOCATIONS_UNAVAILABLE', reason)
        }
      }
      await timers.setTimeout(pauseBetween * 1000)
    }
  }

  /**
   * Stores the entries that the store lacks: those with another mark, unless their moment is earlier than this.
   * @param signal aborts when the connection with this mark ends: the next one marks what it reads with another
   */
  async addMissing (list: RevocationList, mark: number, earliest: number, signal: AbortSignal): Promise<number> {
    let count = 0
    const batch: Array<Promise<unknown>> = []
    // First from a random place, so that instances which do this at the same time share the work. Then from the start,
    // because new entries shift the places of others.
    for (const from of [Math.floor(Math.random() * list.size), 0]) {
      for (const entry of list.without(mark, from, earliest)) {
        if (signal.aborted) break
        count++
        batch.push(this.#write(entry, timeLimit).then(() => list.add(entry, mark)))
        if (batch.length === batchSize) await Promise.all(batch.splice(0))
      }
      await Promise.all(batch.splice(0))
    }
    return count
  }
}

// Where an error of Redis has a name or password: in its URL, in an unknown command, in what its user may not do.
const credentials: Array<[form: RegExp, rest: string]> = [
  [/\/\/[^/\s]*@/g, '//…@'], [/,? with args [^]*/, ''], [/\bUser \S+ has\b/, 'User … has']
]

/** Says why a store failed, for the log. It may throw anything. */
export function reasonOf (error: unknown): string {
  try {
    const { message, code } = Object(error) as { message?: unknown, code?: unknown }
    return credentials.reduce((text, [form, rest]) => text.replace(form, rest), String(message || (code ?? error)))
  } catch {
    return 'an error that is no text'
  }
}
