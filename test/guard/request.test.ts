import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'
import userScope, {
  getOwnerId, getUser, InsufficientScopeError, MissingTokenError, NoOwnerError, requireScopes, untilRevoked,
  type VerifyMessage
} from '../../lib/index.js'
import { bearer, build, refusals, secret, sender, sign, tokenFor, type LogLine } from '../support/host.js'
import { copyOfLib, libUrl, runAlone } from '../support/kit.js'
import { sameLength } from '../support/same-length.js'

const alice = bearer(tokenFor('alice'))

const ownerOf = (request: FastifyRequest) => {
  try {
    return getOwnerId(request)
  } catch (error) {
    return error instanceof NoOwnerError ? error.code : 'another error'
  }
}
const none = 'FST_USER_SCOPE_NO_OWNER'

t.test('getOwnerId throws unless an owner was compared', async (t) => {
  const seen: unknown[] = []
  const { send } = await build(t, {}, {}, (app) => {
    app.setErrorHandler(async (error, request, reply) => {
      seen.push([ownerOf(request), getUser(request), request.user])
      return reply.send(error)
    })
    app.setNotFoundHandler(async (request, reply) => reply.code(404).send(ownerOf(request)))
    const handler = async (request: FastifyRequest) => ownerOf(request)
    app.get('/owner/:user_id', handler)
    for (const access of ['user', 'optional', 'public'] as const) {
      app.get(`/${access}/:user_id`, { config: { access } },
        handler)
    }
    app.get('/changed/:user_id', { preValidation: async (request) => { request.params = { user_id: 'bob' } } }, handler)
    app.get('/throws', async (request) => getOwnerId(request))
  })
  const rows: Array<[url: string, headers: Record<string, string>, owner: string]> = [
    ['/owner/alice', alice, 'alice'], ['/user/alice', alice, none], ['/optional/alice', alice, none],
    ['/optional/alice', {}, none], ['/public/alice', alice, none], ['/nowhere', {}, none]
  ]
  for (const [url, headers, owner] of rows) t.equal((await send({ url, headers })).body, owner, url)
  for (const url of ['/owner/bob', '/changed/alice']) t.equal((await send({ url, headers: alice })).status, 403, url)
  t.equal((await send('/owner/alice')).status, 401)
  t.strictSame(seen, Array(3).fill([none, null, null]), 'nor is there a user after a refusal')
  t.match(await send({ url: '/throws', headers: alice }), {
    status: 500,
    code: none,
    body: {
      message: new RegExp("getOwnerId\\(\\) is for routes of level 'owner'.*Fix: on routes of level 'user' use " +
      "request\\.user\\.id; else .*, in a context that registers the plugin, and in a hook only after the plugin's$")
    }
  })
})

