import { AsyncResource } from 'node:async_hooks'
import { setMaxListeners, type EventEmitter } from 'node:events'
import type { Refusal } from '../contract/errors.js'
import type { VerifiedUser } from '../contract/types.js'

type Closable = EventEmitter & { readonly destroyed?: boolean }
type Connection = Closable & { readonly stream?: Closable, readonly req?: { readonly socket?: Closable | null } }

/**
 * Whether the client has left. With HTTP/2 the stream is destroyed then. A response that waits behind another on its
 * connection is not destroyed and emits no `close`, but its socket is destroyed.
 */
export const isGone = ({ stream, destroyed, req }: Connection): boolean =>
  Boolean(stream ? stream.destroyed : destroyed || req?.socket?.destroyed)

interface Watch {
  readonly user: VerifiedUser
  /** Runs the listeners in the async context of the request, and not in that of the request which started the timer. */
  readonly abort: (refusal: Refusal | undefined) => void
  readonly connection: Connection
  readonly onClose: () => void
}

const period = 1000
const gathering = 20 // milliseconds to wait for more entries, so that a thousand at once cause one check

/**
 * Connections that must end with their token. One timer checks all of them: a timer for each could not wait for months,
 * and would not notice that the clock was set.
 */
export class Watches {
  readonly #open = new Set<Watch>()
  readonly #refusalOf: (user: VerifiedUser) => Refusal | null
  #periodic: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined

  /** @param refusalOf returns the refusal of the user's token; null while it is valid */
  constructor (refusalOf: (user: VerifiedUser) => Refusal | null) {
    this.#refusalOf = refusalOf
  }

  get size (): number {
    return this.#open.size
  }

  /**
   * Returns a signal that aborts when the user's token is no longer valid, with the refusal as its reason. It is never
   * aborted yet when it is returned, so a listener is enough. If the client has left, it aborts next, with an
   * AbortError, and so it does later if no `close` is emitted.
   * @param connection emits `close` when nothing is left to end
   */
  open (user: VerifiedUser, connection: Connection): AbortSignal {
    const controller = new AbortController()
    setMaxListeners(0, controller.signal) // shared by all that a request has opened, such as its subscriptions
    // If the client has already left, `close` is not emitted again.
    if (isGone(connection)) {
      setImmediate(() => { controller.abort() })
      return controller.signal
    }
    const watch: Watch = {
      user,
      abort: AsyncResource.bind((refusal: Refusal | undefined) => { controller.abort(refusal) }),
      connection,
      onClose: () => { this.#close(watch) }
    }
    this.#open.add(watch)
    connection.once('close', watch.onClose)
    this.#periodic ??= setInterval(() => { this.#look() }, period).unref()
    if (this.#refusalOf(user)) this.lookSoon()
    return controller.signal
  }

  /** Called for a new entry. Its timer keeps the process alive, so that a test without a server sees the signal. */
  lookSoon (): void {
    this.#soon ??= setTimeout(() => { this.#look() }, gathering)
  }

  #look (): void {
    this.#soon = undefined
    for (const watch of this.#open) {
      const refusal = this.#refusalOf(watch.user)
      if (refusal === null && !isGone(watch.connection)) continue
      this.#close(watch)
      watch.abort(refusal ?? undefined)
    }
  }

  #close (watch: Watch): void {
    watch.connection.off('close', watch.onClose)
    this.#open.delete(watch)
    if (this.#open.size > 0) return
    clearInterval(this.#periodic)
    this.#periodic = undefined
  }
}
