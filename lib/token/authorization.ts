import type { Server } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { refuse } from '../contract/errors.js'
import type { TokenForm } from '../options/other-tokens.js'
import { mistakeIn } from './reasons.js'

// RFC 6750 §2.1: the scheme (in any letter case, RFC 9110 §11.1), a space, a b64token. The RFC would allow more
// spaces: with just one, a token has fewer spellings.
const bearer = /^Bearer ([\w~+/.-]+=*)$/i

const name = 'authorization'
const maxFields = 1000

/**
 * Whether Node may have dropped header fields: it reads 1,000, or `server.maxHeadersCount`. Node 20 silently drops the
 * rest; newer releases answer 431 themselves.
 */
export function mayLackFields ({ raw: { rawHeaders = [] }, server }: FastifyRequest): boolean {
  const { maxHeadersCount } = server.server as Partial<Server>
  return rawHeaders.length >= 2 * Math.min(maxHeadersCount || maxFields, maxFields)
}

/**
 * Returns the value of the Authorization header, or undefined without one. No query and no cookie is read.
 * @throws Refusal `INVALID_HEADER_FORMAT` if there are several, or more header fields than Node reads
 */
export function readAuthorization (request: FastifyRequest): string | undefined {
  if (mayLackFields(request)) {
    throw refuse('INVALID_HEADER_FORMAT', 'as many header fields as Node reads, so others may be lost')
  }
  // Not an inherited one: a member of Object.prototype must not be everybody's token.
  const header = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined
  // Node silently keeps the first of several, while a proxy in front may have checked the last.
  if (header !== undefined && countAuthorization(request.raw.rawHeaders) > 1) {
    throw refuse('INVALID_HEADER_FORMAT', 'several Authorization headers')
  }
  return header
}

/**
 * Returns the token of an Authorization header.
 * @param others tokens of other kinds: if the client sent one, the log says which
 * @throws Refusal `INVALID_HEADER_FORMAT`
 */
export function parseBearer (header: string, others: readonly TokenForm[]): string {
  const token = bearer.exec(header)?.[1]
  if (token !== undefined) return token
  const form = 'the header is not "Bearer <token>" with one space between'
  throw refuse('INVALID_HEADER_FORMAT', mistakeIn(header, others) ?? form)
}

/** The request of a test (`injectWS` of `@fastify/websocket`) has no raw headers. */
function countAuthorization (rawHeaders: string[] = []): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i] as string
    if (candidate.length === name.length && candidate.toLowerCase() === name) count++
  }
  return count
}