t.test('there is no owner and no user before the guard and outside of every scope', async (t) => {
  const seen: unknown[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  const look = async (request: FastifyRequest) => {
    let fault: unknown
    try {
      requireScopes(request, 'a')
    } catch (error) {
      fault = (error as Error).constructor
    }
    seen.push([getUser(request), ownerOf(request), fault === MissingTokenError])
  }
  app.addHook('onRequest', look)
  app.get('/outside/:user_id', async () => 'in')
  await app.register(async (child) => {
    await child.register(userScope, { secret })
    child.get('/inside/:user_id', async () => 'in')
  })
  for (const url of ['/outside/alice', '/inside/alice']) {
    t.equal((await sender(app)({ url, headers: alice })).status,
      200)
  }
  t.strictSame(seen, [[null, none, true], [null, none, true]])
})

t.test('the log says why a hook before the guard, or a route outside of every scope, has no user', async (t) => {
  const log: LogLine[] = []
  const app = Fastify({ logger: { stream: { write: (line: string) => { log.push(JSON.parse(line) as LogLine) } } } })
  t.teardown(() => app.close())
  const functions: Record<string, (request: FastifyRequest) => unknown> = {
    requireScopes: (request) => { requireScopes(request, 'a') }, untilRevoked
  }
  const call = async (request: FastifyRequest) => { functions[(request.query as { call: string }).call]?.(request) }
  app.get('/outside', call)
  await app.register(async (scope) => {
    scope.addHook('onRequest', call)
    await scope.register(userScope, { secret })
    scope.get('/inside', async () => 'in')
  })
  for (const url of ['/outside', '/inside']) {
    for (const name of Object.keys(functions)) {
      t.match(await sender(app)({ url: `${url}?call=${name}`, headers: alice }), { status: 401, code: 'MISSING_TOKEN' })
      t.match(refusals(log), sameLength([{
        code: 'MISSING_TOKEN',
        reason: new RegExp(`^${name}\\(\\) was given a request without a verified user\\. Fix: level 'user' or ` +
          '.*, in a context that registers the plugin; in a hook, register that after the plugin$')
      }]), `${name} ${url}`)
      log.length = 0
    }
  }
})

t.test('requireScopes refuses like the guard', async (t) => {
  const messages: VerifyMessage[] = []
  const listener = (message: unknown) => { messages.push(message as VerifyMessage) }
  subscribe('fastify-user-scope:verify', listener)
  t.teardown(() => { unsubscribe('fastify-user-scope:verify', listener) })
  const { send, log } = await build(t, {}, {}, (app) => {
    app.setErrorHandler(async (error: { code?: string, name: string }) =>
      ({ mine: error.code ?? error.name, known: error instanceof InsufficientScopeError }))
    app.get('/odd', async (request) => { requireScopes(request, 'x y'.repeat(100)) })
    app.get('/list', async (request) => { requireScopes(request, ['a', 'b'] as never) })
    app.get('/none', async (request) => { requireScopes(request, ...[] as unknown as [string]) })
    for (const access of ['user', 'optional', 'public'] as const) {
      app.get(`/${access}/:name`, { config: { access } }, async (request) => {
        requireScopes(request, 'a', `b:${(request.params as { name: string }).name}`)
        return 'in'
      })
    }
  })
  const token = (scope: string) => bearer(sign({ sub: 'alice', exp: 1e10, scope }))
  const insufficient = 'Bearer realm="api", error="insufficient_scope", error_description="Insufficient scope"'
  const challenge = (scope: string) => ({ 'www-authenticate': `${insufficient}, scope="${scope}"` })
  t.match(await send({ url: '/user/x', headers: token('b:x a') }), { status: 200, body: 'in' })
  t.match(await send({ url: '/user/x', headers: token('a') }),
    { status: 403, body: { mine: 'INSUFFICIENT_SCOPE', known: true }, headers: challenge('a b:x') })
  t.match(await send({ url: '/user/x%22,%20y=%22', headers: token('a') }), { status: 403, headers: challenge('a') })
  t.match(await send({ url: '/user/x%0d%0ay', headers: token('a') }), { status: 403, headers: challenge('a') })
  t.match(refusals(log)[0], { code: 'INSUFFICIENT_SCOPE', user: 'alice' })
  const odd = await send({ url: '/odd', headers: token('a') })
  t.equal(odd.headers['www-authenticate'], insufficient)
  t.equal(refusals(log).at(-1)?.reason?.length, 'the token has the scopes ["a"], and needs all of '.length + 201)
  t.match(await send({ url: '/list', headers: token('a b') }), { status: 200 }, 'a list, as plain JavaScript may give')
  t.match(await send({ url: '/list', headers: token('a') }), { status: 403, headers: challenge('a b') })
  t.match(await send({ url: '/none', headers: token('a') }), { body: { mine: 'TypeError' } })
  const missing = {
    status: 401,
    body: { mine: 'MISSING_TOKEN' },
    headers: { 'www-authenticate': 'Bearer realm="api"', 'cache-control': 'no-store' }
  }
  t.match(await send('/optional/x'), missing)
  t.match(refusals(log).at(-1), {
    code: 'MISSING_TOKEN', reason: /^requireScopes\(\) was given a request without a verified user\. Fix: level 'user'/
  })
  t.match(await send({ url: '/public/x', headers: token('a b:x') }), missing)
  const rows = messages.map(({ outcome, code, user, route }) => [outcome, code, user, route])
  t.same(rows.slice(0, 3), [
    ['admitted', null, 'alice', '/user/:name'],
    ['admitted', null, 'alice', '/user/:name'],
    ['refused', 'INSUFFICIENT_SCOPE', 'alice', '/user/:name']
  ])
  t.same(rows.at(-1), ['refused', 'MISSING_TOKEN', null, '/public/:name'])
})

t.test('handlers may call the functions of another copy of the package', async (t) => {
  const imports = `
    import userScope from ${libUrl('index.ts')}
    import { requireScopes, untilRevoked } from ${libUrl('index.ts', await copyOfLib(t))}
    import { createIssuer } from ${libUrl('testing/index.ts')}`
  const [scopes, until] = await runAlone(imports, `
    const issuer = createIssuer()
    const app = Fastify()
    await app.register(userScope, issuer.options)
    app.get('/scopes', async (request) => requireScopes(request, 'a'))
    app.get('/until', { config: { access: 'optional' } }, async (request) => untilRevoked(request))
    for (const [url, headers] of [['/scopes', issuer.authorization('alice')], ['/until', {}]]) {
      const response = await app.inject({ url, headers })
      answers.push([response.json().code, response.headers['www-authenticate']])
    }`) as string[][]
  t.match(scopes, ['INSUFFICIENT_SCOPE', /scope="a"/])
  t.same(until, ['MISSING_TOKEN', 'Bearer realm="api"'])
})

t.test('after a refusal, what an error handler asks changes neither its code nor its log line', async (t) => {
  const mayActFor = () => { throw new Error('down') }
  const { send, log } = await build(t, { mayActFor }, {}, (app) => {
    app.setErrorHandler((error, request) => {
      requireScopes(request, 'debug')
      return error
    })
    app.get('/api/:user_id/x', { config: { access: { delegates: true } } }, async () => 'in')
  })
  const headers = bearer(sign({ sub: 'alice', exp: 1e10, scope: 'debug' }))
  t.match(await send({ url: '/api/bob/x', headers }), { status: 503, code: 'ACCESS_CHECK_UNAVAILABLE' })
  t.equal((await send({ url: '/api/bob/x', headers })).headers['www-authenticate'], undefined)
  t.same(refusals(log).map(({ code }) => code), Array(2).fill('ACCESS_CHECK_UNAVAILABLE'))
})
