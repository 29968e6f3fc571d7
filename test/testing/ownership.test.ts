import { Type } from '@sinclair/typebox'
import cors from '@fastify/cors'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import t from 'tap'
import userScope, { type AccessRule, type UserScopeOptions } from '../../lib/index.js'
import {
  assertOwnership, createIssuer, type OwnershipOptions,
  type ScopeAssertionError
} from '../../lib/testing/index.js'
import { copyOfLib, host, issuer, libUrl, people, runAlone, say, state, type Build } from '../support/kit.js'
import { sameLength } from '../support/same-length.js'

t.test('a sound host passes with any kind of routes', async (t) => {
  const uuid = Type.String({ format: 'uuid' })
  const app = await host(t, async (app, handler) => {
    await app.register(websocket)
    app.addSchema({
      $id: 'task',
      type: 'object',
      required: ['title'],
      properties: { title: { type: 'string', minLength: 3 }, due: { type: 'string', format: 'date' } }
    })
    app.addSchema({ $id: 'ids', type: 'object', properties: { task_id: { type: 'integer', minimum: 100 } } })
    app.get('/', handler)
    app.get('/api/me', handler)
    app.get('/health', { config: { access: 'public' } }, handler)
    app.get('/api/:user_id/tasks',
      {
        schema: {
          querystring: Type.Object({
            q: Type.String({ pattern: '^[a-z]{2}\\d$' }),
            page: Type.Optional(Type.Integer()),
            tags: Type.Array(uuid, { minItems: 2 })
          })
        }
      }, handler)
    app.post('/api/:user_id/tasks',
      {
        schema: {
          body: { $ref: 'task#' },
          headers: {
            type: 'object',
            required: ['x-key', 'Authorization'],
            properties: { 'x-key': { enum: ['k'] } },
            additionalProperties: false
          }
        }
      }, handler)
    app.put('/api/:user_id/tasks/:task_id',
      {
        schema: {
          params: { $ref: 'ids#' },
          body: { content: { 'application/json': { schema: { $ref: 'task#' } } } }
        }
      }, handler)
    app.patch('/api/:user_id/tasks/:task_id',
      {
        schema: {
          params: Type.Object({ user_id: Type.String(), task_id: uuid }),
          body: Type.Union([Type.Object({ a: Type.Literal(1) }), Type.Null()])
        }
      }, handler)
    app.delete('/api/:user_id/tasks/:task_id(^[1-9]\\d*$)', handler)
    app.get('/api/:user_id/files/*', handler)
    app.get('/optional/:user_id?', handler)
    app.get('/socket/:user_id', { websocket: true }, handler)
    app.get('/hosted/:user_id', { constraints: { host: 'a.example' } }, handler)
    app.get('/hosted/:user_id', { constraints: { version: '1.2.0' } }, handler)
    app.get('/cached/:user_id', { preHandler: async (_request, reply) => reply.send('from memory') }, handler)
    app.options('/api/me', handler)
    app.route({ method: 'QUERY', url: '/search/:user_id', handler })
    app.register(async (child) => { child.get('/', handler) }, { prefix: '/prefix/:user_id' })
  }, issuer.options,
  { routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true } })
  t.equal(await say(app), '')
  const plain =
    await host(t, (app, handler) => app.register(async (child) => { child.get('/', handler) }, { prefix: '/:user_id' }))
  t.equal(await say(plain), '', 'the root of a prefix, with a slash and without')
  t.equal(await say(app, { alice: 'auth0|65 /é', bob: 'Bob.Ö' }), '')
  t.equal(await say(app, { alice: '7', bob: '8' }), '')
  t.equal(await say(app, { alice: 'ALICE', bob: 'alice' }), '')
})

t.test('a remote issuer works, and so do tokens of the host', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = await host(t, (app, handler) => app.get('/:user_id', handler), issuer.options)
  t.equal(await say(app, { issuer }), '')
  const token = await issuer.token('alice')
  await assertOwnership(app, { alice: { id: 'alice', token }, bob: 'bob' })
  await t.rejects(assertOwnership(app, { alice: { id: 'alice', token, expired: token, forged: token }, bob: 'bob' }),
    /an expired token {2}401 {7}its handler {2}\/alice\n.*a forged token {4}401 {7}its handler/)
})

