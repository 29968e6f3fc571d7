import type { FastifyReply, FastifyRequest } from 'fastify'
import { detailsOf, type Refusal } from '../contract/errors.js'
import { logLine } from '../contract/log.js'
import { refusalHeaders } from './challenge.js'
import { closeAfter } from './upgrade.js'

/**
 * Prepares the reply for a refusal and logs it. The caller then throws it. Status and headers are set here, because an
 * error handler of the host may send its own body and set neither.
 * @param user the user's id for the log
 */
export function answer (refusal: Refusal, request: FastifyRequest, reply: FastifyReply, user?: string): Refusal {
  reply.code(refusal.statusCode).headers(refusalHeaders(refusal))
  closeAfter(request, reply)
  const line = { code: refusal.code, reason: detailsOf(refusal).reason }
  logLine(request.log, 'info', user === undefined ? line : { ...line, user }, 'request refused')
  return refusal
}
