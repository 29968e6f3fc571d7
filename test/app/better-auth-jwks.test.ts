import { mock } from 'node:test'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { signJWT } from 'better-auth/crypto'
import { jwt, type JwtOptions } from 'better-auth/plugins'
import t, { type Test } from 'tap'
import { betterAuth, type BetterAuthOptions, type UserScopeOptions } from '../../lib/index.js'
import {
  cookiesOf, headerOf, makeProvider, own, payloadOf, sharedSecretJwt, startProvider, tampered,
  type Account, type Provider
} from '../support/better-auth.js'
import { holdClocks } from '../support/clock.js'
import { bearer, build, otherSecret, refusals, secret, sign, usualRoutes } from '../support/host.js'

/** A host that knows of this Better Auth what the README says. */
const hostFor = (
  t: Test,
  { baseURL }: Pick<Provider, 'baseURL'>,
  entry: Partial<BetterAuthOptions> = {},
  options: UserScopeOptions = {}
) => {
  // A secret beside it verifies tokens of the same users.
  const issuer = betterAuth({ baseURL, ...options.secret && { idPrefix: '' }, ...entry })
  return build(t, { issuers: [issuer], ...options })
}

const ofOther = (path: Account, { token }: Account) => ({ url: `/api/${path.id}/tasks`, headers: bearer(token) })
const unavailable = { status: 503, code: 'KEYS_UNAVAILABLE', headers: { 'retry-after': /^[1-9]\d*$/ } }

type Algorithm = NonNullable<NonNullable<JwtOptions['jwks']>['keyPairConfig']>['alg']