t.test('params give what requests need, by route or for all', async (t) => {
  const wants = (status: number, isThere: (request: FastifyRequest) => unknown) => ({
    preHandler: async (request: FastifyRequest, reply: FastifyReply) =>
      isThere(request) ? undefined : reply.code(status).send({ message: 'no' })
  })
  const app = await host(t, (app, handler) => {
    app.addHook('preHandler', wants(402, ({ headers }) => headers['x-csrf'] === 'c').preHandler)
    app.get('/a/:user_id', wants(409, ({ query }) => (query as { q?: string }).q === 'a b'), handler)
    app.post('/b/:user_id/:kind/*', {
      schema: { body: { type: 'object', required: ['n'] } },
      ...wants(404, ({ params, body }) =>
        JSON.stringify([params, body]) === '[{"user_id":"alice","kind":"a/b","*":"x/y"},{"n":4}]')
    }, handler)
    app.get('/c/:user_id/:n(^(?=7)[0-9]$)', handler)
  })
  t.match(await say(app), [
    'Routes that let others in, or could not be tried: 5', '',
    'GET, HEAD /a/:user_id (owner, default)',
    '  not tried to the end, because alice or bob was refused: give what the request needs in params, by ' +
    "'GET /a/:user_id': { path, query, headers, body }, and two users with the scopes of the route, whose ids look " +
    'like those of your app',
    '  request  expected  answer  path',
    "  alice's token, her own path  its handler  402 no  /a/alice", ''
  ].join('\n'))
  t.match(await say(app), 'GET, HEAD /c/:user_id/:n(^(?=7)[0-9]$) (owner, default)\n  not tried to the end, because')
  const csrf = { headers: { 'x-csrf': 'c' } }
  t.match(await say(app, { params: { '*': csrf } }), "alice's token, her own path  its handler  404 no  /b/alice/1/1")
  t.equal(await say(app, {
    params: {
      '*': { ...csrf, path: { kind: 'a/b' } },
      'GET /a/:user_id': { query: { q: 'a b' } },
      'POST /b/:user_id/:kind/*': { path: { '*': 'x/y' }, body: { n: 4 } },
      'GET /c/:user_id/:n(^(?=7)[0-9]$)': { path: { n: '7' } }
    }
  }), '')
})

t.test('allow exempts the named routes and nothing else', async (t) => {
  const app = await host(t, (app, handler) => {
    app.get('/avatars/:user_id', { config: { access: 'public' } }, handler)
    app.get('/people/:userId', { config: { access: 'user' } }, handler)
    app.get('/sound/:user_id', handler)
    app.all('/sound/*', handler)
  })
  const allow = ['GET /avatars/:user_id', 'GET /people/:userId', /^[A-Z]+ \/sound\/\*$/]
  t.equal(await say(app, { allow }), '')
  t.match(await say(app, { allow: allow.slice(1) }), /could not be tried: 2\n\nGET, HEAD \/avatars/)
  t.match(await say(app, { allow: allow.slice(0, 2) }),
    /could not be tried: \d\n\n([A-Z]+(, )?)+ \/sound\/\* \(user, default\)\n/)
  t.match(await say(app, { allow: [...allow, 'GET /sound/:user_id'] }),
    'GET /sound/:user_id\n  allow names it, and it needs no exception')
  t.equal(await say(app, { allow: [...allow, 'GET /gone'], params: { 'GET /gone': {}, 'GET /sound/:user_id': {} } }),
    'Routes that let others in, or could not be tried: 2\n\nGET /gone\n  params name it, and the app has no such ' +
    'route. A name has its method: \'GET /api/…\'\n\nGET /gone\n  allow names it, and it needs no exception: it is ' +
    'sound, or does not exist. Fix: remove it, or write its method, too: \'GET /api/…\'')
})

t.test('a host that hides what is another\'s', async (t) => {
  const app = await host(t, (app, handler) => {
    app.setErrorHandler<{ statusCode: number }>((error, _request, reply) =>
      error.statusCode === 403 ? reply.code(404).send({ message: 'nothing here' }) : reply.send(error))
    app.get('/api/:user_id/tasks', handler)
    app.get('/*', handler)
    app.get('/gone/:user_id', { preHandler: async (_request, reply) => reply.callNotFound() }, handler)
  })
  t.equal(await say(app), [
    'Routes that let others in, or could not be tried: 2', '',
    'GET, HEAD /gone/:user_id (owner, default)',
    '  not tried to the end, because alice or bob was refused: give what the request needs in params, by ' +
    "'GET /gone/:user_id': { path, query, headers, body }, and two users with the scopes of the route, whose ids " +
    'look like those of your app',
    '  request  expected  answer  path',
    "  alice's token, her own path  its handler  404, no route  /gone/alice",
    "  alice's token, her own path, percent-encoded  its handler  404, no route  /gone/%61%6c%69%63%65"
  ].join('\n'))
})

