import { connect } from 'node:http2'
import { mock } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import t from 'tap'
import userScope, { ForbiddenUserAccessError, getUser, MissingTokenError, requireScopes } from '../../lib/index.js'
import { createGuard } from '../../lib/guard/guard.js'
import { readOptions } from '../../lib/options/settings.js'
import { judgeRoute } from '../../lib/routes/access.js'
import { TokenCache } from '../../lib/token/cache.js'
import { parseCompactJws } from '../../lib/token/jws.js'
import { createIssuer } from '../../lib/testing/index.js'
import { createSecretVerifier } from '../../lib/token/secret-verifier.js'
import type { Verifier } from '../../lib/token/verifier.js'
import {
  bearer, build, challengeOf, now, refusals, secret, sender, sign, tokenFor, testWithCaches
} from '../support/host.js'
import { MemoryStore } from '../support/memory-store.js'

const forbidden = {
  status: 403,
  body: {
    statusCode: 403,
    code: 'FORBIDDEN_USER_ACCESS',
    error: 'Forbidden',
    message: "Access denied: cannot access another user's resources"
  }
}
const alice = bearer(tokenFor('alice'))

testWithCaches('who may call what', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    for (const access of ['owner', 'user', 'optional', 'public'] as const) {
      app.get(
        `/${access}/:user_id`,
        { config: { access } },
        async (request) => ({ user: getUser(request)?.id ?? null, decorated: request.user?.id ?? null })
      )
    }
  })
  const expired = bearer(sign({ sub: 'alice', exp: 1 }))
  const rows: Array<[level: string, answers: { none: unknown, bad: unknown, own: unknown, other: unknown }]> = [
    ['owner', { none: 'MISSING_TOKEN', bad: 'TOKEN_EXPIRED', own: 'alice', other: 'FORBIDDEN_USER_ACCESS' }],
    ['user', { none: 'MISSING_TOKEN', bad: 'TOKEN_EXPIRED', own: 'alice', other: 'alice' }],
    ['optional', { none: null, bad: 'TOKEN_EXPIRED', own: 'alice', other: 'alice' }],
    ['public', { none: null, bad: null, own: null, other: null }]
  ]
  for (const [level, expected] of rows) {
    const answer = async (path: string, headers: Record<string, string> = {}) => {
      const { code, body } = await send({ url: `/${level}/${path}`, headers })
      const { user, decorated } = body as { user?: unknown, decorated?: unknown }
      t.equal(user, decorated)
      return code ?? user
    }
    const answers = {
      none: await answer('alice'),
      bad: await answer('alice', expired),
      own: await answer('alice', alice),
      other: await answer('bob', alice)
    }
    t.same(answers, expected, level)
  }
})

testWithCaches('a refusal of the path', async (t) => {
  const { send, log } = await build(t)
  const answer = await send({ url: '/api/bob/tasks', headers: alice })
  t.match(answer, forbidden)
  t.notOk('www-authenticate' in answer.headers)
  t.match(refusals(log), [
    { level: 30, code: 'FORBIDDEN_USER_ACCESS', reason: 'path parameter "user_id" is not the user\'s id' }
  ])
  t.equal(refusals(log).length, 1)
})

testWithCaches('a refused request leaves one line with code and reason, and nothing of the token', async (t) => {
  const { send, log } = await build(t)
  const tokens = [
    tokenFor('carol', { note: 'payload text' }),
    sign({ sub: 'carol' }),
    sign({ sub: 'carol', exp: 1 }),
    `${tokenFor('carol')}x`,
    sign('{"sub":"carol"'),
    'abcdefghijk.lmnopqrs.tuvwxyz'
  ]
  for (const token of tokens) {
    log.length = 0
    const { code } = await send({ url: '/api/alice/tasks', headers: bearer(token) })
    const lines = refusals(log)
    t.equal(lines.length, 1)
    t.equal(lines[0]?.code, code)
    t.type(lines[0]?.reason, 'string')
    // After verification the line names the user, and nothing else does.
    const isVerified = code === 'FORBIDDEN_USER_ACCESS'
    t.equal(lines[0]?.['user'], isVerified ? 'carol' : undefined)
    const text = JSON.stringify(log.map(({ user, ...line }) => line))
    for (const part of [...token.split('.'), 'carol', 'payload text', secret]) {
      t.notOk(part.length > 4 && text.includes(part), `not in the log: ${part}`)
    }
  }
})

