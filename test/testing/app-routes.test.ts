import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import { appRoutes, constraintsText, routeTable } from '../../lib/testing/app-routes.js'
import userScope from '../../lib/index.js'
import { secret } from '../support/host.js'

const handler = async () => ({})

async function build (t: Test, routes: (app: FastifyInstance) => unknown, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await routes(app)
  return app
}

t.test('the table has every route of the app, whoever guards it', async (t) => {
  const app = await build(t, async (app) => {
    app.get('/early/:user_id', handler)
    await app.register(async (child) => {
      await child.register(userScope, { secret })
      child.get('/api/:user_id/tasks', handler)
      child.post('/api/:user_id/tasks', handler)
      child.get('/api/:user_id/avatar', { config: { access: 'public' } }, handler)
      child.get('/hosted', { constraints: { host: /^a/ } }, handler)
      child.register(async (deeper) => { deeper.get('/more', handler) }, { prefix: '/deeper' })
    })
    await app.register(async (child) => {
      await child.register(userScope, { secret, userIdParam: 'account' })
      child.get('/accounts/:account', handler)
    })
    app.get('/hosted', { constraints: { host: 'b.example' } }, handler)
    app.get('/late', handler)
  })
  t.equal(await routeTable(app), [
    'owner      /accounts/:account  GET, HEAD  default',
    'public     /api/:user_id/avatar  GET, HEAD  stated',
    'owner      /api/:user_id/tasks  GET, HEAD, POST  default',
    'user       /deeper/more  GET, HEAD  default',
    'unguarded  /early/:user_id  GET, HEAD',
    'user       /hosted {"host":"/^a/"}  GET, HEAD  default',
    'unguarded  /hosted {"host":"b.example"}  GET, HEAD',
    'unguarded  /late  GET, HEAD', ''
  ].join('\n'))
})

t.test('the same text whatever the order of the routes, and for an app without the plugin', async (t) => {
  const urls = ['/b', '/a', '/c/:id']
  const tables = await Promise.all([urls, urls.toReversed()].map(async (urls) => await routeTable(await build(t, (app) => { for (const url of urls) app.get(url, handler) }))))
  t.equal(tables[0], 'unguarded  /a  GET, HEAD\nunguarded  /b  GET, HEAD\nunguarded  /c/:id  GET, HEAD\n')
  t.equal(tables[1], tables[0])

  // One URL of two levels.
  const methods = ['get', 'post'] as const
  const twice = await Promise.all([methods, methods.toReversed()].map(async (methods) => await routeTable(await build(t, async (app) => {
    await app.register(userScope, { secret })
    for (const method of methods) app[method]('/a', { config: { access: method === 'get' ? 'public' : 'user' } }, handler)
  }))))
  t.equal(twice[1], twice[0])
})

t.test('routes that name a parameter differently share a node of the router, and are told apart', async (t) => {
  const app = await build(t, async (app) => {
    await app.register(async (child) => {
      await child.register(userScope, { secret })
      child.get('/api/:user_id/tasks', handler)
    })
    app.post('/api/:id/tasks', handler)
    app.get('/api/:id/profile', handler)
    app.get('/api/:user_id/left-behind', handler)
    app.get('/x/a-:id/b/:n(^\\d+$)', handler)
    app.get('/x/a-:user_id/c', handler)
    app.get('/x/a-:id/d', { constraints: { host: 'h' } }, handler)
  })
  await app.ready()
  t.same(appRoutes(app).filter(({ access, method }) => access === 'unguarded' && method !== 'HEAD').map(({ method, url, parameter }) => [method, url, parameter]).sort(), [
    ['GET', '/api/:id/profile', null],
    ['GET', '/api/:user_id/left-behind', 'user_id'],
    // The expression does not fit its own name, so the router does not tell: the reading with the owner.
    ['GET', '/x/a-:id/d', null],
    ['GET', '/x/a-:user_id/b/:n(^\\d+$)', 'user_id'],
    ['GET', '/x/a-:user_id/c', 'user_id'],
    ['POST', '/api/:id/tasks', null]
  ].sort())
})

t.test('however many names a node has', async (t) => {
  const app = await build(t, async (app) => {
    const depth = Array.from({ length: 12 }, (_, index) => index)
    for (const method of ['get', 'post', 'put', 'patch'] as const) app[method](depth.map((index) => `/:${method}${index}`).join(''), handler)
    app.delete(depth.map((index) => `/:${index === 5 ? 'user_id' : `d${index}`}`).join(''), handler)
    await app.register(async (child) => { await child.register(userScope, { secret }) })
  })
  await app.ready()
  t.same(appRoutes(app).filter(({ parameter }) => parameter !== null).map(({ method, url }) => `${method} ${url}`), ['DELETE /:d0/:d1/:d2/:d3/:d4/:user_id/:d6/:d7/:d8/:d9/:d10/:d11'])
})

t.test('the constraints of routes that were declared before the plugin', async (t) => {
  const app = await build(t, async (app) => {
    app.get('/early/:user_id', { constraints: { version: '1.0.0' } }, handler)
    app.get('/early/:id', { constraints: { version: '2.0.0' }, config: { access: 'public' } }, handler)
    await app.register(userScope, { secret })
  })
  await app.ready()
  t.same(appRoutes(app).filter(({ method }) => method === 'GET').map(({ url, constraints, source }) => ({ url, constraints, source })), [
    { url: '/early/:user_id', constraints: { version: '1.0.0' }, source: 'late' },
    { url: '/early/:id', constraints: { version: '2.0.0' }, source: 'late' }
  ])
  t.notOk('constraints' in app.userScope.routes()[0]!)
})

t.test('what looks like the owner is said', async (t) => {
  const app = await build(t, async (app) => {
    await app.register(userScope, { secret })
    app.get('/a/:userId', { config: { access: 'user' } }, handler)
    app.get('/b/:id', handler)
  })
  await app.ready()
  t.same(appRoutes(app).filter(({ method }) => method === 'GET').map(({ lookAlike }) => lookAlike), ['":userId" looks like the owner\'s parameter ":user_id"', null])
})

t.test('where hooks cannot be shown, nothing is guessed', async (t) => {
  const app = await build(t, async (app) => {
    await app.register(userScope, { secret })
    app.get('/:user_id', handler)
  }, { routerOptions: { buildPrettyMeta: () => ({}) } as object })
  await t.rejects(routeTable(app), /cannot be told from those inside, .* buildPrettyMeta/)
})

t.test('what is no app', async (t) => {
  await t.rejects(routeTable(undefined as never), new TypeError('the first argument must be a Fastify app: await the function that builds it'))
})

t.test('constraints as text', async (t) => {
  t.equal(constraintsText({}), '')
  t.equal(constraintsText({ host: /a/, version: '1.0.0' }), ' {"host":"/a/","version":"1.0.0"}')
})
