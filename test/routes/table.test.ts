import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import userScope, { getUser, type AccessLevel } from '../../lib/index.js'
import { bearer, secret, sender, tokenFor, type LogLine } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const alice = bearer(tokenFor('alice'))
const id = async (request: Parameters<typeof getUser>[0]) => ({ user: getUser(request)?.id ?? null })

/** A host that declares routes before and after the plugin. */
async function host (t: Test, setUp: (app: FastifyInstance) => void | Promise<void>) {
  const log: LogLine[] = []
  const app = Fastify({
    logger: { level: 'warn', stream: { write: (line: string) => { log.push(JSON.parse(line) as LogLine) } } }
  })
  t.teardown(async () => { await app.close() })
  await setUp(app)
  await app.ready()
  const send = sender(app)
  const status = async (url: string, headers = {}, method: 'GET' | 'POST' | 'PUT' | 'OPTIONS' = 'GET') =>
    (await send({ url, headers, method })).status
  return { app, log, status, send }
}

t.test('routes declared before the plugin are guarded by their own parameters', async (t) => {
  const { app, log, status } = await host(t, async (app) => {
    app.get('/early/:user_id', id)
    app.get('/early/opt/:user_id?', id)
    app.get('/early/mine', id)
    app.get('/early/open', { config: { access: 'public' } }, id)
    app.get('/early/maybe', { config: { access: 'optional' } }, id)
    app.get('/early/c::olon', id)
    app.get('/early/files/*', id)
    app.route({ method: ['POST', 'PUT'], url: '/early/:user_id/both', handler: id })
    app.options('/early/preflight', id)
    app.options('*', id)
    await app.register(async (child) => { child.get('/:user_id', id) }, { prefix: '/child' })
    await app.register(userScope, { secret })
    app.get('/late/:user_id', id)
  })
  const rows: Array<[url: string, none: number, own: number, other: number | null]> = [
    ['/early/USER', 401, 200, 403],
    ['/early/opt/USER', 401, 200, 403],
    ['/early/mine', 401, 200, null],
    ['/early/open', 200, 200, null],
    ['/early/maybe', 200, 200, null],
    ['/early/c:olon', 401, 200, null],
    ['/early/files/x', 401, 200, null],
    ['/child/USER', 401, 200, 403],
    ['/late/USER', 401, 200, 403]
  ]
  for (const [url, none, own, other] of rows) {
    const path = (user: string) => url.replace('USER', user)
    t.equal(await status(path('alice')), none, url)
    t.equal(await status(path('alice'), alice), own, url)
    t.equal(await status(path('alice'), alice), own, `${url}, asked again`)
    if (other) t.equal(await status(path('bob'), alice), other, url)
  }
  t.equal(await status('/early/opt/', alice), 403)
  t.equal(await status('/early/opt', alice), 403)
  t.equal(await status('/early/bob/both', alice, 'POST'), 403)

  t.same(log, [], 'nothing to warn of')
  const routes = app.userScope.routes().map(({ method, url, access, source }) =>
    [method, url, access, source].join(' '))
  for (const route of [
    'GET /early/:user_id owner default', 'GET /early/mine user default', 'GET /early/open public stated',
    'GET /early/c::olon user default', 'GET /early/files/* user default', 'POST /early/:user_id/both owner default',
    'PUT /early/:user_id/both owner default', 'GET /child/:user_id owner default', 'GET /late/:user_id owner default'
  ]) t.ok(routes.includes(route), route)
})

t.test('a hook that changes the parameter of such a route is refused too', async (t) => {
  const { status } = await host(t, async (app) => {
    app.get('/early/:user_id', { preValidation: async (request) => { request.params = { user_id: 'bob' } } }, id)
    await app.register(userScope, { secret })
  })
  t.equal(await status('/early/alice', alice), 403)
})

t.test('without await, routes declared right after are guarded as well', async (t) => {
  const { status, log } = await host(t, (app) => {
    app.register(userScope, { secret })
    app.get('/u/:user_id', id)
    app.get('/mine', id)
    app.get('/open', { config: { access: 'public' } }, id)
  })
  t.same([await status('/u/alice'), await status('/u/alice', alice), await status('/u/bob', alice)], [401, 200, 403])
  t.same([await status('/mine'), await status('/mine', alice), await status('/open')], [401, 200, 200])
  t.same(log, [])
})