testWithCaches('routes that are not GET', async (t) => {
  let calls = 0
  const { app, send } = await build(t, {}, {}, (app) => {
    app.all('/api/:user_id/tasks', async () => { calls++; return 'in' })
  })
  for (const method of app.supportedMethods as Array<'GET'>) {
    calls = 0
    t.match(await send({ method, url: '/api/bob/tasks', headers: alice }), { status: 403 }, method)
    t.match(await send({ method, url: '/api/alice/tasks' }), { status: 401 }, method)
    t.equal(calls, 0)
    // QUERY requires a body
    const payload = method === 'QUERY' as string && { payload: {} }
    t.match(await send({ method, url: '/api/alice/tasks', headers: alice, ...payload }), { status: 200 }, method)
  }
})

testWithCaches('HEAD routes that Fastify adds', async (t) => {
  const { send } = await build(t)
  t.match(await send({ method: 'HEAD', url: '/api/bob/tasks', headers: alice }), { status: 403 })
  t.match(
    await send({ method: 'HEAD', url: '/api/alice/tasks' }),
    { status: 401, headers: { 'www-authenticate': 'Bearer realm="api"' } }
  )
  t.match(await send({ method: 'HEAD', url: '/api/alice/tasks', headers: alice }), { status: 200 })
})

testWithCaches('an unknown URL is 404 with and without a token', async (t) => {
  for (const preHandler of [undefined, async () => {}]) {
    const { send } = await build(t, {}, {}, (app) => {
      app.setNotFoundHandler(
        { ...preHandler && { preHandler } },
        async (request, reply) => reply.code(404).send({ user: getUser(request) })
      )
      app.get('/api/:user_id/gone', async (_request, reply) => { reply.callNotFound(); return reply })
    })
    t.match(await send('/nowhere'), { status: 404, body: { user: null } })
    t.match(await send({ url: '/nowhere', headers: bearer('x') }), { status: 404 })
    t.match(await send({ url: '/api/alice/gone', headers: alice }), { status: 404, body: { user: { id: 'alice' } } })
    t.match(await send({ url: '/api/bob/gone', headers: alice }), { status: 403 })
  }
})

testWithCaches('callNotFound: a 404 handler is public, and sees the user that the route let in', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.setNotFoundHandler({ preHandler: async () => {} }, async (request, reply) =>
      reply.code(404).send({ user: getUser(request)?.id ?? null, same: getUser(request) === request.user }))
    for (const access of ['owner', 'user', 'optional', 'public'] as const) {
      app.get(`/${access}/:user_id`, { config: { access } }, (_request, reply) => { reply.callNotFound() })
    }
  })
  const rows: Array<[path: string, headers: Record<string, string>, answer: unknown]> = [
    ['/owner/alice', alice, 'alice'], ['/owner/alice', {}, 'MISSING_TOKEN'],
    ['/owner/bob', alice, 'FORBIDDEN_USER_ACCESS'],
    ['/user/bob', alice, 'alice'], ['/user/bob', bearer('x'), 'MALFORMED_TOKEN'],
    ['/optional/bob', alice, 'alice'], ['/optional/bob', {}, null], ['/optional/bob', bearer('x'), 'MALFORMED_TOKEN'],
    ['/public/bob', alice, null], ['/public/bob', bearer('x'), null]
  ]
  for (const [url, headers, answer] of rows) {
    const { status, code, body } = await send({ url, headers })
    const { user, same } = body as { user?: unknown, same?: boolean }
    t.same(status === 404 && same ? user : code, answer, `${url} ${JSON.stringify(headers)}`)
  }
})

