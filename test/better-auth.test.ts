import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { env } from 'node:process'
import { betterAuth, type BetterAuthOptions } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { signJWT } from 'better-auth/crypto'
import { toNodeHandler } from 'better-auth/node'
import { bearer as sessionTokens, jwt } from 'better-auth/plugins'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../lib/index.js'
import { bearer, build, otherSecret, refusals, secret, sender, usualRoutes } from './helper.js'

/** An account as its owner knows it. */
interface Account {
  id: string
  /** What GET /api/auth/token gave. */
  token: string
  /** The answer to the sign-up. */
  headers: Headers
  /** Sends a request with the cookies of the session. */
  post: (path: string, body: object) => Promise<Response>
}

interface Provider {
  baseURL: string
  signUp: (name: string) => Promise<Account>
}

/** The documented recipe: `jwt()` signs with the secret of the server, whatever that is. */
const sharedSecretJwt = (baseURL: string, currentSecret: () => Promise<string>) => jwt({
  // Neither is used when `sign` is given, and `sign` is refused without both.
  jwks: { remoteUrl: `${baseURL}/unused`, keyPairConfig: { alg: 'EdDSA' } },
  jwt: {
    definePayload: ({ user }) => ({ uid: user.id }),
    sign: async (payload) => signJWT(payload, await currentSecret(), Number(payload.exp) - Number(payload.iat))
  }
})