t.test('a fault of such a route stops the boot too', async (t) => {
  const rows: Array<[url: string, access: unknown, message: RegExp]> = [
    ['/x/:userId', undefined, /route GET \/x\/:userId: ":userId" looks like the owner's parameter/],
    ['/x/:user_id/y/:user_id', undefined, /has the parameter ":user_id" twice/],
    ['/x/:user_id', 'nobody', /config\.access is 'nobody'/],
    ['/x', 'owner', /has no parameter ":user_id"/]
  ]
  for (const [url, access, message] of rows) {
    await t.rejects(host(t, async (app) => {
      app.get(url, access === undefined ? {} : { config: { access: access as 'owner' } }, id)
      await app.register(userScope, { secret })
      app.post('/x/:id', id)
    }), { code: 'FST_USER_SCOPE_INVALID_ROUTE', message }, url)
  }
})

t.test('a route that stops the boot is named with all of its methods', async (t) => {
  await t.rejects(host(t, async (app) => {
    await app.register(userScope, { secret })
    app.route({ method: ['GET', 'POST'], url: '/x/:userId', handler: id })
  }), { message: /route GET, POST \/x\/:userId: / })
})

t.test('two names for one parameter, a single node of the router, are judged apart', async (t) => {
  const { status } = await host(t, async (app) => {
    app.get('/x/:userId/public', { config: { access: 'public' } }, id)
    app.get('/x/:user_id/own', id)
    await app.register(userScope, { secret })
  })
  t.same(
    [
      await status('/x/a/public'),
      await status('/x/alice/own'),
      await status('/x/alice/own', alice),
      await status('/x/bob/own', alice)
    ],
    [200, 401, 200, 403]
  )
})

t.test('unusual URLs and constraints boot', async (t) => {
  const { status, app } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    const oddUrls = ['/a• (b/c', '/a• (b/d', '/ax', '/line\u2028separator', '/x\ry', '/space (GET)', '/│   x']
    for (const url of [...oddUrls, '/└── y']) app.get(url, id)
    app.get('/v', { constraints: { version: '1.0.0' } }, id)
    // Takes the mark that the plugin set.
    app.addHook('onRoute', (route) => { route.preHandler = async () => {} })
    app.get('/stated/:userId', { config: { access: 'public' } }, id)
  })
  t.equal(await status('/stated/x'), 200)
  const stated = app.userScope.routes().filter(({ url }) => url === '/stated/:userId')
  t.same(stated.map(({ access, source }) => `${access} ${source}`), ['public stated', 'public stated'])
})

t.test('the config of a route in another scope does not bring its level along', async (t) => {
  let copied: RouteOptions['config']
  const { status } = await host(t, async (app) => {
    await app.register(async (child) => {
      await child.register(userScope, { secret })
      child.addHook('onRoute', (route) => { copied = route.config })
      child.get('/open', { config: { access: 'public' } }, id)
    }, { prefix: '/a' })
    await app.register(async (child) => {
      child.get('/copy', { config: { ...copied, access: undefined as unknown as 'user' } }, id)
      await child.register(userScope, { secret })
    }, { prefix: '/b' })
  })
  t.same([await status('/a/open'), await status('/b/copy')], [200, 401])
})

t.test('routes outside of the scope are left alone', async (t) => {
  const { status, app } = await host(t, async (app) => {
    app.get('/outside/:userId', id)
    await app.register(async (child) => {
      child.get('/early/:user_id', id)
      await child.register(userScope, { secret })
      child.get('/:user_id', id)
      t.equal(child.userScope.routes().length, 4)
    }, { prefix: '/inside' })
  })
  t.same(
    [
      await status('/outside/x'),
      await status('/inside/alice'),
      await status('/inside/alice', alice),
      await status('/inside/early/bob', alice)
    ],
    [200, 401, 200, 403]
  )
  t.notOk('userScope' in app)
})

