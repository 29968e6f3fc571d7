import { text, texts } from '../options/schemas.js'
import { anyUrl, bare, preset, type Overrides } from './preset.js'

export interface KeycloakOptions extends Overrides {
  /**
   * Where Keycloak is reached, such as `https://sso.example.com`; with `/auth` at its end for versions that have it.
   */
  baseURL: string
  realm: string
  /** The client of the API; an audience mapper puts it into the tokens. */
  audience: string | readonly string[]
}

/**
 * Keycloak's access tokens: `Bearer` in the claim `typ`, where ID, refresh, offline, logout and DPoP-bound tokens say
 * another. The header says `JWT`, or `at+jwt` for clients set so.
 * @throws InvalidOptionError where an option is unknown, wrong, or fits no token of the vendor
 */
export const keycloak = preset<KeycloakOptions>('keycloak', {
  baseURL: text(
    'the URL of Keycloak itself, such as https://sso.example.com, without the realm or the admin console',
    new RegExp(`^(?!.*\\/(realms|admin)(\\/|$))${anyUrl}$`)
  ),
  realm: text('the name of the realm, without a path or an escape', /^[^\s/?#%\\]([^/?#%\\]*[^\s/?#%\\])?$/),
  // Nearly every client's tokens have it, as the roles of one's own account are a client's.
  audience: texts(
    'the client ID of the API, or a list of them, and not "account", which the tokens of all clients have',
    /^(?!account$)[^]/
  )
}, ({ baseURL, realm, audience }) => {
  const issuer = `${bare(baseURL)}/realms/${encodeURIComponent(realm)}`
  return {
    issuer,
    audience,
    jwksUri: `${issuer}/protocol/openid-connect/certs`,
    typ: ['JWT', 'at+jwt'],
    scopeClaim: 'scope',
    requiredClaims: { typ: 'Bearer' },
    machine: { preferred_username: 'service-account-*' }
  }
})
