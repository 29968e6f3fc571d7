import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import autoload from '@fastify/autoload'
import cors from '@fastify/cors'
import Fastify, { type FastifyContextConfig, type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import { bearer, processWarnings, secret, tokenFor, type LogLine } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const unguarded = new RegExp('no registration guards these routes, .* or a bound one. Fix: register .*a wrapper ' +
  'needs fastify-plugin, .*, or state config.access: \'public\' on them if this is intended')
const guardsNothing = /this registration guards no route .* the usual cause is a wrapper .* context of the routes$/
const id = async () => 'in'
const routes: FastifyPluginAsync = async (app) => {
  app.get('/:user_id/tasks', { exposeHeadRoute: false }, id)
  app.get('/open/:user_id', { exposeHeadRoute: false, config: { access: 'public' } }, id)
  app.get('/tasks', { exposeHeadRoute: false }, id)
}
// A new one each time, as fastify-plugin marks the function that it is given.
const auth = (): FastifyPluginAsync => async (app) => { await app.register(userScope, { secret }) }

function create () {
  const log: LogLine[] = []
  const stream = { write: (line: string) => { log.push(JSON.parse(line) as LogLine) } }
  return { app: Fastify({ logger: { level: 'warn', stream } }), log }
}

/** The warnings of a boot, and what alice gets on bob's path. */
async function boot (t: Test, setUp: (app: FastifyInstance) => void | Promise<void>, { app, log } = create()) {
  t.teardown(() => app.close())
  await setUp(app)
  await app.ready()
  const { statusCode } = await app.inject({ url: '/api/bob/tasks', headers: bearer(tokenFor('alice')) })
  return { status: statusCode, log }
}

const named = { msg: unguarded, routes: ['GET /api/:user_id/tasks'] }

t.test('a sound host has no warning', async (t) => {
  const { status, log } = await boot(t, async (app) => {
    await app.register(fp(auth()))
    await app.register(routes, { prefix: '/api' })
  })
  t.same([status, log], [403, []])
})

t.test('a wrapper without fastify-plugin is warned about', async (t) => {
  const { status, log } = await boot(t, async (app) => {
    await app.register(auth())
    await app.register(routes, { prefix: '/api' })
  })
  t.equal(status, 200)
  t.match(log, sameLength([{ level: 40, msg: guardsNothing }, named]))
  t.match(log[0]?.msg, /fp\(wrapper\)/)
})

t.test('a registration beside its routes is warned about', async (t) => {
  const { status, log } = await boot(t, async (app) => {
    await app.register(async (api) => {
      await api.register(userScope, { secret })
      api.get('/me', { exposeHeadRoute: false }, id)
    }, { prefix: '/api' })
    await app.register(routes, { prefix: '/api' })
  })
  t.equal(status, 200)
  t.match(log, [named])
  t.equal(log.length, 1)
})

t.test('a registration may guard nothing if the level of all other routes is public', async (t) => {
  for (const access of ['public', { level: 'public' }, 'user', undefined]) {
    const config = access === undefined ? {} : { config: { access: access as 'public' } }
    const { log } = await boot(t, async (app) => {
      await app.register(async (scope) => { await scope.register(userScope, { secret }) })
      app.get('/health', config, id)
    })
    t.equal(log.some(({ msg }) => guardsNothing.test(String(msg))), access === 'user' || access === undefined)
  }
})

t.test('a registration may have optional routes alone', async (t) => {
  const { log } = await boot(t, async (app) => {
    await app.register(async (scope) => {
      await scope.register(userScope, { secret })
      scope.get('/news', { config: { access: 'optional' } }, id)
    })
    app.get('/health', id)
  })
  t.same(log, [])
})

t.test('a wrapper without fastify-plugin is warned about if it also has the public routes to sign in', async (t) => {
  const wrapper = async (scope: FastifyInstance, path: string) => {
    await scope.register(userScope, { secret })
    scope.all(path, { config: { access: 'public' } }, id)
  }
  const { status, log } = await boot(t, async (app) => {
    await app.register((scope) => wrapper(scope, '/auth/*'))
    await app.register(routes, { prefix: '/api' })
  })
  t.equal(status, 200)
  t.match(log, sameLength([{ msg: guardsNothing }, named]))
  // Of several registrations, one may be around public routes on purpose.
  const several = await boot(t, async (app) => {
    await app.register((scope) => wrapper(scope, '/auth/*'))
    await app.register(async (scope) => {
      await scope.register(userScope, { secret })
      await scope.register(routes, { prefix: '/api' })
    })
    app.get('/docs', id)
  })
  t.same([several.status, several.log], [403, []])
})

t.test('a route for preflights alone is neither guarded nor left out', async (t) => {
  const wrapped = await boot(t, async (app) => {
    await app.register(async (wrapper) => {
      await wrapper.register(cors)
      await wrapper.register(userScope, { secret })
    })
    app.get('/me', id)
  })
  t.match(wrapped.log, sameLength([{ msg: guardsNothing }]))
  const beside = await boot(t, async (app) => {
    await app.register(async (wrapper) => {
      await wrapper.register(cors)
      await wrapper.register(userScope, { secret })
    })
    await app.register(async (api) => {
      await api.register(userScope, { secret })
      await api.register(routes)
    })
    app.get('/me', id)
  })
  t.match(beside.log, sameLength([{ msg: guardsNothing }]))
  const cascading = await boot(t, async (app) => {
    await app.register(cors)
    for (const prefix of ['/api', '/empty']) {
      await app.register(async (folder) => {
        await folder.register(userScope, { secret })
        if (prefix === '/api') await folder.register(routes)
      }, { prefix })
    }
  })
  t.same(cascading.log, [])
})

t.test('each app has one warning, only about routes outside of all registrations', async (t) => {
  const { log } = await boot(t, async (app) => {
    for (const prefix of ['/a', '/b']) {
      await app.register(async (api) => {
        const userIdParam = prefix === '/a' ? 'user_id' : 'account'
        await api.register(userScope, { secret, userIdParam, ...prefix === '/b' && { bind: { org_id: 'org_id' } } })
        api.get(`/:${userIdParam}`, id)
      }, { prefix })
    }
    app.get('/c/:account', { exposeHeadRoute: false }, id)
    app.route({ method: ['GET', 'POST'], url: '/c/:user_id/x', exposeHeadRoute: false, handler: id })
    app.get('/d/:task', id)
    app.get('/e/:org_id', { exposeHeadRoute: false }, id)
  })
  t.match(log, [{ msg: unguarded }])
  t.same(log[0]?.routes, ['GET /c/:account', 'GET /c/:user_id/x, POST /c/:user_id/x', 'GET /e/:org_id'])
  t.equal(log.length, 1)
})

t.test('outside of every registration only the level public prevents the warning', async (t) => {
  const rows: Array<[url: string, access: unknown, isWarnedOf: boolean]> = [
    ['/a/:user_id', 'owner', true], ['/b/:user_id', { level: 'owner' }, true], ['/c', 'user', true],
    ['/d', 'optional', true], ['/e', { scopes: ['tasks:read'] }, true], ['/f/:user_id', 'admin', true],
    ['/g', 'admin', false], ['/h/:user_id', 'public', false], ['/i/:user_id', { level: 'public' }, false],
    ['/j', undefined, false]
  ]
  const { log } = await boot(t, async (app) => {
    await app.register(async (api) => {
      await api.register(userScope, { secret })
      api.get('/me', id)
    })
    for (const [url, access] of rows) {
      app.get(url, { exposeHeadRoute: false, config: { ...access !== undefined && { access } } as object }, id)
    }
    app.options('/a/:user_id', id)
  })
  const routes = rows.filter(([, , isWarnedOf]) => isWarnedOf).map(([url]) => `GET ${url}`)
  t.match(log, sameLength([{ msg: unguarded, routes }]))
  t.equal((log[0]?.routes as string[]).length, 6)
})

t.test('routes that a second copy of the package guards are not warned about', async (t) => {
  const { log } = await boot(t, async (app) => {
    await app.register(async (scope) => {
      scope.decorate('userScope', { routes: () => [] } as never)
      await scope.register(routes, { prefix: '/copy' })
    })
    await app.register(async (scope) => {
      await auth()(scope, {})
      await scope.register(routes, { prefix: '/api' })
    })
  })
  t.same(log, [])
})

t.test('without a logger the warning is a process warning', async (t) => {
  const warnings = processWarnings(t)
  const { status } = await boot(t, async (app) => {
    await app.register(auth())
    await app.register(routes, { prefix: '/api' })
    app.get('/:user_id', { exposeHeadRoute: false }, id)
  }, { app: Fastify(), log: [] })
  t.equal(status, 200)
  t.match(warnings, [guardsNothing, unguarded])
  t.match(warnings[1], /: GET \/api\/:user_id\/tasks, GET \/:user_id$/)
  t.equal(warnings.length, 2)
})

/** A folder as @fastify/autoload reads it. */
async function folder (t: Test, name: string, files: Record<string, string>): Promise<string> {
  const dir = join(t.testdirName, name)
  const lib = pathToFileURL(join(import.meta.dirname, '../../lib/index.ts')).href
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(dir, path, '..'), { recursive: true })
    await writeFile(join(dir, path), `import userScope from ${JSON.stringify(lib)}
      import fp from ${JSON.stringify(import.meta.resolve('fastify-plugin'))}
      const auth = async (app) => { await app.register(userScope, { secret: '${secret}' }) }
      const routes = async (app) => { app.get('/:user_id/tasks', { exposeHeadRoute: false }, async () => 'in') }
      export default ${text}`)
  }
  return dir
}

