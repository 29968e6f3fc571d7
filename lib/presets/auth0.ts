import type { IssuerOptions } from '../contract/issuer.js'
import { entry, given, hostName, read, type Overrides } from './preset.js'

export interface Auth0Options extends Overrides {
  /** The tenant's or custom domain, such as `tenant.eu.auth0.com`. */
  domain: string
  /** The identifier of the API. */
  audience: string | string[]
}

/**
 * Auth0's access tokens for an API. The issuer ends in a slash; the header says `JWT`, or `at+jwt` in the RFC 9068 profile. ID tokens are for the client
 * and not for the API, so the audience refuses them.
 */
export function auth0 (options: Auth0Options): IssuerOptions {
  const { domain, ...overrides } = given('auth0', options)
  const origin = `https://${read('auth0.domain', domain, hostName, 'a host name in lower case, such as tenant.eu.auth0.com')}`
  return entry({ issuer: `${origin}/`, jwksUri: `${origin}/.well-known/jwks.json`, algorithms: ['RS256', 'PS256'], typ: ['JWT', 'at+jwt'] }, overrides)
}
