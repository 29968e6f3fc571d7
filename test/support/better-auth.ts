import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { betterAuth, type BetterAuthOptions } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { signJWT } from 'better-auth/crypto'
import { toNodeHandler } from 'better-auth/node'
import { bearer as sessionTokens, jwt } from 'better-auth/plugins'
import type { Test } from 'tap'
import { bearer } from './host.js'

/** An account as its owner knows it. */
export interface Account {
  id: string
  /** What GET /api/auth/token gave. */
  token: string
  /** The answer to the sign-up. */
  headers: Headers
  /** The same for the session as it is now. */
  newToken: () => Promise<string>
  get: (path: string) => Promise<Response>
  /** Sends a request with the cookies of the session. */
  post: (path: string, body: object) => Promise<Response>
}

type Auth = ReturnType<typeof makeAuth>['auth']
type Send = (url: string, init: RequestInit) => Promise<Response>
type Rows = Array<Record<string, unknown>>

export interface Provider {
  /** The origin. */
  baseURL: string
  auth: Auth
  /** The tables, which can be changed behind its back. */
  rows: Record<'user' | 'jwks', Rows>
  signUp: (name: string, fields?: object) => Promise<Account>
}

/** Makes options from the origin and from the secret that Better Auth will sign with. */
type Configure = (baseURL: string, currentSecret: () => Promise<string>) => Partial<BetterAuthOptions>
type Options = Partial<BetterAuthOptions> | Configure

/** The documented recipe: `jwt()` signs with the secret of the server, whatever that is. */
export const sharedSecretJwt: Configure = (baseURL, currentSecret) => ({
  plugins: [jwt({
    // Neither is used when `sign` is given, and `sign` is refused without both.
    jwks: { remoteUrl: `${baseURL}/unused`, keyPairConfig: { alg: 'EdDSA' } },
    jwt: {
      definePayload: ({ user }) => ({ uid: user.id }),
      sign: async (payload) => signJWT(payload, await currentSecret(), Number(payload.exp) - Number(payload.iat))
    }
  })]
})

/** Better Auth with nothing but `jwt()`, and `bearer()` to see the session token, unless the options say otherwise. */
function makeAuth (baseURL: string, options: Options) {
  const currentSecret = async (): Promise<string> => (await auth.$context).secret
  const { plugins = [jwt()], ...others } = typeof options === 'function' ? options(baseURL, currentSecret) : options
  const rows = { user: [], session: [], account: [], verification: [], jwks: [] }
  const auth = betterAuth({
    baseURL,
    database: memoryAdapter(rows),
    emailAndPassword: { enabled: true },
    plugins: [...plugins, sessionTokens()],
    ...others
  })
  return { auth, rows }
}

function accounts (auth: Auth, send: Send): Provider['signUp'] {
  return async (name, fields = {}) => {
    const base = (await auth.$context).baseURL.replace(/\/$/, '')
    const post = (path: string, body: object, headers: Record<string, string> = {}) => send(base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: new URL(base).origin, ...headers },
      body: JSON.stringify(body)
    })
    const signedUp = await post('/sign-up/email', {
      name,
      email: `${name}@example.com`,
      password: 'correct horse battery',
      ...fields
    })
    const { user } = await signedUp.json() as { user: { id: string } }
    const cookie = signedUp.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
    const get = (path: string) => send(base + path, { headers: { cookie } })
    const newToken = async () => (await (await get('/token')).json() as { token: string }).token
    return {
      id: user.id,
      token: await newToken(),
      headers: signedUp.headers,
      newToken,
      get,
      post: (path, body) => post(path, body, { cookie })
    }
  }
}

/** Better Auth in this process, not listening; `fetch` reaches it. */
export function makeProvider (baseURL: string, options: Options = {}): Provider & { fetch: Send } {
  const { auth, rows } = makeAuth(baseURL, options)
  const fetch: Send = (url, init) => auth.handler(new Request(url, init))
  return { baseURL, auth, rows, fetch, signUp: accounts(auth, fetch) }
}

/** A Better Auth server on a socket of loopback, until the test ends. */
export async function startProvider (
  t: Test, options: Options = {}
): Promise<Provider & { stop: () => Promise<void>, start: () => Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const baseURL = `http://127.0.0.1:${port}`
  const { auth, rows } = makeAuth(baseURL, options)
  server.on('request', toNodeHandler(auth))
  const stop = () => new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
  t.teardown(stop)
  return {
    baseURL,
    auth,
    rows,
    stop,
    /** On the same port again, with the same keys. */
    start: async () => {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    signUp: accounts(auth, fetch)
  }
}

/** The cookies that an answer sets. */
export const cookiesOf = (headers: Headers) =>
  new Map(headers.getSetCookie().map((line) => line.split(';', 1)[0]?.split('=', 2) as [string, string]))

export const own = ({ id, token }: Pick<Account, 'id' | 'token'>) =>
  ({ url: `/api/${id}/tasks`, headers: bearer(token) })

const decode = (segment: string | undefined) =>
  JSON.parse(Buffer.from(String(segment), 'base64url').toString()) as Record<string, unknown>
export const headerOf = (token: string) => decode(token.split('.')[0])
export const payloadOf = (token: string) =>
  decode(token.split('.')[1]) as Record<string, unknown> & { iat: number, exp: number }

/** What can be made of one's own token, and of another's, without a key. */
export function tampered (user: Account, other: Account): Record<string, string> {
  const [header, payload, signature = ''] = user.token.split('.')
  const claimsOfOther = String(other.token.split('.')[1])
  const withOtherId = JSON.stringify({ ...payloadOf(user.token), uid: other.id, sub: other.id })
  return {
    'claims of another token': `${header}.${claimsOfOther}.${signature}`,
    'another id in the claims': `${header}.${Buffer.from(withOtherId).toString('base64url')}.${signature}`,
    'no algorithm': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claimsOfOther}.`,
    'another signature': `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  }
}
