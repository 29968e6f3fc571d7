import type { IssuerOptions } from '../contract/issuer.js'
import { entry, given, guid, read, type Overrides } from './preset.js'

export interface EntraOptions extends Overrides {
  /** The directory (tenant) ID: a GUID, and not a domain, `common` or `organizations`. */
  tenantId: string
  /** The application (client) ID of the API: what v2.0 tokens have for `aud`, whatever the Application ID URI. */
  audience: string | string[]
}

/**
 * Microsoft Entra ID's v2.0 access tokens. `oid` is the user's id in the tenant, where `sub` differs for each application; `scp` stands in the tokens
 * of users alone, not in ID tokens and not in those of applications.
 */
export function entra (options: EntraOptions): IssuerOptions {
  const { tenantId, ...overrides } = given('entra', options)
  const tid = read('entra.tenantId', tenantId, guid, 'the directory (tenant) ID: a GUID in lower case')
  const origin = `https://login.microsoftonline.com/${tid}`
  return entry({
    issuer: `${origin}/v2.0`,
    jwksUri: `${origin}/discovery/v2.0/keys`,
    algorithms: ['RS256'],
    userIdClaim: 'oid',
    requiredClaims: { tid, ver: '2.0', scp: true }
  }, overrides)
}
