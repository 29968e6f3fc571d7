import { refuse } from '../contract/errors.js'
import type { Claims, VerifiedUser } from '../contract/types.js'
import type { ClaimRules } from '../options/settings.js'
import { readActor } from './actor.js'
import { apply, claimRules, has, headerRules, kindRules, type Json, type Jws } from './claim-rules.js'
import { readScopes } from './scopes.js'
import { faultOfId, isForeign } from './user-id.js'

/** What a payload says once it was found good. */
export interface ReadClaims {
  readonly user: VerifiedUser
  /** The token of an application and not of a person (RFC 6749 §4.4). */
  readonly isMachine: boolean
  /** Seconds since 1970: from then on the same claims are refused. */
  readonly expiresAt: number
}

/** Header and payload of a token whose signature is good → its user. */
export type ClaimsReader = (jws: Jws) => ReadClaims

/**
 * Puts the rules for one kind of key together.
 * @param clock seconds since 1970, with fractions
 * @returns a reader that throws a Refusal: `INVALID_CLAIMS`, `TOKEN_EXPIRED` or `MISSING_UID_CLAIM`
 */
export function createClaimsReader (rules: ClaimRules, clock = () => Date.now() / 1000): ClaimsReader {
  const ofKind = kindRules(rules.otherTokens)
  const ofHeader = headerRules(rules)
  const ofClaims = claimRules(rules, clock)
  const { maxTokenAge = Infinity, clockTolerance } = rules
  let goodHeader: Json | undefined // frozen, and one for many tokens
  return ({ header, payload }) => {
    const claims = ownMembers(payload)
    // First, as the log should name the kind and not a claim that such a token lacks.
    apply(ofKind, { header, payload: claims })
    if (header !== goodHeader) apply(ofHeader, ownMembers(header))
    goodHeader = header
    apply(ofClaims, claims)
    const actor = readActor(payload, rules)
    const { exp, iat = 0 } = payload as { exp: number, iat?: number }
    return {
      user: deepFreeze({
        id: readUserId(payload, rules),
        issuer: rules.verifiedBy,
        scopes: readScopes(payload, rules.scopeClaim),
        actor,
        claims: payload as Claims
      }),
      isMachine: rules.isOfIssuer && (isClient(payload) || rules.isMachine(payload)),
      expiresAt: Math.min(exp, iat + maxTokenAge) + clockTolerance
    }
  }
}

/** Whether the subject is the client itself, as where no person is involved (RFC 6749 §4.4, RFC 9068 §2.2). */
const isClient = ({ sub, client_id: client, azp }: Json) => sub !== undefined && (sub === client || sub === azp)

/**
 * Own properties only, and no second choice for a claim that is there and malformed: falling back would let anyone who
 * can spoil the first claim choose the second.
 */
function readUserId (payload: Json, rules: ClaimRules): string {
  const claim = rules.userIdClaim ?? (has(payload, 'uid') ? 'uid' : 'sub')
  const refusal = (reason: string) => refuse('MISSING_UID_CLAIM', reason)
  if (!has(payload, claim)) throw refusal(`no claim "${claim}": option "userIdClaim" says which one has the user's id`)
  const id = payload[claim]
  const fault = faultOfId(id)
  if (fault !== undefined) throw refusal(`claim "${claim}" ${fault}`)
  if (isForeign(String(id), rules)) {
    throw refuse('INVALID_CLAIMS', `claim "${claim}" begins with the idPrefix of another issuer`)
  }
  return rules.idPrefix + String(id)
}

/** Something on Object.prototype must not stand in for a claim that is missing. */
const ownMembers = (object: Json): Json => Object.setPrototypeOf({ ...object }, null) as Json

function deepFreeze<T> (value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}
