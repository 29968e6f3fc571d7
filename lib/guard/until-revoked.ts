import type { FastifyRequest, RawServerBase, RouteGenericInterface } from 'fastify'
import { refuse } from '../contract/errors.js'
import { getUser, kReply, kScope, type GuardedRequest } from './request.js'

/** One for each request, however often it is asked for. */
const signals = new WeakMap<object, AbortSignal>()

/**
 * A signal that aborts when the token of a request ends or is revoked: for what outlives the request's check, such as
 * WebSockets, event streams and long downloads. Its reason is the error, whose `code` is `TOKEN_EXPIRED` or
 * `TOKEN_REVOKED`; of a client that has left before, an AbortError. It is not aborted yet when it is returned, so a
 * listener is enough.
 * @throws MissingTokenError where no token was verified: a `'public'` route, or an `'optional'` one without a token
 */
export function untilRevoked (request: FastifyRequest<RouteGenericInterface, RawServerBase>): AbortSignal {
  const { [kReply]: reply, [kScope]: scope } = request as GuardedRequest
  const user = getUser(request)
  const known = signals.get(request)
  if (known?.aborted === false) return known
  if (user && reply && scope) {
    const signal = scope.watches.open(user, reply.raw)
    signals.set(request, signal)
    return signal
  }
  const refusal = refuse('MISSING_TOKEN', 'untilRevoked() was given a request without a verified user')
  throw scope?.refuseLate(request as FastifyRequest, refusal) ?? refusal
}
