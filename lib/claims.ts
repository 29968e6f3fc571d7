import { sendJwt } from './compact-jws.js'
import { refuse, type RefusalCode } from './errors.js'
import type { ClaimRules } from './options.js'
import type { Claims, VerifiedUser } from './types.js'

type Json = Record<string, unknown>
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
  ['INVALID_CLAIMS', 'header parameter "typ" is of another kind of token', ({ typ }) =>
    typ === undefined || (typeof typ === 'string' && rules.types.includes(typ.toLowerCase()))]
]

/** Claims that only tokens of another purpose carry, though one key signs them all (RFC 8725 §2.8). */
const kindRules: Array<Rule<Json>> = [
  ['INVALID_CLAIMS', `a logout token (claim "events"): ${sendJwt}`, (claims) => !has(claims, 'events')],
  ['INVALID_CLAIMS', `an e-mail verification token of Better Auth (claim "requestType"): ${sendJwt}`, (claims) => !has(claims, 'requestType')],
  ['INVALID_CLAIMS', `a session cache token of Better Auth (claim "session"): ${sendJwt}`, (claims) => !has(claims, 'session')]
]

/** RFC 7519 §4.1. A check that is configured requires its claim: leaving the claim out does not skip it. */
const claimRules = (rules: ClaimRules, clock: () => number): Array<Rule<Json>> => {
  const { issuer, audience, clockTolerance, maxTokenAge } = rules
  return [
    ...kindRules, // first, as the log should name the kind rather than one of the claims that such a token has not
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
    ['INVALID_CLAIMS', 'the claims do not satisfy the schema of option "claims"', rules.satisfiesSchema]
  ]
}

/** Header and payload of a token whose signature is good → its user. */
export type ClaimsReader = (jws: { header: Json, payload: Json }) => VerifiedUser

/**
 * Puts the rules of one registration together.
 * @param clock seconds since 1970, with fractions
 * @returns a reader that throws a Refusal: `INVALID_CLAIMS`, `TOKEN_EXPIRED` or `MISSING_UID_CLAIM`
 */
export function createClaimsReader (rules: ClaimRules, clock = () => Date.now() / 1000): ClaimsReader {
  const ofHeader = headerRules(rules)
  const ofClaims = claimRules(rules, clock)
  return ({ header, payload }) => {
    apply(ofHeader, header)
    apply(ofClaims, payload, emailHint(payload, rules.userIdClaim))
    return deepFreeze({ id: readUserId(payload, rules.userIdClaim), claims: payload as Claims })
  }
}

function apply<T> (rules: Array<Rule<T>>, value: T, hint = ''): void {
  for (const [code, reason, holds] of rules) {
    if (!holds(value)) throw refuse(code, reason + hint)
  }
}

/** Better Auth's e-mail verification token has nothing to tell it by but what it lacks. */
function emailHint (payload: Json, userIdClaim: string | undefined): string {
  const named = userIdClaim === undefined ? has(payload, 'uid') || has(payload, 'sub') : has(payload, userIdClaim)
  return has(payload, 'email') && !named ? `; an e-mail verification token of Better Auth? ${sendJwt}` : ''
}

/**
 * Own properties only, and no second choice for a claim that is there and malformed: falling back would let whoever can
 * spoil the first claim choose the second.
 */
function readUserId (payload: Json, configured: string | undefined): string {
  const claim = configured ?? (has(payload, 'uid') ? 'uid' : 'sub')
  if (!has(payload, claim)) {
    throw refuse('MISSING_UID_CLAIM', `no claim "${claim}"${emailHint(payload, configured)}`)
  }
  const id = payload[claim]
  if (typeof id !== 'string' || id.trim() === '') throw refuse('MISSING_UID_CLAIM', `claim "${claim}" is not a non-blank string`)
  if (/\p{Cc}/u.test(id)) throw refuse('MISSING_UID_CLAIM', `claim "${claim}" has control characters`)
  return id
}

const has = (object: Json, name: string) => Object.hasOwn(object, name)
const isFinite = (value: unknown): value is number => Number.isFinite(value)

function holdsAudience (aud: unknown, audience: string): boolean {
  if (Array.isArray(aud)) return aud.every((entry) => typeof entry === 'string') && aud.includes(audience)
  return aud === audience
}

function deepFreeze<T> (value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}
