// For an upgrade, Node removes its own handler of errors and passes the socket to the `upgrade` listener. Plugins for
// WebSockets first pass the request to the router, and use the socket after all hooks. Until then nobody handles its
// errors, and after a refusal nobody closes it.

import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

const isUpgrade = ({ headers, server }: FastifyRequest): boolean =>
  headers.upgrade !== undefined && server.server.listenerCount('upgrade') > 0

const ignore = () => {}

/** Handles errors of a waiting upgrade: if the client resets it, the error would end the process. */
export function surviveReset (request: FastifyRequest, reply: FastifyReply): void {
  if (!isUpgrade(request)) return
  const { socket } = reply.raw
  // A connection may bring many requests, and a handler of messages may refuse many times.
  if (socket?.listeners('error').includes(ignore) === false) socket.on('error', ignore)
}

const closing = new WeakSet<FastifyReply>()

/** Closes the socket after a refusal. */
export function closeAfter (request: FastifyRequest, reply: FastifyReply): void {
  if (!isUpgrade(request) || closing.has(reply)) return
  closing.add(reply)
  surviveReset(request, reply)
  const socket = reply.raw.socket as Partial<Socket> | null
  reply.header('connection', 'close')
  reply.raw.once('finish', () => socket?.destroySoon?.())
}
