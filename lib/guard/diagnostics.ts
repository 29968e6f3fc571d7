import { channel } from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import type { VerifyMessage } from '../contract/types.js'
import type { Judgement } from './judgement.js'

/** This channel gets a message for each judged request. Without a subscriber, nothing is measured. */
const verifyChannel = channel('fastify-user-scope:verify')

/** Nanoseconds of a monotonic clock; 0 while nobody subscribes. */
export const startTime = (): bigint => verifyChannel.hasSubscribers ? process.hrtime.bigint() : 0n

/** @param start the result of `startTime` before the request was judged */
export function publish (request: FastifyRequest, judgement: Judgement, start: bigint): void {
  if (start === 0n) return
  const { refusal, verified, owner, cached } = judgement
  const user = verified?.user
  const outcome = verified ? 'admitted' : 'anonymous'
  const message: VerifyMessage = {
    outcome: refusal ? 'refused' : outcome,
    code: refusal?.code ?? null,
    method: request.method,
    route: request.routeOptions.url ?? null,
    verifiedBy: user?.issuer ?? null,
    user: user?.id ?? null,
    owner,
    actor: user?.actor?.id ?? null,
    requestId: request.id,
    cached,
    duration: Number(process.hrtime.bigint() - start)
  }
  verifyChannel.publish(message)
}
