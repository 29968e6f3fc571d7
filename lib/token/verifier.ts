import type { TokenForm } from '../options/other-tokens.js'
import { assertAccessToken } from './claim-rules.js'
import type { Verified } from './claims-reader.js'
import type { CompactJws } from './jws.js'
import { instead } from './reasons.js'
import { refuse } from '../contract/errors.js'

export type { Verified }

/**
 * Checks signature and claims of a token that was taken apart. Throws, or rejects with, a Refusal. Synchronous where no
 * key has to be fetched.
 */
export type Verifier = (jws: CompactJws) => Verified | Promise<Verified>

/**
 * Chooses the verifier by the token's `iss` and by nothing else, so that a key is never tried on the token of another
 * issuer (RFC 8725 §3.8), and an unknown one causes no request.
 * @param byIssuer verifiers of remote issuers
 * @param ofSecret for every other `iss`, or for that of the given one
 * @param otherTokens named in the log where one of them comes and there is no verifier for its `iss`
 */
export function routeByIssuer (
  byIssuer: ReadonlyMap<unknown, Verifier>,
  ofSecret: { verify: Verifier, issuer: string | undefined } | undefined,
  otherTokens: readonly TokenForm[]
): Verifier {
  const issuers = [...byIssuer.keys(), ...ofSecret ? [ofSecret.issuer] : []]
  return (jws) => {
    const { iss } = jws.payload
    const isOfSecret = ofSecret?.issuer === undefined || ofSecret.issuer === iss
    const verify = byIssuer.get(iss) ?? (isOfSecret ? ofSecret?.verify : undefined)
    if (verify) return verify(jws)
    assertAccessToken(jws, otherTokens)
    throw refuse('INVALID_CLAIMS', `claim "iss" is not a configured issuer: ${instead(issuers, iss)}`)
  }
}