const algorithms: Array<[alg: Algorithm, plugin: JwtOptions | undefined]> = [
  ['EdDSA', undefined],
  ...(['ES256', 'ES512', 'RS256', 'PS256'] as const)
    .map((alg): [Algorithm, JwtOptions] => [alg, { jwks: { keyPairConfig: { alg } } }])
]
for (const [alg, options] of algorithms) {
  t.test(`jwt() with ${alg}${options ? '' : ', its default'}`, async (t) => {
    const provider = await startProvider(t, { secret, plugins: [jwt(options)] })
    const [alice, bob] = [await provider.signUp('alice'), await provider.signUp('bob')]
    const { send, app } = await hostFor(t, provider)

    await t.test('a user reaches their own path and no other', async (t) => {
      for (const user of [alice, bob]) {
        t.match(await send(own(user)), { status: 200, body: { user: user.id } })
        t.match(await send({ url: '/api/me', headers: bearer(user.token) }), { status: 200, body: { user: user.id } })
      }
      t.match(await send(ofOther(alice, bob)), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
      t.match(await send(ofOther(bob, alice)), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
      t.match(await send(`/api/${alice.id}/tasks`), { status: 401, code: 'MISSING_TOKEN' })
      const inHeader = (await alice.get('/get-session')).headers.get('set-auth-jwt') ?? ''
      t.match(await send(own({ ...alice, token: inHeader })), { status: 200 }, 'the JWT that get-session sends along')
    })

    await t.test('the token has what the preset expects', async (t) => {
      const { kid } = headerOf(alice.token)
      t.same(headerOf(alice.token), { alg, kid })
      t.match(app.userScope.issuers(), [{ issuer: provider.baseURL, keys: [kid], lastError: null }])
      const { sub, iss, aud, iat, exp } = payloadOf(alice.token)
      t.same([sub, iss, aud, exp - iat], [alice.id, provider.baseURL, provider.baseURL, 15 * 60])
    })

    await t.test('a tampered token is refused', async (t) => {
      const [{ publicKey = '' } = {}] = provider.rows.jwks
      const header = { alg: 'HS256', kid: headerOf(bob.token).kid }
      const forged = {
        ...tampered(alice, bob),
        'HS256 with the public key': sign(payloadOf(bob.token), { header, key: String(publicKey) }),
        'HS256 with the secret of Better Auth': sign(payloadOf(bob.token))
      }
      for (const [how, token] of Object.entries(forged)) {
        for (const user of [alice, bob]) {
          t.match(await send(own({ ...user, token })), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' }, how)
        }
      }
    })

    await t.test('the algorithm can be stated, and an unknown one stops the boot', async (t) => {
      const { send } = await hostFor(t, provider, { algorithms: [alg] })
      t.match(await send(own(alice)), { status: 200 })
      const stopped = { code: 'FST_USER_SCOPE_KEYS_UNREACHABLE', message: /no usable key/ }
      await t.rejects(hostFor(t, provider, { algorithms: ['RS512'] }), stopped)
    })
  })
}

t.test('a token is good until five seconds after it expires', async (t) => {
  const provider = await startProvider(t, { secret })
  const alice = await provider.signUp('alice')
  const { send } = await hostFor(t, provider)
  let now = (payloadOf(alice.token).exp + 5) * 1000 - 1
  t.capture(Date, 'now', () => now)
  t.match(await send(own(alice)), { status: 200 })
  now++
  t.match(await send(own(alice)), { status: 401, code: 'TOKEN_EXPIRED' })
  t.match(await send(own({ ...alice, token: await alice.newToken() })), { status: 200 })
})

t.test('columns that users may edit never decide who they are', async (t) => {
  const names = ['uid', 'userId', 'user_id', 'sub']
  const additionalFields = Object.fromEntries(names.map((name) =>
    [name, { type: 'string' as const, required: false, input: true }]))
  const provider = await startProvider(t, { secret, user: { additionalFields } })
  const alice = await provider.signUp('alice')
  const asAlice = Object.fromEntries(names.map((name) => [name, alice.id]))
  const mallory = await provider.signUp('mallory', asAlice)
  const bob = await provider.signUp('bob')
  t.equal((await bob.post('/update-user', asAlice)).status, 200)
  bob.token = await bob.newToken()
  for (const user of [mallory, bob]) {
    t.match(payloadOf(user.token), { uid: alice.id, userId: alice.id, user_id: alice.id, sub: user.id })
    for (const options of [{}, { secret }, { secret, userIdClaim: 'uid' }]) {
      const { send } = await hostFor(t, provider, {}, options)
      t.match(await send(own(user)), { status: 200, body: { user: user.id } })
      t.match(await send(ofOther(alice, user)), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
    }
  }
})

t.test('a user row that is too long for a token is MALFORMED_TOKEN', async (t) => {
  const image = `data:image/png;base64,${'A'.repeat(8192)}`
  for (const [plugin, answer] of [
    [jwt(), { status: 401, code: 'MALFORMED_TOKEN' }],
    [jwt({ jwt: { definePayload: ({ user: { name } }) => ({ name }) } }), { status: 200 }]
  ] as const) {
    const provider = await startProvider(t, { secret, plugins: [plugin] })
    const alice = await provider.signUp('alice', { image })
    t.match(await (await hostFor(t, provider)).send(own(alice)), answer)
  }
})

t.test('rotation: old and new keys verify, and a new one is fetched after the cooldown', async (t) => {
  const start = Date.now()
  mock.timers.enable({ apis: ['Date'], now: start })
  t.teardown(() => mock.timers.reset())
  const at = (seconds: number) => mock.timers.setTime(start + seconds * 1000)

  const provider = await startProvider(t, { secret, plugins: [jwt({ jwks: { rotationInterval: 3600 } })] })
  const [alice, bob] = [await provider.signUp('alice'), await provider.signUp('bob')]
  at(3590)
  const { send, app } = await hostFor(t, provider)
  alice.token = await alice.newToken()
  t.match(await send(own(alice)), { status: 200 })
  t.equal(app.userScope.issuers()[0]?.keys.length, 1)

  at(3601)
  bob.token = await bob.newToken()
  t.not(headerOf(bob.token).kid, headerOf(alice.token).kid)
  t.match(await send(own(bob)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' }, 'within the cooldown')
  at(3620)
  t.match(await send(own(bob)), { status: 200 })
  t.match(await send(own(alice)), { status: 200 }, 'the old key is in the set still')
  t.same(new Set(app.userScope.issuers()[0]?.keys), new Set([alice, bob].map(({ token }) => headerOf(token).kid)))
})

t.test('a deleted key verifies no longer than maxAge', async (t) => {
  const { pass } = holdClocks(t)
  const provider = await startProvider(t, { secret })
  const alice = await provider.signUp('alice')
  const { send } = await hostFor(t, provider)
  t.match(await send(own(alice)), { status: 200 })

  provider.rows.jwks.length = 0
  pass(31)
  const renewed = { ...alice, token: await alice.newToken() }
  t.match(await send(own(alice)), { status: 200 })
  pass(600)
  t.match(await send(own(alice)), { status: 401, code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(await send(own(renewed)), { status: 200 })
})

t.test('keys go on verifying while Better Auth is down', async (t) => {
  const { pass } = holdClocks(t)
  const provider = await startProvider(t, { secret })
  const [alice, bob] = [await provider.signUp('alice'), await provider.signUp('bob')]
  const { send, app } = await hostFor(t, provider, { maxStale: 800 })
  t.match(await send(own(alice)), { status: 200 })
  await provider.stop()

  for (const seconds of [0, 479, 480, 599, 600, 700, 799]) {
    pass(seconds)
    for (const user of [alice, bob]) {
      t.match(await send(own(user)), { status: 200, body: { user: user.id } }, `after ${seconds} s`)
    }
    t.match(await send(ofOther(alice, bob)), { status: 403 })
  }
  pass(800)
  for (const user of [alice, bob]) t.match(await send(own(user)), unavailable)
  t.match(await send('/health'), { status: 200 })
  t.match(app.userScope.issuers(), [{ keys: [], age: null, lastError: String }])

  await provider.start()
  const { headers } = await send(own(alice))
  pass(800 + Number(headers['retry-after']))
  for (const user of [alice, bob]) t.match(await send(own(user)), { status: 200, body: { user: user.id } })
  t.match(app.userScope.issuers(), [{ age: 0, lastError: null }])
})

t.test('with lazy the host starts before Better Auth', async (t) => {
  const { pass } = holdClocks(t)
  const provider = await startProvider(t, { secret })
  const alice = await provider.signUp('alice')
  await provider.stop()
  await t.rejects(hostFor(t, provider), {
    code: 'FST_USER_SCOPE_KEYS_UNREACHABLE',
    message: new RegExp(`issuer "${provider.baseURL}": its keys cannot be fetched .*Fix: start .* lazy: true`)
  })

  const { send, app } = await hostFor(t, provider, { lazy: true })
  t.match(await send(own(alice)), { ...unavailable, headers: { 'retry-after': '30' } })
  t.match(await send('/health'), { status: 200 })
  await provider.start()
  pass(29)
  t.match(await send(own(alice)), { ...unavailable, headers: { 'retry-after': '1' } })
  pass(30)
  t.match(await send(own(alice)), { status: 200, body: { user: alice.id } })
  t.match(app.userScope.issuers(), [{ keys: [headerOf(alice.token).kid], lastError: null }])
})

t.test('Better Auth may run in the same process without listening', async (t) => {
  const provider = makeProvider('https://auth.example.com', { secret })
  const [alice, bob] = [await provider.signUp('alice'), await provider.signUp('bob')]
  const { send } = await hostFor(t, provider, { fetch: (url, init) => provider.auth.handler(new Request(url, init)) })
  t.match(await send(own(alice)), { status: 200, body: { user: alice.id } })
  t.match(await send(ofOther(alice, bob)), { status: 403 })
})

const places: Array<[baseURL: string, basePath: string | undefined]> = [
  ['https://auth.example.com', undefined],
  ['https://auth.example.com/', undefined],
  ['https://Auth.example.com:443', undefined],
  ['https://auth.example.com', '/auth'],
  ['https://auth.example.com', '/auth/'],
  ['https://auth.example.com', '/'],
  ['https://auth.example.com/api/auth', undefined],
  ['https://auth.example.com/auth', undefined],
  ['https://auth.example.com/auth/', undefined],
  ['https://auth.example.com/auth', '/other']
]
for (const [baseURL, basePath] of places) {
  const place = `${baseURL}${basePath === undefined ? '' : ` with basePath ${basePath}`}`
  t.test(`the preset finds a Better Auth at ${place}`, async (t) => {
    const where = { baseURL, ...basePath !== undefined && { basePath } }
    const { auth, signUp } = makeProvider(baseURL, { secret, ...where })
    const alice = await signUp('alice')
    const asked: string[] = []
    const fetch: BetterAuthOptions['fetch'] = async (url, init) => {
      asked.push(url)
      return await auth.handler(new Request(url, init))
    }
    const answer = await build(t, { issuers: [betterAuth({ ...where, fetch })] })
      .then(({ send }) => send(own(alice)), (error: Error) => error.message)
    t.match(answer, { status: 200, body: { user: alice.id } })
    t.match(asked[0], /^https:\/\/auth\.example\.com\//, 'no other host is asked')
  })
}

t.test('all other tokens of Better Auth are refused, and the log says what to send instead', async (t) => {
  const caches = {
    compact: [{}, 'compact'],
    jwt: [{}, 'jwt'],
    jwe: [{}, 'jwe'],
    'jwt with the keys of jwt()': [{ sessionCookieCache: true }, 'jwt']
  } as const
  for (const [how, [options, strategy]] of Object.entries(caches)) {
    const mails: string[] = []
    const provider = await startProvider(t, {
      secret,
      plugins: [jwt(options)],
      session: { cookieCache: { enabled: true, strategy } },
      emailVerification: { sendOnSignUp: true, sendVerificationEmail: async ({ token }) => { mails.push(token) } },
      user: { changeEmail: { enabled: true } }
    })
    const alice = await provider.signUp('alice')
    await alice.post('/change-email', { newEmail: 'alice@example.org' })
    const cookies = cookiesOf(alice.headers)
    const sessionToken = alice.headers.get('set-auth-token')
    const others: Array<[token: string | null | undefined, kind: string, code: string]> = [
      [mails[0], 'e-mail verification token', 'INVALID_CLAIMS'],
      [mails[1], 'e-mail verification token', 'INVALID_CLAIMS'],
      [
        cookies.get('better-auth.session_data'),
        how === 'jwe' ? 'encrypted token' : 'session cache token',
        strategy === 'jwt' ? 'INVALID_CLAIMS' : 'MALFORMED_TOKEN'
      ],
      [sessionToken, 'session token', 'MALFORMED_TOKEN'],
      [sessionToken?.split('.')[0], 'session token', 'MALFORMED_TOKEN'],
      [cookies.get('better-auth.session_token'), 'session token', 'INVALID_HEADER_FORMAT']
    ]
    for (const options of [{}, { secret }]) {
      await t.test(`session cache ${how}, ${'secret' in options ? 'secret and issuer' : 'issuer alone'}`, async (t) => {
        for (const [token, kind, code] of others) {
          if (!token) throw new Error(`Better Auth made no ${kind}`)
          const { send, log } = await hostFor(t, provider, {}, options)
          for (const url of [`/api/${alice.id}/tasks`, '/api/me']) {
            t.match(await send({ url, headers: bearer(token) }), { status: 401, code }, kind)
          }
          const [{ reason = '' } = {}] = refusals(log)
          t.match(reason, kind)
          t.match(reason, 'GET /api/auth/token', kind)
          t.notMatch(JSON.stringify(log), token)
        }
      })
    }
  }
})

t.test('a secret and issuers can be used together', async (t) => {
  const remote = await startProvider(t, { secret: otherSecret })
  const local = await startProvider(t, (...args) => ({ secret, ...sharedSecretJwt(...args) }))
  const [alice, bob] = [await remote.signUp('alice'), await local.signUp('bob')]
  for (const options of [{ secret }, { secret, issuer: local.baseURL, audience: local.baseURL }]) {
    const { send, app, log } = await hostFor(t, remote, {}, options)
    app.log.level = 'debug'
    for (const [user, verifiedBy] of [[alice, remote.baseURL], [bob, 'secret']] as const) {
      log.length = 0
      t.match(await send(own(user)), { status: 200, body: { user: user.id } })
      t.match(log.filter(({ msg }) => msg === 'token verified'), [{ level: 20, verifiedBy }])
    }
    t.match(await send(ofOther(alice, bob)), { status: 403 })
    t.match(await send(ofOther(bob, alice)), { status: 403 })
    const asRemote = sign({ ...payloadOf(alice.token), sub: bob.id })
    const forged = await send(own({ ...bob, token: asRemote }))
    t.match(forged, { status: 401, code: 'INVALID_TOKEN_SIGNATURE' }, 'the secret does not speak for the issuer')
  }
})

t.test('one Better Auth can move from its secret to its keys', async (t) => {
  const baseURL = 'https://auth.example.com'
  const database = memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] })
  const older = makeProvider(baseURL, (_baseURL, currentSecret) => ({
    secret,
    database,
    plugins: [jwt({
      jwks: { remoteUrl: `${baseURL}/unused`, keyPairConfig: { alg: 'EdDSA' } },
      jwt: { issuer: 'https://old.example.com', sign: async (payload) => signJWT(payload, await currentSecret(), 900) }
    })]
  }))
  const [alice, bob] = [await older.signUp('alice'), await older.signUp('bob')]
  const { fetch } = makeProvider(baseURL, { secret, database })
  const cookie = [...cookiesOf(alice.headers)].map((pair) => pair.join('=')).join('; ')
  const { token } = await (await fetch(`${baseURL}/api/auth/token`, { headers: { cookie } })).json() as Account

  await t.rejects(build(t, { secret, issuers: [betterAuth({ baseURL, fetch })] }), /idPrefix/)
  const issuers = [betterAuth({ baseURL, fetch, idPrefix: '' })]
  const { app, send } = await build(t, { secret, issuers }, {}, (app) => {
    usualRoutes(app)
    app.get('/api/issuer', async ({ user }) => user.issuer)
  })
  for (const [each, alg, issuer] of [[alice.token, 'HS256', 'secret'], [token, 'EdDSA', baseURL]] as const) {
    t.equal(headerOf(each)['alg'], alg)
    t.match(await send({ url: `/api/${alice.id}/tasks`, headers: bearer(each) }), { status: 200 })
    t.equal((await app.inject({ url: '/api/issuer', headers: bearer(each) })).body, issuer)
    t.match(await send({ url: `/api/${bob.id}/tasks`, headers: bearer(each) }), { status: 403 })
  }
})
