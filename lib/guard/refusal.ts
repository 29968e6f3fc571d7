import type { FastifyReply, FastifyRequest } from 'fastify'
import { detailsOf, type Refusal } from '../contract/errors.js'
import { refusalHeaders } from './challenge.js'
import { closeAfter } from './upgrade.js'

/**
 * Prepares the reply for a refusal and logs it; the hook then fails with it. Status and headers are set before, as a
 * host's error handler may send its own body and set neither.
 * @param user the id for the log
 */
export function answer (refusal: Refusal, request: FastifyRequest, reply: FastifyReply, user?: string): Refusal {
  reply.code(refusal.statusCode).headers(refusalHeaders(refusal))
  closeAfter(request, reply)
  const line = { code: refusal.code, reason: detailsOf(refusal).reason }
  logLine(request, user === undefined ? line : { ...line, user }, 'request refused')
  return refusal
}

/** A serializer of the host's may want another kind of value in a field of that name, and throw: no answer changes. */
export function logLine ({ log }: FastifyRequest, line: object, message: string): void {
  try {
    log.info(line, message)
  } catch {
    log.info(`${message} (a serializer of the logger failed)`)
  }
}
