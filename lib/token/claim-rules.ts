import { refuse, type Refusal, type RefusalCode } from '../contract/errors.js'
import type { VerifiedUser } from '../contract/types.js'
import { mediaType } from '../options/issuers.js'
import type { ClaimRules } from '../options/settings.js'
import { instead, inWords } from './reasons.js'

export type Json = Record<string, unknown>
export interface Jws { readonly header: Json, readonly payload: Json }

/** A condition on a member of the header or the payload. The value of a missing member is undefined. */
export interface Rule {
  readonly name: string
  readonly reason: string | ((value: unknown) => string)
  readonly holds: (value: unknown) => boolean
  readonly code: RefusalCode
}

export const rule = (
  name: string, reason: Rule['reason'], holds: Rule['holds'], code: RefusalCode = 'INVALID_CLAIMS'
): Rule => ({ name, reason, holds, code })

/** Undefined means missing: no JSON value is undefined. */
export const isAbsent = (value: unknown): boolean => value === undefined

const now = () => Date.now() / 1000 // seconds since 1970
const latest = 253_402_300_799 // 9999-12-31T23:59:59Z: a later date has another unit, or means "never"

// Extensions that change what is signed (RFC 7515 §4.1.11, RFC 7797), payloads that are no claims, and keys inside the
// token (RFC 8725 §3.10). None of them is supported, so each is refused.
const notAllowed = (name: string) => rule(name, `header parameter "${name}" is not allowed`, isAbsent)
const refusedParameters = ['b64', 'zip', 'enc', 'cty', 'jwk', 'jku', 'x5u', 'x5c']

/** For issuers, these apply before a key is looked for: `jose` has several errors for them, or fetches keys. */
export const rulesBeforeKeys: readonly Rule[] = [
  notAllowed('crit'),
  rule('kid', 'header parameter "kid" is not a string', (kid) => isAbsent(kid) || typeof kid === 'string')
]

export const headerRules = ({ types, isRemote }: ClaimRules): readonly Rule[] => [
  ...rulesBeforeKeys,
  ...refusedParameters.map(notAllowed),
  // RFC 8725 §3.11: tokens of another kind have another typ.
  rule('typ',
    (typ) => 'header parameter "typ" is of another kind of token: ' +
      `${instead(types, typ)}${isRemote ? ' (option "typ")' : ''}`,
    (typ = 'JWT') => typeof typ === 'string' && types.includes(mediaType(typ)))
]

/** The rules for claims (RFC 7519 §4.1). A configured check requires its claim, so nobody can skip it. */
export function claimRules (rules: ClaimRules): readonly Rule[] {
  const { issuer, audience, clockTolerance, maxTokenAge } = rules
  const isOver = (date: unknown, age = 0) => now() >= Number(date) + age + clockTolerance
  const distance = (date: unknown) => Math.ceil(Math.abs(now() - Number(date)))
  const tolerance = `(option "clockTolerance": ${clockTolerance})`
  return [
    rule('exp', (exp) => `claim "exp" is ${isAbsent(exp) ? 'missing' : 'not a number of seconds'}`, Number.isFinite),
    rule('exp', (exp) => millisecondsHint('exp', exp) ?? 'claim "exp" is later than the year 9999',
      (exp) => Number(exp) <= latest),
    rule('nbf', 'claim "nbf" is not a number of seconds', (nbf) => isAbsent(nbf) || Number.isFinite(nbf)),
    rule('iat', 'claim "iat" is not a number of seconds since 1970',
      (iat) => isAbsent(iat) || (Number.isFinite(iat) && Number(iat) >= 0)),
    rule('iat', 'claim "iat" is missing, and option "maxTokenAge" needs it',
      (iat) => maxTokenAge === undefined || !isAbsent(iat)),
    rule('iss', (iss) => `claim "iss" is not the configured issuer: ${instead([issuer], iss)}`,
      (iss) => issuer === undefined || iss === issuer),
    rule('aud', (aud) => `claim "aud" does not have the configured audience: ${instead(audience, aud)}`,
      (aud) => audience === undefined || holdsAudience(aud, audience)),
    rule('exp', (exp) => `claim "exp" passed ${distance(exp)} s ago ${tolerance}`,
      (exp) => !isOver(exp), 'TOKEN_EXPIRED'),
    rule('iat',
      (iat) => `the token is ${distance(iat)} s old (claim "iat"), and maxTokenAge is ${maxTokenAge} ${tolerance}`,
      (iat) => maxTokenAge === undefined || !isOver(iat, maxTokenAge), 'TOKEN_EXPIRED'),
    ...['nbf', 'iat'].map((name) => rule(name,
      (date) => millisecondsHint(name, date) ?? `claim "${name}" is ${distance(date)} s in the future ${tolerance}`,
      (date) => isAbsent(date) || Number(date) <= now() + clockTolerance)),
  ]
}

/** `true` allows any value but false and null: otherwise `{ email_verified: true }` would accept `false`. */
export const requiredClaimRules = ({ requiredClaims }: ClaimRules): readonly Rule[] =>
  Object.entries(requiredClaims).map(([name, allowed]) => rule(
    name,
    (value) => `claim "${name}" ${isAbsent(value) ? 'is missing' : 'has another value'}, and the issuer's entry, or ` +
      'its preset, wants (option "requiredClaims") ' +
      (allowed === true ? 'any value but false and null' : inWords(allowed)),
    (value) => allowed === true ? ![undefined, null, false].includes(value as null) : allowed.includes(value)
  ))

/** Checks a verified token again, by its time alone. Returns the refusal if it has expired; else null. */
export function findExpiry ({ claims }: VerifiedUser, rules: ClaimRules): Refusal | null {
  if (now() < endOf(claims, rules)) return null
  return refuse('TOKEN_EXPIRED', 'the token has expired since the request was admitted')
}

/** Seconds since 1970 at which a token with these valid claims ends. */
export const endOf = (claims: Json, { clockTolerance, maxTokenAge = Infinity }: ClaimRules): number =>
  Math.min(Number(claims['exp']), Number(own(claims, 'iat') ?? 0) + maxTokenAge) + clockTolerance

function millisecondsHint (name: string, date: unknown): string | undefined {
  if (Number(date) <= latest || Number(date) > latest * 1000) return undefined
  return `claim "${name}" is in milliseconds. Fix: write seconds since 1970 (RFC 7519 §2)`
}

/** @throws Refusal of the first rule that does not hold */
export function apply (rules: readonly Rule[], object: Json): void {
  for (const { name, holds, code, reason } of rules) {
    const value = own(object, name)
    if (!holds(value)) throw refuse(code, typeof reason === 'string' ? reason : reason(value))
  }
}

/** A member of Object.prototype must not replace a missing member. */
export const own = (object: Json, name: string): unknown => Object.hasOwn(object, name) ? object[name] : undefined

function holdsAudience (aud: unknown, audiences: readonly unknown[]): boolean {
  if (!Array.isArray(aud)) return audiences.includes(aud)
  return aud.every((entry) => typeof entry === 'string') && aud.some((entry) => audiences.includes(entry))
}
