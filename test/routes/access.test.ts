import Fastify, { type FastifyServerOptions } from 'fastify'
import t from 'tap'
import { readOptions } from '../../lib/options/settings.js'
import { comparesOwner, judgeRoute, servesOptionsOnly } from '../../lib/routes/access.js'
import { noConditions } from '../../lib/routes/rule.js'
import userScope, { InvalidRouteError, type AccessLevel, type UserScopeOptions } from '../../lib/index.js'
import { bearer, build, secret, sign, tokenFor, testWithCaches } from '../support/host.js'

const settings = readOptions({ secret }, {})

testWithCaches('default levels', async (t) => {
  const rows: Array<[url: string, level: AccessLevel, method?: string | string[]]> = [
    ['/api/:user_id/tasks', 'owner'],
    ['/:user_id', 'owner'],
    ['/api/:user_id.json', 'owner'],
    ['/api/:user_id-:task', 'owner'],
    ['/api/:task-:user_id', 'owner'],
    ['/api/:user_id(^\\d+)', 'owner'],
    ['/api/:hour(^(?:\\(|[:x])\\d{2})h:user_id', 'owner'],
    ['/api/:user_id?', 'owner'],
    [':::user_id', 'owner'],
    ['/api', 'user'],
    ['/api/*', 'user'],
    ['/api/user_id', 'user'],
    ['/api/::user_id', 'user'],
    ['/a(b/:user_id', 'owner'],
    ['/a(b/:user_id?', 'owner'],
    ['/api/:team()):user_id', 'owner'],
    ['/api/:user_id(\\)):team', 'owner'],
    ['/api/:team(:user_id)', 'user'],
    ['/api/:team(:user_id', 'user'],
    ['/api/:team', 'user'],
    ['/api/:xuser_id', 'user'],
    ['/api/:user_id', 'public', 'OPTIONS'],
    ['*', 'public', ['OPTIONS']],
    ['/api', 'user', ['OPTIONS', 'GET']],
    ['/api/:user_id', 'owner', ['GET', 'OPTIONS']]
  ]
  for (const [url, level, method = 'GET'] of rows) {
    t.match(judgeRoute({ url, method }, settings), { level, source: 'default' }, `${method} ${url}`)
  }
  t.match(
    judgeRoute({ url: '/:user_id', method: 'GET', config: Object.create({ access: 'public' }) as object }, settings),
    { level: 'owner', source: 'default' },
    'what a config inherits opens nothing'
  )
  t.same(
    judgeRoute({ url: '/:user_id', method: 'GET', config: { access: 'public' } }, settings),
    { level: 'public', source: 'stated', fault: null, ...noConditions }
  )
  t.match(
    judgeRoute({ url: '*', method: 'OPTIONS', config: { access: 'user' } }, settings),
    { level: 'user', source: 'stated' }
  )
  t.match(
    judgeRoute({ url: '/:user_id', method: 'GET', config: { access: 'Public' } }, settings),
    { level: 'owner', source: 'default' }
  )
})

