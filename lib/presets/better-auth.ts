import { Type } from '@sinclair/typebox'
import type { OtherToken } from '../contract/issuer.js'
import { issuerAlgorithms } from '../options/issuers.js'
import { flag, oneOf, text } from '../options/schemas.js'
import { anyUrl, trimSlashes, preset, type Overrides } from './preset.js'

export interface BetterAuthOptions extends Overrides {
  /** Better Auth's own option: its URL, such as `https://auth.example.com`. A path in it replaces `basePath`. */
  baseURL: string
  /** Better Auth's own option. Default `'/api/auth'`. */
  basePath?: string
  /**
   * `true`: accept the access tokens of its OAuth provider plugin instead of those of its jwt() plugin. Then `audience`
   * is required. Default false.
   */
  oauthProvider?: boolean
}

const jwtOf = (path: string) => `send the JWT of GET ${path}/token instead`

/**
 * Tokens of Better Auth that are no JWTs of its jwt() plugin, or are signed with its secret for another purpose.
 * @param sendJwt what the client should do instead
 */
function betterAuthTokens (sendJwt = jwtOf('/api/auth')): readonly OtherToken[] {
  const verifies = `an e-mail verification token of Better Auth: ${sendJwt}`
  const texts = {
    [String.raw`^\w{32}(\.[\w+/-]{43}=?)?$`]: 'a session token of Better Auth or another opaque one, not a JWT',
    '%(2[BbFf]|3[Dd])': 'percent-encoded, as a session token of Better Auth in its cookie',
    [String.raw`^eyJzZXNzaW9uIjp7[\w-]*$`]: 'a session cache token of Better Auth, not a JWT', // {"session":{
    [String.raw`^[^.]*(\.[^.]*){4}$`]: 'an encrypted token (JWE), such as a session token of Auth.js, ' +
      'or a session cache token of Better Auth'
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

/** `betterAuthTokens` for a host with a secret, plus a hint that a private key's tokens need option `issuers`. */
export function secretTokens (): readonly OtherToken[] {
  const says = 'a token signed with a private key, as those of Better Auth\'s jwt() by default. ' +
    'Fix: state who signs it, as in issuers: [betterAuth({ baseURL })]'
  return [...betterAuthTokens(), { header: publicKeyHeader, says }]
}

const askForResource = 'let the client ask the OAuth provider for an access token with the "resource" of this API'

const publicKeyHeader = Type.Object({ alg: oneOf(issuerAlgorithms) })

/** The session in a cookie. It contains the session token, which is as powerful as a password. */
const sessionCache = Type.Object({ session: Type.Object({}), user: Type.Object({}) })

const nothingElse = { additionalProperties: false }

/** The token in the link of an e-mail. Only its small set of claims identifies it. */
const verification = Type.Object({
  email: Type.String(),
  updateTo: Type.Optional(Type.String()),
  requestType: Type.Optional(Type.String()),
  iat: Type.Number(),
  exp: Type.Number()
}, nothingElse)

/** The same in newer versions. A host's own tokens may have these claims too, but with a `typ` in their header. */
const boundVerification = Type.Object({ ...verification.properties, userId: Type.String() }, nothingElse)
const bareHeader = Type.Object({ alg: Type.String() }, nothingElse)

/**
 * Tokens of Better Auth's jwt() plugin with its defaults: issuer and audience are the origin, keys are at
 * `/api/auth/jwks`. Access tokens of the OAuth provider have the base path in their issuer and the `typ` `at+jwt`,
 * which its ID tokens do not have.
 * @throws InvalidOptionError if an option is unknown, wrong, or fits no token of the vendor
 */
export const betterAuth = preset<BetterAuthOptions>('betterAuth', {
  baseURL: text('the URL of Better Auth, such as https://auth.example.com, and not that of its keys or tokens',
    new RegExp(`^(?!.*\\/(jwks|token)\\/*$)${anyUrl}$`)),
  basePath: Type.Optional(text('a path, such as /api/auth', /^\/[^\s?#]*$/)),
  oauthProvider: Type.Optional(flag)
}, ({ baseURL, basePath = '/api/auth', oauthProvider = false, audience }, fail) => {
  if (!URL.canParse(baseURL)) fail('baseURL', 'is not a URL')
  const { origin, pathname } = new URL(baseURL)
  // Like in Better Auth itself, a path in baseURL replaces basePath.
  const path = trimSlashes(trimSlashes(pathname) === '' ? basePath : pathname)
  const base = origin + path
  // Those tokens are for the `resource` that the client asked for, which cannot be guessed.
  if (oauthProvider && audience === undefined) {
    fail('audience', 'is missing: state the resource that clients ask the OAuth provider for')
  }
  if (!oauthProvider && [audience].flat().includes(`${origin}/`)) {
    fail('audience', `must have no slash at its end: jwt() writes "${origin}"`)
  }
  return {
    issuer: oauthProvider ? base : origin,
    audience: origin,
    jwksUri: `${base}/jwks`,
    otherTokens: betterAuthTokens(oauthProvider ? askForResource : jwtOf(path)),
    ...oauthProvider && { typ: 'at+jwt', scopeClaim: 'scope' }
  }
})
