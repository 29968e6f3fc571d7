/** Whom a token is for: the id alone, or with further claims. A claim that is undefined is left out. */
export type TokenSubject = string | { id: string, [claim: string]: unknown }

/** Header parameters, such as `typ`. */
export interface TokenOptions { header?: Record<string, unknown> }

/** What signs tokens for the assertions: what `createIssuer` makes, or the host's own. */
export type TokenSource = Record<'token' | 'expired' | 'forged', (subject: TokenSubject) => string | Promise<string>>

/** What the issuers of tests have in common. */
export interface ClaimsOptions {
  /** The claim with the user id. Default `'sub'`. */
  userIdClaim?: string
  /** Seconds for which tokens live. Default 3600. */
  expiresIn?: number
}

type Payload = Record<string, unknown>
export type Claims = Exclude<TokenSubject, string>

/** A user as an object. Plain JavaScript may give anything else. */
export const claimsOf = (user: TokenSubject) => typeof user === 'string' ? { id: user } : Object(user) as Claims

const now = () => Math.floor(Date.now() / 1000)

/** @throws TypeError where the token would be nobody's, or where the plugin would not make this id of it */
export function claimsFor (subject: TokenSubject, options: ClaimsOptions & { idPrefix?: string }, fixed: object) {
  const { userIdClaim = 'sub', expiresIn = 3600, idPrefix = '' } = options
  const user: Partial<Claims> = claimsOf(subject)
  if (!Object.hasOwn(user, 'id')) {
    throw new TypeError('a token needs a user: the id as a string, or an object with an "id" of its own')
  }
  const { id, ...claims } = user
  if (id?.startsWith(idPrefix) === false) {
    throw new TypeError(`"${id}" lacks the prefix of this issuer: give the whole id, "${idPrefix}${id}"`)
  }
  const times = { iat: now(), exp: now() + expiresIn }
  return { [userIdClaim]: id?.slice(idPrefix.length), ...times, ...fixed, ...claims } as Payload
}

/** The same long after its end: over the largest `clockTolerance`, an hour, too. */
export const expired = (claims: Payload): Payload => ({ ...claims, iat: now() - 3 * 3600, exp: now() - 2 * 3600 })
export const authorize = (token: string) => ({ authorization: `Bearer ${token}` })
