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

/** @throws TypeError where both are the same user, or one has no id that is a string */
export function readIds ({ alice, bob }: Partial<People>): Record<'alice' | 'bob', string> {
  const ids = { alice: readId(alice, 'alice'), bob: readId(bob, 'bob') }
  if (ids.alice === ids.bob) throw new TypeError('alice and bob must be two users: give each an id of its own')
  return ids
}

/** What comes from plain JavaScript may be a number, or nothing. */
function readId (person: unknown, name: string): string {
  const id: unknown = typeof person === 'string' ? person : (Object(person) as { id?: unknown }).id
  if (typeof id === 'string' && id !== '') return id
  throw new TypeError(`${name} must be a user: the id as a string that is not empty, or an object with such an "id"`)
}

/** @throws TypeError where nobody signs tokens for the user */
export async function tokensOf (name: 'alice' | 'bob', people: Partial<People>) {
  const { issuer, [name]: person } = people
  if (issuer instanceof Promise) throw new TypeError("await the issuer: with mode 'jwks' it comes by a promise")
  if (typeof issuer?.token === 'function') {
    const subject = person as TokenSubject
    return { good: await issuer.token(subject), expired: await issuer.expired(subject), forged: await issuer.forged(subject) }
  }
  const { token, expired, forged = forge(String(token)) } = person as Partial<Person>
  if (typeof token === 'string') return { good: token, expired, forged }
  throw new TypeError(`give an issuer that signs tokens, or ${name} as { id, token }`)
}

/** The last part of a JWS is its signature (RFC 7515 §7.1). */
const forge = (token: string) => token.replace(/(?<=\.)[^.](?=[^.]*$)/, (first) => first === 'A' ? 'B' : 'A')