testWithCaches('a 404 handler is public even if the token was revoked by the route that calls it', async (t) => {
  const { send } = await build(t, { revocations: true }, {}, (app) => {
    app.setNotFoundHandler({ preHandler: async () => {} }, async (_request, reply) => reply.code(404).send('gone'))
    app.delete('/api/:user_id', async (_request, reply) => {
      await app.userScope.revoke({ user: 'alice' })
      reply.callNotFound()
      return reply
    })
  })
  const headers = bearer(tokenFor('alice', { iat: now() }))
  t.match(await send({ method: 'DELETE', url: '/api/alice', headers }), { status: 404, body: 'gone' })
})

/** A host whose one owner route has these params schema and hooks; answers the parameter that the handler saw. */
async function changing (t: Parameters<typeof build>[0], routes: (app: FastifyInstance) => void) {
  const seen: unknown[] = []
  const { send, log } = await build(t, {}, {}, (app) => {
    app.decorate('seen', seen)
    routes(app)
  })
  return async (id: string, path: string) => {
    seen.length = 0
    log.length = 0
    const { status } = await send({ url: `/u/${path}`, headers: bearer(sign({ sub: id, exp: 1e10 })) })
    return status === 200 ? seen[0] : [status, refusals(log)[0]?.reason]
  }
}
const note = async (request: FastifyRequest) => {
  request.server.getDecorator<unknown[]>('seen').push((request.params as { user_id?: unknown }).user_id)
  return 'in'
}
const removed = [403, 'path parameter "user_id" was removed after it was checked. ' +
  'Fix: list it in the params schema, which drops what it does not list, or look for a hook that removes it']
const changed = [403, 'path parameter "user_id" was changed after it was checked. Fix: look at the params schema, ' +
  'which may convert it, or for a hook']

