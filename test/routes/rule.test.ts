import assert from 'node:assert/strict'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import userScope, { InvalidRouteError, type AccessRule, type UserScopeOptions } from '../../lib/index.js'
import { readOptions } from '../../lib/options/settings.js'
import { judgeRoute } from '../../lib/routes/access.js'
import { conditionsOf, faultOfRule, noConditions, readRule, ruleMembers } from '../../lib/routes/rule.js'
import { secret, type LogLine } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const bind = { org_id: 'org_id' }
const mayActFor = () => true

/** What stops the boot of a host with this one route; null where nothing does. */
async function faultAt (url: string, config: object, options: UserScopeOptions = {},
  method: 'GET' | 'OPTIONS' = 'GET') {
  const app = Fastify()
  try {
    await app.register(userScope, { secret, bind, ...options })
    app.route({ method, url, config, handler: async () => 'in' })
    return await app.ready().then(() => null, (error: Error) => error)
  } finally {
    await app.close()
  }
}

const names = /must be .* scope names of letters, digits and marks/
type Row = [what: string, url: string, access: unknown, says: RegExp, options?: UserScopeOptions, method?: 'OPTIONS']
const faults: Row[] = [
  ['null', '/x', null, /config\.access is null\. Use one of/],
  ['an empty rule', '/x', {},
    /config\.access is \{\}\. Use one of: owner, .*; or a plain object with at least one of: level, scopes/],
  ['a misspelt level', '/x', 'onwer', /config\.access is 'onwer'\. Use one of: .*\. Did you mean "owner"\?$/],
  ['a level like none', '/x', 'admin', /unbound$/],
  ['an object without a prototype', '/x', Object.create(null),
    /config\.access is \[Object: null prototype\] \{\}\. Use/],
  ['a list', '/x', ['user', ['a'], 'x'.repeat(80)], /config\.access is \[ 'user', \[Array\], 'x{80}' \]\. Use/],
  ['an instance of a class', '/x', new Date(0), /config\.access is 1970-01-01T00:00:00\.000Z\. Use/],
  ['a rule that cannot be copied', '/x', new Proxy({ scopes: ['a'] }, {}), /config\.access cannot be copied/],
  ['an inherited rule without a prototype', '/x',
    Object.assign(Object.create(Object.assign(Object.create(null), { scopes: ['a'] })), { level: 'user' }),
    /config\.access is .*\. Use .* a plain object/],
  ['an inherited rule', '/x', Object.create({ scopes: ['a'] }), /config\.access is \{\}\. Use .* a plain object/],
  ['an unknown member', '/x', { scope: ['a'] }, /unknown option "config\.access\.scope"\. Did you mean "scopes"\?/],
  ['roles', '/x', { roles: ['admin'] },
    /unknown option "config\.access\.roles"\..*, unbound; roles count as scopes if .* names their claim$/],
  ['an unknown level', '/x', { level: 'admin' },
    /"config\.access\.level" must be one of: owner, user, optional, public$/],
  ['a misspelt level of a rule', '/x', { level: 'pubic' },
    /"config\.access\.level" must be one of: owner, user, optional, public\. Did you mean "public"\?$/],
  ['a level that is undefined', '/x', { level: undefined }, /"config\.access\.level" is undefined/],
  ['scopes that are undefined', '/x', { scopes: undefined }, /"config\.access\.scopes" is undefined/],
  ['level owner without the parameter', '/x', { level: 'owner' }, /has no parameter ":user_id"/],
  ['no scopes', '/x', { scopes: [] }, names],
  ['none of no scopes', '/x', { scopes: { anyOf: [] } }, names],
  ['a scope twice', '/x', { scopes: ['a', 'a'] }, names],
  ['a function as a scope', '/x', { scopes: [() => 'a'] }, names],
  ['scopes as a text', '/x', { scopes: 'a b' }, names],
  // "Use anyOf" would turn all of them into one of them.
  ['allOf', '/x', { scopes: { allOf: ['a', 'b'] } },
    /must be a list .*, all of which the token must have, or \{ anyOf/],
  ['scopes and anyOf', '/x', { scopes: { anyOf: ['a'], allOf: ['b'] } }, /must be a list .*, all of which the token/],
  ...['', ' ', 'a b', 'a"b', 'a\\b', 'a\nb', 'é', '\u007f'].flatMap((name): Row[] => [
    [`scope ${JSON.stringify(name)}`, '/x', { scopes: [name] }, names],
    [`any of scope ${JSON.stringify(name)}`, '/x', { scopes: { anyOf: [name] } }, names],
    [`delegates' scope ${JSON.stringify(name)}`, '/:user_id', { delegates: { scopes: [name] } }, names]
  ]),
  ['scopes on a public route', '/x', { level: 'public', scopes: ['a'] },
    /config\.access\.scopes is without effect on a route of level 'public'\. Use .*, or leave it out$/],
  ['scopes on an optional route', '/x', { level: 'optional', scopes: ['a'] }, /config\.access\.scopes .* 'optional'/],
  ['scopes on a route that is public by default', '*', { scopes: ['a'] }, /config\.access\.scopes .* 'public'/, {},
    'OPTIONS'],
  ['delegates on a public route', '/:user_id', { level: 'public', delegates: { scopes: ['a'] } },
    /config\.access\.delegates .* 'public'\. Use level 'owner', or leave it out$/],
  ['scopes and delegates on a public route', '/:user_id',
    { level: 'public', scopes: ['b'], delegates: { scopes: ['a'] } }, /'public'\. Use level 'owner', or leave it out$/],
  ['unbound on an optional route', '/:org_id', { level: 'optional', unbound: ['org_id'] },
    /config\.access\.unbound .* 'optional'/],
  ['delegates on a user route', '/x', { delegates: { scopes: ['a'] } },
    /and this one is 'user'\. Use level 'owner', .*, or state scopes instead: .* any signed-in user may call it$/],
  ['delegates: true without mayActFor', '/:user_id', { delegates: true },
    /delegates is true, which needs the option "mayActFor"/],
  ['the same at a stated level', '/:user_id', { level: 'owner', delegates: true }, /needs the option "mayActFor"/],
  ['delegates: false', '/:user_id', { delegates: false },
    /"config\.access\.delegates" must be left out for the owner alone, or be true, which asks option "mayActFor", or/],
  ['no delegates', '/:user_id', { delegates: {} }, /config\.access\.delegates/],
  ['delegates with no scopes', '/:user_id', { delegates: { scopes: [] } }, names],
  ['delegates with anyOf', '/:user_id', { delegates: { scopes: { anyOf: ['a'] } } }, names],
  ['an unknown member of delegates', '/:user_id', { delegates: { scopes: ['a'], machine: true } },
    /unknown option "config\.access\.delegates\.machine"/],
  ['machines that is no flag', '/:user_id', { delegates: { scopes: ['a'], machines: 'yes' } },
    /"config\.access\.delegates\.machines" must be true or false/],
  ['nothing unbound', '/:org_id', { unbound: [] },
    /"config\.access\.unbound" must be a list of parameters of option "bind"/],
  ['unbound twice', '/:org_id', { level: 'user', unbound: ['org_id', 'org_id'] },
    /"config\.access\.unbound" must be a list of parameters of option "bind"/],
  ['unbound that is not bound', '/:team', { level: 'user', unbound: ['team'] },
    /unbound names "team", and option "bind" has no such parameter/],
  ['unbound that is not in the URL', '/x', { unbound: ['org_id'] },
    /unbound has "org_id", and the URL has no parameter ":org_id"/],
  ['a bound parameter twice', '/:org_id/x/:org_id', 'user', /has the parameter ":org_id" twice/],
  ...['orgId', 'org', 'org-id', 'oid', 'ORG_ID', 'org_uuid', 'orgs_id'].map((name): Row =>
    [`a parameter like a bound one: ${name}`, `/:${name}`, undefined,
      new RegExp(`":${name}" looks like ":org_id" of option "bind"`)]),
  ['one like the second bound one', '/:teamId', undefined, /":teamId" looks like ":team_id"/,
    { bind: { ...bind, team_id: 'team_id' } }],
  ['the same beside the owner', '/:user_id/:orgId', undefined, /":orgId" looks like ":org_id"/],
  ['the same with a rule that states no level', '/:orgId', { scopes: ['a'] }, /":orgId" looks like ":org_id"/],
  ['the owner misspelt beside a bound one', '/:org_id/:userId', undefined,
    /":userId" looks like the owner's parameter/],
  ['requireStatedAccess, unbound', '/:org_id', { unbound: ['org_id'] }, /":org_id" is compared with nothing/,
    { requireStatedAccess: true }],
  ['requireStatedAccess, another', '/:org_id/:task', { scopes: ['a'] }, /":task" is compared with nothing/,
    { requireStatedAccess: true }]
]

t.test('wrong rules stop the boot', async (t) => {
  for (const [what, url, access, says, options, method] of faults) {
    const error = await faultAt(url, access === undefined ? {} : { access }, options, method)
    t.ok(error instanceof InvalidRouteError, what)
    t.match(error?.message, new RegExp(`^fastify-user-scope: route ${method ?? 'GET'} ${url.replaceAll('*', '\\*')}: `),
      what)
    t.match(error?.message, says, what)
  }
})

t.test('valid rules do not stop the boot', async (t) => {
  const rows: Array<[url: string, access: unknown, options?: UserScopeOptions]> = [
    ['/x', { level: 'user' }],
    ['/x', { scopes: ['tasks:read', 'https://api.example.com/.default', '!', '~'] }],
    ['/x', Object.assign(Object.create(null), { scopes: { anyOf: ['a', 'b'] } })],
    ['/:user_id', { delegates: true }, { mayActFor }],
    ['/:user_id', { delegates: { scopes: ['a'], machines: false }, scopes: ['b'] }],
    ['/:org_id', { level: 'user', unbound: ['org_id'] }, { requireStatedAccess: true }],
    ['/:org_id/:user_id', undefined, { requireStatedAccess: true }],
    ['/:org_id/:team', { level: 'user', unbound: ['org_id'] }, { bind: { ...bind, team: 'team' } }],
    ['/:orgId', 'user'],
    ['/:uid', undefined, { bind: { uid: 'uid' } }],
    ['/:user_uuid/:user_id', undefined, { bind: { user_uuid: 'uuid' } }]
  ]
  for (const [url, access, options] of rows) {
    t.equal(await faultAt(url, access === undefined ? {} : { access }, options), null,
      `${url} ${JSON.stringify(access)}`)
  }
})

t.test('a member of Object.prototype is not a member of a rule', async (t) => {
  const members = { level: 'public', scopes: ['a'], delegates: { scopes: ['c'] }, unbound: ['org_id'] }
  const { prototype } = Object
  t.teardown(() => { for (const name of Object.keys(members)) Reflect.deleteProperty(prototype, name) })
  const judge = (config: object) => {
    const demand = judgeRoute({ url: '/:user_id', method: 'GET', config }, readOptions({ secret }, {}))
    return [demand.level, demand.fault, demand.scopes, demand.delegates, demand.unbound]
  }
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
    t.same(judge({}), ['owner', null, null, null, []], name)
    t.same(judge({ access: 'user' }), ['user', null, null, null, []], name)
    t.same(judge({ access: { scopes: ['b'] } }), ['owner', null, ['b'], null, []], name)
    Reflect.deleteProperty(prototype, name)
  }
})

t.test('a rule is copied at boot', async (t) => {
  const access = { scopes: ['a'], delegates: { scopes: ['b'] } }
  const { rule, fault } = readRule(access)
  access.scopes.push('c')
  access.delegates.scopes.pop()
  t.same([rule, fault], [{ scopes: ['a'], delegates: { scopes: ['b'] } }, null])
  t.same(ruleMembers, ['level', 'scopes', 'delegates', 'unbound'])
  t.same(readRule(undefined), { rule: {}, fault: null })
  t.same(readRule('user'), { rule: { level: 'user' }, fault: null })
})

t.test('a rule demands what it states', async (t) => {
  const rights = { bind: [{ param: 'org_id', path: ['org_id'] }], mayActFor: undefined }
  t.same(conditionsOf({}, 'user', [], { bind: [], mayActFor: undefined }), noConditions)
  t.same(conditionsOf({}, 'public', [], rights), noConditions)
  t.match(conditionsOf({}, 'owner', [], rights),
    sameLength({ scopes: null, delegates: null, bound: [{ param: 'org_id', isInUrl: false }], unbound: [] }))
  const two = { bind: [...rights.bind, { param: 'team', path: ['team'] }], mayActFor: undefined }
  t.match(conditionsOf({ unbound: ['team'] }, 'user', [], two),
    sameLength({ bound: [{ param: 'org_id' }], unbound: ['team'] }),
    'one is still compared where the rule lifts another')
  t.equal(faultOfRule({ scopes: ['a'] }, 'user', [], rights), null)
  t.same(judgeRoute({ url: '/x', method: 'GET', config: { access: { scopes: ['a'] } } }, readOptions({ secret }, {})),
    { level: 'user', source: 'default', fault: null, scopes: ['a'], delegates: null, bound: [], unbound: [] })
})

/** The warnings of a boot. */
async function warnings (t: Test, options: UserScopeOptions, routes: (app: FastifyInstance) => void) {
  const log: LogLine[] = []
  const app = Fastify({
    exposeHeadRoutes: false,
    logger: { level: 'warn', stream: { write: (line: string) => { log.push(JSON.parse(line) as LogLine) } } }
  })
  t.teardown(() => app.close())
  await app.register(async (api) => {
    await api.register(userScope, { secret, ...options })
    routes(api)
  })
  app.get('/outside/:org_id', async () => 'in')
  await app.ready()
  return log.map(({ routes, msg }) => [routes, msg])
}

t.test('access that is stated outside of config.access is warned about', async (t) => {
  const found = await warnings(t, {}, (app) => {
    for (const name of ruleMembers) {
      // The level may be the host's own where one is stated.
      const access = name === 'level' ? { scopes: ['x'] } : 'user'
      app.get(`/${name}`, { config: { access, [name]: ['x'] } as object }, async () => 'in')
    }
    app.get('/own', { config: { access: 'public', level: 'beginner' } as object }, async () => 'in')
    for (const name of ['access', ...ruleMembers]) {
      app.get(`/route-${name}`, { [name]: ['x'] } as object, async () => 'in')
    }
    for (const name of ['acess', 'Access', 'accesss', 'acces_s']) {
      app.get(`/misspelt-${name}`, { config: { [name]: 'owner' } as object }, async () => 'in')
    }
    app.get('/others', { config: { success: true, assets: 1, process: 1 } as object }, async () => 'in')
    app.get('/beside', { config: { access: 'user', acess: 'owner' } as object }, async () => 'in')
    app.get('/sound', { config: { access: { scopes: ['x'] } } }, async () => 'in')
    app.get('/null', { config: null as never }, async () => 'in')
    app.get('/moved', { access: 'owner', config: { access: 'user' } } as object, async () => 'in')
    app.get('/copied', { scopes: ['x'], config: { access: { scopes: ['x'] } } } as object, async () => 'in')
    app.get('/inherited', { config: Object.create({ scopes: ['x'] }) as object }, async () => 'in')
  })
  const names = [
    ...ruleMembers.map((name) => `${name} (config.${name})`),
    ...['access', ...ruleMembers].map((name) => `route-${name} (${name})`),
    ...['acess', 'Access', 'accesss', 'acces_s'].map((name) => `misspelt-${name} (config.${name})`)
  ]
  t.match(found,
    [[names.map((name) => `GET /${name}`), /outside of config\.access, where it is without effect\. Fix:/]])
  t.equal((found[0]?.[0] as string[]).length, names.length)
  t.equal(found.length, 1)
})

t.test('an undefined rule, such as one whose name is misspelt, is warned about', async (t) => {
  const rules: Record<string, AccessRule> = { admin: { scopes: ['admin'] } }
  const found = await warnings(t, {}, (app) => {
    app.get('/stats', { config: { access: rules['adnim'] } as object }, async () => 'in')
    app.get('/sound', { config: { access: rules['admin'] } as object }, async () => 'in')
    app.get('/none', { config: {} }, async () => 'in')
    app.get('/null', { config: null as unknown as object }, async () => 'in')
  })
  t.match(found, [[['GET /stats'], /config\.access of these routes is undefined, .* Fix: correct the name of/]])
  t.equal(found.length, 1)
})

t.test('bound parameters are only warned about outside of the scope', async (t) => {
  const found = await warnings(t, { bind: { account_id: 'account', org_id: 'org_id' } }, (app) => {
    app.get('/a/:account_id', async () => 'in')
    app.get('/b/:author_id', async () => 'in')
  })
  t.match(found, sameLength([
    [['GET /b/:author_id'], /any signed-in user can call these routes/],
    [['GET /outside/:org_id'], /no registration guards these routes/]
  ]))
})

t.test('the table of the routes shows rules', async (t) => {
  const app = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => app.close())
  await app.register(userScope, { secret, bind, mayActFor })
  const routes: Array<[url: string, access: AccessRule]> = [
    ['/a/:user_id', { scopes: ['tasks:write'], delegates: { scopes: ['staff'] } }],
    ['/b/:user_id', { delegates: true }],
    ['/c', { scopes: { anyOf: ['x', 'y'] } }],
    ['/d/:org_id', { level: 'user', scopes: ['x', 'y'], unbound: ['org_id'] }],
    ['/e/:user_id', { delegates: { scopes: ['x', 'y'], machines: true } }],
    ['/f/:org_id', { level: 'user' }]
  ]
  for (const [url, access] of routes) app.get(url, { config: { access } }, async () => 'in')
  app.post('/c', async () => 'in')
  await app.ready()
  t.equal(app.userScope.printRoutes(), [
    'owner + tasks:write, delegates: staff  /a/:user_id  GET  default',
    'owner, delegates: mayActFor  /b/:user_id  GET  default',
    'user + x | y  /c  GET  default',
    'user       /c  POST  default',
    'user + x y, unbound: org_id  /d/:org_id  GET  stated',
    'owner, delegates: x y (machines too)  /e/:user_id  GET  default',
    'user, bound: org_id  /f/:org_id  GET  stated', ''
  ].join('\n'))
  const rows = new Map(app.userScope.routes().map((route) => [route.url, route]))
  t.match(rows.get('/a/:user_id'),
    sameLength({
      access: 'owner',
      parameter: 'user_id',
      scopes: ['tasks:write'],
      delegates: { scopes: ['staff'] },
      bound: [],
      unbound: []
    }))
  assert.deepStrictEqual(rows.get('/a/:user_id')?.delegates, { scopes: ['staff'] }, 'with the prototype of all objects')
  t.match(rows.get('/f/:org_id'),
    sameLength({ access: 'user', parameter: null, scopes: null, delegates: null, bound: ['org_id'], unbound: [] }))
  t.match(rows.get('/d/:org_id'), sameLength({ scopes: ['x', 'y'], bound: [], unbound: ['org_id'] }))
})

t.test('a route compares the bound parameters that its rule does not exempt', async (t) => {
  const bind = [{ param: 'org_id', path: ['org_id'] }, { param: 'team', path: ['o', 'id'] }]
  const boundOf = (rule: AccessRule, bindings = bind) =>
    conditionsOf(rule, 'user', ['org_id'], { bind: bindings, mayActFor }).bound
  t.same(boundOf({}), [{ ...bind[0], isInUrl: true }, { ...bind[1], isInUrl: false }])
  t.same(boundOf({ unbound: ['org_id'] }), [{ ...bind[1], isInUrl: false }])
  t.same(boundOf({}, []), [])
})