t.test('requests with OPTIONS may be answered by CORS before the guard', async (t) => {
  for (const options of [{}, { strictPreflight: false }, { preflightContinue: true }]) {
    const app = await host(t, async (app, handler) => {
      await app.register(cors, options)
      app.all('/all/:user_id/files/*', handler)
    })
    t.equal(await say(app), '', JSON.stringify(options))
    const before = Fastify()
    t.teardown(() => before.close())
    await before.register(cors, options)
    await before.register(userScope, issuer.options)
    before.all('/all/:user_id/files/*', async () => 'in')
    t.equal(await say(before), '', `before the guard: ${JSON.stringify(options)}`)
  }
  const unproven = Fastify()
  t.teardown(() => unproven.close())
  await unproven.register(userScope, createIssuer().options)
  unproven.options('/o/:user_id', { config: { access: 'owner' } }, async () => 'in')
  await t.rejects(say(unproven), /alice's token is not taken/)
  const open = Fastify()
  t.teardown(() => open.close())
  await open.register(userScope, { ...issuer.options, mayActFor: () => true })
  open.options('/o/:user_id', { config: { access: { level: 'owner', delegates: true } } }, async () => 'in')
  t.match(await say(open), "alice's token, bob's path  403  its handler")
})

t.test('an answer to OPTIONS before the handler is no pass if the guard answers others', async (t) => {
  const early = await host(t, (app, handler) => {
    const preHandler = async ({ params }: FastifyRequest, reply: FastifyReply) => reply.send({ params })
    app.options('/api/:user_id/x', { config: { access: { level: 'owner', delegates: true } }, preHandler }, handler)
  }, { ...issuer.options, mayActFor: () => true })
  t.match(await say(early), /alice may act for bob here[^]*alice's token, bob's path {2}403 {2}200/)
  for (const status of [404, 500]) {
    const broken = await host(t, (app, handler) => {
      const preHandler = async (_request: FastifyRequest, reply: FastifyReply) => reply.code(status).send({})
      app.options('/api/:user_id/x', { config: { access: 'owner' }, preHandler }, handler)
    })
    t.match(await say(broken), `alice's token, her own path  its handler  ${status}`)
  }
})

t.test('where OPTIONS reaches the handler without a token, other answers before it are no pass', async (t) => {
  const app = await host(t, (app, handler) => {
    app.addHook('onRequest', async ({ headers }, reply) => { if (headers.authorization) await reply.code(204).send() })
    app.options('/api/:user_id/x', { config: { access: 'public' } }, handler)
  })
  t.match(await say(app), /no token {2}401 {2}its handler[^]*an expired token {2}401 {2}204/)
})

t.test('a 400 before the handler of another method is no pass', async (t) => {
  const app = await host(t, (app, handler) => app.get('/api/:user_id/x', {
    preHandler: async (_request, reply) => reply.code(400).send({})
  }, handler))
  t.match(await say(app), "alice's token, her own path  its handler  400")
})

t.test('a preflight is nobody\'s', async (t) => {
  t.equal(await say(await host(t, (app, handler) => {
    app.get('/:user_id', handler)
    app.options('/:user_id', handler)
  })), '')
  t.equal(await say(await host(t, (app, handler) => {
    app.get('/:user_id', handler)
    app.options('*', handler)
  })), '', 'as @fastify/cors has them')
  t.match(await say(await host(t,
    (app, handler) => { app.options('/:user_id', { config: { access: 'user' } }, handler) })),
  'OPTIONS /:user_id (user, stated)')
})

t.test('the owner\'s parameter of another registration is reported', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const userIdParam of ['user_id', 'account']) {
    await app.register(async (child) => {
      await child.register(userScope, { ...issuer.options, userIdParam })
      child.get(`/${userIdParam}/:${userIdParam}`, async () => ({}))
      if (userIdParam === 'user_id') child.get('/bills/:account', async () => ({}))
    })
  }
  t.equal(await say(app),
    'Routes that let others in, or could not be tried: 2\n\nGET, HEAD /bills/:account (user, default)\n' +
    '  ":account" is the owner\'s parameter elsewhere, and is compared with nobody\'s id: rename it, or ' +
    'allow: [\'GET /bills/:account\']')
})

