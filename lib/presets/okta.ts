import { Type } from '@sinclair/typebox'
import { text, texts } from '../options/schemas.js'
import { anyHost, trimSlashes, preset, type Overrides } from './preset.js'

export interface OktaOptions extends Overrides {
  /** The org's or custom domain, such as `example.okta.com`. */
  domain: string
  /** The ID of a custom authorization server. Tokens of the org itself are only for Okta. Default `'default'`. */
  authorizationServer?: string
  /** The audience of that server, such as `api://default`. */
  audience: string | readonly string[]
}

/**
 * The access tokens of a custom authorization server of Okta. The user's id is `uid`, because the login in `sub` can be
 * given to somebody else, and tokens of applications have no `uid`.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const okta = preset<OktaOptions>('okta', {
  domain: text(
    'a host name in lower case, without https://, a path and "-admin" (the console), such as example.okta.com',
    new RegExp(`^(?!.*-admin\\.okta)${anyHost}$`)
  ),
  authorizationServer: Type.Optional(text('the ID of a custom authorization server, such as default', /^[\w-]+$/)),
  audience: texts('the audience of the authorization server, or a list of them')
}, ({ domain, authorizationServer = 'default', audience }) => {
  const issuer = `https://${trimSlashes(domain)}/oauth2/${authorizationServer}`
  return {
    issuer,
    audience,
    jwksUri: `${issuer}/v1/keys`,
    algorithms: ['RS256'],
    typ: ['JWT', 'at+jwt'],
    userIdClaim: 'uid',
    scopeClaim: 'scp',
    requiredClaims: { cid: true }
  }
})