testWithCaches('the handler never sees an id that was not checked', async (t) => {
  const params = (schema: object) => ({ schema: { params: { type: 'object', properties: { user_id: schema } } } })
  type Row = [id: string, path: string, seen: unknown]
  const cases: Array<[what: string, routes: (app: FastifyInstance) => void, rows: Row[]]> = [
    [
      'an integer',
      (app) => { app.get('/u/:user_id', params({ type: 'integer' }), note) },
      [
        ['7', '7', 7],
        ['007', '007', changed],
        ['7', '007', [403, 'path parameter "user_id" is not the user\'s id']],
        ['alice', 'alice', [400, undefined]],
        ['1e1', '1e1', changed]
      ]
    ],
    [
      'a number',
      (app) => { app.get('/u/:user_id', params({ type: 'number' }), note) },
      [['7', '7', 7], ['7.0', '7.0', changed], ['9007199254740993', '9007199254740993', changed]]
    ],
    ['a boolean', (app) => { app.get('/u/:user_id', params({ type: 'boolean' }), note) }, [['true', 'true', changed]]],
    [
      'null',
      (app) => { app.get('/u/:user_id?', params({ type: 'null' }), note) },
      [['null', 'null', [400, undefined]]]
    ],
    [
      'an array',
      (app) => {
        const validatorCompiler = () => (value: unknown) =>
          ({ value: { user_id: [(value as { user_id: string }).user_id] } })
        app.get('/u/:user_id', { ...params({ type: 'array', items: { type: 'string' } }), validatorCompiler }, note)
      },
      [['7', '7', changed]]
    ],
    [
      'a TypeBox string',
      (app) => { app.get('/u/:user_id', { schema: { params: Type.Object({ user_id: Type.String() }) } }, note) },
      [['alice', 'alice', 'alice']]
    ],
    [
      'a default for an optional parameter',
      (app) => { app.get('/u/:user_id?', params({ type: 'string', default: 'alice' }), note) },
      [['alice', '', [403, 'path parameter "user_id" is not the user\'s id']], ['alice', 'alice', 'alice']]
    ],
    [
      'a validator that folds case',
      (app) => {
        const validatorCompiler = () => (value: unknown) =>
          ({ value: { user_id: String((value as { user_id: string }).user_id).toLowerCase() } })
        app.get('/u/:user_id', { ...params({ type: 'string' }), validatorCompiler }, note)
      },
      [['alice', 'alice', 'alice'], ['ALICE', 'ALICE', changed]]
    ],
    [
      'a preValidation hook of the route',
      (app) => {
        const preValidation = async (request: FastifyRequest) => {
          Object.assign(request.params as object, { user_id: 'bob' })
        }
        app.get('/u/:user_id', { preValidation }, note)
      },
      [['alice', 'alice', changed]]
    ],
    [
      'params taken away',
      (app) => { app.get('/u/:user_id', { preValidation: async (request) => { request.params = null } }, note) },
      [['alice', 'alice', removed]]
    ],
    [
      'a schema that drops it',
      (app) => {
        const withNone = { type: 'object', properties: {}, additionalProperties: false }
        app.get('/u/:user_id', { schema: { params: withNone } }, note)
      },
      [['alice', 'alice', removed]]
    ],
    [
      'an onRequest hook behind the guard',
      (app) => {
        app.get('/u/:user_id', { onRequest: async (request) => { request.params = { user_id: 'bob' } } }, note)
      },
      [['alice', 'alice', changed]]
    ],
    [
      'the user replaced by a hook of the host',
      (app) => {
        const preHandler = async (request: FastifyRequest) => { Object.assign(request, { user: { id: 'bob' } }) }
        app.get('/u/:user_id', { preHandler }, note)
      },
      [['alice', 'alice', 'alice']]
    ],
    [
      'a level that does not look',
      (app) => {
        const preHandler = async (request: FastifyRequest) => { request.params = { user_id: 'bob' } }
        app.get('/u/:user_id', { config: { access: 'user' }, preHandler }, note)
      },
      [['alice', 'alice', 'bob']]
    ]
  ]
  for (const [what, routes, rows] of cases) {
    const answer = await changing(t, routes)
    for (const [id, path, expected] of rows) t.same(await answer(id, path), expected, `${what}: ${id} on ${path}`)
  }
})

testWithCaches('the log names the user of a late refusal too, unless it must not', async (t) => {
  for (const logUser of [true, false]) {
    const { send, log } = await build(t, { logUser, bind: { org_id: 'org' } }, {}, (app) => {
      const change = (params: object) => async (request: FastifyRequest) => { request.params = params }
      app.get('/user/:user_id', { preValidation: change({ user_id: 'bob' }) }, async () => 'in')
      app.get('/org/:org_id', { preValidation: change({ org_id: 'other' }) }, async () => 'in')
      app.get('/scopes', async (request) => { requireScopes(request, 'a') })
    })
    const headers = bearer(tokenFor('alice', { org: 'acme' }))
    for (const url of ['/user/alice', '/org/acme', '/scopes']) {
      t.match(await send({ url, headers }), { status: 403 }, url)
    }
    t.same(refusals(log).map(({ code, user }) => [code, user]), [
      'FORBIDDEN_USER_ACCESS', 'FORBIDDEN_RESOURCE_ACCESS', 'INSUFFICIENT_SCOPE'
    ].map((code) => [code, logUser ? 'alice' : undefined]))
    t.equal(refusals(log).filter((line) => 'user' in line).length, logUser ? 3 : 0)
  }
})

