import { text, texts } from '../options/schemas.js'
import { anyUrl, trimSlashes, preset, type Overrides } from './preset.js'

export interface KeycloakOptions extends Overrides {
  /** The URL of Keycloak, such as `https://sso.example.com`, with `/auth` at its end for versions that have it. */
  baseURL: string
  realm: string
  /** The client ID of the API. An audience mapper puts it into the tokens. */
  audience: string | readonly string[]
}

/**
 * Keycloak's access tokens. Their claim `typ` is `Bearer`; ID, refresh, offline, logout and DPoP-bound tokens have
 * another value. The `typ` in the header is `JWT`, or `at+jwt` for clients with that setting.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const keycloak = preset<KeycloakOptions>('keycloak', {
  baseURL: text('the URL of Keycloak itself, such as https://sso.example.com, without the realm or the admin console',
    new RegExp(`^(?!.*\\/(realms|admin)(\\/|$))${anyUrl}$`)),
  realm: text('the name of the realm, without a path or an escape', /^[^\s/?#%\\]([^/?#%\\]*[^\s/?#%\\])?$/),
  // The tokens of nearly every client have "account", because the roles of users' own accounts belong to that client.
  audience: texts(
    'the client ID of the API, or a list of them, and not "account", which the tokens of all clients have',
    /^(?!account$)[^]/
  )
}, ({ baseURL, realm, audience }) => {
  const issuer = `${trimSlashes(baseURL)}/realms/${encodeURIComponent(realm)}`
  return {
    issuer,
    audience,
    jwksUri: `${issuer}/protocol/openid-connect/certs`,
    typ: ['JWT', 'at+jwt'],
    scopeClaim: 'scope',
    requiredClaims: { typ: 'Bearer' },
    // The second does not depend on the scope `profile`. Keycloak only notes a host for client credentials.
    machine: { preferred_username: 'service-account-*', clientHost: '*' }
  }
})
