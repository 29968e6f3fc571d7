import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import type { IssuerAlgorithm, IssuerOptions } from '../contract/issuer.js'
import { atEnd, type TestContext } from './test-context.js'
import { authorize, claimsFor, expiredClaimsFor, type ClaimsOptions, type TokenOptions, type TokenSubject } from './test-tokens.js'

/** Options of an issuer that publishes its keys on a loopback port. */
export interface RemoteIssuerOptions extends ClaimsOptions {
  mode: 'jwks'
  /** The context of the test, with which the issuer stops. Without one, call `stop`. */
  t?: TestContext
  /** Default `'EdDSA'`. */
  alg?: IssuerAlgorithm
  /** `aud` of the tokens. Default `'api'`. */
  audience?: string
  /** Keys to begin with, the one that signs first. Default: one of its own. */
  keys?: IssuerKey[]
}

/** Its options by name. */
export const remoteIssuerOptions = ['mode', 't', 'alg', 'audience', 'keys', 'userIdClaim', 'expiresIn'] as const satisfies ReadonlyArray<keyof RemoteIssuerOptions>

/** A private key, and the public JWK as the set publishes it. */
export interface IssuerKey {
  kid: string
  alg: string
  jwk: JWK
  privateKey: CryptoKey
}

/** What stands in for the key set. */
export type IssuerAnswer = (request: IncomingMessage, response: ServerResponse) => void

export interface RemoteTokenOptions extends TokenOptions {
  /** Signs instead of the current key, and names itself in the header. */
  key?: IssuerKey
}

/** An issuer with keys of its own, on a loopback port; every failure of it can be had. */
export interface RemoteIssuer {
  /** Its `iss`, and where it listens. */
  readonly url: string
  /** The keys published, the one that signs first; to be changed at will. */
  readonly keys: IssuerKey[]
  /** Its entry for the option `issuers`. */
  readonly entry: IssuerOptions & { jwksUri: string, audience: string }
  /** For the registration of the plugin: `app.register(userScope, { ...issuer.options })`. */
  readonly options: { issuers: IssuerOptions[] }
  /** Requests for the key set so far. */
  readonly requests: number
  /** What stands in for the key set; undefined for the keys. */
  answer: IssuerAnswer | undefined
  /** Signs with a new key from now on. The one before is published no longer, unless `keep` is true. */
  rotate (options?: { keep?: boolean }): Promise<void>
  /** Answers the requests for the key set so many milliseconds late; 0 ends it. */
  slow (ms: number): void
  /** Closes the port and all connections. */
  stop (): Promise<void>
  /** Listens on the same port again. */
  restart (): Promise<void>
  /** A token that is good for `expiresIn` seconds. */
  token (subject: TokenSubject, options?: RemoteTokenOptions): Promise<string>
  /** A good signature on a token that expired two hours ago. */
  expired (subject: TokenSubject, options?: RemoteTokenOptions): Promise<string>
  /** Good in form and claims, with the `kid` of the current key and the signature of another. */
  forged (subject: TokenSubject, options?: RemoteTokenOptions): Promise<string>
  /** The header with a good token. */
  authorization (subject: TokenSubject, options?: RemoteTokenOptions): Promise<{ authorization: string }>
}

/** A key pair for an issuer of tests, to choose its keys or to forge with. */
export async function createKey (kid: string, alg: string = 'EdDSA'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...await exportJWK(publicKey), kid, alg } }
}

/**
 * @throws RangeError where `keys` is empty
 * @throws TypeError where `t` is no context of a test
 */
export async function createRemoteIssuer ({ t, alg = 'EdDSA', audience = 'api', keys, ...rest }: RemoteIssuerOptions): Promise<RemoteIssuer> {
  const held = keys ?? [await createKey('key-1', alg)]
  if (held.length === 0) throw new RangeError('option "keys" is empty: one must sign')
  const state = { requests: 0, rotations: held.length, delay: 0, answer: undefined as IssuerAnswer | undefined }
  const late = new Set<NodeJS.Timeout>()
  const server = createServer((request, response) => {
    if (request.url?.includes('/.well-known/')) return sendJson({ issuer: url, jwks_uri: `${url}/jwks` })(request, response)
    state.requests++
    const answer = state.answer ?? sendJson({ keys: held.map(({ jwk }) => jwk) })
    if (state.delay === 0) return answer(request, response)
    const timer = setTimeout(() => {
      late.delete(timer)
      answer(request, response)
    }, state.delay)
    late.add(timer)
  })
  const stop = () => new Promise<void>((resolve) => {
    for (const timer of late) clearTimeout(timer)
    late.clear()
    server.close(() => resolve())
    server.closeAllConnections()
  })
  // Before it listens: with nobody to stop it the process would not end.
  if (t !== undefined) atEnd(t, stop)

  const listen = (port: number) => new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`

  const fixed = { iss: url, aud: audience }
  const current = () => held[0] as IssuerKey
  const sign = async (claims: object, { key = current(), header = {} }: RemoteTokenOptions = {}) =>
    await new SignJWT({ ...claims }).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
  const token: RemoteIssuer['token'] = async (subject, options) => await sign(claimsFor(subject, rest, fixed), options)
  const entry = { issuer: url, audience, jwksUri: `${url}/jwks`, ...rest.userIdClaim !== undefined && { userIdClaim: rest.userIdClaim } }

  return {
    url,
    keys: held,
    entry,
    options: { issuers: [entry] },
    get requests () { return state.requests },
    get answer () { return state.answer },
    set answer (answer) { state.answer = answer },
    async rotate ({ keep = false } = {}) {
      const next = await createKey(`key-${++state.rotations}`, current().alg)
      held.splice(0, keep ? 0 : 1, next)
    },
    slow: (ms) => { state.delay = ms },
    stop,
    restart: () => listen(port),
    token,
    expired: async (subject, options) => await sign(expiredClaimsFor(subject, rest, fixed), options),
    forged: async (subject, options = {}) => {
      const { kid, alg } = options.key ?? current()
      return await sign(claimsFor(subject, rest, fixed), { ...options, key: await createKey(kid, alg) })
    },
    authorization: async (subject, options) => authorize(await token(subject, options))
  }
}

/** An answer of an issuer with this body as JSON. */
export const sendJson = (body: unknown, status = 200): IssuerAnswer => (_request, response) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
