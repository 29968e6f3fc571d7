import { decodeJwt } from 'jose'
import { claimAt } from '../routes/bind.js'
import { scopesIn } from '../routes/rule.js'
import type { AppRoute } from './app-routes.js'
import { missingLike } from './ids.js'

/** The user of a token: the id, or an object with the id and further claims. A claim that is undefined is left out. */
export type TokenSubject = string | { id: string, [claim: string]: unknown }

/** Header parameters, such as `typ`. */
export interface TokenOptions { header?: Record<string, unknown> }

/** Signs tokens for the assertions: the result of `createIssuer`, or your own. */
export type TokenSource = Record<'token' | 'expired' | 'forged', (subject: TokenSubject) => string | Promise<string>>

/** Options of all issuers for tests. */
export interface ClaimsOptions {
  /** The claim with the user id. Default `'sub'`. */
  userIdClaim?: string
  /** Seconds for which tokens are valid. Default 3600. */
  expiresIn?: number
}

type Claims = Exclude<TokenSubject, string>

/** Converts a user to an object. Plain JavaScript may pass anything. */
const claimsOf = (user: TokenSubject) => typeof user === 'string' ? { id: user } : Object(user) as Claims

const now = () => Math.floor(Date.now() / 1000)

const nobody = 'a token needs a user: the id as a string, or an object with an "id" of its own'

/** @throws TypeError if the token would have no user, or the plugin would read another id from it */
export function claimsFor (subject: TokenSubject, options: ClaimsOptions & { idPrefix?: string }, fixed: object) {
  const { userIdClaim = 'sub', expiresIn = 3600, idPrefix = '' } = options
  const user: Partial<Claims> = claimsOf(subject)
  const { id, ...claims } = user
  // Undefined is a claim that is left out on purpose.
  if (!Object.hasOwn(user, 'id') || !['string', 'undefined'].includes(typeof id)) throw new TypeError(nobody)
  if (id?.startsWith(idPrefix) === false) {
    throw new TypeError(`"${id}" lacks the prefix of this issuer: give the whole id, "${idPrefix}${id}"`)
  }
  return { [userIdClaim]: id?.slice(idPrefix.length), iat: now(), exp: now() + expiresIn, ...fixed, ...claims }
}

/** The same claims, two hours after their end: the largest `clockTolerance` is an hour. */
export const expired = (claims: object) => ({ ...claims, iat: now() - 3 * 3600, exp: now() - 2 * 3600 })

export const authorize = (token: string) => ({ authorization: `Bearer ${token}` })

/** A user with tokens of your own. */
export interface Person {
  id: string
  /** A valid token. */
  token: string
  /** An expired token. Default: no request is sent with one. */
  expired?: string
  /** A token with a wrong signature. Default: `token` with another letter in its signature. */
  forged?: string
}

/** Two users: with an issuer, their ids or the claims of their tokens; otherwise with tokens of your own. */
export type People<Bob = string | { id: string, token?: string }> = {
  /** Signs the tokens: the result of `createIssuer`, or your own. */
  issuer: TokenSource
  /** The user whose tokens are sent. */
  alice: TokenSubject
  /** The user whose paths and records they must not reach. */
  bob: TokenSubject
} | { issuer?: never, alice: Person, bob: Bob }

/** @throws TypeError if both are the same user, or one has no id that is a string */
export function readIds (people: Partial<People>): Record<'alice' | 'bob', string> {
  const [alice, bob] = (['alice', 'bob'] as const).map((name) => {
    const { id }: { id: unknown } = claimsOf(people[name] as TokenSubject)
    if (typeof id === 'string' && id !== '') return id
    throw new TypeError(`${name} must be a user: the id as a string that is not empty, or an object with such an "id"`)
  }) as [string, string]
  if (alice === bob) throw new TypeError('alice and bob must be two users: give each an id of its own')
  return { alice, bob }
}

