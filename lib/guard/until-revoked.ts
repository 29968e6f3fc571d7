import type { FastifyReply, FastifyRequest, RawServerBase, RouteGenericInterface } from 'fastify'
import { refuse } from '../contract/errors.js'
import type { Watches } from '../revocations/watches.js'
import { answer } from './refusal.js'
import { getUser, kReply } from './request.js'

/** What is open in the scope of a request. */
export const kWatches = Symbol.for('fastify-user-scope.watches') // one for all copies of the package

/** One for each request, however often it is asked for. */
const signals = new WeakMap<object, AbortSignal>()

type WatchedRequest = FastifyRequest & {
  /** Undefined outside of every scope, as the other. */
  readonly [kReply]?: FastifyReply
  readonly [kWatches]: Watches
}

/**
 * A signal that aborts when the token of a request ends or is revoked: for what outlives the request's check, such as
 * WebSockets, event streams and long downloads. Its reason is the error, whose `code` is `TOKEN_EXPIRED` or
 * `TOKEN_REVOKED`; of a client that has left before, an AbortError. It is never aborted yet when it is returned, so
 * that a listener is enough.
 * @throws MissingTokenError where no token was verified: a `'public'` route, or an `'optional'` one without a token
 */
export function untilRevoked (request: FastifyRequest<RouteGenericInterface, RawServerBase>): AbortSignal {
  const watched = request as WatchedRequest
  const { [kReply]: reply } = watched
  const user = getUser(request)
  const known = signals.get(request)
  if (known?.aborted === false) return known
  if (user && reply) {
    const signal = watched[kWatches].open(user, reply.raw)
    signals.set(request, signal)
    return signal
  }
  const refusal = refuse('MISSING_TOKEN', 'untilRevoked() was given a request without a verified user')
  throw reply ? answer(refusal, watched, reply) : refusal
}
