import type { IssuerOptions } from '../contract/issuer.js'
import { text, texts } from '../options/schemas.js'
import { assertValid } from '../options/validate.js'
import { anyUrl, bare, entry, presetSchema, type Overrides } from './preset.js'

export interface LogtoOptions extends Overrides {
  /** The Logto endpoint, such as `https://tenant.logto.app`. */
  endpoint: string
  /** The identifier (resource indicator) of the API resource. */
  audience: string | readonly string[]
}

const schema = presetSchema({
  endpoint: text(
    'the Logto endpoint, such as https://tenant.logto.app, without /oidc',
    new RegExp(`^(?!.*\\/(oidc|api|console)(\\/|$))${anyUrl}$`)
  ),
  audience: texts('the identifier of the API resource, or a list of them', /^\S(.*\S)?$/)
})

/**
 * Logto's access tokens for an API resource. Those of machine-to-machine apps have the app's id as their subject.
 * @throws InvalidOptionError where an option is unknown, wrong, or fits no token of the vendor
 */
export function logto (options: LogtoOptions): IssuerOptions {
  assertValid(schema, options, 'logto')
  const { endpoint, ...overrides } = options
  const issuer = `${bare(endpoint)}/oidc`
  return entry('logto', {
    issuer,
    audience: overrides.audience,
    jwksUri: `${issuer}/jwks`,
    algorithms: ['ES384', 'RS256'],
    typ: ['JWT', 'at+jwt'],
    scopeClaim: 'scope',
    requiredClaims: { client_id: true },
    otherTokens: [{
      text: '^[\\w-]{43}$',
      says: 'an opaque token, as Logto makes where the client names no API resource: request one with "resource"'
    }]
  }, overrides)
}
