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

/** Two users, told by their ids or with the claims of their tokens, which the issuer signs. */
interface PeopleByIssuer { issuer: TokenSource, alice: TokenSubject, bob: TokenSubject }

/** Whose requests are made. Only alice sends tokens; bob is another user, whose paths she tries. */
export type People = PeopleByIssuer | { issuer?: never, alice: Person, bob: string | { id: string } }

/** The same where bob sends requests, too. */
export type PeopleWithTokens = PeopleByIssuer | { issuer?: never, alice: Person, bob: Person }

/** Their ids, and tokens of alice's. */
export interface Tokens extends Record<'alice' | 'bob' | 'good' | 'forged', string> { expired: string | undefined }

/** @throws TypeError where both are the same user, one has no id that is a string, or nobody signs tokens for alice */
export async function readPeople ({ issuer, alice, bob }: Partial<People>): Promise<Tokens> {
  const ids = { alice: readId(alice, 'alice'), bob: readId(bob, 'bob') }
  if (ids.alice === ids.bob) throw new TypeError('alice and bob must be two users: give each an id of its own')
  if (issuer instanceof Promise) throw new TypeError("await the issuer: with mode 'jwks' it comes by a promise")
  if (typeof issuer?.token === 'function') {
    const subject = alice as TokenSubject
    const [good, expired] = [await issuer.token(subject), await issuer.expired(subject)]
    return { ...ids, good, expired, forged: await issuer.forged(subject) }
  }
  const { token, expired, forged = forge(String(token)) } = alice as Partial<Person>
  if (typeof token !== 'string') throw new TypeError('give an issuer that signs tokens, or alice as { id, token }')
  return { ...ids, good: token, expired, forged }
}

/** A good token of bob's. @throws TypeError where nobody signs it */
export async function bobsToken ({ issuer, bob }: PeopleWithTokens): Promise<string> {
  const token = issuer ? await issuer.token(bob) : bob.token
  if (typeof token !== 'string') throw new TypeError('give an issuer that signs tokens, or bob as { id, token }')
  return token
}

/** What comes from plain JavaScript may be a number, or nothing. */
function readId (person: unknown, name: string): string {
  const id: unknown = typeof person === 'string' ? person : (Object(person) as { id?: unknown }).id
  if (typeof id === 'string' && id !== '') return id
  throw new TypeError(`${name} must be a user: the id as a string that is not empty, or an object with such an "id"`)
}

/** The last part of a JWS is its signature (RFC 7515 §7.1). */
const forge = (token: string) => token.replace(/(?<=\.)[^.](?=[^.]*$)/, (first) => first === 'A' ? 'B' : 'A')