const alike = (name: string) => new RegExp(`: ":${name}" looks like the owner's parameter ":user_id"`)
const noLevels = ['Owner', 'admin', '', 'owner ', null, 1, true, [], ['owner'], {}, 'constructor']
const alikes = [
  'userId', 'userid', 'UserID', 'USER_ID', 'user-id', 'User-Id', 'uid', 'UID', '_user_id', 'users_id', 'usr_id',
  'user_ids', 'user_ld', 'user', 'username', 'user_uuid', 'userUUID', 'user_name', 'owner', 'owner_id', 'ownerId'
]
const unclearUrls = [
  '/odata/Users(:user_id)/tasks', '/odata/Users(:userId)/tasks', '/odata/Tasks(owner=:uid)', '/a(b/:userId',
  '/x/:team:userId', '/:org:user_id', '/x/:userId(^a|bob)'
]
type Refused = [url: string, access: unknown, says: RegExp, options?: UserScopeOptions]
const refusedRoutes: Refused[] = [
  ...noLevels.map((access): Refused => [
    '/api/:user_id',
    access,
    /route GET \/api\/:user_id: config\.access is .*\. Use one of: owner, user, optional, public/
  ]),
  [
    '/api/tasks',
    'owner',
    /route GET \/api\/tasks: config\.access is 'owner', but the URL has no parameter ":user_id"\. Add it, or rename/
  ],
  ['/api/:userId', 'owner', /":user_id"\. Add it, or rename .* userIdParam\)\. Level 'user' would admit any signed-in/],
  ['/api/:userId', { delegates: { scopes: ['a'] } }, alike('userId')],
  ['/api/:user_id/x/:user_id', undefined, /has the parameter ":user_id" twice, and the router keeps the last only/],
  ['/api/:user_id/x/:user_id', 'public', /twice/],
  ['/api/{user_id}/tasks', undefined, /: "\{user_id\}" is plain text for the router\. Write ":user_id", or state the/],
  ['/api/{org}', undefined, /: "\{org\}" is plain text/, { bind: { org: 'org' } }],
  ...alikes.map((name): Refused => [`/api/:${name}`, undefined, alike(name)]),
  ['/api/:user-id(^\\d+)', undefined, alike('user-id')],
  ...unclearUrls.map((url): Refused => [url, undefined, /looks like the owner's parameter ":user_id"/]),
  ['/api/:user_id::verb', undefined, /: ":user_id::verb" looks like the owner's parameter ":user_id", but is not/],
  ['/api/files-:user_id?', undefined, /: ":user_id\?" looks like the owner's parameter ":user_id", but is not/],
  ['/api/(:user_id)', undefined, /: ":user_id\)" looks like the owner's parameter ":user_id", but is not/],
  ['/api/:account_id', undefined, /looks like the owner's parameter ":accountId"/, { userIdParam: 'accountId' }],
  ['/api/:aid', undefined, /looks like the owner's parameter ":accountId"/, { userIdParam: 'accountId' }]
]

for (const [url, access, says, options] of refusedRoutes) {
  t.test(`refused at boot: ${url} ${JSON.stringify(access)}`, async (t) => {
    for (const route of [
      { method: 'GET', url },
      { method: ['GET', 'POST'], url }
    ]) {
      const app = Fastify()
      await app.register(userScope, { secret, ...options })
      const error = await (async () => {
        app.route({
          ...route,
          ...access !== undefined && { config: { access: access as AccessLevel } },
          handler: async () => 'in'
        })
        await app.ready()
      })().then(() => null, (error: Error) => error)
      t.ok(error instanceof InvalidRouteError)
      if (!Array.isArray(route.method)) t.match(error, { code: 'FST_USER_SCOPE_INVALID_ROUTE', message: says })
    }
  })
}

testWithCaches('names that are not alike, or whose route states a level', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { secret })
  const names = ['id', 'task_id', 'order_id', 'usage_id', 'identity', 'use', 'userprofile', 'guid', 'uuid', 'ui']
  for (const name of names) {
    app.get(`/a/${name}/:${name}`, async () => 'in')
  }
  for (const access of ['user', 'optional', 'public'] as const) {
    app.get(`/${access}/:userId`, { config: { access } }, async () => 'in')
  }
  app.get('/friends/:user_id/:uid', async () => 'in')
  await t.resolves(async () => { await app.ready() })
})

/** Which of `paths` alice's token opens on a route of this URL. */
async function opened (
  t: Parameters<typeof build>[0],
  url: string,
  paths: string[],
  server: FastifyServerOptions = {},
  options: UserScopeOptions = {},
  id = 'alice'
) {
  const { send } = await build(t, options, server, (app) => { app.get(url, async () => 'in') })
  const token = bearer(sign({ sub: id, exp: 1e10 }))
  const answers: string[] = []
  for (const path of paths) {
    const { status, code } = await send({ url: path, headers: token })
    answers.push(code ?? String(status))
  }
  return answers
}

testWithCaches('the decoded path parameter is compared, string to string', async (t) => {
  const forbidden = 'FORBIDDEN_USER_ACCESS'
  const rows: Array<[path: string, answer: string, id?: string]> = [
    ['/u/alice', '200'],
    ['/u/%61lice', '200'],
    ['/u/%61%6c%69%63%65', '200'],
    ['/u/%2561lice', forbidden],
    ['/u/%2561lice', '200', '%61lice'],
    ['/u/Alice', forbidden],
    ['/u/ALICE', forbidden],
    ['/u/alice%20', forbidden],
    ['/u/%20alice', forbidden],
    ['/u/alice%00', forbidden],
    ['/u/alice%0a', forbidden],
    ['/u/alice%09', forbidden],
    ['/u/', forbidden],
    ['/u/bob', forbidden],
    ['/u/alic', forbidden],
    ['/u/alicee', forbidden],
    ['/u/alice%2Fbob', forbidden],
    ['/u/a%2Fb', '200', 'a/b'],
    ['/u/..%2Falice', forbidden],
    ['/u/%252e%252e', forbidden],
    ['/u/alice;x=1', forbidden],
    ['/u/alice%3Bx', forbidden],
    ['/u/*', forbidden],
    ['/u/%', 'FST_ERR_BAD_URL'],
    ['/u/%zz', 'FST_ERR_BAD_URL'],
    ['/u/%ff', 'FST_ERR_BAD_URL'],
    ['/u/caf%C3%A9', '200', 'caf\u00e9'],
    ['/u/cafe%CC%81', forbidden, 'caf\u00e9'],
    ['/u/caf%C3%A9', forbidden, 'cafe\u0301'],
    ['/u/%D0%B0lice', forbidden],
    ['/u/alic%C4%97', forbidden],
    ['/u/%EF%BD%81lice', forbidden],
    ['/u/%F0%9F%A6%8A', '200', '🦊'],
    ['/u/7', '200', '7'],
    ['/u/007', forbidden, '7'],
    ['/u/7.0', forbidden, '7'],
    ['/u/0x7', forbidden, '7'],
    ['/u/+7', forbidden, '7'],
    ['/u/1e3', forbidden, '1000'],
    ['/u/null', forbidden],
    ['/u/undefined', forbidden],
    ['/u/true', '200', 'true'],
    ['/u/alice?user_id=bob', '200'],
    ['/u/bob?user_id=alice', forbidden],
    ['/u/alice#bob', '200']
  ]
  for (const [path, answer, id = 'alice'] of rows) {
    t.same(await opened(t, '/u/:user_id', [path], {}, {}, id), [answer], `${path} for ${id}`)
  }
  t.same(
    await opened(t, '/u/:user_id', [`/u/${'a'.repeat(101)}`], {}, {}, 'a'.repeat(101)),
    ['FST_ERR_MAX_PARAM_LENGTH']
  )
})

testWithCaches('forms of parameters', async (t) => {
  const forbidden = 'FORBIDDEN_USER_ACCESS'
  const cases: Array<[url: string, paths: Record<string, string>, server?: FastifyServerOptions]> = [
    ['/u/:user_id?', { '/u/alice': '200', '/u/': forbidden, '/u': forbidden, '/u/bob': forbidden }],
    ['/u/:user_id/items', { '/u/alice/items': '200', '/u//items': forbidden, '/u/bob/items': forbidden }],
    ['/u/:user_id(^[a-z]+$)', { '/u/alice': '200', '/u/bob': forbidden, '/u/ALICE': '404' }],
    ['/u/:user_id.json', { '/u/alice.json': '200', '/u/bob.json': forbidden, '/u/alice.bob.json': forbidden }],
    ['/u/:a-:user_id', { '/u/x-alice': '200', '/u/alice-x': forbidden, '/u/x-alice-x': forbidden }],
    ['/u/:user_id/*', { '/u/alice/x/y': '200', '/u/bob/alice': forbidden }],
    [
      '/U/:user_id',
      { '/u/alice': '200', '/U/ALICE': forbidden, '/u/Alice': forbidden },
      { routerOptions: { caseSensitive: false } }
    ],
    ['/u/:user_id', { '/u/alice/': '200', '/u/bob/': forbidden }, { routerOptions: { ignoreTrailingSlash: true } }],
    [
      '/u/:user_id/x',
      { '//u//alice//x': '200', '/u//bob///x': forbidden, '/u//x': '404' },
      { routerOptions: { ignoreDuplicateSlashes: true } }
    ],
    [
      '/u/:user_id',
      { '/u/alice;bob': '200', '/u/bob;alice': forbidden, '/u/;alice': forbidden },
      { routerOptions: { useSemicolonDelimiter: true } as object }
    ],
    ['/u/:user_id', { '/alice': '200', '/bob': forbidden }, { rewriteUrl: ({ url }) => `/u${url}` }]
  ]
  for (const [url, paths, server] of cases) {
    t.same(await opened(t, url, Object.keys(paths), server), Object.values(paths), url)
  }
})

testWithCaches('tokens of two users on each other\'s paths', async (t) => {
  const { send } = await build(t)
  for (const user of ['alice', 'bob']) {
    for (const path of ['alice', 'bob']) {
      t.match(
        await send({ url: `/api/${path}/tasks`, headers: bearer(tokenFor(user)) }),
        { status: user === path ? 200 : 403 }
      )
    }
  }
})

t.test('requireStatedAccess: a parameter that is not compared needs a stated level', async (t) => {
  const strict = { ...settings, requireStatedAccess: true }
  const fault = (url: string, access?: AccessLevel) =>
    judgeRoute({ url, method: 'GET', ...access && { config: { access } } }, strict).fault
  for (const url of ['/tasks/:task_id', '/:user_id/tasks/:task_id']) {
    t.match(fault(url), /":task_id" is compared with nothing, and option requireStatedAccess is set/, url)
    t.equal(judgeRoute({ url, method: 'GET' }, settings).fault, null)
  }
  for (const url of ['/tasks', '/:user_id/tasks']) t.equal(fault(url), null, url)
  t.equal(fault('/tasks/:task_id', 'user'), null)
  t.match(fault('/:userId'), /looks like/)
  for (const url of ['/:userId', '/tasks/:task_id', '/:org']) {
    const bind = [{ param: 'org_id', path: ['org_id'] }]
    const { fault } = judgeRoute({ url, method: 'OPTIONS' }, { ...strict, bind })
    t.equal(fault, null, `a preflight of ${url} is public, whatever its parameters`)
  }
  for (const requireStatedAccess of [true, false]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(userScope, { secret, requireStatedAccess })
    app.get('/tasks/:task_id', async () => 'in')
    const boot = async () => { await app.ready() }
    if (requireStatedAccess) await t.rejects(boot, { code: 'FST_USER_SCOPE_INVALID_ROUTE' })
    else await t.resolves(boot)
  }
})

t.test('a fault is told with its fix', async (t) => {
  const bind = [{ param: 'org_id', path: ['org_id'] }]
  const rows: Array<[url: string, says: string]> = [
    ['/:user_id/:user_id', 'the URL has the parameter ":user_id" twice, and the router keeps the last only. ' +
      'Rename all but the one that is compared'],
    ['/:userId', '":userId" looks like the owner\'s parameter ":user_id", but is not: any signed-in user could ' +
      'call it. Rename it to ":user_id" (or set the option userIdParam), or state the level in config.access'],
    ['/:orgId', '":orgId" looks like ":org_id" of option "bind", but is not: it is compared with nothing. ' +
      'Rename it to ":org_id" (or correct the option), or state the level in config.access'],
    ['/:task_id', '":task_id" is compared with nothing, and option requireStatedAccess is set. ' +
      "State the level in config.access, such as 'user', which is its default (for a route of another plugin, in an " +
      'onRoute hook around it)']
  ]
  for (const [url, says] of rows) {
    t.equal(judgeRoute({ url, method: 'GET' }, { ...settings, requireStatedAccess: true, bind }).fault, says)
  }
  const config = { access: { unbound: ['org_id'] } }
  t.match(judgeRoute({ url: '/files/*', method: 'GET', config }, { ...settings, requireStatedAccess: true, bind }),
    { fault: 'config.access.unbound has "org_id", and the URL has no parameter ":org_id". Leave it out' })
  t.strictSame(judgeRoute({ url: undefined, method: 'GET' }, settings),
    { level: 'public', source: 'default', fault: null, ...noConditions })
})

t.test('the owner is compared on a route of hers, and where the router found one that the URL lacks', async (t) => {
  const demand = (access?: AccessLevel) =>
    judgeRoute({ url: '/:user_id', method: 'GET', ...access && { config: { access } } }, settings)
  t.ok(comparesOwner(demand(), undefined))
  t.ok(comparesOwner(demand('owner'), undefined))
  t.ok(comparesOwner(judgeRoute({ url: '/x', method: 'GET' }, settings), 'bob'))
  t.notOk(comparesOwner(judgeRoute({ url: '/x', method: 'GET' }, settings), undefined))
  t.notOk(comparesOwner(judgeRoute({ url: '/x', method: 'OPTIONS' }, settings), 'bob'))
  for (const level of ['user', 'optional', 'public'] as const) t.notOk(comparesOwner(demand(level), 'bob'), level)
})

t.test('only a route of no other method than OPTIONS serves preflights alone', async (t) => {
  for (const methods of ['OPTIONS', 'options', ['OPTIONS'], ['options', 'OPTIONS']]) t.ok(servesOptionsOnly(methods))
  for (const methods of ['GET', '', [], ['OPTIONS', 'GET']]) t.notOk(servesOptionsOnly(methods), String(methods))
})