t.test('the level of another plugin\'s routes can be stated by a hook', async (t) => {
  const thirdParty = async (app: FastifyInstance) => { app.get('/page', id) }
  const publish = (route: RouteOptions) => { route.config = { ...route.config, access: 'public' } }
  const { status, app } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    await app.register(async (docs) => {
      docs.addHook('onRoute', publish)
      await docs.register(thirdParty)
    }, { prefix: '/docs' })
    await app.register(thirdParty, { prefix: '/private' })
  })
  t.same([await status('/docs/page'), await status('/private/page')], [200, 401])
  t.match(app.userScope.routes()[0], { url: '/docs/page', access: 'public', source: 'stated' })
})

t.test('a config that several routes share, and that changes in between, says what it said', async (t) => {
  const { status, app } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    const config: { access: AccessLevel } = { access: 'user' }
    app.get('/first', { config }, id)
    config.access = 'public'
    app.get('/second', { config }, id)
    config.access = 'optional'
  })
  t.same([await status('/first'), await status('/second')], [401, 200])
  const gets = app.userScope.routes().filter(({ method }) => method === 'GET')
  t.match(gets.map(({ access }) => access), sameLength(['user', 'public']))
})

t.test('a list of methods that changes in between says what it said', async (t) => {
  const method = ['GET']
  const { status, app } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    app.route({ method, url: '/list/:user_id', handler: id })
    method[0] = 'OPTIONS'
    app.route({ method, url: '/list/:user_id', handler: id })
  })
  t.same([await status('/list/bob'), await status('/list/bob', {}, 'OPTIONS')], [401, 200])
  const listed = app.userScope.routes()
  t.same(listed.map(({ method, access }) => [method, access]),
    [['GET', 'owner'], ['HEAD', 'owner'], ['OPTIONS', 'public']])
})

t.test('routes of one URL keep their own levels', async (t) => {
  const { app } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    app.get('/x', { config: { access: 'public' }, exposeHeadRoute: false }, id)
    app.put('/x', id)
    app.options('/x', id)
    app.delete('/x', { config: { access: 'public' } }, id)
    app.post('/x', { config: { access: 'user' } }, id)
  })
  t.same(app.userScope.routes().map(({ access }) => access), ['public', 'user', 'public', 'public', 'user'])
})

t.test('a rule that changes in between says what it said', async (t) => {
  const { status, app } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    const rule: { level?: AccessLevel, scopes?: string[] } = { scopes: ['admin'] }
    app.get('/first', { config: { access: rule } }, id)
    rule.scopes?.push('more')
    rule.scopes = ['user']
    app.get('/second', { config: { access: rule } }, id)
    delete rule.scopes
    rule.level = 'public'
  })
  const of = (scope: string) => bearer(tokenFor('alice', { scope }))
  t.equal(await status('/first'), 401)
  t.same([await status('/first', of('user')), await status('/first', of('admin'))], [403, 200])
  t.same([await status('/second', of('user')), await status('/second', of('admin'))], [200, 403])
  t.match(app.userScope.routes()[0], sameLength({ scopes: ['admin'] }))
})

t.test('a hook that later states an unknown level stops the boot', async (t) => {
  await t.rejects(host(t, async (app) => {
    await app.register(userScope, { secret })
    app.addHook('onRoute', (route) => { route.config = { ...route.config, access: 'nobody' as 'public' } })
    app.get('/x', id)
  }), { code: 'FST_USER_SCOPE_INVALID_ROUTE' })
})

t.test('a hook that drops a rule stops the boot', async (t) => {
  const drop = { rate: 5 } as never
  const hooks: Array<(route: RouteOptions) => void> = [
    (route) => { delete route.config }, (route) => { route.config = drop }, (route) => { delete route.config?.access }
  ]
  for (const hook of hooks) {
    const declared = (app: FastifyInstance) => app.put('/x', { config: { access: { scopes: ['write'] } } }, id)
    for (const isEarly of [true, false]) {
      await t.rejects(host(t, async (app) => {
        app.addHook('onRoute', hook)
        if (isEarly) declared(app)
        await app.register(userScope, { secret })
        if (!isEarly) declared(app)
      }), {
        code: 'FST_USER_SCOPE_INVALID_ROUTE',
        message: 'route PUT /x: a rule was stated in its config.access, and an onRoute hook took it away. ' +
          'Let the hook keep it, as in options.config = { ...options.config, … }'
      })
    }
  }
})