t.test('wrong ids and tokens that are not accepted are reported', async (t) => {
  const uuid = { schema: { params: Type.Object({ user_id: Type.String({ format: 'uuid' }) }) } }
  t.equal(await say(await host(t, (app, handler) => app.post('/:user_id', uuid, handler))), '',
    'validation is not what is tried')
  t.match(await say(await host(t, (app, handler) => app.post('/:user_id(^\\d+$)', handler))),
    /not tried to the end, .*, whose ids look like those of your app\n/)
  t.match(await say(await host(t, (app, handler) =>
    app.post('/:user_id', { preHandler: async (_request, reply) => reply.callNotFound() }, handler))),
  'not tried to the end, because alice or bob was refused: give what the request needs')
  const app = await host(t, (app, handler) => {
    app.get('/a/:user_id', handler)
    app.get('/b/:user_id', handler)
  })
  await t.rejects(say(app, { issuer: createIssuer() }),
    new TypeError("alice's token is not taken: is the plugin registered with the options of the issuer? " +
      '(the plugin: the signature does not verify with a configured secret ' +
      '(FAST_JWT_INVALID_SIGNATURE)) (401 INVALID_TOKEN_SIGNATURE)'))
})

t.test('a request that cannot be sent is not blamed on the app', async (t) => {
  const app = await host(t, (app, handler) => app.get('/api/:user_id', handler))
  await app.close()
  t.match(await say(app), 'GET, HEAD /api/:user_id (owner, default)\n  request  expected  answer  path\n' +
    '  no token  401  none: Fastify has already been closed')
})

t.test('why alice is kept out is said', async (t) => {
  const routes = ((app, handler) => app.get('/api/:user_id/x', handler)) satisfies Build
  const more = await host(t, routes, { ...issuer.options, claims: { type: 'object', required: ['role'] } })
  await t.rejects(say(more), /is not taken: .*the plugin: .* must have required property 'role'\) \(401 INVALID/)
  const unknown = await host(t, (app, handler) => app.get('/api/:user_id/x', {
    preHandler: async (_request, reply) => reply.code(401).send({ code: 'NO_SUCH_USER' })
  }, handler))
  await t.rejects(say(unknown), new TypeError("alice's token is not taken: is the plugin registered with the options " +
    'of the issuer? Or does a hook of the app look for alice, where nobody has made her? (401 NO_SUCH_USER)'))
  const params = { type: 'object', properties: {}, additionalProperties: false }
  const dropped = await host(t, (app, handler) => app.get('/api/:user_id/x', { schema: { params } }, handler))
  t.match(await say(dropped), 'GET, HEAD /api/:user_id/x (owner, default)\n  alice is kept from her own path: does a ' +
    'hook or a schema change the id, or a hook need more than her token? (the plugin: path parameter "user_id" was ' +
    'removed after it was checked. Fix: list it in the params schema')
  const answers: Array<[status: number, hint: string]> = [
    [429, 'the app limits the rate of requests: raise the limit in tests'],
    [500, 'the app fails before the handler: its log has the error. Do the ids of alice and bob look like those of ' +
      'your app?']
  ]
  for (const [status, hint] of answers) {
    const preHandler = async (_request: FastifyRequest, reply: FastifyReply) => reply.code(status).send({})
    t.match(await say(await host(t, (app, handler) => app.get('/api/:user_id/x', { preHandler }, handler))),
      `GET, HEAD /api/:user_id/x (owner, default)\n  ${hint}\n`)
  }
})

t.test('an error handler that changes what the guard answers is named', async (t) => {
  const app = await host(t, (app, handler) => {
    app.setErrorHandler((_error, _request, reply) => reply.redirect('/login', 302))
    app.get('/api/:user_id/x', handler)
  })
  t.match(await say(app), '(owner, default)\n  something answers in the guard\'s place, such as an error handler or ' +
    "a cache: let it keep the guard's status\n  request  expected  answer  path\n  no token  401  302  ")
})

t.test('a HEAD route that is open beside a sound GET route is named by itself', async (t) => {
  const app = await host(t, (app, handler) => {
    app.head('/api/:user_id/x', { config: { access: 'public' } }, handler)
    app.get('/api/:user_id/x', handler)
  })
  t.match(await say(app), '\nHEAD /api/:user_id/x (public, stated)')
  t.match(await say(app), "or allow: ['HEAD /api/:user_id/x']")
})

