import { text, texts } from '../options/schemas.js'
import { anyUrl, trimSlashes, preset, type Overrides } from './preset.js'

export interface LogtoOptions extends Overrides {
  /** The Logto endpoint, such as `https://tenant.logto.app`. */
  endpoint: string
  /** The identifier (resource indicator) of the API resource. */
  audience: string | readonly string[]
}

/**
 * Logto's access tokens for an API resource. Tokens of machine-to-machine apps have the app's id as their subject.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const logto = preset<LogtoOptions>('logto', {
  endpoint: text('the Logto endpoint, such as https://tenant.logto.app, without /oidc',
    new RegExp(`^(?!.*\\/(oidc|api|console)(\\/|$))${anyUrl}$`)),
  audience: texts('the identifier of the API resource, or a list of them')
}, ({ endpoint, audience }) => {
  const issuer = `${trimSlashes(endpoint)}/oidc`
  return {
    issuer,
    audience,
    jwksUri: `${issuer}/jwks`,
    algorithms: ['ES384', 'RS256'],
    typ: ['JWT', 'at+jwt'],
    scopeClaim: 'scope',
    requiredClaims: { client_id: true },
    otherTokens: [{
      text: '^[\\w-]{43}$',
      says: 'an opaque token, which Logto issues if the client names no API resource: request one with "resource"'
    }]
  }
})
