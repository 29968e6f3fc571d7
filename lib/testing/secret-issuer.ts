import { randomBytes } from 'node:crypto'
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { authorize, claimsFor, expiredClaimsFor, type ClaimsOptions, type TokenOptions, type TokenSubject } from './test-tokens.js'
import type { SecretAlgorithm, UserScopeOptions } from '../contract/types.js'

/** Options of an issuer that signs with a shared secret. */
export interface SecretIssuerOptions extends ClaimsOptions {
  mode?: 'secret'
  /** Default: a random one. */
  secret?: string
  /** Default `'HS256'`. */
  algorithm?: SecretAlgorithm
  /** `iss` of the tokens, which the plugin then requires. Default: none. */
  issuer?: string
  /** `aud` of the tokens, which the plugin then requires. Default: none. */
  audience?: string
}

/** Its options by name. */
export const secretIssuerOptions = ['mode', 'secret', 'algorithm', 'issuer', 'audience', 'userIdClaim', 'expiresIn'] as const satisfies ReadonlyArray<keyof SecretIssuerOptions>

/** Signs tokens with a shared secret. */
export interface SecretIssuer {
  readonly secret: string
  /** For the registration of the plugin: `app.register(userScope, { ...issuer.options })`. */
  readonly options: UserScopeOptions
  /** A token that is good for `expiresIn` seconds. */
  token (subject: TokenSubject, options?: TokenOptions): string
  /** A good signature on a token that expired two hours ago. */
  expired (subject: TokenSubject, options?: TokenOptions): string
  /** Good in form and claims, signed with another secret. */
  forged (subject: TokenSubject, options?: TokenOptions): string
  /** The header with a good token. */
  authorization (subject: TokenSubject, options?: TokenOptions): { authorization: string }
}

export function createSecretIssuer ({ secret = randomSecret(), algorithm, issuer, audience, ...rest }: SecretIssuerOptions): SecretIssuer {
  const fixed = { ...issuer !== undefined && { iss: issuer }, ...audience !== undefined && { aud: audience } }
  const sign = createSign(secret, algorithm)
  const forge = createSign(randomSecret(), algorithm)
  const token: SecretIssuer['token'] = (subject, options) => sign(claimsFor(subject, rest, fixed), options)
  return {
    secret,
    options: {
      secret,
      ...algorithm && { algorithms: [algorithm] },
      ...issuer !== undefined && { issuer },
      ...audience !== undefined && { audience },
      ...rest.userIdClaim !== undefined && { userIdClaim: rest.userIdClaim }
    },
    token,
    expired: (subject, options) => sign(expiredClaimsFor(subject, rest, fixed), options),
    forged: (subject, options) => forge(claimsFor(subject, rest, fixed), options),
    authorization: (subject, options) => authorize(token(subject, options))
  }
}

// Long enough for every algorithm.
const randomSecret = () => randomBytes(64).toString('base64url')

/** A plugin is a function of instance, options and callback; that of `@fastify/jwt` is synchronous, so that tokens can be, too. */
function createSign (secret: string, algorithm: SecretAlgorithm = 'HS256') {
  const host = Fastify()
  jwt(host, { secret }, () => {})
  return (claims: Record<string, unknown>, { header = {} }: TokenOptions = {}): string =>
    host.jwt.sign(claims, { algorithm, header: { alg: algorithm, ...header }, noTimestamp: claims.iat === undefined }) // it would put a missing iat in
}
