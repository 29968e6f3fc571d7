import { Type } from '@sinclair/typebox'
import type { OtherToken } from '../contract/issuer.js'
import { text, texts } from '../options/schemas.js'
import { trimSlashes, preset, type Overrides } from './preset.js'

export interface ClerkOptions extends Overrides {
  /** The Frontend API URL, such as `https://clerk.example.com`. */
  frontendApi: string
  /** Origins of the applications that may call: session tokens have no `aud`, so their `azp` is checked. */
  authorizedParties: string | readonly string[]
}

// As Clerk and browsers write an origin: in lower case, and without the default port of the scheme.
const ofOrigin = String.raw`(?!https:.*:443\/*$|http:.*:80\/*$)[a-z][a-z\d+.-]*:\/\/(\[[\da-f:]+\]|[a-z\d._-]+)(:\d+)?`

// A machine writes further claims into its JWT itself, and could choose those of a session.
const ofMachine: OtherToken = {
  payload: Type.Object({ sub: Type.String({ pattern: '^mch_' }) }),
  says: 'an M2M token, which is a machine\'s and not a user\'s: send a session token instead'
}

/**
 * Clerk's session tokens, version 2, of active sessions. Tokens of machines, and those of JWT templates and OAuth
 * applications, which have no `sid`, are signed with the same keys and refused. So are sessions still `pending`.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const clerk = preset<ClerkOptions>('clerk', {
  frontendApi: text('the Frontend API URL in lower case, such as https://clerk.example.com',
    new RegExp(`^(?=https?:)(?!https://api\\.clerk\\.)${ofOrigin}/*$`)),
  authorizedParties: texts(
    'an origin as browsers write it, in lower case and without a slash at its end, such as https://app.example.com, ' +
    'or a list of them',
    new RegExp(`^${ofOrigin}$`)
  )
}, ({ frontendApi, authorizedParties: azp }) => {
  const issuer = trimSlashes(frontendApi)
  return {
    issuer,
    audience: false,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    algorithms: ['RS256'],
    requiredClaims: { azp, sid: true, sts: 'active' },
    otherTokens: [ofMachine]
  }
})