t.test('a hook that changes the owner of an early route is reported', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/early/:user_id',
    { preHandler: async ({ params }) => { Object.assign(params as object, { user_id: 'bob' }) } }, async () =>
      ({ ran: state.ran++ }))
  await app.register(userScope, issuer.options)
  t.match(await say(app),
    '  a hook changes ":user_id" after it was compared, and the handler sees another\'s id\n  request  expected  ' +
    'answer  path\n  alice\'s token, her own path  its handler  its handler  /early/alice')
})

t.test('a host that accepts a request only once passes', async (t) => {
  const seen = new Set<string>()
  const preHandler = async ({ method, headers }: FastifyRequest, reply: FastifyReply) => {
    const key = method + String(headers['idempotency-key'])
    if (seen.has(key)) return reply.code(409).send({ message: 'again' })
    seen.add(key)
  }
  const app = await host(t, (app, handler) => app.get('/:user_id', { preHandler }, handler))
  t.equal(await say(app, { params: { '*': { headers: { 'idempotency-key': 'k' } } } }), '')
})

t.test('scopes with different issuers are judged one by one', async (t) => {
  const admin = createIssuer({ userIdClaim: 'uid' })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (child) => {
    await child.register(userScope, issuer.options)
    child.get('/:user_id', async () => ({}))
  }, { prefix: '/api' })
  await app.register(async (child) => {
    await child.register(userScope, { ...admin.options, userIdParam: 'admin' })
    child.get('/:admin', async () => ({}))
  }, { prefix: '/admin' })
  t.match(await say(app), 'GET, HEAD /admin/:admin (owner, default)')
  t.equal(await say(app, { only: ({ url }) => url.startsWith('/api') }), '')
  t.equal(await say(app,
    {
      issuer: admin,
      only: ({ url, method }) => url.startsWith('/admin') && method !== 'TRACE',
      allow: ['GET /api/:user_id']
    }), '', 'what is allowed in another scope')
})

t.test('early routes are judged, and apps may already listen and serve', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/early/:user_id', async () => ({}))
  app.get('/other/:id/more', async () => ({}))
  app.get('/versioned/:user_id', { constraints: { version: '1.2.0' } }, async () => ({}))
  await app.register(userScope, issuer.options)
  await app.listen()
  t.equal((await app.inject({ url: '/early/alice', headers: issuer.authorization('alice') })).statusCode, 200)
  t.equal(await say(app), '')
})

t.test('a late route of another version beside a sound one is reported', async (t) => {
  const app = await host(t, async (app, handler) => {
    app.get('/api/:user_id/tasks', { constraints: { version: '1.0.0' } }, handler)
    app.get('/api/:user_id/tasks', { constraints: { version: '2.0.0' }, config: { access: 'public' } }, handler)
  })
  t.match(await say(app),
    'tried: 2\n\nGET, HEAD /api/:user_id/tasks (public, stated) {"version":"2.0.0"}\n  its level is')
  const outside = Fastify()
  t.teardown(() => outside.close())
  await outside.register(async (child) => {
    await child.register(userScope, issuer.options)
    child.get('/api/:user_id/tasks', { constraints: { version: '1.0.0' } }, async () => ({ ran: state.ran++ }))
  })
  await outside.after()
  outside.get('/api/:user_id/tasks', { constraints: { version: '2.0.0' } }, async () => ({ ran: state.ran++ }))
  t.match(await say(outside),
    'tried: 2\n\nGET, HEAD /api/:user_id/tasks (unguarded) {"version":"2.0.0"}\n  no guard of the plugin covers it')
})

t.test('a second copy of the package in the app is judged', async (t) => {
  const imports = `
    import userScope from ${libUrl('index.ts')}
    import otherScope from ${libUrl('index.ts', await copyOfLib(t))}
    import { assertOwnership, createIssuer } from ${libUrl('testing/index.ts')}`
  const [both, alone, open] = await runAlone(imports, `
    const issuer = createIssuer()
    const handler = async () => { throw new Error('a handler ran') }
    for (const [isBoth, access] of [[true, 'owner'], [false, 'owner'], [true, 'public']]) {
      const app = Fastify()
      if (isBoth) {
        app.register(async (child) => {
          await child.register(userScope, issuer.options)
          child.get('/api/:user_id', handler)
        })
      }
      app.register(async (child) => {
        await child.register(otherScope, { ...issuer.options, userIdParam: 'account' })
        child.get('/accounts/:account', handler)
        child.get('/open/:account', { config: { access } }, handler)
      })
      answers.push(await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' }).then(() => '', ({ message }) =>
        message))
    }`) as string[]
  t.equal(both, '')
  t.equal(alone, '', 'a scope that this copy of the kit does not know')
  t.match(open,
    "tried: 2\n\nGET, HEAD /open/:account (public, stated)\n  its level is 'public', though its URL has the owner's " +
    '":account"')
})

