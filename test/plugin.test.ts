import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'
import * as exported from '../lib/index.js'
import userScope, { AlreadyRegisteredError } from '../lib/index.js'
import { bearer, otherSecret, secret, sender, sign, tokenFor } from './support/host.js'

const alice = bearer(tokenFor('alice'))
const routes = async (app: FastifyInstance) => { app.get('/:user_id', async (request) => request.user.id) }

t.test('default and named export are the same function', async (t) => {
  t.equal(exported.default, exported.userScope)
})

t.test('other plugins can depend on it by its name, and another major version of Fastify is refused', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { secret })
  await app.register(fp(async () => {}, { dependencies: ['fastify-user-scope'] }))
  for (const version of ['4.29.1', '6.0.0']) {
    const other = Object.defineProperty(Fastify(), 'version', { value: version })
    await t.rejects(async () => { await other.register(userScope, { secret }) }, {
      code: 'FST_ERR_PLUGIN_VERSION_MISMATCH', message: /fastify-user-scope - expected '5\.x' fastify version/
    })
  }
})

t.test('the functions of the app cannot be replaced', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { secret })
  t.throws(() => { Object.assign(app.userScope, { revoke: async () => {} }) }, TypeError)
})

t.test('every error of the table can be created and distinguished', async (t) => {
  const {
    MissingTokenError, InvalidHeaderFormatError, MalformedTokenError, InvalidTokenSignatureError, TokenExpiredError,
    TokenRevokedError, InvalidClaimsError, MissingUidClaimError, ForbiddenUserAccessError,
    ForbiddenResourceAccessError, InsufficientScopeError, KeysUnavailableError, RevocationsUnavailableError,
    AccessCheckUnavailableError
  } = exported
  const rows = [
    [MissingTokenError, 'MISSING_TOKEN', 401, 'Missing authentication token'],
    [InvalidHeaderFormatError, 'INVALID_HEADER_FORMAT', 401, 'Invalid authorization header format'],
    [MalformedTokenError, 'MALFORMED_TOKEN', 401, 'Malformed token'],
    [InvalidTokenSignatureError, 'INVALID_TOKEN_SIGNATURE', 401, 'Invalid token signature'],
    [TokenExpiredError, 'TOKEN_EXPIRED', 401, 'Token expired'],
    [TokenRevokedError, 'TOKEN_REVOKED', 401, 'Token revoked'],
    [InvalidClaimsError, 'INVALID_CLAIMS', 401, 'Invalid token claims'],
    [MissingUidClaimError, 'MISSING_UID_CLAIM', 401, 'Invalid token: missing or malformed user ID claim'],
    [ForbiddenUserAccessError, 'FORBIDDEN_USER_ACCESS', 403, "Access denied: cannot access another user's resources"],
    [ForbiddenResourceAccessError, 'FORBIDDEN_RESOURCE_ACCESS', 403, 'Access denied: cannot access this resource'],
    [InsufficientScopeError, 'INSUFFICIENT_SCOPE', 403, 'Insufficient scope'],
    [KeysUnavailableError, 'KEYS_UNAVAILABLE', 503, 'Token verification is temporarily unavailable'],
    [RevocationsUnavailableError, 'REVOCATIONS_UNAVAILABLE', 503, 'Token verification is temporarily unavailable'],
    [AccessCheckUnavailableError, 'ACCESS_CHECK_UNAVAILABLE', 503, 'Token verification is temporarily unavailable']
  ] as const
  for (const [Class, code, statusCode, message] of rows) {
    const error = new Class()
    t.match(error, { code, statusCode, message })
    t.ok(error instanceof Error)
    t.same(rows.filter(([Other]) => error instanceof Other).map(([, code]) => code), [code])
  }
  const classes = Object.entries(exported)
    .flatMap(([name, Class]) => name.endsWith('Error') ? [new (Class as typeof MissingTokenError)()] : [])
  const refusals = classes.filter(({ statusCode }) => Number(statusCode) !== 500)
  t.same(refusals.map(({ code }) => String(code)).sort(), rows.map(([, code]) => code).sort(), 'no other is exported')
})

t.test('an older context inside that already has the decorator stops the boot', async (t) => {
  const kinds: Array<(child: FastifyInstance) => void> = [
    (child) => { child.decorateRequest('user', { getter: () => ({ id: 'bob' }) as never }) },
    (child) => { child.decorateRequest('user', null as never) }
  ]
  for (const decorate of kinds) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(async (child) => {
      await child.register(async (inner) => {
        decorate(inner)
        await routes(inner)
      })
    })
    await t.rejects(async () => { await app.register(userScope, { secret }) }, {
      code: 'FST_USER_SCOPE_INVALID_OPTION',
      message: /"decoratorName": the request of \/:user_id already has a property "user"/
    })
  }
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(async (child) => { child.decorateRequest('owner', null); await routes(child) })
  await other.register(userScope, { secret })
})

t.test('nobody else may give the request a decorator of this name later', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { secret, decoratorName: 'caller' })
  app.decorateRequest('user', null as never)
  t.throws(() => app.decorateRequest('caller', null), { code: 'FST_ERR_DEC_ALREADY_PRESENT' })
})

t.test('a registration inside a registered context stops the boot', async (t) => {
  const app = Fastify()
  await app.register(userScope, { secret })
  await t.rejects(
    async () => { await app.register(userScope, { secret }) },
    { code: 'FST_USER_SCOPE_ALREADY_REGISTERED', message: /already/ }
  )

  const parent = Fastify()
  await parent.register(userScope, { secret })
  await t.rejects(
    async () => { await parent.register(async (child) => { await child.register(userScope, { secret }) }) },
    AlreadyRegisteredError as unknown as Error
  )
})

t.test('a decorator of the host with the name of the plugin\'s stops the boot', async (t) => {
  const app = Fastify()
  app.decorate('userScope', {} as FastifyInstance['userScope'])
  await t.rejects(async () => { await app.register(userScope, { secret }) }, {
    code: 'FST_USER_SCOPE_ALREADY_REGISTERED',
    message: /\. Register it once, or in sibling contexts, and rename a decorator "userScope" of your own$/
  })
})

t.test('a registration around a registered context stops the boot, whichever came first', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (child) => {
    await child.register(async (inner) => {
      await inner.register(userScope, { secret })
      await routes(inner)
    })
  })
  const boot = app.register(userScope, { secret, decoratorName: 'other' })
  const error = await boot.then(() => null, (error: unknown) => error)
  t.match(error, { code: 'FST_USER_SCOPE_ALREADY_REGISTERED', message: /around it or in one inside it/ })
})

t.test('two sibling contexts may have different options', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(async (child) => { await child.register(userScope, { secret }); await routes(child) }, { prefix: '/a' })
  app.register(
    async (child) => { await child.register(userScope, { secret: otherSecret }); await routes(child) },
    { prefix: '/b' }
  )
  app.get('/open', async () => 'open')
  await app.ready()
  const send = sender(app)
  const others = bearer(sign({ sub: 'alice', exp: 1e10 }, { key: otherSecret }))
  t.match(await send({ url: '/a/alice', headers: alice }), { status: 200 })
  t.match(await send({ url: '/a/alice', headers: others }), { code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(await send({ url: '/b/alice', headers: others }), { status: 200 })
  t.match(await send({ url: '/b/alice', headers: alice }), { code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(await send({ url: '/b/bob', headers: others }), { code: 'FORBIDDEN_USER_ACCESS' })
  t.match(await send('/open'), { status: 200, body: 'open' })
})
