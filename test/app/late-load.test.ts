import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t from 'tap'
import { sameLength } from '../support/same-length.js'

// fastify-cli loads an app after it has created the instance: nothing of the library is loaded before these exist.
const log: Array<Record<string, unknown>> = []
const create = () => Fastify({
  logger: { level: 'warn', stream: { write: (line: string) => { log.push(JSON.parse(line) as object as never) } } }
})
const [app, wrapped, faulty, ruled, twins, parts] = [create(), create(), create(), create(), create(), create()]
const [older, getter, documented, open] = [create(), create(), create(), create()]
const { default: userScope } = await import('../../lib/index.js')
const { bearer, secret, sender, tokenFor } = await import('../support/host.js')

const alice = bearer(tokenFor('alice'))
const id = async () => 'in'
t.teardown(async () => {
  const apps = [app, wrapped, faulty, ruled, twins, parts, older, getter, documented, open]
  await Promise.all(apps.map((each) => each.close()))
})
t.beforeEach(() => { log.length = 0 })

t.test('an unknown route is guarded, and logged once, at its first request', async (t) => {
  app.get('/early/:user_id', id)
  app.get('/odd/:userId', id)
  app.get('/open', { config: { access: 'public' } }, id)
  const method = ['GET']
  app.route({ method, url: '/list', exposeHeadRoute: false, handler: id })
  method[0] = 'OPTIONS' // the list is the host's, who goes on with it
  const both = ['GET', 'OPTIONS']
  app.route({ method: both, url: '/both', exposeHeadRoute: false, handler: id })
  both.shift()
  app.options('/preflight', id)
  await app.register(userScope, { secret })
  app.get('/late/:user_id', id)
  app.get('/v', { constraints: { version: '1.0.0' } }, id)
  app.get('/v', { constraints: { version: '2.0.0' }, config: { access: 'public' } }, id)
  await app.ready()
  const send = sender(app)
  const status = async (url: string, headers = {}) => (await send({ url, headers })).status
  t.same(log, [])
  for (const url of ['/early', '/late']) {
    t.same(
      [await status(`${url}/alice`), await status(`${url}/alice`, alice), await status(`${url}/bob`, alice)],
      [401, 200, 403],
      url
    )
  }
  t.same([await status('/odd/alice', alice), await status('/odd/alice', alice)], [403, 403])
  t.same([await status('/v', { 'accept-version': '1.x' }), await status('/v', { 'accept-version': '2.x' })], [401, 200])
  t.same([await status('/open'), await status('/nowhere')], [200, 404])
  t.equal(await status('/list'), 401)
  for (const method of ['OPTIONS', 'GET'] as const) {
    t.equal((await send({ url: '/both', method })).status, method === 'GET' ? 401 : 200)
  }
  t.equal(await status('/both', alice), 200)
  t.equal((await send({ url: '/preflight', method: 'OPTIONS' })).status, 200)
  t.match(log, [
    {
      level: 40,
      route: 'GET /early/:user_id',
      access: 'owner',
      msg: /GET \/early\/:user_id was declared before the plugin was loaded/
    },
    { level: 40, route: 'GET /odd/:userId', reason: /looks like the owner's parameter/ },
    { level: 40, route: 'GET /open', access: 'public' },
    { level: 40, route: 'OPTIONS /list' },
    { level: 40, route: 'OPTIONS /both' },
    { level: 40, route: 'OPTIONS /preflight', access: 'public' }
  ])
  t.equal(log.length, 6)
})

t.test('in the document of such an app, no unknown route is mistaken for one that has moved', async (t) => {
  await documented.register(swagger, { openapi: {} })
  documented.get('/me', { exposeHeadRoute: false }, id)
  await documented.register(async (part) => {
    await part.register(userScope, { secret })
    part.get('/me', { exposeHeadRoute: false, schema: { hide: true } }, id)
    part.get('/own', { exposeHeadRoute: false }, id)
  }, { prefix: '/api' })
  await documented.ready()
  log.length = 0
  const { paths = {} } = documented.swagger()
  t.same([paths['/me']?.get?.security, paths['/api/own']?.get?.security], [undefined, [{ bearerAuth: [] }]])
  t.same(log, [])
})

t.test('an unknown route keeps its rule beside one with other constraints', async (t) => {
  const twin = { constraints: { version: '2.0.0' }, config: { access: 'public' as const } }
  const seen = { constraints: { version: '1.0.0' } }
  twins.get('/t/:user_id', seen, id)
  twins.get('/t', { ...seen, config: { access: { scopes: ['admin'] } } }, id)
  await twins.register(userScope, { secret })
  twins.get('/t/:user_id', twin, id)
  twins.get('/t', twin, id)
  const send = sender(twins)
  for (const url of ['/t/bob', '/t']) {
    t.equal((await send({ url, headers: { 'accept-version': '1.x' } })).status, 401, url)
    t.equal((await send({ url, headers: { 'accept-version': '1.x', ...alice } })).status, 403, url)
    t.equal((await send({ url, headers: { 'accept-version': '2.x' } })).status, 200, url)
  }
})

t.test('a fault of a known route stops the boot', async (t) => {
  await faulty.register(userScope, { secret })
  faulty.get('/late/:userId', id)
  await t.rejects(async () => { await faulty.ready() }, { code: 'FST_USER_SCOPE_INVALID_ROUTE' })
})

t.test('rules of unknown routes hold, and those with a fault admit nobody', async (t) => {
  const rules = {
    scoped: { scopes: ['a'] },
    bad: { level: 'public', scopes: ['a'] },
    misspelt: { level: 'public', scope: ['a'] },
    unasked: { delegates: true },
    empty: {}
  }
  for (const [name, access] of Object.entries(rules)) {
    ruled.get(`/${name}/:user_id`, { config: { access: access as 'owner' } }, id)
  }
  ruled.get('/orgs/:org_id', id)
  const methods = ['GET']
  for (const [url, access] of Object.entries({ '/listed': { scopes: ['a'] }, '/listed-odd': 'pubic' })) {
    ruled.route({ method: methods, url, exposeHeadRoute: false, config: { access: access as 'user' }, handler: id })
  }
  methods[0] = 'OPTIONS'
  await ruled.register(userScope, { secret, bind: { org_id: 'org_id' } })
  await ruled.ready()
  t.notOk(log.some(({ msg }) => String(msg).includes('option "bind"')), 'an unknown route may have the parameter')
  const code = async (url: string, claims = {}) =>
    (await sender(ruled)({ url, headers: bearer(tokenFor('alice', claims)) })).code ?? 'in'
  t.same([await code('/scoped/alice'), await code('/scoped/alice', { scope: 'a' })], ['INSUFFICIENT_SCOPE', 'in'])
  t.same([await code('/orgs/acme'), await code('/orgs/acme', { org_id: 'acme' })], ['FORBIDDEN_RESOURCE_ACCESS', 'in'])
  t.same([await code('/listed'), await code('/listed', { scope: 'a' })], ['INSUFFICIENT_SCOPE', 'in'])
  t.equal(await code('/listed-odd'), 'FORBIDDEN_USER_ACCESS')
  for (const name of ['bad', 'misspelt', 'unasked', 'empty']) {
    t.equal(await code(`/${name}/alice`, { scope: 'a' }), 'FORBIDDEN_USER_ACCESS', name)
    t.equal((await sender(ruled)({ url: `/${name}/alice` })).status, 403, name)
  }
})

t.test('a registration in a wrapper without fastify-plugin warns that it guards nothing', async (t) => {
  await wrapped.register(async (wrapper: FastifyInstance) => { await wrapper.register(userScope, { secret }) })
  wrapped.get('/api/:user_id', id)
  await wrapped.ready()
  t.match(log, [{
    level: 40, msg: /this registration guards no route[^]* fastify-plugin[^]*If its routes were declared before: import/
  }])
  t.equal(log.length, 1)
  t.equal((await sender(wrapped)({ url: '/api/bob', headers: alice })).status, 200)
})

t.test('registrations in parts of such an app warn once that other routes are not known', async (t) => {
  for (const prefix of ['/none', '/api', '/more']) {
    await parts.register(async (part) => {
      await part.register(userScope, { secret })
      if (prefix !== '/none') part.get('/:user_id', id)
    }, { prefix })
  }
  parts.get('/admin/:user_id', id)
  await parts.ready()
  t.match(log, [
    { level: 40, msg: /this registration guards no route/ },
    { level: 40, msg: /routes outside of this registration are not known[^]*Fix: import/ }
  ])
  t.equal(log.length, 2)
})

t.test('a registration whose known routes are public may guard others', async (t) => {
  open.get('/api/:user_id', id)
  await open.register(userScope, { secret })
  open.get('/health', { config: { access: 'public' } }, id)
  await open.ready()
  t.same(log, [])
  t.equal((await sender(open)({ url: '/api/bob', headers: alice })).status, 403)
})

t.test('a registration that guards unknown routes says how to make them known', async (t) => {
  older.register(async (child) => { child.get('/', { exposeHeadRoute: false }, id) }, { prefix: '/root/:user_id' })
  for (const [version, access] of [['1.0.0', 'public'], ['2.0.0', 'owner'], ['2.1.0', 'onwer']] as const) {
    older.get('/versions/:user_id', { constraints: { version }, config: { access: access as 'owner' } }, id)
  }
  await older.after()
  await older.register(userScope, { secret })
  await older.ready()
  t.match(log, [{ msg: /guards no route[^]*If its routes were declared before: import 'fastify-user-scope' before/ }])
  const send = sender(older)
  for (const url of ['/root/bob', '/root/bob/']) t.equal((await send({ url, headers: alice })).status, 403, url)
  t.match(log.slice(1), [{ route: 'GET /root/:user_id', access: 'owner' }])
  t.equal(log.length, 2, 'both of a prefix are told as one')
  for (const version of ['1.0.0', '2.0.0', '2.1.0']) {
    await send({ url: '/versions/bob', headers: { ...alice, 'accept-version': version } })
  }
  t.match(log.slice(2),
    sameLength([{ access: 'public' }, { access: 'owner' }, { reason: /'onwer'/ }]), 'each of one name')
})

t.test('a getter by the decorator\'s name in an unknown context gives way', async (t) => {
  getter.register(async (child) => {
    child.decorateRequest('user', { getter: () => ({ id: 'mallory' }) as never })
    child.get('/me', async (request) => request.user.id)
    const preHandler = async (request: FastifyRequest) => { request.user = { ...request.user, id: 'of the host' } }
    child.get('/changed', { preHandler }, async (request) => request.user.id)
    child.get('/open', { config: { access: 'public' } }, async (request) => JSON.stringify(request.user))
  })
  getter.register(async (child) => {
    child.decorateRequest('user', { getter: () => ({ id: 'mallory' }) as never, setter () {} })
    child.get('/set', async (request) => request.user.id)
  })
  await getter.after()
  await getter.register(userScope, { secret })
  const send = sender(getter)
  t.match(await send({ url: '/me', headers: alice }), { status: 200, body: 'alice' })
  t.match(await send({ url: '/me' }), { status: 401, code: 'MISSING_TOKEN' })
  t.match(await send({ url: '/changed', headers: alice }), { status: 200, body: 'of the host' })
  t.match(await send({ url: '/open' }), { status: 200, body: 'null' })
  t.match(await send({ url: '/set', headers: alice }), { status: 200, body: 'alice' })
})
