/** Whom a token is for: the id alone, or with further claims. A claim that is undefined is left out. */
export type TokenSubject = string | { id: string, [claim: string]: unknown }

/** What a token has beside its claims. */
export interface TokenOptions {
  /** Further header parameters, such as `typ`. */
  header?: Record<string, unknown>
}

/** Whatever signs tokens for the assertions: what `createIssuer` makes, or the host's own. */
export interface TokenSource {
  token (subject: TokenSubject): string | Promise<string>
  expired (subject: TokenSubject): string | Promise<string>
  forged (subject: TokenSubject): string | Promise<string>
}

/** What the issuers of tests have in common. */
export interface ClaimsOptions {
  /** The claim with the user id. Default `'sub'`. */
  userIdClaim?: string
  /** Seconds for which tokens live. Default 3600. */
  expiresIn?: number
}

const hour = 3600

/**
 * The payload of a token that is good now.
 * @throws TypeError where it would be nobody's
 */
export function claimsFor (subject: TokenSubject, { userIdClaim = 'sub', expiresIn = hour }: ClaimsOptions, fixed: object): Record<string, unknown> {
  const { id, ...claims } = typeof subject === 'string' ? { id: subject } : withId(subject)
  const now = Math.floor(Date.now() / 1000)
  return { [userIdClaim]: id, iat: now, exp: now + expiresIn, ...fixed, ...claims }
}

function withId<S extends object> (subject: S): S {
  if (typeof subject !== 'object' || subject === null || !Object.hasOwn(subject, 'id')) throw new TypeError('a token needs a user: the id as a string, or an object with an "id" of its own')
  return subject
}

/** The same long after its end: over the largest `clockTolerance`, an hour, too. */
export function expiredClaimsFor (...args: Parameters<typeof claimsFor>): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  return { ...claimsFor(...args), iat: now - 3 * hour, exp: now - 2 * hour }
}

export const authorize = (token: string) => ({ authorization: `Bearer ${token}` })
