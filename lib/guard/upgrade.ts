// Node leaves the socket of an upgrade to its listener, without a listener for errors. Plugins for WebSockets hand the
// request to the router first, and take care of the socket only behind all hooks.

import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

const isUpgrade = ({ headers, server }: FastifyRequest): boolean =>
  headers.upgrade !== undefined && server.server.listenerCount('upgrade') > 0

/** For a request that waits: a client that resets its connection meanwhile would end the process. */
export function surviveReset (request: FastifyRequest, reply: FastifyReply): void {
  if (isUpgrade(request)) reply.raw.socket?.on('error', () => {})
}

/** For a refusal, which hooks of the host may hold up: nobody would learn of it, and the socket would stay open. */
export function closeAfter (request: FastifyRequest, reply: FastifyReply): void {
  if (!isUpgrade(request)) return
  surviveReset(request, reply)
  const socket = reply.raw.socket as Partial<Socket> | null
  reply.header('connection', 'close')
  reply.raw.once('finish', () => socket?.destroySoon?.())
}