t.test('dot segments after the owner that a guard admits are reported', async (t) => {
  const sound = await host(t, (app, handler) => app.get('/api/:user_id/files/*', handler))
  t.equal(await say(sound), '')
  const app = await host(t, (app, handler) => app.get('/api/:user_id', handler))
  const token = issuer.token('alice')
  const guard = async ({ headers, params }: FastifyRequest, reply: FastifyReply) => {
    if (headers.authorization !== `Bearer ${token}`) return reply.code(401).send({})
    if ((params as { user_id: string }).user_id !== 'alice') return reply.code(403).send({})
  }
  const outside = Fastify()
  t.teardown(() => outside.close())
  await outside.register(async (child) => {
    await child.register(userScope, issuer.options)
    child.get('/api/:user_id', async () => ({ ran: state.ran++ }))
  })
  outside.get('/by-hand/:user_id/*', { onRequest: guard }, async () => ({ ran: state.ran++ }))
  const people = { issuer: undefined as never, alice: { id: 'alice', token }, bob: 'bob' }
  t.equal(await say(app, people), '')
  t.match(await say(outside, people),
    'what stands behind ":user_id" may lead out of it where dot segments are resolved: refuse them')
  t.match(await say(outside, people), "alice's token, a path out of hers  4xx  its handler  /by-hand/alice/..%2Fbob")
})

t.test('two issuers work with users named by whole ids', async (t) => {
  const one = await createIssuer({ mode: 'jwks', t, idPrefix: '' })
  const two = await createIssuer({ mode: 'jwks', t, idPrefix: 'two:' })
  t.equal(two.entry.idPrefix, 'two:')
  const app = await host(t, (app, handler) => app.get('/:user_id', handler), { issuers: [one.entry, two.entry] })
  t.equal(await say(app, { issuer: one }), '')
  t.equal(await say(app, { issuer: two, alice: 'two:alice', bob: 'two:bob' }), '')
  t.equal(await say(app, { issuer: two, alice: 'two:alice', bob: 'alice' }), '',
    'who has the same id elsewhere is somebody else')
  t.equal(await say(app, { issuer: one, alice: 'alice', bob: 'two:alice' }), '')
  await t.rejects(say(app, { issuer: two }), /^"alice" lacks the prefix of this issuer/)
  // As if the subject alone were the user.
  const mixed =
    await host(t, (app, handler) => app.get('/:user_id', handler),
      { issuers: [one.entry, { ...two.entry, idPrefix: '' }] })
  t.match(await say(mixed, { issuer: two, alice: 'two:alice', bob: 'alice' }),
    "alice's token, bob's path  403  its handler  /alice")
})

t.test('a route that does not answer is named', async (t) => {
  let asked = 0
  const app = await host(t, (app, handler) => app.post('/:user_id', { onRequest: () => { asked++ } }, handler))
  t.equal(await say(app, { timeout: 10 }),
    'Routes that let others in, or could not be tried: 1\n\nPOST /:user_id (owner, default)\n  not tried to the ' +
    'end: does a hook wait for what is not there in tests? "timeout" gives it longer\n' +
    "  request  expected  answer  path\n  alice's token, her own path  its handler  none: no answer within 0.01 s  " +
    '/alice')
  t.equal(asked, 1, 'the others are not waited for')
  const silent = Fastify()
  t.teardown(() => silent.close())
  silent.addHook('onRequest', () => {}) // before the guard, where CORS would answer
  await silent.register(userScope, issuer.options)
  silent.options('/:user_id', { config: { access: 'owner' } }, async () => 'in')
  t.match(await say(silent, { timeout: 10 }), 'no token  401  none: no answer within 0.01 s  /alice')
})

t.test('a request to an unknown URL that hangs does not end the trial of a route', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', (request, _reply, done) => { if (!request.is404) done() })
  await app.register(userScope, issuer.options)
  app.put('/:user_id', {
    config: { access: { scopes: ['tasks:write'] } },
    errorHandler: (error, _request, reply) =>
      error.code === 'INSUFFICIENT_SCOPE' ? reply.code(200).send({}) : reply.send(error)
  }, async () => ({ ran: state.ran++ }))
  t.match(await say(app, { timeout: 50 }), "alice's token without the scopes  403  200")
})

