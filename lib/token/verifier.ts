import { refuse } from '../contract/errors.js'
import type { VerifiedUser } from '../contract/types.js'
import type { TokenForm } from '../options/other-tokens.js'
import { assertAccessToken } from './other-kinds.js'
import type { CompactJws } from './jws.js'
import { instead } from './reasons.js'

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

/**
 * Chooses the verifier by the token's `iss` alone, so that a key is never tried on a token of another issuer (RFC 8725
 * §3.8), and an unknown issuer causes no fetch.
 * @param byIssuer the verifiers of remote issuers
 * @param ofSecret the verifier for every other `iss`; with `issuer`, only for that one
 * @param otherTokens named in the log if such a token has no verifier
 */
export function routeByIssuer (
  byIssuer: ReadonlyMap<unknown, Verifier>,
  ofSecret: { verify: Verifier, issuer: string | undefined } | undefined,
  otherTokens: readonly TokenForm[]
): Verifier {
  const issuers = [...byIssuer.keys(), ...ofSecret ? [ofSecret.issuer] : []]
  return (jws) => {
    const { iss } = jws.payload
    const isOfSecret = ofSecret && (ofSecret.issuer === undefined || ofSecret.issuer === iss)
    const verify = byIssuer.get(iss) ?? (isOfSecret ? ofSecret.verify : undefined)
    if (verify) return verify(jws)
    assertAccessToken(jws, otherTokens)
    const { alg } = jws.header
    const hint = typeof alg === 'string' && /^HS\d{3}$/.test(alg) && !ofSecret
      ? `. The token is signed with a secret (${alg}), and option "secret" is not set`
      : ''
    throw refuse('INVALID_CLAIMS', `claim "iss" is not a configured issuer: ${instead(issuers, iss)}${hint}`)
  }
}