t.test('registrations in files of @fastify/autoload are warned about', async (t) => {
  t.testdir({})
  type Row = [what: string, files: Record<string, string>, options: object, status: number, warnings: unknown[]]
  const rows: Row[] = [
    ['plugins/auth.mjs without fastify-plugin', { 'plugins/auth.mjs': 'auth', 'routes/api/index.mjs': 'routes' },
      {}, 200, [{ msg: guardsNothing }, named]],
    ['plugins/auth.mjs with it', { 'plugins/auth.mjs': 'fp(auth)', 'routes/api/index.mjs': 'routes' }, {}, 403, []],
    ['autohooks without cascadeHooks', { 'routes/autohooks.mjs': 'fp(auth)', 'routes/api/index.mjs': 'routes' },
      { autoHooks: true }, 200, [{ msg: guardsNothing }, named]],
    ['autohooks with it', { 'routes/autohooks.mjs': 'fp(auth)', 'routes/api/index.mjs': 'routes' },
      { autoHooks: true, cascadeHooks: true }, 403, []]
  ]
  for (const [what, files, options, expected, warnings] of rows) {
    const dir = await folder(t, what, files)
    const { status, log } = await boot(t, async (app) => {
      if ('plugins/auth.mjs' in files) await app.register(autoload, { dir: join(dir, 'plugins') })
      await app.register(autoload, { dir: join(dir, 'routes'), autoHooksPattern: /autohooks/, ...options })
    })
    t.equal(status, expected, what)
    t.equal(log.length, warnings.length, what)
    t.match(log, sameLength(warnings), what)
  }
})

