import type { TokenSource, TokenSubject } from './test-tokens.js'

/** A user whose tokens the host got by itself. */
export interface Person {
  id: string
  /** A good one. */
  token: string
  /** One that expired. Left out: no request is made with one. */
  expired?: string
  /** One with a wrong signature. Default: `token` with another letter in its signature. */
  forged?: string
}

/** Two users: their ids, or the claims of their tokens, for an issuer that signs; or with tokens of their own. */
export type People<Bob = string | { id: string }> =
  { issuer: TokenSource, alice: TokenSubject, bob: TokenSubject } | { issuer?: never, alice: Person, bob: Bob }

/** Where bob's token need not be given. */
export type OwnershipPeople = People<string | { id: string, token?: string }>

/** @throws TypeError where both are the same user, or one has no id that is a string */
export function readIds (people: Partial<People>): Record<'alice' | 'bob', string> {
  const [alice, bob] = (['alice', 'bob'] as const).map((name) => {
    // What comes from plain JavaScript may be a number, or nothing.
    const id: unknown = typeof people[name] === 'string' ? people[name] : Object(people[name]).id
    if (typeof id === 'string' && id !== '') return id
    throw new TypeError(`${name} must be a user: the id as a string that is not empty, or an object with such an "id"`)
  }) as [string, string]
  if (alice === bob) throw new TypeError('alice and bob must be two users: give each an id of its own')
  return { alice, bob }
}

/** @throws TypeError where nobody signs tokens for the user */
export async function tokensOf (name: 'alice' | 'bob', { issuer, ...people }: Partial<People>) {
  if (issuer instanceof Promise) throw new TypeError("await the issuer: with mode 'jwks' it comes by a promise")
  if (typeof issuer?.token === 'function') {
    const user = people[name] as TokenSubject
    return { good: await issuer.token(user), expired: await issuer.expired(user), forged: await issuer.forged(user) }
  }
  const { token, expired, forged = forge(String(token)) } = people[name] as Partial<Person>
  if (typeof token === 'string') return { good: token, expired, forged }
  throw new TypeError(`give an issuer that signs tokens, or ${name} as { id, token }`)
}

/** The last part of a JWS is its signature (RFC 7515 §7.1). */
const forge = (token: string) => token.replace(/(?<=\.)[^.](?=[^.]*$)/, (first) => first === 'A' ? 'B' : 'A')
