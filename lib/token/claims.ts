import { refuse, type RefusalCode } from '../contract/errors.js'
import { mediaType } from '../options/media-type.js'
import type { TokenForm } from '../options/other-tokens.js'
import type { ClaimRules } from '../options/settings.js'
import type { Claims, VerifiedUser } from '../contract/types.js'

type Json = Record<string, unknown>
interface Jws { readonly header: Json, readonly payload: Json }
/** What must hold, else which code and why. */
type Rule<T> = [code: RefusalCode, reason: string, holds: (value: T) => boolean]

const latest = 253_402_300_799 // 9999-12-31T23:59:59Z: whatever is later was written in another unit, or never means to expire

// Extensions that would change what the signature means (RFC 7515 §4.1.11, RFC 7797), that the payload is something else than
// claims, or a key that the token brings along (RFC 8725 §3.10). None is understood here, so each is refused.
const refusedParameters = ['crit', 'b64', 'zip', 'enc', 'cty', 'jwk', 'jku', 'x5u', 'x5c']

const headerRules = (rules: ClaimRules): Array<Rule<Json>> => [
  ...refusedParameters.map((name): Rule<Json> => ['INVALID_CLAIMS', `header parameter "${name}" is not allowed`, (header) => !has(header, name)]),
  ['INVALID_CLAIMS', 'header parameter "kid" is not a string', ({ kid }) => kid === undefined || typeof kid === 'string'],
  // RFC 8725 §3.11: another kind of token says so in its typ.
  ['INVALID_CLAIMS', 'header parameter "typ" is of another kind of token', ({ typ = 'JWT' }) =>
    typeof typ === 'string' && rules.types.includes(mediaType(typ))]
]

const getAccessToken = 'send the access token instead'

/** What an issuer makes with the same keys beside access tokens for bearers. */
const issuerKindRules: Array<Rule<Json>> = [
  // OpenID Connect Core 1.0 §2
  ...['nonce', 'at_hash', 'c_hash'].map((name): Rule<Json> => ['INVALID_CLAIMS', `an ID token (claim "${name}"): ${getAccessToken}`, (claims) => !has(claims, name)]),
  // RFC 9449 §7.1, RFC 8705 §3: whoever has the token alone has not what it is bound to.
  ['INVALID_CLAIMS', 'a token bound to a key of its sender (claim "cnf"), which is no bearer token', (claims) => !has(claims, 'cnf')]
]

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Tokens of another purpose, though one key signs them all (RFC 8725 §2.8). They are told by their form and not by the name of a claim, which
 * may be a host's own.
 */
const kindRules = (others: readonly TokenForm[]): Array<Rule<Jws>> => [
  // OpenID Connect Back-Channel Logout 1.0 §2.4
  ['INVALID_CLAIMS', `a logout token: ${getAccessToken}`, ({ payload: { events } }) => !isObject(events) || !has(events, logoutEvent)],
  ...others.map(({ says, fits }): Rule<Jws> => ['INVALID_CLAIMS', says, (jws) => !fits(jws)])
]