/** @throws TypeError if there is neither an issuer nor a token for the user, or the issuer returns none */
export async function tokensOf (name: 'alice' | 'bob', { issuer, ...people }: Partial<People>) {
  if (issuer instanceof Promise) throw new TypeError("await the issuer: with mode 'jwks' it comes by a promise")
  if (typeof issuer?.token === 'function') {
    // Plain JavaScript may forget to return it, and nothing would be tried.
    const sign = async (kind: keyof TokenSource): Promise<string> => {
      const token: unknown = await (issuer as Partial<TokenSource>)[kind]?.(people[name] as TokenSubject)
      if (typeof token === 'string') return token
      throw new TypeError(`issuer.${kind}() must return a token for ${name}, as a string`)
    }
    return { good: await sign('token'), expired: await sign('expired'), forged: await sign('forged') }
  }
  const { token, expired, forged = forge(String(token)) } = people[name] as Partial<Person>
  if (typeof token === 'string') return { good: token, expired, forged }
  throw new TypeError(`give an issuer that signs tokens, or ${name} as { id, token }`)
}

/** The last part of a JWS is its signature (RFC 7515 §7.1). */
const forge = (token: string) => token.replace(/(?<=\.)[^.](?=[^.]*$)/, (first) => first === 'A' ? 'B' : 'A')

/**
 * The two ids, and alice's tokens for any route. For a route with scopes, `poor` is hers without them, and `delegate`
 * is bob's with those of delegates.
 */
export type Known = Record<'alice' | 'bob' | 'good' | 'forged', string> &
  Partial<Record<'expired' | 'poor' | 'delegate', string | undefined>>

export type Tokens = Awaited<ReturnType<typeof tokensFor>>
type Rule = Pick<AppRoute, 'scopes' | 'delegates' | 'bound'>

/** Returns the same for one route: as a `stranger` to bob, alice has the scopes of the rule, but none of delegates. */
export async function tokensFor ({ scopes, delegates, bound }: Rule, known: Known, people: People) {
  // Values of bound parameters: `hers` fit alice's token, `his` fit bob's, `others` do not fit alice's.
  const tenants: Record<'hers' | 'his' | 'others', Record<string, string>> = { hers: {}, his: {}, others: {} }
  // Bob may be a user of another issuer, so his token is only made if it is needed.
  const { issuer, bob } = people
  const bobs = bound.length > 0 && (issuer ? await issuer.token(bob) : (Object(bob) as Partial<Person>).token)
  for (const { param, path } of bound) {
    const [hers, his] = [valuesIn(known.good, path), bobs ? valuesIn(bobs, path) : []]
    const [own = '1'] = hers
    tenants.hers[param] = own
    tenants.his[param] = his[0] ?? own
    // Both may belong to the same tenants.
    tenants.others[param] = his.find((each) => !hers.includes(each)) ?? String(missingLike(own))
  }
  const required = namesOf(scopes)
  const staff = delegates === true ? [] : namesOf(delegates && delegates.scopes)
  const plain = { ...known, tenants, stranger: known.good }
  if (!issuer || required.length + staff.length === 0) return plain
  // Without the value in the path she would be refused for that.
  const isSpared = (claim: string, word: unknown) => claim === 'id' ||
    bound.some(({ param, path }) => path[0] === claim && tenants.hers[param] === word)
  const hers = grant(claimsOf(people.alice), required)
  // Bob gets alice's claims, such as the tenant, unless his own are given.
  const his = { ...claimsOf(people.alice), ...claimsOf(people.bob) }
  return {
    ...plain,
    good: await issuer.token(hers),
    stranger: await issuer.token(deny(hers, staff, isSpared)),
    poor: required.length > 0 ? await issuer.token(deny(hers, required, isSpared)) : undefined,
    delegate: staff.length > 0 ? await issuer.token(grant(his, [...required, ...staff])) : undefined
  }
}

export const namesOf = (scopes: AppRoute['scopes']): readonly string[] => scopes ? scopesIn(scopes) : []

/** Returns the texts in a claim. */
const valuesIn = (token: string, path: readonly string[]): string[] =>
  [claimAt(decodeJwt(token), path)].flat().filter((value) => typeof value === 'string')

/** Adds these scopes. */
const grant = (claims: Claims, names: readonly string[]): Claims =>
  ({ ...claims, scope: [claims.scope ?? claims.scp ?? [], names].flat().join(' ') })

/** Removes these scopes from all claims, but for what is spared. */
const deny = (claims: Claims, names: readonly string[], isSpared: (claim: string, word: unknown) => boolean) =>
  Object.fromEntries(Object.entries(claims).map(([claim, value]) => {
    const isOther = (word: unknown) => isSpared(claim, word) || !names.includes(String(word))
    if (Array.isArray(value)) return [claim, value.filter(isOther)]
    return [claim, typeof value === 'string' ? value.split(' ').filter(isOther).join(' ') : value]
  })) as Claims
