import { env } from 'node:process'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import { cookiesOf, own, payloadOf, sharedSecretJwt, startProvider, tampered } from '../support/better-auth.js'
import { bearer, build, otherSecret, refusals, secret, sender, usualRoutes } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

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

t.test('Better Auth and the plugin share one BETTER_AUTH_SECRET', async (t) => {
  setEnvironment(t, { BETTER_AUTH_SECRET: secret })
  const provider = await startProvider(t, sharedSecretJwt)
  const [alice, bob] = [await provider.signUp('alice'), await provider.signUp('bob')]
  const send = await startHost(t)

  await t.test('a user reaches their own path and no other', async (t) => {
    for (const user of [alice, bob]) {
      t.match(await send(own(user)), { status: 200, body: { user: user.id } })
      t.match(await send({ url: '/api/me', headers: bearer(user.token) }), { status: 200, body: { user: user.id } })
    }
    t.match(
      await send({ url: `/api/${alice.id}/tasks`, headers: bearer(bob.token) }),
      { status: 403, code: 'FORBIDDEN_USER_ACCESS' }
    )
    t.match(
      await send({ url: `/api/${bob.id}/tasks`, headers: bearer(alice.token) }),
      { status: 403, code: 'FORBIDDEN_USER_ACCESS' }
    )
    t.match(await send(`/api/${alice.id}/tasks`), { status: 401, code: 'MISSING_TOKEN' })
  })

  await t.test('the token has the claims of the recipe', async (t) => {
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
    for (const [how, token] of Object.entries(tampered(alice, bob))) {
      for (const user of [alice, bob]) {
        t.match(await send(own({ ...user, token })), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' }, how)
      }
    }
  })

  await t.test('a token is good until five seconds after it expires', async (t) => {
    const { exp } = payloadOf(alice.token)
    let now = (exp + 5) * 1000 - 1
    t.capture(Date, 'now', () => now)
    t.match(await send(own(alice)), { status: 200 })
    now++
    t.match(await send(own(alice)), { status: 401, code: 'TOKEN_EXPIRED' })
  })
})

t.test('with BETTER_AUTH_SECRETS, tokens of the old and the new secret verify', async (t) => {
  setEnvironment(t, { BETTER_AUTH_SECRET: secret })
  const before = await (await startProvider(t, sharedSecretJwt)).signUp('alice')
  setEnvironment(t, { BETTER_AUTH_SECRETS: `2:${otherSecret},1:${secret}` })
  const after = await (await startProvider(t, sharedSecretJwt)).signUp('alice')

  const send = await startHost(t)
  for (const user of [before, after]) t.match(await send(own(user)), { status: 200, body: { user: user.id } })
  const withOld = await build(t, { secret })
  const withNew = await build(t, { secret: otherSecret })
  t.match(await withOld.send(own(before)), { status: 200 })
  t.match(await withOld.send(own(after)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(await withNew.send(own(before)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(await withNew.send(own(after)), { status: 200 })
})

const refusedKinds = 'whatever else Better Auth makes with the secret is refused, ' +
  'and the log says what it is and what to send'
t.test(refusedKinds, async (t) => {
  const mails: string[] = []
  const provider = await startProvider(t, (...args) => ({
    ...sharedSecretJwt(...args),
    secret,
    emailVerification: { sendOnSignUp: true, sendVerificationEmail: async ({ token }) => { mails.push(token) } },
    user: { changeEmail: { enabled: true } },
    session: { cookieCache: { enabled: true, strategy: 'jwt' } }
  }))
  const alice = await provider.signUp('alice')
  await alice.post('/change-email', { newEmail: 'alice@example.org' })
  const cookies = cookiesOf(alice.headers)
  const sessionToken = alice.headers.get('set-auth-token')

  const others: Array<[token: string | null | undefined, code: string, kind: string]> = [
    [mails[0], 'INVALID_CLAIMS', 'e-mail verification token'],
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
      for (const url of [`/api/${alice.id}/tasks`, '/api/me']) {
        t.match(await send({ url, headers: bearer(token) }), { status: 401, code })
      }
      const [{ reason = '' } = {}] = refusals(log)
      t.match(reason, kind)
      t.match(reason, 'GET /api/auth/token')
      t.notMatch(JSON.stringify(log), token)
    })
  }
})

t.test('the JWT that jwt() signs without the recipe is refused', async (t) => {
  const alice = await (await startProvider(t, { secret })).signUp('alice')
  const { send, log } = await build(t)
  t.match(await send(own(alice)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' })
  const fix = /received "EdDSA", .* as in issuers: \[betterAuth\({ baseURL }\)\]\. Its claim "iss" is "http.*"$/
  t.match(refusals(log), sameLength([{ reason: fix }]))
  t.match(refusals(log), sameLength([{ reason: /"alg" is not one of HS256: / }]))
})
