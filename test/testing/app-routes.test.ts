import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import { appRoutes, getNameOf, nameOf, routeTable } from '../../lib/testing/app-routes.js'
import { secret } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const handler = async () => ({})

async function build (t: Test, routes: (app: FastifyInstance) => unknown) {
  const app = Fastify()
  t.teardown(() => app.close())
  await routes(app)
  return app
}

const moveIn = 'move it into the guarded context (a function around the registration needs fastify-plugin)'

t.test('the table has every route of the app, guarded or not', async (t) => {
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

t.test('the table does not depend on the order of routes, and works without the plugin', async (t) => {
  const urls = ['/b', '/a', '/c/:id']
  const tableOf = async (urls: string[]) =>
    await routeTable(await build(t, (app) => { for (const url of urls) app.get(url, handler) }))
  const table = 'unguarded  /a  GET, HEAD\nunguarded  /b  GET, HEAD\nunguarded  /c/:id  GET, HEAD\n'
  t.same([await tableOf(urls), await tableOf(urls.toReversed())], [table, table])
})

t.test('routes that name a parameter differently are told apart', async (t) => {
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
  const unguarded = (await appRoutes(app)).filter(({ access, method }) => access === 'unguarded' && method !== 'HEAD')
  t.same(unguarded.map(({ method, url, parameter }) => [method, url, parameter?.name ?? null]), [
    ['POST', '/api/:id/tasks', null],
    ['GET', '/api/:id/profile', null],
    ['GET', '/api/:user_id/left-behind', 'user_id'],
    ['GET', '/x/a-:id/b/:n(^\\d+$)', null],
    ['GET', '/x/a-:user_id/c', 'user_id'],
    ['GET', '/x/a-:id/d', null]
  ])
})

t.test('early routes are in the table, with their constraints', async (t) => {
  const app = await build(t, async (app) => {
    app.get('/early/:user_id', { constraints: { version: '1.0.0' } }, handler)
    app.get('/early/:id', { constraints: { version: '2.0.0' }, config: { access: 'public' } }, handler)
    await app.register(userScope, { secret })
  })
  const routes = (await appRoutes(app)).filter(({ method }) => method === 'GET')
  t.same(routes.map(({ url, constraints, access, source }) => [url, constraints.version, access, source]), [
    ['/early/:user_id', '1.0.0', 'owner', 'default'],
    ['/early/:id', '2.0.0', 'public', 'stated']
  ])
})

t.test('look-alikes of the owner, and owners of other scopes, are reported', async (t) => {
  const app = await build(t, async (app) => {
    await app.register(async (child) => {
      await child.register(userScope, { secret })
      child.get('/a/:userId', { config: { access: 'user' } }, handler)
      child.get('/b/:id', handler)
      child.get('/c/:account', handler)
      child.get('/d/:user_id/:userName', handler)
    })
    await app.register(async (child) => { await child.register(userScope, { secret, userIdParam: 'account' }) })
    app.get('/e/:account', handler)
    app.get('/f/:user-id', handler)
  })
  const routes = (await appRoutes(app)).filter(({ method }) => method === 'GET')
  const rename = ', and is compared with nobody\'s id: rename it'
  t.same(routes.map(({ parameter, faults }) => [parameter?.name ?? null, ...faults]), [
    [null, `":userId" looks like the owner's parameter ":user_id"${rename}`],
    [null],
    [null, `":account" is the owner's parameter elsewhere${rename}`],
    ['user_id'],
    ['account', `no guard of the plugin covers it, though its URL has the owner's ":account": ${moveIn}`],
    [null, `":user-id" looks like the owner's parameter ":user_id"${rename}`]
  ])
})

t.test('rules are printed like the plugin prints them', async (t) => {
  const app = await build(t, async (app) => {
    await app.register(userScope, { secret, bind: { org_id: ['o', 'id'], team: 'team' }, mayActFor: () => false })
    const delegates = { scopes: ['staff'] }
    const rule = { scopes: ['a', 'b'], delegates, unbound: ['org_id'] }
    app.put('/:org_id/:user_id', { config: { access: rule } }, handler)
    app.post('/:org_id/:user_id', { config: { access: { scopes: { anyOf: ['a', 'b'] }, delegates: true } } }, handler)
    app.delete('/:org_id', handler)
  })
  const bound = [{ param: 'org_id', path: ['o', 'id'], isInUrl: true }]
  const none = { scopes: null, delegates: null, bound: [], unbound: [], faults: [] }
  t.match(await appRoutes(app), sameLength([
    { ...none, scopes: ['a', 'b'], delegates: { scopes: ['staff'] }, unbound: ['org_id'] },
    { ...none, scopes: { anyOf: ['a', 'b'] }, delegates: true, bound },
    { ...none, bound }
  ]))
  t.match(await routeTable(app), 'owner + a b, delegates: staff, unbound: org_id  /:org_id/:user_id  PUT  default\n')
  t.equal(await routeTable(app), app.userScope.printRoutes())
})

t.test('the rules of a second copy of the plugin are read from its decorator', async (t) => {
  const app = await build(t, async (app) => {
    for (const [version, routes] of [[{ bound: ['org_id'], unbound: ['team'], parameter: 'account' }], []].entries()) {
      await app.register(async (child) => {
        child.decorate('userScope', { routes: () => routes } as never)
        child.put(`/${version}/:org_id/:account`, { config: { access: { delegates: true } } }, handler)
        child.delete(`/${version}/:team/:user_id/more`, { config: { access: 'user' } }, handler)
      })
    }
    app.put('/left-behind/:account', handler)
  })
  const claims = (await appRoutes(app)).map(({ bound }) => bound.map(({ param, path }) => [param, ...path]))
  t.same(claims, [[['org_id', 'org_id']], [['team', 'team']], [], [], []], 'which have the names of the parameters')
  const routes = (await appRoutes(app)).map(({ access, parameter, bound, delegates }) =>
    [access, parameter?.name ?? null, bound.map(({ param }) => param), delegates])
  t.same(routes, [
    ['owner', 'account', ['org_id'], true],
    ['user', null, ['team'], null],
    ['user', null, [], null],
    ['user', 'user_id', [], null],
    ['unguarded', 'account', [], null]
  ])
})

t.test('uncompared parameters are reported', async (t) => {
  const app = await build(t, async (app) => {
    await app.register(async (child) => {
      await child.register(userScope, { secret, bind: { org_id: 'org_id' } })
      child.post('/b/:org_id/:orgId/:user_id', handler)
      child.post('/c/:org_uuid/:user_id', { config: { access: 'owner' } }, handler)
      for (const access of ['public', 'optional'] as const) {
        child.post(`/${access}/:org_id`, { config: { access } }, handler)
      }
    })
    app.post('/d/:org_id', handler)
    app.post('/e/:user_id/:id', handler)
  })
  const loose = (name: string, fix: string) =>
    `":${name}" is, or looks like, a parameter of option "bind", and is compared with no claim here${fix}`
  t.same((await appRoutes(app)).map(({ faults }) => faults), [
    [], [loose('org_uuid', ': rename it')],
    [loose('org_id', ", because the level is 'public': state 'user'")],
    [loose('org_id', ", because the level is 'optional': state 'user'")],
    [loose('org_id', ': bind it here too')],
    [`no guard of the plugin covers it, though its URL has the owner's ":user_id": ${moveIn}`]
  ])
})

t.test('an owner with the name of a bound parameter of another scope is compared', async (t) => {
  const app = await build(t, async (app) => {
    for (const [i, options] of [{ bind: { org_id: 'org', uid: 'org' } }, { userIdParam: 'org_id' }].entries()) {
      await app.register(async (child) => {
        await child.register(userScope, { secret, ...options })
        child.post(`/${i}/:org_id`, handler)
        if (i === 1) return
        child.post('/u/:uid', handler)
        child.put('/:org_id', { config: { access: { unbound: ['org_id'] } } }, handler)
      })
    }
    await app.register(async (child) => {
      await child.register(userScope, { secret, bind: { orgId: 'org' } })
      child.post('/2/:orgId', handler)
    })
  })
  const unbound = '":org_id" is the owner\'s parameter elsewhere, and is compared with nobody\'s id: rename it'
  t.same((await appRoutes(app)).map(({ access, faults }) => [access, ...faults]),
    [['user'], ['user'], ['user', unbound], ['owner'], ['user']],
    'and one that looks like an owner\'s is compared, too')
})

t.test('so is one that stands where other routes have a bound one', async (t) => {
  const app = await build(t, async (app) => {
    await app.register(async (child) => {
      await child.register(userScope, { secret, bind: { org_id: 'org_id', team_id: 'team_id' } })
      for (const url of ['/:org_id/x', '/:team_id/y', '/:user_id/z']) child.post(url, handler)
      for (const [url, access] of [['/orgs/:org_id/a'], ['/orgs/:slug/b'], ['/orgs/:slug/c', 'user'],
        ['/orgs/:slug/u/:user_id', 'owner'], ['/orgs/:slug/d', 'public'], ['/teams/:slug']] as const) {
        child.post(url, access ? { config: { access } } : {}, handler)
      }
    })
    app.post('/orgs/:slug/e', handler)
  })
  const stray = '":slug" stands where other routes have ":org_id" of option "bind", and is compared with no claim: ' +
    'rename it'
  t.same((await appRoutes(app)).map(({ faults }) => faults), [[], [], [], [], [stray], [stray], [stray], [], [], []])
})

t.test('an app that was created before the kit is a TypeError', async (t) => {
  const app = { inject: () => {}, ready: async () => {}, server: {} }
  await t.rejects(appRoutes(app as never), new TypeError('the app was created before the test kit was loaded'))
})

t.test('HEAD has the name of GET', async (t) => {
  t.equal(nameOf({ method: 'HEAD', url: '/a' }), 'HEAD /a')
  t.same(['HEAD', 'GET', 'PUT'].map((method) => getNameOf({ method, url: '/a' })), ['GET /a', 'GET /a', 'PUT /a'])
})

t.test('anything but an app is a TypeError', async (t) => {
  const message = 'the first argument must be a Fastify app: await the function that builds it'
  for (const app of [undefined, null, {}, Promise.resolve()]) {
    await t.rejects(routeTable(app as never),
      new TypeError(message))
  }
})
