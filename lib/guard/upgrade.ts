// A refused upgrade is answered like any request, with 401, 403 or 503 (refusal.ts), and its connection ends. A
// WebSocket that is open already stays open if its handler refuses.
//
// Node passes the socket to the `upgrade` listener without a handler of errors, and plugins for WebSockets use it only
// after all hooks. Until then its errors need a handler; after a refusal it must be closed.

import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { mayLackFields } from '../token/authorization.js'

/** Node 20 upgrades a connection also if it has dropped the header that asks for it. */
const isUpgrade = (request: FastifyRequest): boolean =>
  (request.headers.upgrade !== undefined || mayLackFields(request)) &&
  request.server.server.listenerCount('upgrade') > 0

const ignore = () => {}

/** Handles errors of an upgrade while hooks run: if the client resets it, the error would end the process. */
export function surviveReset (request: FastifyRequest, reply: FastifyReply): void {
  if (!isUpgrade(request)) return
  const { socket } = reply.raw
  // A connection may bring many requests with this header.
  if (socket?.listeners('error').includes(ignore) === false) socket.on('error', ignore)
}

const closing = new WeakSet<FastifyReply>()

/** Lets the refusal be sent, then closes the socket. */
export function closeAfter (request: FastifyRequest, reply: FastifyReply): void {
  if (!isUpgrade(request) || closing.has(reply)) return
  closing.add(reply)
  const socket = reply.raw.socket as Partial<Socket> | null
  reply.header('connection', 'close')
  reply.raw.once('finish', () => socket?.destroySoon?.())
}