/** A Better Auth server on a socket. */
async function startProvider (t: Test, options: Partial<BetterAuthOptions> = {}): Promise<Provider> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const currentSecret = async (): Promise<string> => (await auth.$context).secret
  const { plugins = [sharedSecretJwt(baseURL, currentSecret)], ...others } = options
  const auth = betterAuth({
    baseURL,
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
    emailAndPassword: { enabled: true },
    plugins: [...plugins, sessionTokens()],
    ...others
  })
  server.on('request', toNodeHandler(auth))

  const post = (path: string, body: object, headers: Record<string, string> = {}) => fetch(`${baseURL}/api/auth${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json', origin: baseURL, ...headers }, body: JSON.stringify(body)
  })
  return {
    baseURL,
    signUp: async (name) => {
      const signedUp = await post('/sign-up/email', { name, email: `${name}@example.com`, password: 'correct horse battery' })
      const { user } = await signedUp.json() as { user: { id: string } }
      const cookie = signedUp.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
      const response = await fetch(`${baseURL}/api/auth/token`, { headers: { cookie } })
      const { token } = await response.json() as { token: string }
      return { id: user.id, token, headers: signedUp.headers, post: (path, body) => post(path, body, { cookie }) }
    }
  }
}

/** A host whose secret is that of the environment. */
async function startHost (t: Test) {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(userScope)
  usualRoutes(app)
  return sender(app)
}

/** Sets variables that both servers read, until the test ends. */
function setEnvironment (t: Test, variables: Record<string, string>): void {
  Object.assign(env, variables)
  t.teardown(() => { for (const name of Object.keys(variables)) delete env[name] })
}

const own = ({ id, token }: Account) => ({ url: `/api/${id}/tasks`, headers: bearer(token) })
const payloadOf = (token: string) => JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString()) as Record<string, unknown> & { iat: number, exp: number }

t.test('with one BETTER_AUTH_SECRET in the environment of both', async (t) => {
  setEnvironment(t, { BETTER_AUTH_SECRET: secret })
  const provider = await startProvider(t)
  const [alice, bob] = [await provider.signUp('alice'), await provider.signUp('bob')]
  const send = await startHost(t)

  await t.test('a user reaches what is theirs, and nothing of another', async (t) => {
    for (const user of [alice, bob]) {
      t.match(await send(own(user)), { status: 200, body: { user: user.id } })
      t.match(await send({ url: '/api/me', headers: bearer(user.token) }), { status: 200, body: { user: user.id } })
    }
    t.match(await send({ url: `/api/${alice.id}/tasks`, headers: bearer(bob.token) }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
    t.match(await send({ url: `/api/${bob.id}/tasks`, headers: bearer(alice.token) }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
    t.match(await send(`/api/${alice.id}/tasks`), { status: 401, code: 'MISSING_TOKEN' })
  })

  await t.test('the token is what the recipe says', async (t) => {
    const { iat, exp, ...claims } = payloadOf(alice.token)
    t.same(claims, { uid: alice.id, sub: alice.id, iss: provider.baseURL, aud: provider.baseURL })
    t.equal(exp - iat, 15 * 60)
  })

  await t.test('issuer and audience are the origin of the provider', async (t) => {
    const { baseURL } = provider
    const strict = await build(t, { issuer: baseURL, audience: baseURL })
    t.match(await strict.send(own(alice)), { status: 200 })
    for (const options of [{ issuer: `${baseURL}/` }, { audience: `${baseURL}/api/auth` }]) {
      const { send } = await build(t, options)
      t.match(await send(own(alice)), { status: 401, code: 'INVALID_CLAIMS' })
    }
  })

  await t.test('a tampered token is refused', async (t) => {
    const [header, payload, signature = ''] = alice.token.split('.')
    const claimsOfBob = String(bob.token.split('.')[1])
    const tampered = {
      'claims of another token': `${header}.${claimsOfBob}.${signature}`,
      'another id in the claims': `${header}.${Buffer.from(JSON.stringify({ ...payloadOf(alice.token), uid: bob.id })).toString('base64url')}.${signature}`,
      'no algorithm': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claimsOfBob}.`,
      'another signature': `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    }
    for (const [how, token] of Object.entries(tampered)) {
      for (const user of [alice, bob]) t.match(await send(own({ ...user, token })), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' }, how)
    }
  })

  await t.test('a token is good until the second in which it expires', async (t) => {
    const { exp } = payloadOf(alice.token)
    let now = exp * 1000 - 1
    t.capture(Date, 'now', () => now)
    t.match(await send(own(alice)), { status: 200 })
    now++
    t.match(await send(own(alice)), { status: 401, code: 'TOKEN_EXPIRED' })
  })
})

t.test('BETTER_AUTH_SECRETS rotates the secret, and both verify', async (t) => {
  setEnvironment(t, { BETTER_AUTH_SECRET: secret })
  const before = await (await startProvider(t)).signUp('alice')
  setEnvironment(t, { BETTER_AUTH_SECRETS: `2:${otherSecret},1:${secret}` })
  const after = await (await startProvider(t)).signUp('alice')

  const send = await startHost(t)
  for (const user of [before, after]) t.match(await send(own(user)), { status: 200, body: { user: user.id } })
  const withOld = await build(t, { secret })
  const withNew = await build(t, { secret: otherSecret })
  t.match(await withOld.send(own(before)), { status: 200 })
  t.match(await withOld.send(own(after)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(await withNew.send(own(before)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(await withNew.send(own(after)), { status: 200 })
})

t.test('whatever else Better Auth makes with the secret is refused, and the log says what it is and what to send', async (t) => {
  const mails: string[] = []
  const provider = await startProvider(t, {
    secret,
    emailVerification: { sendOnSignUp: true, sendVerificationEmail: async ({ token }) => { mails.push(token) } },
    user: { changeEmail: { enabled: true } },
    session: { cookieCache: { enabled: true, strategy: 'jwt' } }
  })
  const alice = await provider.signUp('alice')
  await alice.post('/change-email', { newEmail: 'alice@example.org' })
  const cookies = new Map(alice.headers.getSetCookie().map((line) => line.split(';', 1)[0]?.split('=', 2) as [string, string]))
  const sessionToken = alice.headers.get('set-auth-token')

  const others: Array<[token: string | null | undefined, code: string, kind: string]> = [
    [mails[0], 'MISSING_UID_CLAIM', 'e-mail verification token'],
    [mails[1], 'INVALID_CLAIMS', 'e-mail verification token'],
    [cookies.get('better-auth.session_data'), 'INVALID_CLAIMS', 'session cache token'],
    [sessionToken, 'MALFORMED_TOKEN', 'session token'],
    [sessionToken?.split('.')[0], 'MALFORMED_TOKEN', 'session token'],
    [cookies.get('better-auth.session_token'), 'INVALID_HEADER_FORMAT', 'session token']
  ]
  for (const [token, code, kind] of others) {
    await t.test(`${kind}: ${code}`, async (t) => {
      if (!token) throw new Error('Better Auth made no such token')
      const { send, log } = await build(t)
      for (const url of [`/api/${alice.id}/tasks`, '/api/me']) t.match(await send({ url, headers: bearer(token) }), { status: 401, code })
      const [{ reason = '' } = {}] = refusals(log)
      t.match(reason, kind)
      t.match(reason, 'GET /api/auth/token')
      t.notMatch(JSON.stringify(log), token)
    })
  }
})

t.test('the JWT that jwt() signs without the recipe is refused', async (t) => {
  const alice = await (await startProvider(t, { secret, plugins: [jwt()] })).signUp('alice')
  const { send, log } = await build(t)
  t.match(await send(own(alice)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(refusals(log), [{ reason: /"alg" is not one of HS256/ }])
})
