import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import type { IssuerAlgorithm, IssuerOptions } from '../contract/issuer.js'
import { assertTokenOptions } from './settings.js'
import { authorize, claimsFor, expired, type ClaimsOptions, type TokenOptions, type TokenSubject } from './people.js'

type AtEnd = (stop: () => Promise<void>) => unknown
/** The context of a test of tap, `node:test` or vitest. The issuer stops when it ends. */
export type TestContext = { teardown: AtEnd } | { after: AtEnd } | { onTestFinished: AtEnd }

/** Options of an issuer that publishes its keys on a loopback port. */
export interface RemoteIssuerOptions extends ClaimsOptions {
  mode: 'jwks'
  /** The context of the test. The issuer stops when it ends. Without one, call `stop`. */
  t?: TestContext
  /** Default `'EdDSA'`. */
  alg?: IssuerAlgorithm
  /** `aud` of the tokens. Default `'api'`. */
  audience?: string
  /**
   * The prefix that the plugin puts in front of its ids. Pass whole ids of users; tokens have the rest. Default: none.
   */
  idPrefix?: string
  /** The first keys; the first of them signs. Default: a new key. */
  keys?: IssuerKey[]
}

/** A private key and its public JWK. */
export interface IssuerKey { kid: string, alg: string, jwk: JWK, privateKey: CryptoKey }

/** Answers a request for the key set. */
export type IssuerAnswer = (request: IncomingMessage, response: ServerResponse) => void

/** `key` signs instead of the current key, and its `kid` is in the header. */
export interface RemoteTokenOptions extends TokenOptions { key?: IssuerKey }

/** An issuer with its own keys on a loopback port. A test can make it fail. */
export type RemoteIssuer = Awaited<ReturnType<typeof createRemoteIssuer>>

/** Creates a key pair: for an issuer, or to forge tokens with. */
export async function createKey (kid: string, alg: string = 'EdDSA'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...await exportJWK(publicKey), kid, alg } }
}

/** Creates an answer with a JSON body. */
export const sendJson = (body: unknown, status = 200): IssuerAnswer => (_request, response) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

/** @throws RangeError if `keys` is empty; TypeError if `t` is not the context of a test */
export async function createRemoteIssuer (options: RemoteIssuerOptions) {
  const { mode, t, alg = 'EdDSA', keys = [await createKey('key-1', alg)], expiresIn, ...stated } = options
  if (keys.length === 0) throw new RangeError('option "keys" is empty: one must sign')
  const current = () => keys[0] as IssuerKey
  let [requests, rotations, delay] = [0, keys.length, 0]
  const server = createServer((request, response) => {
    if (request.url !== '/jwks') return sendJson({ issuer: url, jwks_uri: entry.jwksUri })(request, response)
    requests++
    const answer = issuer.answer ?? sendJson({ keys: keys.map(({ jwk }) => jwk) })
    if (delay === 0) answer(request, response)
    else setTimeout(answer, delay, request, response).unref()
  })
  const stop = () => new Promise<void>((resolve) => { server.close(() => resolve()).closeAllConnections() })
  // Before it listens: if this throws, nobody would stop the server.
  if (t !== undefined) atEnd(t, stop)
  const listen = (port: number) => new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  await listen(0)
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}`
  const entry = { audience: 'api', ...stated, issuer: url, jwksUri: `${url}/jwks` }
  const claims = (user: TokenSubject) => claimsFor(user, options, { iss: url, aud: entry.audience })
  const sign = (payload: object, extra: RemoteTokenOptions = {}) => {
    assertTokenOptions(['header', 'key'], extra)
    const { key = current(), header = {} } = extra
    const whole = { alg: key.alg, kid: key.kid, ...header }
    return new SignJWT({ ...payload }).setProtectedHeader(whole).sign(key.privateKey)
  }
  const issuer = {
    /** Its `iss`, which is also its address. */
    url,
    /** The published keys. The first one signs. A test may change the list. */
    keys,
    /** Its entry for the option `issuers`. */
    entry,
    /** For the registration of the plugin: `app.register(userScope, { ...issuer.options })`. */
    options: { issuers: [entry] as IssuerOptions[] },
    /** The number of requests for the key set so far. */
    get requests () { return requests },
    /** Replaces the key set as the answer, if it is set. */
    answer: undefined as IssuerAnswer | undefined,
    /** Signs with a new key from now on. The old one is no longer published, unless `keep` is true. */
    async rotate ({ keep = false }: { keep?: boolean } = {}): Promise<void> {
      keys.splice(0, keep ? 0 : 1, await createKey(`key-${++rotations}`, current().alg))
    },
    /** Delays answers with the key set by this many milliseconds; 0 ends it. */
    slow (ms: number): void { delay = ms },
    /** Closes the port and all connections. */
    stop,
    /** Listens on the same port again. */
    restart: () => listen(port),
    /** A token that is valid for `expiresIn` seconds. */
    token: async (user: TokenSubject, extra?: RemoteTokenOptions) => await sign(claims(user), extra),
    /** A token with a valid signature that expired two hours ago. */
    expired: async (user: TokenSubject, extra?: RemoteTokenOptions) => await sign(expired(claims(user)), extra),
    /** A token with valid claims and the `kid` of the current key, signed with another key. */
    forged: async (user: TokenSubject, { key: { kid, alg } = current(), ...extra }: RemoteTokenOptions = {}) =>
      await sign(claims(user), { ...extra, key: await createKey(kid, alg) }),
    /** The header with a valid token. */
    authorization: async (user: TokenSubject, extra?: RemoteTokenOptions) => authorize(await sign(claims(user), extra))
  }
  return issuer
}

const noTest = 'option "t" must be the context of a test, with teardown, after or onTestFinished; that of a hook has ' +
  'none: leave "t" out there, and call stop() when all is over'

function atEnd (t: Partial<Record<string, AtEnd>>, stop: () => Promise<void>): void {
  const name = ['teardown', 'after', 'onTestFinished'].find((each) => typeof t?.[each] === 'function')
  if (name === undefined) throw new TypeError(noTest)
  t[name]?.(stop)
}
