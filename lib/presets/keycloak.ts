import type { IssuerOptions } from '../contract/issuer.js'
import { anyUrl, entry, given, read, text, type Overrides } from './preset.js'

export interface KeycloakOptions extends Overrides {
  /** Where Keycloak is reached, such as `https://sso.example.com`; with `/auth` behind for versions that have it. */
  baseURL: string
  realm: string
  /** The client of the API; an audience mapper puts it into the tokens. */
  audience: string | string[]
}

/** Keycloak's access tokens: `Bearer` in the claim `typ`, where ID, refresh, offline, logout and DPoP-bound tokens say another. The header says `JWT`, or `at+jwt` for clients set so. */
export function keycloak (options: KeycloakOptions): IssuerOptions {
  const { baseURL, realm, ...overrides } = given('keycloak', options)
  const base = read('keycloak.baseURL', baseURL, anyUrl, 'a URL, such as https://sso.example.com')
  const issuer = `${base}/realms/${encodeURIComponent(read('keycloak.realm', realm, text, 'the name of the realm'))}`
  return entry({ issuer, jwksUri: `${issuer}/protocol/openid-connect/certs`, typ: ['JWT', 'at+jwt'], requiredClaims: { typ: 'Bearer' } }, overrides)
}
