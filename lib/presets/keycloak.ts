import { Type } from '@sinclair/typebox'
import type { IssuerOptions } from '../contract/issuer.js'
import { text } from '../options/schemas.js'
import { assertValid } from '../options/validate.js'
import { anyUrl, bare, entry, type Overrides } from './preset.js'

export interface KeycloakOptions extends Overrides {
  /** Where Keycloak is reached, such as `https://sso.example.com`; with `/auth` behind for versions that have it. */
  baseURL: string
  realm: string
  /** The client of the API; an audience mapper puts it into the tokens. */
  audience: string | string[]
}

const schema = Type.Object({
  baseURL: text('a URL, such as https://sso.example.com', anyUrl),
  realm: text('the name of the realm', /\S/)
})

/** Keycloak's access tokens: `Bearer` in the claim `typ`, where ID, refresh, offline, logout and DPoP-bound tokens say another. The header says `JWT`, or `at+jwt` for clients set so. */
export function keycloak (options: KeycloakOptions): IssuerOptions {
  assertValid(schema, options, 'keycloak')
  const { baseURL, realm, ...overrides } = options
  const issuer = `${bare(baseURL)}/realms/${encodeURIComponent(realm)}`
  return entry({ issuer, jwksUri: `${issuer}/protocol/openid-connect/certs`, typ: ['JWT', 'at+jwt'], requiredClaims: { typ: 'Bearer' }, machine: { preferred_username: 'service-account-*' } }, overrides)
}
