import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import { host, issuer, say, state, type Build } from '../support/kit.js'

t.test('routes without an owner that serve an owner\'s path are found', async (t) => {
  const build = (routes: Build, server: FastifyServerOptions = {}) => host(t, async (app, handler) => {
    app.get('/api/:user_id/tasks', handler)
    await routes(app, handler)
  }, issuer.options, server)
  const validated =
    await build((app, handler) =>
      app.post('/api/*', { schema: { body: { type: 'object', required: ['n'] } } }, handler))
  t.match(await say(validated),
    'POST /api/* (user, default)\n  it serves paths of /api/:user_id/tasks too, and does not look at the owner ' +
    "there: declare its routes one by one, or allow: ['POST /api/*']")
  const tenants = await build((app, handler) => {
    app.get('/:tenant/users/:user_id', handler)
    app.put('/:org/users/:id', handler)
  })
  t.match(await say(tenants, { params: { '*': { path: { tenant: 'acme', org: 'acme' } } } }),
    'its ":id" stands where /:tenant/users/:user_id has its owner')
  for (const url of ['/API/:account/tasks', '/api//:account/tasks']) {
    const loose =
      await build((app, handler) => app.post(url, handler),
        { routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true } })
    t.match(await say(loose),
      `POST ${url} (user, default)\n  its ":account" stands where /api/:user_id/tasks has its owner`)
    t.equal(await say(await build((app, handler) => app.post(url, handler))), '',
      'not where the router reads to the letter')
  }
  for (const url of ['/API/:account/lists', '/api//:account/lists', '/Api/*']) {
    const below = (routerOptions: object) => build((app, handler) => app.put(url, handler), { routerOptions })
    const all = { caseSensitive: false, ignoreDuplicateSlashes: true }
    t.match(await say(await below(all)), `PUT ${url} (user, default)\n  it`, 'below an owner, in another spelling')
    t.equal(await say(await below({})), '')
  }
  // Two owned routes may differ in nothing else.
  const cases = await host(t, (app, handler) => {
    app.get('/API/:user_id/x', handler)
    app.get('/api//:user_id/x', handler)
    app.get('/api/:user_id/y', handler)
    app.post('/api/:account/tasks', handler)
  })
  t.match(await say(cases),
    'POST /api/:account/tasks (user, default)\n  its ":account" stands where /api/:user_id/y has its owner')
  const constrained = await build((app, handler) =>
    app.post('/API/:account/tasks', { constraints: { host: /^admin/ } }, handler))
  t.equal(await say(constrained), '', 'elsewhere, so it need not be tried')
  const doubled = await host(t, (app, handler) => {
    app.get('/api//:user_id', handler)
    app.get('/api/:account/tasks', handler)
  }, issuer.options, { routerOptions: { ignoreDuplicateSlashes: true } })
  t.match(await say(doubled), 'its ":account" stands where /api//:user_id has its owner')
  const signs = await host(t, (app, handler) => {
    app.get('/a+$$/:user_id/tasks', handler)
    app.get('/A+$$/:account/lists', handler)
  }, issuer.options, { routerOptions: { caseSensitive: false } })
  t.match(await say(signs), 'its ":account" stands where /a+$$/:user_id/tasks has its owner')
  const twice = await build((app, handler) =>
    app.route({ method: ['POST', 'PUT'], url: '/api/:account/tasks', handler }))
  t.match(await say(twice, { bob: 'b/ob' }),
    'POST, PUT /api/:account/tasks (user, default)\n  its ":account" stands where', 'each method, whatever the id')
  const sound = await build((app, handler) => {
    app.post('/api/:n/tasks', { schema: { params: { type: 'object', properties: { n: { type: 'integer' } } } } },
      handler)
    app.put('/api/*', { preHandler: async (_request, reply) => reply.redirect('/elsewhere') }, handler)
    app.patch('/api/:role/tasks',
      { preHandler: async (_request, reply) => reply.code(403).send({ message: 'not for you' }) }, handler)
  })
  t.equal(await say(sound), '')
})

t.test('a query that a host wants from everybody is sent', async (t) => {
  const app = await host(t, (app, handler) => {
    app.addHook('preHandler', async ({ query }, reply) =>
      (query as { key?: string }).key === 'k' ? undefined : reply.code(403).send({ message: 'no' }))
    app.get('/api/:user_id/tasks', handler)
    app.post('/api/:account/tasks', handler)
  })
  t.match(await say(app, { params: { '*': { query: { key: 'k' } } } }),
    'its ":account" stands where /api/:user_id/tasks has its owner')
})