t.test('parameters that may be the owner are warned about, unless the level is stated', async (t) => {
  const alike = [
    '/a/:account_id', '/b/:accountId', '/c/:author_id', '/d/:member_uuid', '/users/:id', '/Accounts/:id/x',
    '/v1/members/:id', '/teams/:team/users/:id'
  ]
  const urls = ['/e/:account', '/tasks/:id', '/users/x/:id', '/myusers/:id', '/f/:author', '/users/:id.json']
  const others = urls.slice(0, 5)
  const { log } = await boot(t, async (app) => {
    await app.register(userScope, { secret })
    for (const url of [...alike, ...others]) app.get(url, { exposeHeadRoute: false }, id)
    app.head('/h/:account_id', id)
    for (const url of alike) app.get(`/stated${url}`, { config: { access: 'user' } }, id)
    app.get('/:user_id/accounts/:account_id', id)
  })
  t.match(log, [{ msg: /any signed-in user can call these routes.* Fix: rename .* the level in config\.access: GET / }])
  t.same(log[0]?.routes, [...alike.map((url) => `GET ${url}`), 'HEAD /h/:account_id'])
  t.equal(log.length, 1)
})

t.test('parameters in the place of one that is compared are warned about, unless the level is stated', async (t) => {
  const strays = [
    '/orgs/:organization_id/billing', '/orgs/:id', '/orgs/:slug/u/:user_id/tasks', '/people/:person/pets',
    '/orgs/:org_id/u/:who/pets', '/streets/:s/houses/:h/:who'
  ]
  const { log } = await boot(t, async (app) => {
    await app.register(userScope, { secret, bind: { org_id: 'org_id', team_id: 'team_id' } })
    const sound = ['/orgs/:org_id/projects', '/orgs/:org_id/u/:user_id', '/people/:user_id', '/orgs/:org_id/t/:team_id',
      '/orgs/own', '/teams/:slug', '/orgs/*', '/orgs//u/:x', '/v1/orgs/:orgs_v1/x',
      '/streets/:street/houses/:house/:user_id/bells']
    for (const url of [...sound, ...strays]) app.get(url, { exposeHeadRoute: false }, id)
    app.get('/orgs/:any/stated', { config: { access: 'user' } }, id)
    app.get('/orgs/:open/open', { config: { access: 'public' } }, id)
    app.options('/orgs/:preflight', id)
    app.get('/t/:org_id/:x', { config: { access: { unbound: ['org_id'] } } }, id)
    app.get('/t/:tenant/:y/z', id)
    app.get('/staff/:user_id', { config: { access: 'user' } }, id)
    app.get('/staff/:desk/phone', id)
  })
  t.match(log, [{ msg: /have another parameter where others have one that is compared/ }])
  t.same(log[0]?.routes, strays.map((url) => `GET ${url}`))
  t.equal(log.length, 1)
})

