import type { webcrypto } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import type { Test } from 'tap'
import { now } from './helper.js'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Key { kid: string, alg: string, jwk: JWK, privateKey: webcrypto.CryptoKey }

/** A key pair and its public JWK as a set publishes it. */
export async function makeKey (kid: string, alg = 'EdDSA'): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...await exportJWK(publicKey), kid, alg } }
}

export const jsonAnswer = (body: unknown, status = 200): Answer => (_request, response) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** An issuer on a loopback port, whose set and every failure can be chosen, and which counts the requests for its keys. */
export async function startIssuer (t: Test, keys?: Key[]) {
  const held = keys ?? [await makeKey('one')]
  const state = { requests: 0, answer: undefined as Answer | undefined }
  const server = createServer((request, response) => {
    if (request.url?.includes('/.well-known/')) return jsonAnswer({ issuer: url, jwks_uri: `${url}/jwks` })(request, response)
    state.requests++
    const answer = state.answer ?? jsonAnswer({ keys: held.map(({ jwk }) => jwk) })
    answer(request, response)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const stop = () => new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
  t.teardown(stop)

  return {
    url,
    keys: held,
    stop,
    /** The same port again, after `stop`. */
    restart: () => new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) }),
    /** What stands in for the key set; undefined for the keys held. */
    get answer (): Answer | undefined { return state.answer },
    set answer (answer: Answer | undefined) { state.answer = answer },
    get requests () { return state.requests },
    entry: { issuer: url, audience: 'api', jwksUri: `${url}/jwks` },
    /** A token of this issuer; `key` signs, and names itself in the header. */
    async token (id: string, claims: object = {}, { key = held[0] as Key, header = {} }: { key?: Key, header?: object } = {}): Promise<string> {
      return await new SignJWT({ sub: id, iss: url, aud: 'api', exp: now() + 3600, ...claims })
        .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
    }
  }
}