t.test('middleware is warned about, because nothing tries it', async (t) => {
  const notes: string[] = []
  const note = ({ message }: Error) => { notes.push(message) }
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  for (const decorate of [() => {}, (app: FastifyInstance) => app.decorate('use', () => {})]) {
    t.equal(await say(await host(t, (app, handler) => {
      decorate(app)
      app.get('/:user_id', handler)
    })), '')
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.same(notes, ['fastify-user-scope: this app has middleware (app.use), which no guard covers and no assertion ' +
    'tries. Fix: answer in a route, and remove the middleware'])
})

t.test('the error names its routes and shows no token', async (t) => {
  const app =
    await host(t, (app, handler) =>
      app.post('/:user_id', { config: { access: 'optional' }, schema: { body: { const: "it's" } } }, handler))
  const error = await assertOwnership(app, people).then(() => null, (error: unknown) => error) as ScopeAssertionError
  t.match(error, sameLength({ name: 'ScopeAssertionError', code: 'ERR_ASSERTION', routes: ['POST /:user_id'] }))
  t.match(error.message, '/bob')
  const start = /eyJ/ // of every token, whenever it was made
  for (const token of [issuer.token('alice'), issuer.forged('alice')]) t.match(token, start)
  t.notMatch(JSON.stringify({ ...error, message: error.message }), start)
})

t.test('an app without the plugin or without an owner is a TypeError', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const nothing =
    new TypeError('no guarded route has an owner in its URL, a scope or a bound parameter, so there is nothing to ' +
      'try: is the plugin registered in the context of the routes, and does "only" keep any? If all are of level ' +
      "'user', call assertIsolation alone")
  await t.rejects(assertOwnership(await host(t, (app, handler) => app.get('/', handler)), people), nothing)
  app.get('/:user_id', async () => ({ ran: state.ran++ }))
  await t.rejects(assertOwnership(app, people), nothing)
  const guarded = await host(t, (app, handler) => app.get('/:user_id', handler))
  await t.rejects(assertOwnership(guarded, { ...people, only: () => false }), nothing)
})

t.test('wrong arguments of plain JavaScript are TypeErrors', async (t) => {
  const app = await host(t, (app, handler) => app.get('/:user_id', handler))
  const wrong: Array<[app: unknown, options: unknown, says: string]> = [
    [app, { ...people, alow: [] },
      'unknown option "assertOwnership.alow". Did you mean "allow"\\?'],
    [app, { ...people, params: { 'GET /:user_id': { pat: {} } } },
      'unknown option "assertOwnership.params.GET /:user_id.pat". Did you mean "path"\\?'],
    ...['5s', '5', 0, -1, NaN, Infinity, 2 ** 31].map((timeout): [FastifyInstance, object, string] =>
      [app, { ...people, timeout }, 'option "assertOwnership.timeout" must be milliseconds, from 1 to 2147483647']),
    [app, { ...people, params: { '*': 'x' } }, 'option "assertOwnership.params.\\*" must be an object'],
    [app, undefined, 'assertOwnership\\(\\) must be given an object with its options: '],
    [Promise.resolve({}), people, 'the first argument must be a Fastify app: await the function that builds it'],
    [undefined, people, 'the first argument must be a Fastify app']
  ]
  for (const [app, options, says] of wrong) {
    await t.rejects(assertOwnership(app as FastifyInstance,
      options as OwnershipOptions), { name: 'TypeError', message: new RegExp(`^${says}`) })
  }
})

const rightsOptions: UserScopeOptions = {
  ...issuer.options,
  bind: { org_id: ['o', 'id'], team: 'teams' },
  mayActFor: ({ user, ownerId }) => user.id === 'carol' && ownerId === 'alice'
}
const rights = {
  alice: { id: 'alice', o: { id: 'acme' }, teams: ['red', 'blue'] },
  bob: { id: 'bob', o: { id: 'umbrella' }, teams: ['blue', 'green'] }
}
const orgTasks = '/orgs/:org_id/users/:user_id/tasks'
const rightsRoutes: Build = (app, handler) => {
  const access = (rule: AccessRule) => ({ config: { access: rule } })
  const delegates = { scopes: ['support', 'tasks:read'] }
  app.get('/api/:user_id/tasks', access({ scopes: ['tasks:read'], delegates }), handler)
  app.post('/api/:user_id/tasks', access({ scopes: { anyOf: ['tasks:write', 'tasks:all'] }, delegates: true }), handler)
  app.put('/api/:user_id/tasks', access({ delegates: { scopes: ['admin'], machines: true } }), handler)
  app.get(orgTasks, access({ scopes: ['tasks:read'], delegates: { scopes: ['support'] } }), handler)
  app.get('/orgs/:org_id/teams/:team', handler)
  app.get('/stats', access({ scopes: ['stats:read'] }), handler)
  app.get('/staff/:org_id', access({ scopes: ['staff'], unbound: ['org_id'] }), handler)
}

