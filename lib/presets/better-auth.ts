import { InvalidOptionError } from '../contract/errors.js'
import type { IssuerOptions } from '../contract/issuer.js'
import { anyUrl, entry, given, read, type Overrides } from './preset.js'

export interface BetterAuthOptions extends Overrides {
  /** Better Auth's own option: where it is reached, such as `https://auth.example.com`. A path in it stands in for `basePath`. */
  baseURL: string
  /** Better Auth's own option. Default `'/api/auth'`. */
  basePath?: string
  /** The access tokens of its OAuth provider plugin instead of those of its jwt() plugin; `audience` is required then. Default false. */
  oauthProvider?: boolean
}

/**
 * Better Auth's jwt() plugin at its defaults: issuer and audience are the origin, keys at `/api/auth/jwks`. The OAuth provider's access tokens have
 * another issuer (the base path too) and say `at+jwt`, which its ID tokens do not.
 */
export function betterAuth (options: BetterAuthOptions): IssuerOptions {
  const { baseURL, basePath = '/api/auth', oauthProvider = false, ...overrides } = given('betterAuth', options)
  const { origin, pathname } = new URL(read('betterAuth.baseURL', baseURL, anyUrl, 'a URL, such as https://auth.example.com'))
  const path = read('betterAuth.basePath', basePath, /^\//, 'a path, such as /api/auth')
  // As Better Auth itself does: a path in its baseURL stands in for basePath.
  const base = origin + (pathname === '/' ? path : pathname.replace(/\/+$/, ''))
  // Those tokens are for the `resource` that the client asked for, which nobody can guess.
  if (oauthProvider && overrides.audience === undefined) throw new InvalidOptionError('option "betterAuth.audience" is missing: state the resource that clients ask the OAuth provider for')
  return entry({
    issuer: oauthProvider ? base : origin,
    audience: origin,
    jwksUri: `${base}/jwks`,
    ...oauthProvider && { typ: 'at+jwt' }
  }, overrides)
}
