import { setTimeout as pause } from 'node:timers/promises'
import { refuse } from '../contract/errors.js'
import type { RevocationStore } from '../contract/revocations.js'
import { stopwatch } from '../keys/stopwatch.js'
import { writeEntry, type Entry } from './entry.js'
import type { RevocationList } from './list.js'
import { patience, reasonOf, within } from './within.js'

const pauseBetween = 0.1 // seconds
const batchSize = 100

/** Writes to a store. */
export class Publisher {
  readonly #store: RevocationStore
  readonly #keepFor: number
  readonly #storeFor: number
  readonly #signal: AbortSignal

  /**
   * @param keepFor what entries say
   * @param storeFor seconds for which the store is asked to keep them
   * @param signal aborts when the app closes
   */
  constructor (store: RevocationStore, keepFor: number, storeFor: number, signal: AbortSignal) {
    this.#store = store
    this.#keepFor = keepFor
    this.#storeFor = storeFor
    this.#signal = signal
  }

  /**
   * Stores an entry, and tries again for a while if the store fails.
   * @throws Refusal `REVOCATIONS_UNAVAILABLE`
   */
  async publish (entry: Entry): Promise<void> {
    const elapsed = stopwatch()
    for (;;) {
      try {
        return await this.#write(entry, patience - elapsed())
      } catch (error) {
        if (this.#signal.aborted || elapsed() + pauseBetween >= patience) {
          const reason = `the revocation holds here and is not stored yet (${reasonOf(error)})`
          throw refuse('REVOCATIONS_UNAVAILABLE', reason, { retryAfter: patience })
        }
      }
      await pause(pauseBetween * 1000)
    }
  }

  /** Stores what the store has not shown: what has another mark. */
  async addMissing (list: RevocationList, mark: number): Promise<number> {
    // From anywhere in it, so that instances which do it at the same time share the work. Then all of it: what is
    // revoked meanwhile moves the places of others.
    let count = 0
    for (const from of [Math.floor(Math.random() * list.size), 0]) {
      count += await this.#addAll(list.without(mark, from), (entry) => list.add(entry, mark))
    }
    return count
  }

  async #addAll (entries: Iterable<Entry>, onStored: (entry: Entry) => void): Promise<number> {
    let count = 0
    let batch: Array<Promise<void>> = []
    for (const entry of entries) {
      count++
      batch.push(this.#write(entry, patience).then(() => { onStored(entry) }))
      if (batch.length < batchSize) continue
      await Promise.all(batch)
      batch = []
    }
    await Promise.all(batch)
    return count
  }

  async #write (entry: Entry, seconds: number): Promise<void> {
    const written = this.#store.publish(writeEntry(entry, this.#keepFor), this.#storeFor)
    await within(written, seconds, this.#signal)
  }
}
