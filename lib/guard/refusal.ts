import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf, type Refusal } from '../contract/errors.js'
import { refusalHeaders } from './challenge.js'

/**
 * Prepares the reply for a refusal and logs it; the hook then fails with it. Status and headers are set before, as a
 * host's error handler may send its own body and set neither.
 * @param user the id for the log
 */
export function answer (refusal: Refusal, request: FastifyRequest, reply: FastifyReply, user?: string): Refusal {
  reply.code(refusal.statusCode).headers(refusalHeaders(refusal))
  if (request.headers.upgrade !== undefined && request.server.server.listenerCount('upgrade') > 0) closeAfter(reply)
  const line = { code: refusal.code, reason: reasonOf(refusal) }
  request.log.info(user === undefined ? line : { ...line, user }, 'request refused')
  return refusal
}

/**
 * Node leaves the socket of an upgrade to its listener, and a WebSocket plugin whose hooks run after this one never
 * learns of the request: the socket would stay open for ever.
 */
function closeAfter (reply: FastifyReply): void {
  const socket = reply.raw.socket as Partial<Socket> | null
  reply.header('connection', 'close')
  reply.raw.once('finish', () => socket?.destroySoon?.())
}
