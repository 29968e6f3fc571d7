import type { FastifyReply, FastifyRequest } from 'fastify'
import { detailsOf, type Refusal } from '../contract/errors.js'
import { logLine } from '../contract/log.js'
import { closeAfter } from './upgrade.js'

/**
 * Logs a refusal and sets status and headers, because an error handler of the host may send a body of its own without
 * them. The caller then passes it to `done`, or throws it from a handler.
 * @param user the user's id for the log
 */
export function logAndPrepare (refusal: Refusal, request: FastifyRequest, reply: FastifyReply, user?: string): Refusal {
  reply.code(refusal.statusCode).headers(refusalHeaders(refusal))
  closeAfter(request, reply)
  return logRefusal(refusal, request, user)
}

export function logRefusal (refusal: Refusal, request: FastifyRequest, user?: string): Refusal {
  const line = { code: refusal.code, reason: detailsOf(refusal).reason }
  logLine(request.log, 'info', user === undefined ? line : { ...line, user }, 'request refused')
  return refusal
}

const scheme = 'Bearer realm="api"'

/**
 * The header fields of a refusal (RFC 6750 §3). No cache may keep it: a shared one could serve it to the owner. The
 * values need no escaping: messages are constants, and scope names have no quotes (RFC 6749 §3.3).
 */
export function refusalHeaders (refusal: Refusal): Record<string, string> {
  const { scope, retryAfter } = detailsOf(refusal)
  const challenge = challengeOf(refusal, scope)
  return {
    'cache-control': 'no-store',
    ...challenge !== undefined && { 'www-authenticate': challenge },
    ...retryAfter !== undefined && { 'retry-after': String(retryAfter) }
  }
}

function challengeOf ({ code, message, statusCode }: Refusal, scope: string | undefined): string | undefined {
  const withError = (error: string) => `${scheme}, error="${error}", error_description="${message}"`
  // The client may ask its user for these scopes (RFC 6750 §3.1). Other 403s have no challenge: no consent would help.
  if (scope !== undefined) return withError('insufficient_scope') + (scope && `, scope="${scope}"`)
  if (statusCode !== 401) return undefined
  // Without a token, the challenge has the scheme and the realm, but no error code.
  if (code === 'MISSING_TOKEN') return scheme
  return withError(code === 'INVALID_HEADER_FORMAT' ? 'invalid_request' : 'invalid_token')
}
