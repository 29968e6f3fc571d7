import { AsyncResource } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import type { Refusal } from '../contract/errors.js'
import type { VerifiedUser } from '../contract/types.js'

type Closable = EventEmitter & { readonly destroyed?: boolean }
type Connection = Closable & { readonly stream?: Closable }
type Abort = (refusal: Refusal) => void

const period = 1000
const gathering = 20 // milliseconds in which more entries may come, so that a thousand at once cause one look

/**
 * What stays open after its request was let in, and must end with its token. One timer looks at all of them: a timer
 * for each could not wait for months, and would not notice that the clock was set.
 */
export class Watches {
  readonly #open = new Map<Abort, VerifiedUser>()
  readonly #refusalOf: (user: VerifiedUser) => Refusal | null
  #periodic: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined

  /** @param refusalOf why the user's token no longer counts; null while it does */
  constructor (refusalOf: (user: VerifiedUser) => Refusal | null) {
    this.#refusalOf = refusalOf
  }

  get size (): number {
    return this.#open.size
  }

  /**
   * A signal that aborts once the user's token no longer counts, with the refusal as its reason. It is not aborted yet
   * when it is returned, so that a listener is enough. Of a client that has left it aborts at once, as an AbortError.
   * @param connection emits `close` when nothing is left to end; of HTTP/2 its stream is destroyed then
   */
  open (user: VerifiedUser, connection: Connection): AbortSignal {
    const controller = new AbortController()
    // Of a client that has left already, no `close` would come.
    if ((connection.stream ?? connection).destroyed) {
      setImmediate(() => { controller.abort() })
      return controller.signal
    }
    // Listeners run in the async context of their request, and not in that of the request which started the timer.
    const abort = AsyncResource.bind((refusal: Refusal) => { controller.abort(refusal) })
    this.#open.set(abort, user)
    connection.once('close', () => { this.#close(abort) })
    this.#periodic ??= setInterval(() => { this.#look() }, period).unref()
    if (this.#refusalOf(user)) this.lookSoon()
    return controller.signal
  }

  /** For a new entry. */
  lookSoon (): void {
    if (this.#open.size > 0) this.#soon ??= setTimeout(() => { this.#look() }, gathering).unref()
  }

  #look (): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    for (const [abort, user] of this.#open) {
      const refusal = this.#refusalOf(user)
      if (refusal === null) continue
      this.#close(abort)
      abort(refusal)
    }
  }

  #close (abort: Abort): void {
    this.#open.delete(abort)
    if (this.#open.size > 0) return
    clearInterval(this.#periodic)
    this.#periodic = undefined
  }
}