t.test('a hook that gives several routes one config stops the boot', async (t) => {
  const shared: { access?: unknown } = {}
  const hooks: Array<(route: RouteOptions) => void> = [
    (route) => { route.config = shared as never },
    (route) => {
      shared.access = route.url === '/outside' ? 'public' : 'owner'
      route.config = shared as never
    },
    (route) => { route.config = Object.assign(shared, { access: 'user' }, route.config) as never },
    (route) => { route.config = Object.assign(shared, { access: 'admin' }) as never } // no fault of its own
  ]
  for (const hook of hooks) {
    const app = Fastify()
    t.teardown(() => app.close())
    app.addHook('onRoute', hook)
    app.get('/outside', id)
    await app.register(async (app) => {
      await app.register(userScope, { secret })
      app.get('/:user_id', { exposeHeadRoute: false }, id) // it shares only with the one outside
    })
    await t.rejects(async () => { await app.ready() }, {
      code: 'FST_USER_SCOPE_INVALID_ROUTE',
      message: 'route GET /:user_id: an onRoute hook gives several routes one config, which at the end says what it ' +
        'wrote for the last. Let the hook make one for each, as in options.config = { ...options.config, … }'
    })
  }
  const { status } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    const config = { access: 'user' as const }
    app.get('/a', { config }, id)
    app.get('/b', { config }, id)
  })
  t.same([await status('/a'), await status('/b', alice)], [401, 200], 'without a hook they may share one')
})

t.test('a hook that declares a route may go on with the config of its own', async (t) => {
  const { status } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    app.addHook('onRoute', function (route) {
      if (route.method === 'OPTIONS') return
      const config = route.config = { ...route.config }
      this.options(route.url, { config: { access: 'public' } }, id)
      config.access ??= { scopes: ['admin'] }
    })
    app.put('/x', id)
    app.put('/:user_id', { config: { access: 'owner' } }, id)
  })
  const send = async (url: string, scope: string) => await status(url, bearer(tokenFor('alice', { scope })), 'PUT')
  t.same([await send('/x', 'user'), await send('/x', 'admin'), await send('/bob', 'admin')], [403, 200, 403])
})

t.test('a hook may state levels until the app is ready', async (t) => {
  const configs: Array<{ access?: unknown }> = []
  const { status } = await host(t, async (app) => {
    app.addHook('onRoute', (route) => { configs.push(route.config = { ...route.config }) })
    app.addHook('onReady', async () => { for (const config of configs) config.access ??= { scopes: ['admin'] } })
    await app.register(userScope, { secret })
    for (const url of ['/a', '/b', '/c']) app.get(url, id)
  })
  for (const url of ['/a', '/b', '/c']) t.equal(await status(url, alice), 403, url)
})

t.test('a hook that drops the level of a route for OPTIONS stops the boot', async (t) => {
  const hosts = (access: AccessLevel) => host(t, async (app) => {
    app.addHook('onRoute', (route) => { route.config = {} })
    await app.register(userScope, { secret })
    app.options('/:user_id', { config: { access } }, id)
  })
  await t.rejects(hosts('owner'), { message: /route OPTIONS \/:user_id: a rule was stated/ })
  t.equal(await (await hosts('public')).status('/bob', {}, 'OPTIONS'), 200)
})

