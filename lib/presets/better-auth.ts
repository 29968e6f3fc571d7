import { Type } from '@sinclair/typebox'
import { InvalidOptionError } from '../contract/errors.js'
import type { OtherToken } from '../contract/issuer.js'
import { issuerAlgorithms } from '../options/issuers.js'
import { flag, text } from '../options/schemas.js'
import { anyUrl, bare, preset, type Overrides } from './preset.js'

export interface BetterAuthOptions extends Overrides {
  /**
   * Better Auth's own option: where it is reached, such as `https://auth.example.com`. A path in it stands in for
   * `basePath`.
   */
  baseURL: string
  /** Better Auth's own option. Default `'/api/auth'`. */
  basePath?: string
  /**
   * The access tokens of its OAuth provider plugin instead of those of its jwt() plugin; `audience` is required then.
   * Default false.
   */
  oauthProvider?: boolean
}

/**
 * What Better Auth hands out besides JWTs, and signs with its secret for another purpose.
 * @param path where it is reached
 */
export function betterAuthTokens (path = '/api/auth'): readonly OtherToken[] {
  const sendJwt = `send the JWT of GET ${path}/token instead`
  const verifies = `an e-mail verification token of Better Auth: ${sendJwt}`
  const texts = {
    [String.raw`^\w{32}(\.[\w+/-]{43}=?)?$`]: 'a session token of Better Auth or another opaque one, not a JWT',
    '%(2[BbFf]|3[Dd])': 'percent-encoded, as a session token of Better Auth in its cookie',
    [String.raw`^eyJzZXNzaW9uIjp7[\w-]*$`]: 'a session cache token of Better Auth, not a JWT', // {"session":{
    [String.raw`^[^.]*(\.[^.]*){4}$`]: 'an encrypted token (JWE), such as a session cache token of Better Auth'
  }
  return [
    ...Object.entries(texts).map(([text, what]) => ({ text, says: `${what}: ${sendJwt}` })),
    { payload: sessionCache, says: `a session cache token of Better Auth: ${sendJwt}` },
    { payload: verification, says: verifies },
    {
      header: bareHeader,
      payload: boundVerification,
      says: `${verifies} (one of your own needs typ: 'JWT' in its header)`
    }
  ]
}

/**
 * The same for a host that has the secret: what its keys sign, or another issuer's, is meant for option `issuers`.
 */
export function secretTokens (): readonly OtherToken[] {
  const says = 'a token signed with a private key, as those of Better Auth\'s jwt() by default. ' +
    'Fix: state who signs it, as in issuers: [betterAuth({ baseURL })]'
  return [...betterAuthTokens(), { header: publicKeyHeader, says }]
}

const publicKeyHeader = Type.Object({ alg: Type.Union(issuerAlgorithms.map((name) => Type.Literal(name))) })

/** The session in a cookie. It holds the session token, which is as good as a password. */
const sessionCache = Type.Object({ session: Type.Object({}), user: Type.Object({}) })

const nothingElse = { additionalProperties: false }

/** The link in an e-mail. Nothing but its few claims tells it. */
const verification = Type.Object({
  email: Type.String(),
  updateTo: Type.Optional(Type.String()),
  requestType: Type.Optional(Type.String()),
  iat: Type.Number(),
  exp: Type.Number()
}, nothingElse)

/** The same of newer versions. A host's own tokens often have these two claims, and then a `typ` in their header. */
const boundVerification = Type.Object({ ...verification.properties, userId: Type.String() }, nothingElse)
const bareHeader = Type.Object({ alg: Type.String() }, nothingElse)

/**
 * Better Auth's jwt() plugin at its defaults: issuer and audience are the origin, keys at `/api/auth/jwks`. The OAuth
 * provider's access tokens have another issuer (the base path too) and say `at+jwt`, which its ID tokens do not.
 * @throws InvalidOptionError where an option is unknown, wrong, or fits no token of the vendor
 */
export const betterAuth = preset<BetterAuthOptions>('betterAuth', {
  baseURL: text(
    'the URL of Better Auth, such as https://auth.example.com, and not that of its keys or tokens',
    new RegExp(`^(?!.*\\/(jwks|token)\\/*$)${anyUrl}$`)
  ),
  basePath: Type.Optional(text('a path, such as /api/auth', /^\/[^\s?#]*$/)),
  oauthProvider: Type.Optional(flag)
}, ({ baseURL, basePath = '/api/auth', oauthProvider = false, audience }) => {
  const { origin, pathname } = new URL(baseURL)
  // As Better Auth itself does: a path in its baseURL stands in for basePath.
  const path = bare(pathname === '/' ? basePath : pathname)
  const base = origin + path
  const fail = (says: string) => { throw new InvalidOptionError(`option "betterAuth.audience" ${says}`) }
  // Those tokens are for the `resource` that the client asked for, which nobody can guess.
  if (oauthProvider && audience === undefined) {
    fail('is missing: state the resource that clients ask the OAuth provider for')
  }
  if (!oauthProvider && [audience].flat().includes(`${origin}/`)) {
    fail(`must have no slash at its end: jwt() writes "${origin}"`)
  }
  return {
    issuer: oauthProvider ? base : origin,
    audience: origin,
    jwksUri: `${base}/jwks`,
    otherTokens: betterAuthTokens(path),
    ...oauthProvider && { typ: 'at+jwt', scopeClaim: 'scope' }
  }
})