testWithCaches('the error handler of the host', async (t) => {
  const handlers: Array<[what: string, setUp: (app: FastifyInstance) => void, body: object]> = [
    [
      'sends the error',
      (app) => { app.setErrorHandler(async (error, _request, reply) => reply.send(error)) },
      { code: 'MISSING_TOKEN' }
    ],
    [
      'sends its own body, no status',
      (app) => {
        app.setErrorHandler(async (error, _request, reply) => reply.send({ mine: (error as { code: string }).code }))
      },
      { mine: 'MISSING_TOKEN' }
    ],
    [
      'returns its own body',
      (app) => { app.setErrorHandler(async (error) => ({ mine: (error as { code: string }).code })) },
      { mine: 'MISSING_TOKEN' }
    ],
    [
      'spreads the error, without its reason',
      (app) => { app.setErrorHandler(async (error) => ({ ...error as object })) },
      { code: 'MISSING_TOKEN', statusCode: 401, name: 'FastifyError', message: 'Missing authentication token' }
    ],
    [
      'switches on the class',
      (app) => {
        app.setErrorHandler(async (error) => ({
          missing: error instanceof MissingTokenError,
          forbidden: error instanceof ForbiddenUserAccessError
        }))
      },
      { missing: true, forbidden: false }
    ],
    ['of a child context', (app) => { app.setErrorHandler(async () => ({ parent: true })) }, { parent: true }]
  ]
  for (const [what, setUp, body] of handlers) {
    const { send } = await build(t, {}, {}, (app) => {
      setUp(app)
      app.get('/api/me', async () => 'in')
    })
    const answer = await send('/api/me')
    t.match(
      answer,
      { status: 401, headers: { 'www-authenticate': 'Bearer realm="api"', 'cache-control': 'no-store' }, body },
      what
    )
    t.notMatch(JSON.stringify(answer.body), 'reason', what)
  }
})

testWithCaches('an error handler that answers 404, to say nothing of what is there', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.setErrorHandler(async (_error, _request, reply) => { reply.callNotFound(); return reply })
    app.setNotFoundHandler({ preHandler: async () => {} }, async (request, reply) =>
      reply.code(404).send({ nothing: true, user: request.user }))
    app.get('/api/:user_id/tasks', async () => 'in')
  })
  const nothing = { status: 404, body: { nothing: true, user: null } }
  t.match(await send({ url: '/api/bob/tasks', headers: alice }), nothing)
  t.match(await send('/api/bob/tasks'), nothing)
  t.match(await send({ url: '/api/alice/tasks', headers: alice }), { status: 200 })
})

testWithCaches('validation errors of the host stay as they are', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.setSchemaErrorFormatter(() => new Error('formatted'))
    app.post('/api/:user_id/tasks', { schema: { body: Type.Object({ title: Type.String() }) } }, async () => 'in')
  })
  t.match(
    await send({ method: 'POST', url: '/api/alice/tasks', headers: alice, payload: {} }),
    { status: 400, body: { message: 'formatted' } }
  )
  t.match(await send({ method: 'POST', url: '/api/bob/tasks', headers: alice, payload: {} }), forbidden)
})

testWithCaches('refused before the body is parsed, and never by reply.send', async (t) => {
  let parsed = 0
  let handled = 0
  const { app, send } = await build(t, { revocations: true }, {}, (app) => {
    app.addContentTypeParser('text/plain', async () => { parsed++ })
    // With a guard that sends, the handler would start while this hook waits.
    app.addHook('onSend', () => new Promise<void>((resolve) => setImmediate(resolve)))
    app.post('/api/:user_id/tasks', async () => { handled++; return 'in' })
  })
  const post = { method: 'POST', url: '/api/bob/tasks', payload: 'x' } as const
  t.match(await send({ ...post, headers: { 'content-type': 'text/plain' } }), { status: 401 })
  t.match(await send({ ...post, headers: { 'content-type': 'text/plain', ...alice } }), { status: 403 })
  const bob = bearer(tokenFor('bob', { iat: now() })) // not later, as a second may end in between
  await app.userScope.revoke({ user: 'bob' })
  t.match(await send({ ...post, headers: { 'content-type': 'text/plain', ...bob } }), { code: 'TOKEN_REVOKED' })
  t.same([parsed, handled], [0, 0])
  await send({ ...post, url: '/api/alice/tasks', headers: { 'content-type': 'text/plain', ...alice } })
  t.same([parsed, handled], [1, 1], 'an admitted request')
})

