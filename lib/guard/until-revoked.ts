import { refuse } from '../contract/errors.js'
import { isGone } from '../revocations/watches.js'
import {
  getUser, kReply, kForHandlers, refuseLate, withoutUser, type AnyRequest, type GuardedRequest
} from './request.js'

/** The latest signal of each request. An aborted one is replaced. */
const signals = new WeakMap<object, AbortSignal>()

/**
 * Returns a signal that aborts when the token of the request expires or is revoked: for connections that outlive the
 * check of the request, such as WebSockets, event streams and long downloads. Its reason is an error whose `code` is
 * `TOKEN_EXPIRED` or `TOKEN_REVOKED`, or an AbortError if the client has already left. If the client leaves later, the
 * reply emits `close` and the signal does not abort. (For a response that waits behind another on its connection Node
 * emits no `close`, so the signal aborts.) The signal is not aborted when it is returned, so adding a listener is
 * enough.
 * @throws MissingTokenError if no token was verified: on a `'public'` route, or on an `'optional'` one without a token
 */
export function untilRevoked (request: AnyRequest): AbortSignal {
  const { [kReply]: reply, [kForHandlers]: forHandlers } = request as GuardedRequest
  const user = getUser(request)
  const known = signals.get(request)
  if (known?.aborted === false && reply && !isGone(reply.raw)) return known
  if (user && reply && forHandlers) {
    const signal = forHandlers.watches.open(user, reply.raw)
    signals.set(request, signal)
    return signal
  }
  throw refuseLate(request as GuardedRequest, refuse('MISSING_TOKEN', `untilRevoked() ${withoutUser}`))
}
