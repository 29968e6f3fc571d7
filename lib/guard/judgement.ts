import { isRefusal, refuse, type Refusal } from '../contract/errors.js'
import type { Demand } from '../routes/access.js'
import type { Verified } from '../token/verifier.js'

/** What was found out about a request. */
export interface Judgement {
  /** Null for a request that was let in. */
  readonly refusal: Refusal | null
  /** Null where no token was verified, and for a refusal by the preHandler hook. */
  readonly verified: Verified | null
  /** What the route demands; null where no token was verified. */
  readonly demand: Demand | null
  /** The owner's id in the path, which it must name until the handler runs; null where none is looked at. */
  readonly owner: string | null
  /** Bound parameters that must stay what they are as well. Left out where none is compared. */
  readonly bound?: readonly HeldParam[]
  /** Whether somebody else came in for the owner. */
  readonly isDelegate?: boolean
  /** Whether the token was found in the cache. */
  readonly cached: boolean
}

/** A path parameter, and what it was when it was compared. */
export type HeldParam = readonly [name: string, value: string]

/** A public route: no token was read. */
export const unread: Judgement = { refusal: null, verified: null, demand: null, owner: null, cached: false }
/** An optional route, and no token. */
export const anonymous: Judgement = { ...unread }

export const refused = (refusal: Refusal): Judgement => ({ ...unread, refusal })

/** Whatever fails inside is a refusal and not a 500. */
export function refusedBy (error: unknown): Judgement {
  // Nothing of an unknown error is read: even its name may be a getter that throws.
  return refused(isRefusal(error) ? error : refuse('INVALID_CLAIMS', 'a check failed unexpectedly'))
}