t.test('queries of single routes do not multiply the requests', async (t) => {
  const others: string[] = []
  const count = async (withQueries: boolean) => {
    let requests = 0
    const names = Array.from({ length: 20 }, (_, i) => `/api/:user_id/things-${i}`)
    const app = Fastify()
    t.teardown(() => app.close())
    // Before the guard, which refuses most of them.
    app.addHook('onRequest', async ({ query, url }) => {
      requests++
      const { i } = query as { i?: string }
      if (i !== undefined && !new RegExp(`/things-${i}\\b`).test(url)) others.push(url)
    })
    await app.register(userScope, issuer.options)
    for (const url of names) {
      app.route({ method: 'GET', exposeHeadRoute: false, url, handler: async () => ({ ran: state.ran++ }) })
    }
    const params = Object.fromEntries(names.map((url, i) => [`GET ${url}`, { query: { i: String(i) } }]))
    t.equal(await say(app, withQueries ? { params } : {}), '')
    return requests
  }
  t.equal(await count(true), await count(false))
  t.same(others, [], 'each is only sent to its route')
})

t.test('a route below an owner\'s place, whatever its depth', async (t) => {
  const build = (url: string, routes: Build) => host(t, async (app, handler) => {
    app.get(url, handler)
    await routes(app, handler)
  })
  const leaks: Array<[owner: string, routes: Build, says: string]> = [
    ['/users/:user_id', (app, handler) => app.get('/users/:id/tasks', handler),
      '/users/:id/tasks (user, default)\n  its ":id" stands where /users/:user_id has its owner, and is compared ' +
      "with nobody's id: rename it, or allow: ['GET /users/:id/tasks']\n  request  expected  answer  path\n" +
      "  alice's token, bob's path  403  its handler  /users/bob/tasks"],
    ['/users/:user_id', (app, handler) =>
      app.get('/users/:id/tasks', { config: { access: { scopes: ['tasks:read'] } } }, handler), 'its ":id" stands'],
    ['/users/:user_id', (app, handler) => app.get('/users/:id//tasks', handler), 'its handler  /users/bob//tasks'],
    ['/users/:user_id/tasks', (app, handler) => app.delete('/users/:id', handler),
      '/users/:id (user, default)\n  its ":id"'],
    ['/users/:user_id/tasks/:task_id', (app, handler) =>
      app.delete('/users/:account/tasks/:task_id',
        { schema: { params: Type.Object({ task_id: Type.String({ format: 'uuid' }) }) } }, handler),
    'its ":account" stands where'],
    ['/users/:user_id/tasks/:task_id', (app, handler) => app.delete('/users/:account/tasks/:slug(^[a-z]+$)', handler),
      'its ":account" stands where'],
    ['/u-:user_id/tasks', (app, handler) => app.put('/u-:id/bills', handler), 'its ":id" stands where'],
    ['/:tenant/users/:user_id', (app, handler) => app.put('/:org/users/:id', handler), 'its ":id" stands where'],
    ['/api/:user_id/tasks', (app, handler) => app.get('/api/*', handler), 'it serves paths of /api/:user_id/tasks too'],
    ['/files/:user_id/:name', (app, handler) => app.get('/files/*', handler), 'it serves paths of /files'],
    ['/files/:user_id/*', (app, handler) => app.get('/files/*', handler), 'it serves paths of /files/:user_id/* too'],
    ['/a//:user_id/b', (app, handler) => app.get('/a//:x/c', handler), 'its ":x" stands where /a//:user_id/b'],
    ['/api/:user_id/tasks', (app, handler) => app.get('/api/:id/*', handler), 'its ":id" stands where'],
    ['/a+$$/:user_id', (app, handler) => app.get('/a+$$/:id/tasks', handler), 'its ":id" stands where'],
    ['/:n([^/]+)/users/:user_id/tasks', (app, handler) => app.get('/1/users/:id/bills', handler),
      'its ":id" stands where'],
    ['/api/:user_id/tasks', (app, handler) => app.put('/api/:id/tasks', { constraints: { host: /^admin/ } }, handler),
      'it may serve paths of /api/:user_id/tasks too, and was not tried: give what the request needs']
  ]
  for (const [owner, routes, says] of leaks) t.match(await say(await build(owner, routes)), says)
  const sound: Array<[owner: string, routes: Build]> = [
    ['/users/:user_id', (app, handler) => app.get('/users/me', handler)],
    ['/users/:user_id', (app, handler) => app.get('/users', handler)],
    ['/users/:user_id', (app, handler) => app.get('/groups/:id', handler)],
    ['/users/:user_id', (app, handler) => app.get('/admin/users/:id', handler)],
    ['/a//:user_id', (app, handler) => app.get('/a//me', handler)],
    ['/users/:user_id', (app, handler) => app.put('/users/:n(^\\d+$)/rank', handler)],
    ['/users/:user_id', (app, handler) => app.put('/users/:n-x', handler)],
    ['/users/:user_id', (app, handler) => app.get('/*', handler)],
    ['/users/:user_id', (app, handler) => app.put('/groups/:id', { constraints: { host: /^admin/ } }, handler)],
    ['/users/:user_id', (app, handler) =>
      app.put('/users/:n', { schema: { params: Type.Object({ n: Type.Integer() }) } }, handler)]
  ]
  for (const [owner, routes] of sound) t.equal(await say(await build(owner, routes)), '')
  const refusing = await build('/users/:user_id', (app, handler) => app.put('/users/:id', {
    constraints: { host: /^admin/ },
    preHandler: async (_request, reply) => reply.code(403).send({})
  }, handler))
  t.equal(await say(refusing, { params: { 'PUT /users/:id': { headers: { host: 'admin.example' } } } }), '', 'tried')
  const numbered = await build('/users/:user_id', (app, handler) => app.put('/users/:n(^\\d+$)/rank', handler))
  t.match(await say(numbered, { alice: '7', bob: '8' }), 'its ":n" stands where', 'by the ids that users have')
  const given: Array<[url: string, path: Record<string, string>]> = [
    ['/users/:id/years/:year(^20\\d\\d$)', { year: '2026' }], ['/users/:id/years/:year', { year: '2026' }],
    ['/users/:id/tasks', { id: '7' }]
  ]
  for (const [url, path] of given) {
    const app = await build('/users/:user_id', (app, handler) => app.put(url, handler))
    t.match(await say(app, { params: { '*': { path } } }), /: 1\n\nPUT .*\n {2}its ":id" stands where/, url)
  }
  const versions = await build('/users/:user_id', (app, handler) => {
    app.put('/users/:id', { constraints: { version: '2.0.0' } }, handler)
    app.put('/users/:account/tasks', handler)
  })
  const said = await say(versions)
  t.match(said, 'PUT /users/:id (user, default) {"version":"2.0.0"}\n  its ":id" stands where')
  t.match(said, 'PUT /users/:account/tasks (user, default)\n  its ":account" stands where')
  const misspelt = await build('/users/:user_id', (app, handler) =>
    app.put('/users/:userId', { config: { access: 'user' } }, handler))
  t.match(await say(misspelt), /could not be tried: 1\n\nPUT .*\n.*looks like the owner's parameter/, 'named once')
  const root = await build('/api/:user_id/tasks', async (app, handler) =>
    await app.register(async (child) => { child.post('/', handler) }, { prefix: '/api/:id/notes' }))
  t.equal(await say(root, { allow: ['POST /api/:id/notes'] }), '', 'the root of a prefix is one route')
  for (const [owner, url] of [
    ['/acme/users/:user_id', '/:org_id/users/:id/tasks'], ['/:org_id/users/:user_id', '/acme/users/:id/tasks']
  ] as const) {
    const bound = await host(t, (app, handler) => {
      app.get(owner, handler)
      app.put(url, handler)
    }, { ...issuer.options, bind: { org_id: 'org' } })
    t.match(await say(bound, { alice: { id: 'alice', org: 'acme' } }), `its ":id" stands where ${owner} has`)
  }
  const hosted = await host(t, (app, handler) => {
    app.get('/users/:user_id', { constraints: { host: 'admin.example' } }, handler)
    app.get('/users/:id/tasks', { constraints: { host: /^admin/ } }, handler)
  })
  t.match(await say(hosted), 'its ":id" stands where /users/:user_id has its owner')
  const custom = await host(t, (app, handler) => {
    app.addConstraintStrategy({
      name: 'tenant',
      storage: () => {
        const handlers = new Map<unknown, never>()
        return {
          get: (key) => handlers.get(key) ?? null, set: (key, handler) => { handlers.set(key, handler as never) }
        }
      },
      deriveConstraint: ({ headers }) => headers['x-tenant'],
      validate: () => true
    })
    app.get('/users/:user_id', handler)
    app.put('/users/:id', { constraints: { tenant: 'acme' } }, handler)
  })
  t.match(await say(custom), 'PUT /users/:id (user, default) {"tenant":"acme"}\n  it may serve paths of')
  t.match(await say(custom, { params: { 'PUT /users/:id': { headers: { 'x-tenant': 'acme' } } } }),
    'its ":id" stands where /users/:user_id has its owner')
  const outside = Fastify()
  t.teardown(() => outside.close())
  await outside.register(async (child) => {
    await child.register(userScope, issuer.options)
    child.get('/users/:user_id/tasks', async () => ({}))
  })
  outside.get('/users/:person/invoices', async () => ({ ran: state.ran++ }))
  t.match(await say(outside), '/users/:person/invoices (unguarded)\n  its ":person" stands where')
})

t.test('of all these hosts no handler ran', async (t) => { t.equal(state.ran, 0) })
