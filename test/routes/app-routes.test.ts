import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { isWithin, recordRoutes, routesOf } from '../../lib/routes/app-routes.js'

const id = async () => 'in'

/** What has a name in a config, if anything has: the test kit marks all configs once it is loaded. */
const named = (config: object = {}) =>
  Object.keys(config).length > 0 ? Object.fromEntries(Object.entries(config)) : null

t.test('every route of an app is recorded, in any context and however early', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/early', { exposeHeadRoute: false }, id)
  let inner: FastifyInstance | undefined
  await app.register(async (child) => {
    inner = child
    child.addHook('onRoute', (route) => { route.config = { ...route.config, access: 'public' } })
    child.route({ method: ['GET', 'PUT'], url: '/x', exposeHeadRoute: false, handler: id })
    child.get('/head', id)
  }, { prefix: '/api' })
  await app.ready()
  const routes = routesOf(app) ?? []
  t.same(routes.map(({ url, options: { method, config } }) => [url, method, named(config)]), [
    ['/early', 'GET', null],
    ['/api/x', ['GET', 'PUT'], { access: 'public' }],
    ['/api/head', 'GET', { access: 'public' }],
    ['/api/head', 'HEAD', { access: 'public' }]
  ])
  t.same(routes.map(({ context }) => context === app), [true, false, false, false])
  t.ok(routes.slice(1).every(({ context }) => context === inner))
  t.equal(routesOf(inner as unknown as FastifyInstance), routes)
})

t.test('a rule is copied, and what is none, and may be another package\'s, stays as it is', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const rule = { scopes: ['a'] }
  const odd = { scopes: [() => 'a'] as unknown as string[] }
  app.get('/rule', { exposeHeadRoute: false, config: { access: rule } }, id)
  app.get('/odd', { exposeHeadRoute: false, config: { access: odd } }, id)
  const inherited = Object.create(rule) as typeof rule
  const other = { rateLimit: 5 } as object
  app.get('/inherited', { exposeHeadRoute: false, config: { access: inherited } }, id)
  app.get('/other', { exposeHeadRoute: false, config: { access: rule, ...other } }, id)
  const role = { roles: new Set(['auditor']) } as object
  app.get('/role', { exposeHeadRoute: false, config: { access: role } }, id)
  rule.scopes.push('b')
  const configs = routesOf(app)?.map(({ options: { config } }) => config)
  t.same(named(configs?.[0]), { access: { scopes: ['a'] } })
  t.equal(configs?.[1]?.access, odd)
  t.equal(configs?.[2]?.access, inherited, 'a copy would be a rule without members')
  t.same(named(configs?.[3]), { access: { scopes: ['a'] }, rateLimit: 5 })
  t.equal(configs?.[4]?.access, role)
})

t.test('an inherited rule is ignored', async (t) => {
  const app = Fastify()
  const everything = Object.prototype as { access?: object }
  t.teardown(() => app.close())
  everything.access = { level: 'public' }
  app.get('/', { exposeHeadRoute: false, config: { rateLimit: 5 } as object }, id)
  delete everything.access
  t.same(named(routesOf(app)?.[0]?.options.config), { rateLimit: 5 })
})

t.test('recordRoutes records later routes of a context and those inside it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (child) => {
    child.get('/before', id)
    const routes = recordRoutes(child)
    child.get('/after', { exposeHeadRoute: false }, id)
    await child.register(async (grandchild) => { grandchild.get('/inside', { exposeHeadRoute: false }, id) })
    t.same(routes.map(({ url }) => url), ['/after', '/inside'])
  })
  app.get('/outside', id)
})

t.test('a context is within itself and those around it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const children: FastifyInstance[] = []
  for (const prefix of ['/a', '/b']) app.register(async (child) => { children.push(child) }, { prefix })
  await app.ready()
  const [a, b] = children as [FastifyInstance, FastifyInstance]
  t.same(
    [isWithin(a, a), isWithin(a, app), isWithin(app, a), isWithin(a, b), isWithin(b, a)],
    [true, true, false, false, false]
  )
})
