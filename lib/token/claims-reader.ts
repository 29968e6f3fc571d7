import { refuse } from '../contract/errors.js'
import type { Claims } from '../contract/types.js'
import type { ClaimRules } from '../options/settings.js'
import { readActor } from './actor.js'
import { apply, assertAccessToken, claimRules, headerRules, own, type Json, type Jws } from './claim-rules.js'
import { readScopes } from './scopes.js'
import { faultOfId, isForeign } from './user-id.js'
import type { Verified } from './verifier.js'

/** Checks header and claims of a token whose signature is valid, and returns its user. */
export type ClaimsReader = (jws: Jws) => Verified

/**
 * Creates a reader for the tokens of a secret or an issuer.
 * @param clock seconds since 1970, with fractions
 * @returns a reader that throws a Refusal: `INVALID_CLAIMS`, `TOKEN_EXPIRED` or `MISSING_UID_CLAIM`
 */
export function createClaimsReader (rules: ClaimRules, clock = () => Date.now() / 1000): ClaimsReader {
  const ofHeader = headerRules(rules)
  const ofClaims = claimRules(rules, clock)
  const { maxTokenAge = Infinity, clockTolerance, otherTokens, faultBySchema } = rules
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
    const actor = readActor(payload, rules)
    const user = {
      id: readUserId(payload, rules),
      issuer: rules.verifiedBy,
      scopes: readScopes(payload, rules.scopeClaim),
      actor,
      claims: payload as Claims
    }
    const weight = deepFreeze(user)
    const end = Math.min(Number(payload.exp), Number(own(payload, 'iat') ?? 0) + maxTokenAge)
    return { user, isMachine: rules.isMachine(payload), expiresAt: end + clockTolerance, weight }
  }
}

/**
 * Reads own properties only. If `uid` is malformed, `sub` is not tried: otherwise a malformed `uid` would make `sub`
 * count.
 */
function readUserId (payload: Json, rules: ClaimRules): string {
  const claim = rules.userIdClaim ?? (Object.hasOwn(payload, 'uid') ? 'uid' : 'sub')
  const refusal = (reason: string) => refuse('MISSING_UID_CLAIM', reason)
  const id = own(payload, claim)
  if (id === undefined) throw refusal(`no claim "${claim}": option "userIdClaim" says which one has the user's id`)
  const fault = faultOfId(id)
  if (fault !== undefined) throw refusal(`claim "${claim}" ${fault}`)
  if (isForeign(String(id), rules)) {
    throw refuse('INVALID_CLAIMS', `claim "${claim}" begins with the idPrefix of another issuer`)
  }
  return rules.idPrefix + String(id)
}

/** Freezes a JSON value and everything in it. Returns its approximate size in bytes, without the text of strings. */
function deepFreeze (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 16
  let weight = 64
  for (const key of Object.keys(value)) weight += deepFreeze((value as Json)[key])
  Object.freeze(value)
  return weight
}