testWithCaches('1,000 requests at once', async (t) => {
  for (const users of [1, 1000]) {
    const { send } = await build(t, {}, {}, (app) => {
      app.get('/api/:user_id/tasks', async (request) => {
        const before = request.user.id
        await new Promise((resolve) => setImmediate(resolve))
        return {
          path: (request.params as { user_id: string }).user_id,
          before,
          after: request.user.id,
          claim: request.user.claims.sub
        }
      })
    })
    const answers = await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
      const user = `user-${i % users}`
      const [own, other] = await Promise.all([
        send({ url: `/api/${user}/tasks`, headers: bearer(tokenFor(user)) }),
        send({ url: `/api/${user}x/tasks`, headers: bearer(tokenFor(user)) })
      ])
      const isOwn = isDeepStrictEqual(own.body, { path: user, before: user, after: user, claim: user })
      return [own.status, isOwn, other.status].join()
    }))
    t.same([...new Set(answers)], ['200,true,403'])
  }
})

testWithCaches('the whole body, and the whole user', async (t) => {
  const { send } = await build(t, {}, {}, (app) => { app.get('/api/me', async (request) => request.user) })
  t.same((await send('/api/me')).body, {
    statusCode: 401,
    code: 'MISSING_TOKEN',
    error: 'Unauthorized',
    message: 'Missing authentication token'
  })
  const claims = { sub: 'alice', exp: 1e10, roles: ['member'], scope: 'a b', act: { sub: 'admin' } }
  t.same(
    (await send({ url: '/api/me', headers: bearer(sign(claims)) })).body,
    { id: 'alice', issuer: 'secret', scopes: ['a', 'b'], actor: { id: 'admin', chain: ['admin'] }, claims }
  )
})

testWithCaches('a bad header is no anonymous request, and none of the guard\'s statuses can be lost', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.setErrorHandler(async () => ({ mine: 1 }))
    app.get('/maybe', { config: { access: 'optional' } }, async () => 'in')
    app.get('/api/:user_id/tasks', async () => 'in')
  })
  for (const authorization of ['', 'Basic x', 'Bearer', 'Bearer x']) {
    t.match(await send({ url: '/maybe', headers: { authorization } }), { status: 401 }, authorization)
  }
  t.match(await send({ url: '/api/bob/tasks', headers: alice }), { status: 403, body: { mine: 1 } })
})

testWithCaches('nor is a token anonymous that is revoked, or that nobody can judge now', async (t) => {
  const routes = (app: FastifyInstance) => {
    app.get('/maybe', { config: { access: 'optional' } }, async (request) => ({ user: getUser(request) }))
  }
  const iat = now()
  const headers = bearer(tokenFor('alice', { iat }))
  const { app, send } = await build(t, { revocations: true }, {}, routes)
  t.match(await send({ url: '/maybe', headers }), { status: 200, body: { user: { id: 'alice' } } })
  await app.userScope.revoke({ user: 'alice' })
  t.match(await send({ url: '/maybe', headers }), { status: 401, code: 'TOKEN_REVOKED' })
  t.match(await send('/maybe'), { status: 200, body: { user: null } })

  const issuer = await createIssuer({ mode: 'jwks', t })
  const up = await build(t, issuer.options, {}, routes)
  const expired = bearer(await issuer.expired('alice'))
  t.match(await up.send({ url: '/maybe', headers: expired }), { status: 401, code: 'TOKEN_EXPIRED' })
  await issuer.stop()
  const remote = await build(t, { issuers: [{ ...issuer.entry, lazy: true }] }, {}, routes)
  const byKey = await issuer.authorization('alice')
  t.match(await remote.send({ url: '/maybe', headers: byKey }), { status: 503, code: 'KEYS_UNAVAILABLE' })
  t.match(await remote.send('/maybe'), { status: 200, body: { user: null } })

  mock.timers.enable({ apis: ['Date'], now: iat * 1000 })
  t.teardown(() => { mock.timers.reset() })
  const store = new MemoryStore()
  const stale = await build(t, { revocations: store }, {}, routes)
  mock.timers.setTime((iat + 61) * 1000)
  t.match(await stale.send({ url: '/maybe', headers }), { status: 503, code: 'REVOCATIONS_UNAVAILABLE' })
  t.match(await stale.send('/maybe'), { status: 200, body: { user: null } })
})