t.test("the owner's parameter of another registration is warned about", async (t) => {
  const { log } = await boot(t, async (app) => {
    for (const [prefix, userIdParam] of [['/customers', 'customer_id'], ['/suppliers', 'supplier_id']] as const) {
      await app.register(async (app) => {
        await app.register(userScope, { secret, userIdParam })
        app.get(`/:${userIdParam}`, { exposeHeadRoute: false }, id)
        app.get('/of/:customer_id', { exposeHeadRoute: false }, id)
        app.get('/stated/:customer_id', { config: { access: 'user' } }, id)
      }, { prefix })
    }
  })
  t.match(log, [{ msg: /any signed-in user can call these routes/, routes: ['GET /suppliers/of/:customer_id'] }])
  t.equal(log.length, 1)
})

t.test('a hook that opens the routes of owners is warned about', async (t) => {
  const opened = /an onRoute hook opened these routes.* Fix: put .*, or state the level on the routes: GET \//
  for (const access of ['public', 'optional', 'user', { level: 'user' }]) {
    const { log } = await boot(t, async (app) => {
      await app.register(userScope, { secret })
      app.get('/api/:user_id/early', id)
      app.addHook('onRoute', (route) => { route.config = { ...route.config, access } as FastifyContextConfig })
      app.get('/docs', id)
      app.get('/api/:user_id/tasks', { exposeHeadRoute: false }, id)
      app.get('/api/:user_id/owned', { exposeHeadRoute: false, config: { access: 'owner' } }, id)
    })
    const urls = ['GET /api/:user_id/tasks', 'GET /api/:user_id/owned']
    t.match(log, [{ level: 40, msg: opened, routes: urls }], JSON.stringify(access))
    t.equal(log.length, 1)
  }
  const { log } = await boot(t, async (app) => {
    await app.register(userScope, { secret })
    app.addHook('onRoute', (route) => { route.config = structuredClone({ access: 'public', ...route.config }) })
    app.get('/docs/:page', id)
    app.options('/api/:user_id/tasks', { config: { access: 'public' } }, id)
    app.get('/api/:user_id/avatar', { config: { access: 'public' } }, id)
    app.get('/api/:user_id/tasks', { config: { access: { level: 'user', scopes: ['a'] } } }, id)
    app.get('/api/:user_id/owned', { config: { access: 'owner' } }, id)
  })
  t.same(log, [])
  const { log: ofAdmins } = await boot(t, async (app) => {
    await app.register(userScope, { secret })
    app.addHook('onRoute', (route) => {
      const access = route.config?.access === 'public' ? 'user' : { level: 'user', scopes: ['admin'] }
      route.config = { ...route.config, access } as FastifyContextConfig
    })
    app.get('/admin/users/:user_id', id)
    app.get('/api/:user_id/avatar', { config: { access: 'public' } }, id)
  })
  t.same(ofAdmins, [], 'scopes are demanded, or more than before')
  const { log: ofChanged } = await boot(t, async (app) => {
    await app.register(userScope, { secret })
    app.addHook('onRoute', ({ config }) => { Object.assign(config?.access as object, { level: 'user' }) })
    app.get('/api/:user_id', { config: { access: { level: 'owner' } } }, id)
  })
  t.match(ofChanged, sameLength([{ msg: opened }]), 'a rule that is changed in place')
  const { log: ofPreflight } = await boot(t, async (app) => {
    await app.register(userScope, { secret })
    app.options('/api/:user_id/tasks', id)
  })
  t.same(ofPreflight, [], 'public by default')
})

t.test('a parameter of bind that no route has is warned about', async (t) => {
  const rows: Array<[bind: Record<string, string>, named: RegExp]> = [
    [{ org_id: 'org_id', organization_id: 'org_id', team: 'team' }, /: :organization_id, :team$/],
    [{ org_id: 'org_id', team: 'team' }, /: :team$/]
  ]
  for (const [bind, named] of rows) {
    const { log } = await boot(t, async (app) => {
      await app.register(userScope, { secret, bind })
      await app.register(routes, { prefix: '/api' })
      app.get('/orgs/:org_id/invoices', id)
    })
    t.match(log, [{ level: 40, msg: /option "bind" compares .* Fix: correct or remove what no route has: :/ }])
    t.match(log[0]?.msg, named)
    t.equal(log.length, 1)
  }
})
