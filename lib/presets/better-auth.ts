import { Type } from '@sinclair/typebox'
import { InvalidOptionError } from '../contract/errors.js'
import type { IssuerOptions } from '../contract/issuer.js'
import { flag, text } from '../options/schemas.js'
import { assertValid } from '../options/validate.js'
import { anyUrl, bare, entry, type Overrides } from './preset.js'

export interface BetterAuthOptions extends Overrides {
  /** Better Auth's own option: where it is reached, such as `https://auth.example.com`. A path in it stands in for `basePath`. */
  baseURL: string
  /** Better Auth's own option. Default `'/api/auth'`. */
  basePath?: string
  /** The access tokens of its OAuth provider plugin instead of those of its jwt() plugin; `audience` is required then. Default false. */
  oauthProvider?: boolean
}

const schema = Type.Object({
  baseURL: text('a URL, such as https://auth.example.com', anyUrl),
  basePath: Type.Optional(text('a path, such as /api/auth', /^\//)),
  oauthProvider: Type.Optional(flag)
})

/**
 * Better Auth's jwt() plugin at its defaults: issuer and audience are the origin, keys at `/api/auth/jwks`. The OAuth provider's access tokens have
 * another issuer (the base path too) and say `at+jwt`, which its ID tokens do not.
 */
export function betterAuth (options: BetterAuthOptions): IssuerOptions {
  assertValid(schema, options, 'betterAuth')
  const { baseURL, basePath = '/api/auth', oauthProvider = false, ...overrides } = options
  const { origin, pathname } = new URL(baseURL)
  // As Better Auth itself does: a path in its baseURL stands in for basePath.
  const base = origin + bare(pathname === '/' ? basePath : pathname)
  // Those tokens are for the `resource` that the client asked for, which nobody can guess.
  if (oauthProvider && overrides.audience === undefined) throw new InvalidOptionError('option "betterAuth.audience" is missing: state the resource that clients ask the OAuth provider for')
  return entry({
    issuer: oauthProvider ? base : origin,
    audience: origin,
    jwksUri: `${base}/jwks`,
    ...oauthProvider && { typ: 'at+jwt' }
  }, overrides)
}
