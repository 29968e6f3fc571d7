import { Type } from '@sinclair/typebox'
import type { OtherToken } from '../contract/issuer.js'
import { text } from '../options/schemas.js'
import { anyUrl, trimSlashes, preset, type Overrides } from './preset.js'

export interface SupabaseOptions extends Overrides {
  /** The URL of the project, such as `https://abcdefghijklmnopqrst.supabase.co`. */
  url: string
}

// Only this claim distinguishes them from the user's own tokens
// (https://supabase.com/docs/guides/auth/oauth-server/token-security).
const ofClient: OtherToken = {
  payload: Type.Object({ client_id: Type.String() }),
  says: "a token of an OAuth application that acts for the user. To let it in instead of the users' own, name it in " +
    "requiredClaims: { client_id: ['…'] }"
}

/**
 * The access tokens of signed-in users of Supabase Auth, in projects with asymmetric signing keys. Anonymous sign-ins
 * are users with their own ids.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const supabase = preset<SupabaseOptions>('supabase', {
  url: text(
    'the URL of the project, such as https://abcdefghijklmnopqrst.supabase.co, without a path of one of its APIs',
    new RegExp(`^(?!.*\\/(auth|rest|storage|functions|realtime|dashboard)(\\/|$))${anyUrl}$`)
  )
}, ({ url, requiredClaims }) => {
  const issuer = `${trimSlashes(url)}/auth/v1`
  return {
    issuer,
    audience: 'authenticated',
    jwksUri: `${issuer}/.well-known/jwks.json`,
    algorithms: ['ES256', 'RS256'],
    requiredClaims: { role: 'authenticated', session_id: true },
    otherTokens: requiredClaims?.['client_id'] === undefined ? [ofClient] : []
  }
})