t.test('all routes at fault are named at once, each with its fix', async (t) => {
  const error = await host(t, async (app) => {
    await app.register(userScope, { secret, requireStatedAccess: true })
    app.get('/a/:id', id)
    app.put('/a/:id', id)
    app.get('/sound/:user_id', id)
    app.post('/b/:userId', id)
    app.head('/c/:id', id)
  }).then(() => null, (error: Error) => error)
  const lines = error?.message.split('\n') ?? []
  t.equal(lines.length, 4, 'HEAD is not named beside GET')
  const names = lines.map((line) => /route (.*?): "/.exec(line)?.[1])
  t.same(names, ['GET /a/:id', 'PUT /a/:id', 'POST /b/:userId', 'HEAD /c/:id'])
})

t.test('a hook that drops the config, or adds the parameter to the URL, opens nothing', async (t) => {
  const { status } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    app.addHook('onRoute', (route) => {
      if (route.url === '/dropped/:user_id') delete route.config
      if (route.url === '/moved') route.url = '/moved/:user_id'
    })
    app.get('/dropped/:user_id', { config: { access: 'owner' } }, id)
    app.get('/moved', id)
  })
  t.same(
    [await status('/dropped/alice'), await status('/dropped/alice', alice), await status('/dropped/bob', alice)],
    [401, 200, 403]
  )
  t.same(
    [await status('/moved/alice'), await status('/moved/alice', alice), await status('/moved/bob', alice)],
    [401, 200, 403]
  )
})

t.test('a parameter that the URL does not show is the owner\'s all the same', async (t) => {
  const { status } = await host(t, async (app) => {
    app.addHook('onRequest', async (request) => { request.params = { user_id: 'bob' } })
    await app.register(userScope, { secret })
    app.get('/mine', id)
    app.get('/stated', { config: { access: 'user' } }, id)
    app.get('/scoped', { config: { access: { scopes: ['a'] } } }, id)
    app.options('/preflight', id)
  })
  t.same(
    [await status('/mine', alice), await status('/mine', bearer(tokenFor('bob'))), await status('/stated', alice)],
    [403, 200, 200]
  )
  const scoped = async (user: string) => await status('/scoped', bearer(tokenFor(user, { scope: 'a' })))
  t.same([await scoped('alice'), await scoped('bob')], [403, 200])
  t.equal(await status('/preflight', {}, 'OPTIONS'), 200, 'but on a route that is open')
})

t.test('one config object may serve several routes, and is not changed', async (t) => {
  const config = Object.freeze({ access: 'public' } as const)
  const none = Object.freeze({})
  const { status } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    app.get('/a', { config }, id)
    app.get('/b', { config }, id)
    app.get('/c', { config: none }, id)
    app.get('/u/:user_id', { config: none }, id)
  })
  t.same(
    [await status('/a'), await status('/b'), await status('/c', alice), await status('/u/bob', alice)],
    [200, 200, 200, 403]
  )
  t.same(Reflect.ownKeys(config), ['access'])
  t.same(Reflect.ownKeys(none), [])
})

t.test('the root of a prefix and routes with constraints are guarded', async (t) => {
  const { status, send } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    await app.register(async (child) => { child.get('/', id) }, { prefix: '/u/:user_id' })
    app.get('/v/:user_id', { constraints: { version: '2.0.0' } }, id)
    app.get('/v/:user_id', { constraints: { host: 'open.example' }, config: { access: 'public' } }, id)
  })
  for (const path of ['/u/USER', '/u/USER/']) {
    t.same(
      [
        await status(path.replace('USER', 'alice')),
        await status(path.replace('USER', 'alice'), alice),
        await status(path.replace('USER', 'bob'), alice)
      ],
      [401, 200, 403],
      path
    )
  }
  t.match(await send({ url: '/v/bob', headers: { ...alice, 'accept-version': '2.x' } }), { status: 403 })
  t.match(await send({ url: '/v/bob', headers: { host: 'open.example' } }), { status: 200 })
})

