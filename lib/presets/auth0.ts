import type { OtherToken } from '../contract/issuer.js'
import { text, texts } from '../options/schemas.js'
import { anyHost, trimSlashes, preset, type Overrides } from './preset.js'

export interface Auth0Options extends Overrides {
  /** The tenant's or custom domain, such as `tenant.eu.auth0.com`. */
  domain: string
  /** The identifier of the API. */
  audience: string | readonly string[]
}

const otherTokens: OtherToken[] = [{
  text: String.raw`^([\w-]{32}|[^.]*(\.[^.]*){4})$`,
  says: 'an opaque or encrypted token, which Auth0 issues if the client names no API: ' +
    'request one with the "audience" of your API'
}]

/** Whether an audience is one of Auth0's own APIs. Auth0 adds the first to every token with the scope `openid`. */
function isOfAuth0 (audience: string, host: string): boolean {
  const [, found] = /^https:\/\/([^/]+)\/(userinfo|api\/v2\/)$/.exec(audience) ?? []
  return found !== undefined && (found === host || found.endsWith('.auth0.com'))
}

/**
 * Auth0's access tokens for an API. The issuer ends in a slash; the header says `JWT`, or `at+jwt` in the RFC 9068
 * profile. ID tokens are for the client and not for the API, so the audience refuses them.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const auth0 = preset<Auth0Options>('auth0', {
  domain: text('a host name in lower case, without https:// and a path, such as tenant.eu.auth0.com',
    new RegExp(`^${anyHost}$`)),
  audience: texts('the identifier of the API, or a list of them')
}, ({ domain, audience }, fail) => {
  const host = trimSlashes(domain)
  const origin = `https://${host}`
  const own = [audience].flat().find((audience) => isOfAuth0(audience, host))
  if (own !== undefined) fail('audience', `must be the identifier of your API, and "${own}" is Auth0's own`)
  return {
    issuer: `${origin}/`,
    audience,
    jwksUri: `${origin}/.well-known/jwks.json`,
    algorithms: ['RS256', 'RS512', 'PS256'],
    typ: ['JWT', 'at+jwt'],
    scopeClaim: 'scope', // not "permissions": those are the user's, and the client may have been granted fewer
    machine: { gty: 'client-credentials', sub: '*@clients' },
    otherTokens
  }
})
