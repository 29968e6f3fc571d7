// Node hands the socket of an upgrade to its listener, without a listener for errors. Plugins for WebSockets pass the
// request to the router first, and only handle the socket after all hooks.

import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

const isUpgrade = ({ headers, server }: FastifyRequest): boolean =>
  headers.upgrade !== undefined && server.server.listenerCount('upgrade') > 0

/** If the client resets a waiting upgrade, the unhandled error of the socket would end the process. */
export function surviveReset (request: FastifyRequest, reply: FastifyReply): void {
  if (isUpgrade(request)) reply.raw.socket?.on('error', () => {})
}

/** Closes the socket after a refusal. Otherwise it would stay open, because no plugin handles it then. */
export function closeAfter (request: FastifyRequest, reply: FastifyReply): void {
  if (!isUpgrade(request)) return
  surviveReset(request, reply)
  const socket = reply.raw.socket as Partial<Socket> | null
  reply.header('connection', 'close')
  reply.raw.once('finish', () => socket?.destroySoon?.())
}
