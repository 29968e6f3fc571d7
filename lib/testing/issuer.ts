import { createHmac, randomBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import type { SecretAlgorithm, UserScopeOptions } from '../contract/options.js'
import { issuerAlgorithms } from '../options/issuers.js'
import { oneOf } from '../options/schemas.js'
import { createRemoteIssuer, type RemoteIssuer, type RemoteIssuerOptions } from './remote-issuer.js'
import { assertOptions, assertTokenOptions, named } from './settings.js'
import { authorize, claimsFor, expired, type ClaimsOptions, type TokenOptions, type TokenSubject } from './people.js'

/** Options of an issuer that signs with a shared secret. */
export interface SecretIssuerOptions extends ClaimsOptions {
  mode?: 'secret'
  /** Default: a random one. If it is present but undefined, such as an unset environment variable, it is refused. */
  secret?: string | undefined
  /** Default `'HS256'`. */
  algorithm?: SecretAlgorithm
  /** `iss` and `aud` of the tokens, which the plugin then requires. Default: none. */
  issuer?: string
  audience?: string
}

const unset = 'createIssuer: secret is undefined, and so is perhaps an environment variable. Fix: set it, or leave ' +
  'secret out for a random one'
const expiresIn = Type.Optional(Type.Number({ expects: 'a number of seconds' }))
const secret = Type.Optional(Type.String({ expects: 'a string' }))
const algorithm = Type.Optional(oneOf(['HS256', 'HS384', 'HS512'],
  "HS256, HS384 or HS512, or mode must be 'jwks', with option \"alg\""))
const alg = Type.Optional(oneOf(issuerAlgorithms, `one of: ${issuerAlgorithms.join(', ')}`))
const known = {
  secret: { ...named('mode'), secret, algorithm, ...named('issuer', 'audience', 'userIdClaim'), expiresIn },
  jwks: { ...named('mode', 't'), alg, ...named('audience', 'idPrefix', 'keys', 'userIdClaim'), expiresIn }
}

/** Signs tokens with a shared secret. */
export type SecretIssuer = ReturnType<typeof createSecretIssuer>

/**
 * Creates an issuer that signs tokens for tests. Its `options` make the plugin accept them.
 * - By default it signs with a shared secret, a new one each time. Its tokens are strings.
 * - With `mode: 'jwks'` it publishes its keys on a loopback port. The issuer and its tokens are promises, and it stops
 *   when the test with the context `t` ends.
 * @throws TypeError if the mode has no such option, or `secret` is present but undefined; RangeError if `keys` is empty
 */
export function createIssuer (options?: SecretIssuerOptions): SecretIssuer
export function createIssuer (options: RemoteIssuerOptions): Promise<RemoteIssuer>
export function createIssuer (options: SecretIssuerOptions | RemoteIssuerOptions = {}) {
  const mode: unknown = options?.mode ?? 'secret'
  if (mode !== 'secret' && mode !== 'jwks') {
    throw new TypeError(`createIssuer has no mode "${String(mode)}": it has 'secret', the default, and 'jwks'`)
  }
  assertOptions(known[mode], options, `createIssuer({ mode: '${mode}' })`)
  return options.mode === 'jwks' ? createRemoteIssuer(options) : createSecretIssuer(options)
}

export function createSecretIssuer (given: SecretIssuerOptions) {
  if ('secret' in given && given.secret === undefined) throw new TypeError(unset)
  const { mode, expiresIn, secret = randomSecret(), algorithm = 'HS256', ...agreed } = given
  const options: UserScopeOptions = { secret, algorithms: [algorithm], ...agreed }
  const [sign, forge] = [signWith(secret, algorithm), signWith(randomSecret(), algorithm)]
  const claims = (user: TokenSubject) => claimsFor(user, given, { iss: agreed.issuer, aud: agreed.audience })
  return {
    secret,
    /** For the registration of the plugin: `app.register(userScope, { ...issuer.options })`. */
    options,
    /** A token that is valid for `expiresIn` seconds. */
    token: (user: TokenSubject, extra?: TokenOptions) => sign(claims(user), extra),
    /** A token with a valid signature that expired two hours ago. */
    expired: (user: TokenSubject, extra?: TokenOptions) => sign(expired(claims(user)), extra),
    /** A token with valid claims, signed with another secret. */
    forged: (user: TokenSubject, extra?: TokenOptions) => forge(claims(user), extra),
    /** The header with a valid token. */
    authorization: (user: TokenSubject, extra?: TokenOptions) => authorize(sign(claims(user), extra))
  }
}

// Long enough for every algorithm.
const randomSecret = () => randomBytes(64).toString('base64url')

/** Signs by RFC 7515 §3.1 and §5.1, because `jose` only signs asynchronously. */
const signWith = (secret: string, alg: SecretAlgorithm) => (claims: object, extra: TokenOptions = {}): string => {
  assertTokenOptions(['header'], extra)
  const { header } = extra
  const parts = [{ alg, typ: 'JWT', ...header }, claims]
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url')}`
}