t.test('the guard does what the table says', async (t) => {
  const { app, send } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    const levels = [undefined, 'owner', 'user', 'optional', 'public'] as const
    for (let i = 0; i < 200; i++) {
      const access = levels[i % levels.length]
      const url = `${i % 2 || access === 'owner' ? '/:user_id' : ''}/things/${i}${i % 3 ? '/:thing' : ''}`
      const method = (['GET', 'POST', 'DELETE', ['PUT', 'PATCH']] as const)[i % 4] as string | string[]
      await app.register(
        async (child) => { child.route({ method, url, ...access && { config: { access } }, handler: id }) },
        { prefix: i % 7 ? '/api' : '/' }
      )
    }
  })
  const expected = {
    owner: [401, 401, 200, 403],
    user: [401, 401, 200, 200],
    optional: [200, 401, 200, 200],
    public: [200, 200, 200, 200]
  }
  const table = app.userScope.routes()
  t.ok(table.length > 250)
  for (const { method, url, access, parameter } of table) {
    t.equal(parameter, access === 'owner' ? 'user_id' : null)
    const ofAlice = url.replace(':user_id', 'alice').replace(':thing', 'x')
    const status = async (headers = {}) => (await send({ method: method as 'GET', url: ofAlice, headers })).status
    t.same(
      [await status(), await status(bearer('bad')), await status(alice), await status(bearer(tokenFor('stranger')))],
      expected[access],
      `${method} ${url}`
    )
  }
})

t.test('the table can be printed', async (t) => {
  const { app } = await host(t, async (app) => {
    app.get('/early', id)
    await app.register(userScope, { secret })
    app.get('/api/:user_id/tasks', id)
    app.post('/api/:user_id/tasks', id)
    app.get('/api/me', id)
    app.get('/health', { config: { access: 'public' } }, id)
    app.options('*', id)
  })
  t.equal(app.userScope.printRoutes(), [
    'public     *  OPTIONS  default',
    'owner      /api/:user_id/tasks  GET, HEAD, POST  default',
    'user       /api/me  GET, HEAD  default',
    'user       /early  GET, HEAD  default',
    'public     /health  GET, HEAD  stated',
    ''
  ].join('\n'))
  const empty = await host(t, async (app) => { await app.register(userScope, { secret }) })
  t.equal(empty.app.userScope.printRoutes(), '')
})

t.test('a longer route adds one line to the printed table and changes no other', async (t) => {
  const table = async (...urls: string[]) => {
    const { app } = await host(t, async (app) => {
      await app.register(userScope, { secret })
      for (const url of urls) app.get(url, { config: { access: url.includes(':') ? 'owner' : 'optional' } }, id)
    })
    return app.userScope.printRoutes().split('\n')
  }
  const lines = await table('/a', '/c')
  const added = 'owner      /b/:user_id/much/longer/than/the/others  GET, HEAD  stated'
  t.same(await table('/a', '/b/:user_id/much/longer/than/the/others', '/c'), [lines[0], added, ...lines.slice(1)])
})

t.test('the table has both spellings of the root of a prefix', async (t) => {
  const { app, status } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    await app.register(async (child) => { child.get('/', id) }, { prefix: '/of/:user_id' })
    app.get('/slash/', { exposeHeadRoute: false, config: { access: 'public' } }, id)
  })
  t.equal(app.userScope.routes().filter(({ url }) => url === '/slash/').length, 1, 'it is no root of a prefix')
  t.equal(
    app.userScope.printRoutes(),
    'owner      /of/:user_id  GET, HEAD  default\nowner      /of/:user_id/  GET, HEAD  default\n' +
      'public     /slash/  GET  stated\n'
  )
  const nothing = { scopes: null, delegates: null, bound: [], unbound: [] }
  t.match(app.userScope.routes()[0], sameLength({ method: 'GET', url: '/of/:user_id', ...nothing }))
  t.same(app.userScope.routes()[0]?.constraints, {})
  for (const url of ['/of/alice', '/of/alice/']) t.equal(await status(url, alice), 200, url)
  for (const url of ['/of/bob', '/of/bob/']) t.equal(await status(url, alice), 403, url)
})