/** RFC 7519 §4.1. A check that is configured requires its claim: leaving the claim out does not skip it. */
const claimRules = (rules: ClaimRules, clock: () => number): Array<Rule<Json>> => {
  const { issuer, audience, clockTolerance, maxTokenAge, requiredClaims } = rules
  return [
    ['INVALID_CLAIMS', 'claim "exp" is missing or no date', ({ exp }) => isFinite(exp) && exp <= latest],
    ['INVALID_CLAIMS', 'claim "nbf" is no date', ({ nbf }) => nbf === undefined || isFinite(nbf)],
    ['INVALID_CLAIMS', 'claim "iat" is no date', ({ iat }) => iat === undefined || (isFinite(iat) && iat >= 0)],
    ['INVALID_CLAIMS', 'claim "iat" is missing, which maxTokenAge requires', ({ iat }) => maxTokenAge === undefined || iat !== undefined],
    ['INVALID_CLAIMS', 'claim "iss" is not the configured issuer', ({ iss }) => issuer === undefined || iss === issuer],
    ['INVALID_CLAIMS', 'claim "aud" is not or has not the configured audience', ({ aud }) => audience === undefined || holdsAudience(aud, audience)],
    ['TOKEN_EXPIRED', 'claim "exp" has passed', ({ exp }) => clock() < Number(exp) + clockTolerance],
    ['TOKEN_EXPIRED', 'claim "iat" is longer ago than maxTokenAge', ({ iat }) => maxTokenAge === undefined || clock() < Number(iat) + maxTokenAge + clockTolerance],
    ['INVALID_CLAIMS', 'claim "nbf" is ahead of now', ({ nbf }) => nbf === undefined || Number(nbf) <= clock() + clockTolerance],
    ['INVALID_CLAIMS', 'claim "iat" is ahead of now', ({ iat }) => iat === undefined || Number(iat) <= clock() + clockTolerance],
    ...rules.isOfIssuer ? issuerKindRules : [],
    ...Object.entries(requiredClaims).map(([name, allowed]): Rule<Json> =>
      ['INVALID_CLAIMS', `claim "${name}" is not as the issuer's entry requires`, (claims) => has(claims, name) && (allowed === true || allowed.includes(claims[name]))]),
    ['INVALID_CLAIMS', 'the claims do not satisfy the schema of option "claims"', rules.satisfiesSchema]
  ]
}

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
    apply(ofKind, { header, payload: claims }) // first, as the log should name the kind and not a claim that such a token lacks
    if (header !== goodHeader) apply(ofHeader, ownMembers(header))
    goodHeader = header
    apply(ofClaims, claims)
    const { exp, iat = 0 } = payload as { exp: number, iat?: number }
    return {
      user: deepFreeze({ id: readUserId(payload, rules), issuer: rules.verifiedBy, claims: payload as Claims }),
      isMachine: rules.isOfIssuer && (isClient(payload) || rules.isMachine(payload)),
      expiresAt: Math.min(exp, iat + maxTokenAge) + clockTolerance
    }
  }
}

/** Whether the subject is the client itself, as where no person is involved (RFC 6749 §4.4, RFC 9068 §2.2). */
const isClient = ({ sub, client_id: client, azp }: Json) => sub !== undefined && (sub === client || sub === azp)

/**
 * For a token that no verifier is there for.
 * @throws Refusal `INVALID_CLAIMS` that names its kind where it is another
 */
export function createUnknownIssuerRefusal (others: readonly TokenForm[]): (jws: Jws) => never {
  const ofKind = kindRules(others)
  return (jws) => {
    apply(ofKind, jws)
    throw refuse('INVALID_CLAIMS', 'claim "iss" is not a configured issuer')
  }
}

function apply<T> (rules: Array<Rule<T>>, value: T): void {
  for (const [code, reason, holds] of rules) {
    if (!holds(value)) throw refuse(code, reason)
  }
}

/**
 * Own properties only, and no second choice for a claim that is there and malformed: falling back would let whoever can
 * spoil the first claim choose the second.
 */
function readUserId (payload: Json, { userIdClaim, idPrefix, foreignPrefixes }: ClaimRules): string {
  const claim = userIdClaim ?? (has(payload, 'uid') ? 'uid' : 'sub')
  if (!has(payload, claim)) throw refuse('MISSING_UID_CLAIM', `no claim "${claim}"`)
  const id = payload[claim]
  if (typeof id !== 'string' || id.trim() === '') throw refuse('MISSING_UID_CLAIM', `claim "${claim}" is not a non-blank string`)
  if (/\p{Cc}/u.test(id)) throw refuse('MISSING_UID_CLAIM', `claim "${claim}" has control characters`)
  if (foreignPrefixes.some((prefix) => id.startsWith(prefix))) {
    throw refuse('INVALID_CLAIMS', `claim "${claim}" begins with the idPrefix of another issuer`)
  }
  return idPrefix + id
}

/** Something on Object.prototype must not stand in for a claim that is missing. */
const ownMembers = (object: Json): Json => Object.setPrototypeOf({ ...object }, null) as Json
const has = (object: object, name: string) => Object.hasOwn(object, name)
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isFinite = (value: unknown): value is number => Number.isFinite(value)

function holdsAudience (aud: unknown, audiences: readonly unknown[]): boolean {
  if (!Array.isArray(aud)) return audiences.includes(aud)
  return aud.every((entry) => typeof entry === 'string') && aud.some((entry) => audiences.includes(entry))
}

function deepFreeze<T> (value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}