t.test('rules of a sound host pass: scopes, delegates and tenants', async (t) => {
  const app = await host(t, rightsRoutes, rightsOptions)
  t.equal(await say(app, rights), '')
  t.equal(await say(app, { ...rights, bob: 'bob' }), '', 'another tenant is made up')
  t.equal(await say(app, { ...rights, bob: { ...rights.alice, id: 'bob' } }), '', 'of the same tenant')
  const staff = { ...rights.alice, scope: 'support admin' }
  t.equal(await say(app, { ...rights, alice: staff }), '', 'alice is of the staff')
  const claims = { ...rights.alice, scope: 'tasks:read tasks:all stats:read staff' }
  const token = issuer.token(claims)
  const ready = { issuer: undefined as never, alice: { id: 'alice', token } }
  t.equal(await say(app, { ...ready, bob: { id: 'bob', token: issuer.token(rights.bob) } }), '', 'tokens of the host')
  t.equal(await say(app, { ...ready, bob: 'bob' }), '')
})

t.test('claims that alice or bob need are named', async (t) => {
  const app = await host(t, rightsRoutes, rightsOptions)
  t.match(await say(app, { only: ({ url }) => url === orgTasks }),
    "GET, HEAD /orgs/:org_id/users/:user_id/tasks (owner, default)\n  alice's token does not fit a bound parameter: " +
    "give alice and bob the claim o.id, as in { id: 'alice', … } (the plugin: path parameter \"org_id\" does not fit " +
    'the claim ["o","id"], which the token does not have (option "bind"))\n')
  const other = await host(t, (app, handler) => {
    app.get('/:user_id/a', { config: { access: { scopes: ['a'] } } }, handler)
    app.get('/:user_id/b', { config: { access: { delegates: { scopes: ['b'] } } } }, handler)
  }, { ...issuer.options, scopeClaim: 'permissions' })
  const says = await say(other)
  t.match(says, "GET, HEAD /:user_id/a (owner, default)\n  alice's token lacks the scopes of the rule: give her the " +
    'claim with them (the plugin: ')
  t.match(says, '/b (owner, default)\n  a delegate is kept out: does a hook ask for more? Scopes in another claim ' +
    'than "scope" must be among bob\'s (the plugin: ')
  const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, permissions: ['a', 'b'] }))
  t.equal(await say(other, { alice, bob } as Partial<OwnershipOptions>), '')
})

t.test('a mayActFor that admits everybody is reported', async (t) => {
  const app = await host(t, rightsRoutes, { ...rightsOptions, mayActFor: () => true })
  t.match(await say(app, rights), 'POST /api/:user_id/tasks (owner, default)\n  alice may act for bob here. ' +
    'Fix: correct option "mayActFor", or give the assertion two users who may not act for each other\n' +
    '  request  expected  answer  path\n' +
    "  alice's token, bob's path  403  its handler  /api/bob/tasks\n")
})

t.test('a mayActFor that fails is named', async (t) => {
  const app = await host(t, rightsRoutes, { ...rightsOptions, mayActFor: () => { throw new Error('no database') } })
  t.match(await say(app, rights), 'POST /api/:user_id/tasks (owner, default)\n  option "mayActFor" fails, or does ' +
    'not answer in time: its error is in the log\n')
})

t.test('a route with the owner by another name and scopes is reported', async (t) => {
  const app = await host(t, (app, handler) => {
    app.get('/orgs/:org_id/:user_id', handler)
    app.post('/orgs/:org_id/:who', { config: { access: { scopes: ['x'] } } }, handler)
  }, rightsOptions)
  t.match(await say(app, rights), 'POST /orgs/:org_id/:who (user, default)\n  its ":who" stands where ' +
    '/orgs/:org_id/:user_id has its owner')
})

t.test('no handler of these hosts has run', async (t) => { t.equal(state.ran, 0) })