t.test('a route is judged after all onRoute hooks of the host', async (t) => {
  type Change = (route: RouteOptions & { method: string | string[] }) => void
  const changed = (method: string | string[], url: string, change: Change) => host(t, async (app) => {
    await app.register(userScope, { secret })
    app.addHook('onRoute', change as (route: RouteOptions) => void)
    app.route({ method, url, exposeHeadRoute: false, handler: id })
  })

  for (const [method, change] of [
    ['OPTIONS', (route) => { route.method = ['OPTIONS', 'GET'] }],
    [['OPTIONS'], (route) => { (route.method as string[]).push('GET') }]
  ] as Array<[string | string[], Change]>) {
    const { app, status } = await changed(method, '/tasks', change)
    t.equal(await status('/tasks'), 401)
    t.equal(app.userScope.printRoutes(), 'user       /tasks  GET, OPTIONS  default\n')
  }

  const { app, status } = await changed('GET', '/tasks', (route) => { route.url = '/:user_id/tasks' })
  t.equal(await status('/alice/tasks', alice), 200)
  t.equal(await status('/bob/tasks', alice), 403)
  t.equal(app.userScope.printRoutes(), 'owner      /:user_id/tasks  GET  default\n')

  for (const url of ['/:userId/tasks', '/:user_id/tasks/:user_id']) {
    await t.rejects(
      changed('GET', '/tasks', (route) => { route.url = url }),
      { code: 'FST_USER_SCOPE_INVALID_ROUTE' },
      url
    )
  }
})

t.test('two routes with the same name and level keep their own rules', async (t) => {
  const { send } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    app.get('/v', { constraints: { version: '1.0.0' } }, id)
    app.get('/v', { constraints: { version: '2.0.0' }, config: { access: { scopes: ['a'] } } }, id)
    app.get('/v', { constraints: { version: '3.0.0' }, config: { access: { scopes: ['b'] } } }, id)
  })
  const status = async (version: string, scope: string) => {
    const headers = { ...bearer(tokenFor('alice', { scope })), 'accept-version': version }
    return (await send({ url: '/v', headers })).status
  }
  t.same([await status('1.x', ''), await status('2.x', ''), await status('3.x', '')], [200, 403, 403])
  t.same([await status('2.x', 'a'), await status('3.x', 'a'), await status('3.x', 'b')], [200, 403, 200])
})

t.test('the table shows constraints', async (t) => {
  const { app } = await host(t, async (app) => {
    await app.register(userScope, { secret })
    app.route({ method: 'GET', url: '/v', constraints: { version: '1.0.0' }, exposeHeadRoute: false, handler: id })
    app.route({
      method: 'GET',
      url: '/v',
      constraints: { host: /x$/ },
      exposeHeadRoute: false,
      handler: id,
      config: { access: 'public' }
    })
  })
  t.equal(app.userScope.printRoutes(), [
    'user       /v {"version":"1.0.0"}  GET  default',
    'public     /v {"host":"/x$/"}  GET  stated'
  ].sort((a, b) => a.slice(11) < b.slice(11) ? -1 : 1).join('\n') + '\n')
  t.match(app.userScope.routes(), sameLength([{ constraints: { version: '1.0.0' } }, { constraints: { host: /x$/ } }]))
})

t.test('a hook that changes the config of a request changes nothing', async (t) => {
  const { status } = await host(t, async (app) => {
    app.addHook('onRequest', async ({ routeOptions: { config } }) => {
      config.access = config.access === 'public' ? 'user' : 'public'
    })
    await app.register(userScope, { secret })
    app.get('/u/:user_id', id)
    await app.register(async (child) => { child.get('/', id) }, { prefix: '/of/:user_id' })
    app.get('/open', { config: { access: 'public' } }, id)
    app.options('/preflight', id)
  })
  for (const [url, method] of [['/open', 'GET'], ['/preflight', 'OPTIONS']] as const) {
    t.same([await status(url, {}, method), await status(url, {}, method)], [200, 200], url)
  }
  for (const path of ['/u/alice', '/of/alice', '/of/alice/']) {
    t.same([await status(path), await status(path), await status(path, alice)], [401, 401, 200], path)
  }
  // Which of several routes with one name it is, only the config of the first request tells.
  const { send } = await host(t, async (app) => {
    app.addHook('onSend', async ({ routeOptions: { config } }) => { config.access = 'public' })
    await app.register(userScope, { secret })
    app.get('/v', { constraints: { version: '1.0.0' } }, id)
    app.get('/v', { constraints: { version: '2.0.0' }, config: { access: { scopes: ['a'] } } }, id)
  })
  for (const version of ['1.x', '1.x', '2.x', '2.x']) {
    t.match(await send({ url: '/v', headers: { 'accept-version': version } }), { status: 401 }, version)
  }
})