t.test('an error that nobody expected is 401, and no 500, also after a promise', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', async (request) => {
    request.params = new Proxy({}, { get: () => { throw new Error('no such parameter') } })
  })
  await app.register(userScope, { secret, issuers: [{ ...issuer.entry, idPrefix: '' }] })
  app.get('/:user_id', async () => 'in')
  for (const headers of [alice, bearer(await issuer.token('alice'))]) {
    t.match(await sender(app)({ url: '/alice', headers }), { status: 401, code: 'INVALID_CLAIMS' })
  }
})

testWithCaches('a token signed with a secret is verified without a promise', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const verify = await createSecretVerifier(app, readOptions({ secret }, {}))
  t.match(verify(parseCompactJws(tokenFor('alice'))), { user: { id: 'alice' } })
})

t.test('a cached token is judged without a promise and not verified again', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const settings = readOptions({ secret, bind: { org_id: 'org_id' } }, {})
  const ofSecret = await createSecretVerifier(app, settings)
  const route = { url: '/api/:org_id/:user_id', method: 'GET', config: { access: { scopes: ['a'] } } }
  const demand = judgeRoute(route, settings)
  const headers = bearer(tokenFor('alice', { org_id: 'acme', scope: 'a' }))
  const verifiers: Array<[what: string, verify: Verifier]> = [
    ['a secret', ofSecret], ['keys that may have to be fetched', async (jws) => await ofSecret(jws)]
  ]
  for (const [what, verify] of verifiers) {
    let verified = 0
    const count: Verifier = (jws) => { verified++; return verify(jws) }
    const revocations = { check: () => null }
    const guard = createGuard(settings, () => demand, count, new TokenCache({ max: 10, ttl: 300 }), revocations)
    const request = {
      method: 'GET',
      url: '/api/acme/alice',
      headers,
      raw: { rawHeaders: Object.entries(headers).flat(), headersDistinct: { authorization: [headers.authorization] } },
      params: { org_id: 'acme', user_id: 'alice' },
      routeOptions: { url: route.url },
      server: app,
      log: { debug: () => {}, info: () => {} }
    } as unknown as FastifyRequest
    const reply = {} as FastifyReply
    await new Promise<void>((resolve, reject) => {
      guard.onRequest(request, reply, (error) => error ? reject(error) : resolve())
    })
    const called: unknown[] = []
    guard.onRequest(request, reply, (error) => { called.push(['onRequest', error, getUser(request)?.id]) })
    guard.preHandler(request, reply, (error) => { called.push(['preHandler', error, getUser(request)?.id]) })
    t.same(called, [['onRequest', undefined, 'alice'], ['preHandler', undefined, 'alice']], what)
    t.equal(verified, 1, what)
  }
})

t.test('the log says once, at level debug, who vouched for a new token', async (t) => {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'debug', stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(() => app.close())
  await app.register(userScope, { secret })
  app.get('/api/me', async (request) => request.user.id)
  for (let i = 0; i < 3; i++) await app.inject({ url: '/api/me', headers: alice })
  const verified = lines.filter((line) => line.includes('token verified'))
  t.equal(verified.length, 1)
  t.match(JSON.parse(String(verified[0])), { level: 20, verifiedBy: 'secret' })
})

