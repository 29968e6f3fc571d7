import type { VerifiedUser } from '../contract/types.js'
import type { CompactJws } from './jws.js'

/** A verified token. It may be kept until `expiresAt`. */
export interface Verified {
  readonly user: VerifiedUser
  /** Whether the token is an application's and not a person's (RFC 6749 §4.4). */
  readonly isMachine: boolean
  /**
   * Seconds since 1970: from then on the token must be verified again. By its claims, or earlier: by the age of an
   * issuer's keys or the ttl of the cache.
   */
  readonly expiresAt: number
  /** The approximate size of the user in bytes, without the text of the token. */
  readonly weight: number
}

/** Checks signature and claims. Throws or rejects with a Refusal. Synchronous for tokens signed with a secret. */
export type Verifier = (jws: CompactJws) => Verified | Promise<Verified>
