import type { IssuerOptions } from '../contract/issuer.js'
import { bareOrigin, entry, given, read, readAll, requestOrigin, type Overrides } from './preset.js'

export interface ClerkOptions extends Overrides {
  /** The Frontend API URL, such as `https://clerk.example.com`. */
  frontendApi: string
  /** Origins of the applications that may call: session tokens have no `aud`, so their `azp` is checked. */
  authorizedParties: string | string[]
}

/**
 * Clerk's session tokens, version 2, of active sessions. Those of JWT templates, of machines and of OAuth applications, made with the same keys, have no
 * `sid` and are refused; so are sessions that are still `pending`.
 */
export function clerk (options: ClerkOptions): IssuerOptions {
  const { frontendApi, authorizedParties, ...overrides } = given('clerk', options)
  const issuer = read('clerk.frontendApi', frontendApi, bareOrigin, 'the Frontend API URL, such as https://clerk.example.com')
  const azp = readAll('clerk.authorizedParties', authorizedParties, requestOrigin, 'an origin without a slash behind, such as https://app.example.com, or a list of them')
  return entry({ issuer, audience: false, jwksUri: `${issuer}/.well-known/jwks.json`, algorithms: ['RS256'], requiredClaims: { azp, sid: true, sts: 'active' } }, overrides)
}