t.test('the user is null if no token was verified', async (t) => {
  const seen: unknown[] = []
  const { send } = await build(t, {}, {}, (app) => {
    for (const access of ['optional', 'public'] as const) {
      app.get(`/${access}`, { config: { access } }, async (request) => { seen.push(request.user) })
    }
  })
  t.match([await send('/optional'), await send('/public')], [{ status: 200 }, { status: 200 }])
  t.strictSame(seen, [null, null])
})

t.test('a refused request is not judged a second time', (t) => {
  const settings = readOptions({ secret }, {})
  const demand = judgeRoute({ url: '/me', method: 'GET' }, settings)
  const verify = () => { throw new Error('there is no token') }
  const guard = createGuard(settings, () => demand, verify, null, null)
  const log = { info: () => {} }
  const [raw, server] = [{ rawHeaders: [] }, { server: {} }]
  const request = { headers: {}, raw, server, is404: false, log, routeOptions: {} } as unknown as FastifyRequest
  const reply = { code: () => reply, headers: () => reply } as unknown as FastifyReply
  const errors: unknown[] = []
  for (const hook of [guard.onRequest, guard.onRequest, guard.preHandler]) {
    hook(request, reply, (error) => { errors.push(error) })
  }
  t.match(errors, [{ code: 'MISSING_TOKEN' }])
  t.equal(errors.length, 1)
  t.end()
})

testWithCaches('over HTTP/2', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  await app.register(userScope, { secret })
  app.get('/api/:user_id/tasks', async (request) => ({ user: request.user.id }))
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const session = connect(address)
  t.teardown(() => session.close())
  const status = (user: string, headers = {}) => new Promise((resolve, reject) => {
    const stream = session.request({ ':path': `/api/${user}/tasks`, ...headers })
    stream.on('response', (response) => resolve(response[':status'])).on('error', reject).resume().end()
  })
  t.same([await status('alice'), await status('alice', alice), await status('bob', alice)], [401, 200, 403])
})

testWithCaches('the challenge of each code', async (t) => {
  const { send } = await build(t)
  const rows: Array<[headers: Record<string, string>, challenge: string]> = [
    [{}, 'Bearer realm="api"'],
    [{ authorization: 'Basic x' }, challengeOf('Invalid authorization header format', 'invalid_request')],
    [bearer('x'), challengeOf('Malformed token')],
    [bearer(sign({}, { key: 'x' })), challengeOf('Invalid token signature')],
    [bearer(sign({ exp: 1 })), challengeOf('Token expired')],
    [bearer(sign({})), challengeOf('Invalid token claims')],
    [bearer(sign({ exp: 1e10 })), challengeOf('Invalid token: missing or malformed user ID claim')]
  ]
  for (const [headers, challenge] of rows) {
    t.match(
      await send({ url: '/api/me', headers }),
      { status: 401, headers: { 'www-authenticate': challenge, 'cache-control': 'no-store' } }
    )
  }
})

testWithCaches('a user is frozen: one request cannot change what another sees', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.get('/api/me', async (request) => {
      Object.assign(request.user.claims, { sub: 'mallory' })
      return 'changed'
    })
  })
  t.match(await send({ url: '/api/me', headers: alice }), { status: 500 })
})

testWithCaches('getUser outside of a scope', async (t) => {
  const app = Fastify()
  app.get('/', async (request) => ({ user: getUser(request) }))
  await app.register(async (child) => {
    await child.register(userScope, { secret })
    child.get('/api/me', async (request) => request.user.id)
  })
  t.match(await sender(app)({ url: '/', headers: alice }), { body: { user: null } })
  t.match(await sender(app)({ url: '/api/me', headers: alice }), { body: 'alice' })
})
