import { channel } from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import type { Refusal } from '../contract/errors.js'
import type { VerifyMessage } from '../contract/types.js'
import type { Verified } from '../token/verifier.js'

/** Published for each request that a guarded route had judged, where somebody subscribes; nothing is measured otherwise. */
const verifyChannel = channel('fastify-user-scope:verify')

/** What is gathered of one request while somebody subscribes. */
export class Observation {
  verified: Verified | null = null
  cached = false
  readonly #start = process.hrtime.bigint()
  #discarded = false

  /** Nothing is judged on a public route, or nothing new was found right before the handler. */
  discard (): void {
    this.#discarded = true
  }

  publish ({ method, routeOptions: { url } }: FastifyRequest, refusal: Refusal | null): void {
    if (this.#discarded) return
    const message: VerifyMessage = {
      outcome: refusal ? 'refused' : this.verified ? 'admitted' : 'anonymous',
      code: refusal?.code ?? null,
      method,
      route: url ?? null,
      verifiedBy: this.verified?.verifiedBy ?? null,
      cached: this.cached,
      duration: Number(process.hrtime.bigint() - this.#start)
    }
    verifyChannel.publish(message)
  }
}

/** An observation where anybody would hear of it. */
export const observe = (): Observation | null => verifyChannel.hasSubscribers ? new Observation() : null
