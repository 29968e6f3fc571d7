import { refuseUnknownIssuer, type ReadClaims } from './claims.js'
import type { CompactJws } from './jws.js'

/** What a verifier found, for the request and for whoever may keep it until `expiresAt`. */
export interface Verified extends ReadClaims {
  /** The issuer, or `'secret'`; for the log. */
  readonly verifiedBy: string
}

/** Checks signature and claims of a token that was taken apart. Throws, or rejects with, a Refusal. Synchronous where no key has to be fetched. */
export type Verifier = (jws: CompactJws) => Verified | Promise<Verified>

/**
 * Chooses the verifier by the token's `iss` and by nothing else, so that a key is never tried on the token of another issuer (RFC 8725 §3.8), and
 * an unknown one causes no request.
 * @param byIssuer verifiers of remote issuers
 * @param others for every other `iss`, or for those of the given one
 */
export function routeByIssuer (byIssuer: ReadonlyMap<unknown, Verifier>, others?: { verify: Verifier, issuer: string | undefined }): Verifier {
  return (jws) => {
    const { iss } = jws.payload
    const verify = byIssuer.get(iss) ?? (others?.issuer === undefined || others.issuer === iss ? others?.verify : undefined)
    return verify ? verify(jws) : refuseUnknownIssuer(jws.payload)
  }
}
