import { text, texts } from '../options/schemas.js'
import { preset, type Overrides } from './preset.js'

export interface EntraOptions extends Overrides {
  /** The directory (tenant) ID: a GUID, and not a domain, `common` or `organizations`. */
  tenantId: string
  /** The application (client) ID of the API: the `aud` of v2.0 tokens, whatever the Application ID URI is. */
  audience: string | readonly string[]
}

const guid = String.raw`[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}`
const graph = '00000003-0000-0000-c000-000000000000' // Microsoft's own API, whose tokens others cannot verify

/**
 * Microsoft Entra ID's v2.0 access tokens. `oid` is the user's id in the tenant, while `sub` differs for each
 * application. Only access tokens of users have `scp`; ID tokens and tokens of applications do not.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const entra = preset<EntraOptions>('entra', {
  tenantId: text('the directory (tenant) ID: a GUID in lower case', new RegExp(`^${guid}$`)),
  audience: texts(
    'the application (client) ID of your API, a GUID in lower case, or a list of them: v2.0 tokens never have its ' +
    'Application ID URI (api://…) for "aud"',
    new RegExp(`^(?!${graph})${guid}$`)
  )
}, ({ tenantId: tid, audience }) => {
  const origin = `https://login.microsoftonline.com/${tid}`
  return {
    issuer: `${origin}/v2.0`,
    audience,
    jwksUri: `${origin}/discovery/v2.0/keys`,
    algorithms: ['RS256'],
    userIdClaim: 'oid',
    scopeClaim: 'scp',
    requiredClaims: { tid, ver: '2.0', scp: true },
    machine: { idtyp: 'app' }
  }
})
