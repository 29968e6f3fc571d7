import type { FastifyRequest } from 'fastify'
import { refuse } from '../contract/errors.js'
import type { TokenForm } from '../options/other-tokens.js'
import { mistakeIn } from './reasons.js'

// RFC 6750 §2.1: the scheme (in any letter case, RFC 9110 §11.1), one space, a b64token.
const bearer = /^Bearer ([\w~+/.-]+=*)$/i

/**
 * The value of the Authorization header, or undefined where the request has none. Only that header is read: no query,
 * no cookie.
 * @throws Refusal `INVALID_HEADER_FORMAT` where there are several
 */
export function readAuthorization (request: FastifyRequest): string | undefined {
  const header = request.headers.authorization
  // Node keeps the first of several silently, a proxy in front may have judged by the last.
  if (header !== undefined && countAuthorization(request.raw.rawHeaders) > 1) {
    throw refuse('INVALID_HEADER_FORMAT', 'several Authorization headers')
  }
  return header
}

/**
 * @param others tokens of other kinds: if the client sent one, the log says which
 * @throws Refusal `INVALID_HEADER_FORMAT`
 */
export function parseBearer (header: string, others: readonly TokenForm[]): string {
  const token = bearer.exec(header)?.[1]
  if (token !== undefined) return token
  const form = 'the header is not "Bearer <token>" with one space between'
  throw refuse('INVALID_HEADER_FORMAT', mistakeIn(header, others) ?? form)
}

const name = 'authorization'

/** A request that was never on a wire (`injectWS` of `@fastify/websocket`) has no raw headers. */
function countAuthorization (rawHeaders: string[] = []): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i] as string
    if (candidate.length === name.length && candidate.toLowerCase() === name) count++
  }
  return count
}
