import { refuse } from '../contract/errors.js'
import type { Claims } from '../contract/types.js'
import type { ClaimRules } from '../options/settings.js'
import { readActor } from './actor.js'
import { apply, claimRules, endOf, headerRules, requiredClaimRules, type Json, type Jws } from './claim-rules.js'
import { assertAccessToken, kindRules } from './other-kinds.js'
import { readScopes } from './scopes.js'
import { readUserId } from './user-id.js'
import type { Verified } from './verifier.js'

/** Checks header and claims of a token whose signature is valid, and returns its user. */
export type ClaimsReader = (jws: Jws) => Verified

/**
 * Creates a reader for the tokens of a secret or an issuer.
 * @returns a reader that throws a Refusal: `INVALID_CLAIMS`, `TOKEN_EXPIRED` or `MISSING_UID_CLAIM`
 */
export function createClaimsReader (rules: ClaimRules): ClaimsReader {
  const ofHeader = headerRules(rules)
  const ofClaims = [...claimRules(rules), ...kindRules(rules), ...requiredClaimRules(rules)]
  const { otherTokens, faultBySchema } = rules
  let goodHeader: Json | undefined // many tokens share one frozen header, which is checked once
  return (jws) => {
    const { header, payload } = jws
    // This check comes first, so that the log names the kind of token and not a claim that such a token lacks.
    assertAccessToken(jws, otherTokens)
    if (header !== goodHeader) apply(ofHeader, header)
    goodHeader = header
    apply(ofClaims, payload)
    const fault = faultBySchema(payload)
    if (fault !== null) {
      throw refuse('INVALID_CLAIMS', `the claims do not satisfy the schema of option "claims": ${fault}`)
    }
    const actor = readActor(payload, rules) // before the id, so that the log names a malformed actor first
    const user = {
      id: readUserId(payload, rules),
      issuer: rules.verifiedBy,
      scopes: readScopes(payload, rules.scopeClaim),
      actor,
      claims: payload as Claims
    }
    const weight = deepFreeze(user)
    return { user, isMachine: rules.isMachine(payload), expiresAt: endOf(payload, rules), weight }
  }
}

/** Freezes an object and everything in it. Returns its approximate size in bytes, without the text of strings. */
function deepFreeze (object: object): number {
  let weight = 64
  for (const name of Object.keys(object)) { // for each new token; `Object.values` would take longer
    const value = (object as Json)[name]
    weight += typeof value === 'object' && value !== null ? deepFreeze(value) : 16
  }
  Object.freeze(object)
  return weight
}
