import { refuse, type RefusalCode } from '../contract/errors.js'
import { mediaType } from '../options/media-type.js'
import type { TokenForm } from '../options/other-tokens.js'
import type { ClaimRules } from '../options/settings.js'
import { instead } from './reasons.js'

export type Json = Record<string, unknown>
export interface Jws { readonly header: Json, readonly payload: Json }

/** What must hold, else why and with which code. */
export type Rule<T> = [reason: string | ((value: T) => string), holds: (value: T) => boolean, code?: RefusalCode]

const latest = 253_402_300_799 // 9999-12-31T23:59:59Z: anything later has another unit, or was meant never to expire

// An extension that changes what the signature means (RFC 7515 §4.1.11, RFC 7797), a payload that is something else
// than claims, or a key that the token brings along (RFC 8725 §3.10). None is understood here, so each is refused.
const refusedParameters = ['crit', 'b64', 'zip', 'enc', 'cty', 'jwk', 'jku', 'x5u', 'x5c']

const otherKind = 'header parameter "typ" is of another kind of token'

export const headerRules = ({ types, isOfIssuer }: ClaimRules): Array<Rule<Json>> => [
  ...refusedParameters.map((name): Rule<Json> =>
    [`header parameter "${name}" is not allowed`, (header) => !has(header, name)]),
  ['header parameter "kid" is not a string', ({ kid }) => kid === undefined || typeof kid === 'string'],
  // RFC 8725 §3.11: another kind of token says so in its typ.
  [
    ({ typ }) => `${otherKind}: ${instead(types, typ)}${isOfIssuer ? ' (option "typ")' : ''}`,
    ({ typ = 'JWT' }) => typeof typ === 'string' && types.includes(mediaType(typ))
  ]
]

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const getAccessToken = 'send the access token instead'

/**
 * Tokens of another purpose, though one key signs them all (RFC 8725 §2.8). They are told by their form and not by the
 * name of a claim, which may be a host's own.
 */
export const kindRules = (others: readonly TokenForm[]): Array<Rule<Jws>> => [
  // OpenID Connect Back-Channel Logout 1.0 §2.4
  [`a logout token: ${getAccessToken}`, ({ payload: { events } }) => !isObject(events) || !has(events, logoutEvent)],
  ...others.map(({ says, fits }): Rule<Jws> => [says, (jws) => !fits(jws)])
]

/** What an issuer makes with the same keys besides access tokens for bearers. */
const issuerKindRules: Array<Rule<Json>> = [
  // OpenID Connect Core 1.0 §2
  ...['nonce', 'at_hash', 'c_hash'].map((name): Rule<Json> =>
    [`an ID token (claim "${name}"): ${getAccessToken}`, (claims) => !has(claims, name)]),
  // RFC 9449 §7.1, RFC 8705 §3: anyone who has the token alone does not have what it is bound to.
  ['a token bound to a key of its sender (claim "cnf"), which is no bearer token', (claims) => !has(claims, 'cnf')]
]

/** RFC 7519 §4.1. A check that is configured requires its claim: leaving the claim out does not skip it. */
export function claimRules (rules: ClaimRules, clock: () => number): Array<Rule<Json>> {
  const { issuer, audience, clockTolerance, maxTokenAge, requiredClaims } = rules
  const isAhead = (claim: unknown) => claim !== undefined && Number(claim) > clock() + clockTolerance
  const isOver = (claim: unknown, age = 0) => clock() >= Number(claim) + age + clockTolerance
  const distance = (claim: unknown) => Math.ceil(Math.abs(clock() - Number(claim)))
  const tolerance = `(option "clockTolerance": ${clockTolerance})`
  return [
    ['claim "exp" is missing or no date', ({ exp }) => isFinite(exp)],
    [
      ({ exp }) => milliseconds('exp', exp) ?? 'claim "exp" is later than the year 9999',
      ({ exp }) => Number(exp) <= latest
    ],
    ['claim "nbf" is no date', ({ nbf }) => nbf === undefined || isFinite(nbf)],
    ['claim "iat" is no date', ({ iat }) => iat === undefined || (isFinite(iat) && iat >= 0)],
    ['claim "iat" is missing, which maxTokenAge requires', ({ iat }) => maxTokenAge === undefined || iat !== undefined],
    [
      ({ iss }) => `claim "iss" is not the configured issuer: ${instead([issuer], iss)}`,
      ({ iss }) => issuer === undefined || iss === issuer
    ],
    [
      ({ aud }) => `claim "aud" is not or has not the configured audience: ${instead(audience, aud)}`,
      ({ aud }) => audience === undefined || holdsAudience(aud, audience)
    ],
    [
      ({ exp }) => `claim "exp" has passed, ${distance(exp)} s ago ${tolerance}`,
      ({ exp }) => !isOver(exp),
      'TOKEN_EXPIRED'
    ],
    [
      ({ iat }) => `claim "iat" is longer ago than maxTokenAge (${maxTokenAge}), ${distance(iat)} s ${tolerance}`,
      ({ iat }) => maxTokenAge === undefined || !isOver(iat, maxTokenAge),
      'TOKEN_EXPIRED'
    ],
    ...['nbf', 'iat'].map((name): Rule<Json> => [
      ({ [name]: date }) => milliseconds(name, date) ??
        `claim "${name}" is ahead of now, by ${distance(date)} s ${tolerance}`,
      (claims) => !isAhead(claims[name])
    ]),
    ...rules.isOfIssuer ? issuerKindRules : [],
    ...Object.entries(requiredClaims).map(([name, allowed]): Rule<Json> => [
      `claim "${name}" is not as option "requiredClaims" of the issuer's entry states`,
      (claims) => has(claims, name) && (allowed === true || allowed.includes(claims[name]))
    ]),
    ['the claims do not satisfy the schema of option "claims"', rules.satisfiesSchema]
  ]
}

/** Said of a date in the unit of JavaScript, and of no other. */
function milliseconds (name: string, claim: unknown): string | undefined {
  if (Number(claim) <= latest || Number(claim) > latest * 1000) return undefined
  return `claim "${name}" is in milliseconds. Fix: write seconds since 1970 (RFC 7519 §2)`
}

/** @throws Refusal of the first rule that does not hold */
export function apply<T> (rules: Array<Rule<T>>, value: T): void {
  for (const [reason, holds, code = 'INVALID_CLAIMS'] of rules) {
    if (!holds(value)) throw refuse(code, typeof reason === 'string' ? reason : reason(value))
  }
}

export const has = (object: object, name: string) => Object.hasOwn(object, name)
const isFinite = (value: unknown): value is number => Number.isFinite(value)
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function holdsAudience (aud: unknown, audiences: readonly unknown[]): boolean {
  if (!Array.isArray(aud)) return audiences.includes(aud)
  return aud.every((entry) => typeof entry === 'string') && aud.some((entry) => audiences.includes(entry))
}
