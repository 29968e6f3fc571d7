import { Type } from '@sinclair/typebox'
import type { IssuerOptions } from '../contract/issuer.js'
import { text } from '../options/schemas.js'
import { assertValid } from '../options/validate.js'
import { bare, entry, type Overrides } from './preset.js'

export interface Auth0Options extends Overrides {
  /** The tenant's or custom domain, such as `tenant.eu.auth0.com`. */
  domain: string
  /** The identifier of the API. */
  audience: string | string[]
}

const schema = Type.Object({
  domain: text('a host name in lower case, such as tenant.eu.auth0.com', /^[a-z\d-]+(\.[a-z\d-]+)*(:\d+)?\/*$/)
})

/**
 * Auth0's access tokens for an API. The issuer ends in a slash; the header says `JWT`, or `at+jwt` in the RFC 9068 profile. ID tokens are for the client
 * and not for the API, so the audience refuses them.
 */
export function auth0 (options: Auth0Options): IssuerOptions {
  assertValid(schema, options, 'auth0')
  const { domain, ...overrides } = options
  const origin = `https://${bare(domain)}`
  return entry({ issuer: `${origin}/`, jwksUri: `${origin}/.well-known/jwks.json`, algorithms: ['RS256', 'PS256'], typ: ['JWT', 'at+jwt'], machine: { gty: 'client-credentials', sub: '*@clients' } }, overrides)
}
