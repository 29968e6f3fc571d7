import { Agent, get, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import auth from '@fastify/auth'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import multipart from '@fastify/multipart'
import rateLimit from '@fastify/rate-limit'
import underPressure from '@fastify/under-pressure'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import userScope, { getUser, requireScopes, type UserScopeOptions } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import {
  bearer, build, otherSecret, secret, sender, sign, tokenFor, testWithCaches
} from '../support/host.js'
import { isOldestNode } from '../support/node.js'

const alice = bearer(tokenFor('alice'))
const who = async (request: FastifyRequest) => ({ user: request.user.id })

type SetUp = (app: FastifyInstance) => void | Promise<void>

/** A host whose own set-up stands before or after the plugin's registration. */
async function host (
  t: Test, when: 'before' | 'after', setUp: SetUp, routes: SetUp = () => {}, options: UserScopeOptions = {}
) {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  if (when === 'before') await setUp(app)
  await app.register(userScope, { secret, ...options })
  if (when === 'after') await setUp(app)
  app.get('/api/:user_id/tasks', who)
  app.post('/api/:user_id/tasks', who)
  await routes(app)
  await app.ready()
  return { app, send: sender(app) }
}

/** The answers that no plugin beside this one may change. */
async function assertGuarded (t: Test, send: ReturnType<typeof sender>, what: string) {
  t.match(await send('/api/alice/tasks'), { status: 401, code: 'MISSING_TOKEN' }, what)
  t.match(await send({ url: '/api/alice/tasks', headers: alice }), { status: 200, body: { user: 'alice' } }, what)
  t.match(await send({ url: '/api/bob/tasks', headers: alice }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' }, what)
  t.match(await send('/unknown'), { status: 404 }, what)
}

const plugins: Record<string, SetUp> = {
  '@fastify/helmet': async (app) => { await app.register(helmet) },
  '@fastify/rate-limit': async (app) => { await app.register(rateLimit, { max: 100 }) },
  '@fastify/under-pressure': async (app) => {
    await app.register(underPressure, { exposeStatusRoute: { url: '/status', routeOpts: {} } })
  },
  '@fastify/auth': async (app) => { await app.register(auth) },
  '@fastify/jwt': async (app) => { await app.register(jwt, { secret: otherSecret, decoratorName: 'session' }) },
  '@fastify/multipart': async (app) => { await app.register(multipart) },
  '@fastify/websocket': async (app) => { await app.register(websocket) },
  '@fastify/cors': async (app) => { await app.register(cors) }
}
for (const [name, setUp] of Object.entries(plugins)) {
  t.test(`beside ${name}`, async (t) => {
    for (const when of ['before', 'after'] as const) {
      const { send } = await host(t, when, setUp)
      await assertGuarded(t, send, `${name} registered ${when}`)
    }
  })
}

testWithCaches('@fastify/helmet: refusals have its headers too', async (t) => {
  const { send } = await host(t, 'before', async (app) => { await app.register(helmet) })
  t.match(await send('/api/alice/tasks'), {
    status: 401,
    headers: { 'x-content-type-options': 'nosniff', 'www-authenticate': 'Bearer realm="api"' }
  })
})

testWithCaches('@fastify/rate-limit: refused requests count where it runs in front', async (t) => {
  const statuses = async (setUp: SetUp) => {
    const { send } = await host(t, 'before', setUp)
    const all = []
    for (let i = 0; i < 3; i++) all.push((await send('/api/alice/tasks')).status)
    return all
  }
  t.same(await statuses(async (app) => {
    await app.register(rateLimit, { global: false, max: 2 })
    app.addHook('onRequest', app.rateLimit())
  }), [401, 401, 429])
  t.same(
    await statuses(async (app) => { await app.register(rateLimit, { max: 2 }) }),
    [401, 401, 401],
    'by default its hooks are those of the route, and run behind'
  )
})

testWithCaches('@fastify/under-pressure: its status route is made public by its own config', async (t) => {
  const status = (routeOpts: object) => async (app: FastifyInstance) => {
    await app.register(underPressure, {
      exposeStatusRoute: { url: '/status', routeOpts } as { url: string, routeOpts: { logLevel: string } }
    })
  }
  const guarded = await host(t, 'after', status({}))
  t.match(await guarded.send('/status'), { status: 401 })
  const open = await host(t, 'after', status({ config: { access: 'public' } }))
  t.match(await open.send('/status'), { status: 200 })
})

testWithCaches('@fastify/auth: its functions run behind the guard and see the user', async (t) => {
  const seen: string[] = []
  const { send } = await host(t, 'before', async (app) => { await app.register(auth) }, (app) => {
    app.route({
      method: 'GET',
      url: '/both/:user_id',
      preHandler: app.auth([async (request) => {
        seen.push(request.user.id)
        if (request.user.id === 'mallory') throw new Error('banned')
      }]),
      handler: who
    })
  })
  t.match(await send({ url: '/both/alice', headers: alice }), { status: 200 })
  t.match(await send({ url: '/both/bob', headers: alice }), { status: 403 })
  t.match(
    await send({ url: '/both/mallory', headers: bearer(tokenFor('mallory')) }),
    { status: 401, body: { message: 'banned' } }
  )
  t.same(seen, ['alice', 'mallory'])
})

testWithCaches('@fastify/multipart: refused before a byte of the body is read', async (t) => {
  let parts = 0
  const { send } = await host(t, 'before', async (app) => { await app.register(multipart) }, (app) => {
    app.post('/files/:user_id', async (request) => {
      for await (const part of request.parts()) { parts++; if (part.type === 'file') await part.toBuffer() }
      return { parts }
    })
  })
  const body = ['--x', 'Content-Disposition: form-data; name="user_id"', '', 'bob', '--x--', ''].join('\r\n')
  const post = (user: string, headers = {}) => send({
    method: 'POST',
    url: `/files/${user}`,
    headers: { 'content-type': 'multipart/form-data; boundary=x', ...headers },
    payload: body
  })
  t.match(await post('alice'), { status: 401 })
  t.match(await post('bob', alice), { status: 403 })
  t.equal(parts, 0)
  t.match(await post('alice', alice), { status: 200, body: { parts: 1 } })
})

testWithCaches('@fastify/cors: a browser\'s preflight succeeds', async (t) => {
  const preflight = {
    method: 'OPTIONS',
    url: '/api/alice/tasks',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization'
    }
  } as const
  for (const when of ['before', 'after'] as const) {
    const { send } = await host(t, when, async (app) => { await app.register(cors, { origin: 'https://app.example' }) })
    t.match(
      await send(preflight),
      { status: 204, headers: { 'access-control-allow-origin': 'https://app.example' } },
      when
    )
    t.match(await send({ ...preflight, url: '/unknown' }), { status: 204 }, when)
    const own = await send({ url: '/api/alice/tasks', headers: { ...alice, origin: 'https://app.example' } })
    t.match(own, { status: 200, headers: { 'access-control-allow-origin': 'https://app.example' } }, when)
  }
  const { send } = await host(t, 'before', async (app) => {
    await app.register(cors, { origin: 'https://app.example' })
  })
  t.match(
    await send({ url: '/api/alice/tasks', headers: { origin: 'https://app.example' } }),
    { status: 401, headers: { 'access-control-allow-origin': 'https://app.example' } }
  )
})

testWithCaches('OPTIONS: judged by the route and not by the headers of a preflight', async (t) => {
  const asPreflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
  const { send } = await host(t, 'after', async (app) => { await app.register(cors) }, (app) => {
    app.route({ method: ['GET', 'OPTIONS'], url: '/both/:user_id', handler: who })
    app.options('/stated/:user_id', { config: { access: 'owner' } }, who)
  })
  for (const url of ['/both/alice', '/stated/alice']) {
    t.match(await send({ method: 'OPTIONS', url }), { status: 401 }, url)
    t.match(
      await send({ method: 'OPTIONS', url, headers: asPreflight }),
      { status: 401 },
      `${url} with the headers of a preflight`
    )
    t.match(await send({ method: 'OPTIONS', url: url.replace('alice', 'bob'), headers: alice }), { status: 403 }, url)
  }
  t.match(await send({ url: '/both/alice', headers: asPreflight }), { status: 401 })
})

testWithCaches('@fastify/websocket: guarded before the upgrade', async (t) => {
  for (const when of ['before', 'after'] as const) {
    let opened = 0
    const { app } = await host(t, when, async (app) => { await app.register(websocket) }, (app) => {
      app.get('/live/:user_id', { websocket: true }, (socket, request) => {
        opened++
        socket.send(request.user.id)
      })
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const dial = (user: string, headers = {}) => new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/live/${user}`, { headers })
      socket.on('message', (data: Buffer) => { resolve(data.toString()); socket.close() })
      socket.on('unexpected-response', (_request, response) => {
        resolve(String(response.statusCode))
        response.destroy()
      })
      socket.on('error', () => {})
    })
    t.equal(await dial('alice'), '401', when)
    t.equal(await dial('bob', alice), '403', when)
    t.equal(await dial('alice', bearer('x')), '401', when)
    t.equal(opened, 0, 'no socket was opened')
    t.equal(await dial('alice', alice), 'alice', when)
    const injected = await app.injectWS('/live/alice', { headers: alice })
    injected.terminate()
    await t.rejects(app.injectWS('/live/bob', { headers: alice }), { message: /403/ })
    await t.rejects(app.injectWS('/live/alice'), { message: /401/ })
  }
})

testWithCaches('a refused upgrade that nobody handles', async (t) => {
  const { send } = await build(t)
  t.match(await send({ url: '/api/me', headers: { connection: 'upgrade', upgrade: 'websocket' } }), { status: 401 })
})

testWithCaches('a refused request that offers an upgrade nobody handles keeps its connection', async (t) => {
  const { app } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const statuses = []
  for (let i = 0; i < 5; i++) {
    statuses.push(await new Promise((resolve, reject) => {
      const headers = { connection: 'upgrade, keep-alive', upgrade: 'h2c' }
      get({ port, path: '/api/me', agent, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      }).on('error', reject)
    }))
  }
  t.same(statuses, [401, 401, 401, 401, 401])
})

testWithCaches('a hook of the host that goes on twice lets nobody by', async (t) => {
  const ran: string[] = []
  for (const early of [true, false]) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    app.addHook('onRequest', (_request, _reply, done) => Promise.resolve().then(() => done()) as unknown as void)
    app.addHook('onSend', async () => { await new Promise((resolve) => setImmediate(() => setImmediate(resolve))) })
    const handler = async (request: FastifyRequest) => { ran.push(request.url); return 'in' }
    if (early) app.delete('/u/:user_id', handler)
    await app.register(userScope, { secret })
    if (!early) app.delete('/u/:user_id', handler)
    const send = sender(app)
    t.match(await send({ method: 'DELETE', url: '/u/bob' }), { status: 401 })
    t.match(await send({ method: 'DELETE', url: '/u/bob', headers: alice }), { status: 403 })
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  t.same(ran, [])
})

testWithCaches('nor while a token is being verified', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const ran: string[] = []
  const thrown: unknown[] = []
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.addHook('onRequest', (_request, _reply, done) => Promise.resolve().then(() => done()) as unknown as void)
  await app.register(userScope, { issuers: [issuer.entry] })
  app.addHook('onRequest', async (request) => {
    try {
      requireScopes(request, 'a')
    } catch (error) {
      thrown.push((error as { code?: string }).code)
    }
  })
  app.delete('/u/:user_id', async (request) => { ran.push(request.url); return 'in' })
  const send = sender(app)
  t.match(
    await send({ method: 'DELETE', url: '/u/bob', headers: bearer(await issuer.token('alice')) }),
    { status: 401, code: 'MISSING_TOKEN' }
  )
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
  t.same(ran, [])
  t.equal(thrown[0], 'MISSING_TOKEN', 'what a hook behind the guard asks for')
})

testWithCaches('contexts that are older than the plugin', async (t) => {
  for (const server of [{}, { trustProxy: true }]) {
    const app = Fastify(server)
    t.teardown(async () => { await app.close() })
    const id = async (request: FastifyRequest) =>
      ({ user: getUser(request)?.id ?? null, decorated: request.user?.id ?? null })
    await app.register(async (child) => {
      child.decorateRequest('own', null)
      child.setNotFoundHandler(async (_request, reply) => reply.code(404).send('gone'))
      child.get('/open', { config: { access: 'public' } }, id)
      child.get('/maybe', { config: { access: 'optional' } }, id)
      child.get('/mine', id)
      child.get('/:user_id', id)
      child.options('/preflight', id)
    }, { prefix: '/child' })
    await app.register(userScope, { secret })
    const send = sender(app)
    t.match(await send('/child/open'), { status: 200, body: { user: null, decorated: null } })
    t.match(await send('/child/maybe'), { status: 200, body: { user: null, decorated: null } })
    for (const url of ['/child/maybe', '/child/mine']) {
      t.match(await send({ url, headers: alice }), { status: 200, body: { user: 'alice', decorated: 'alice' } })
    }
    t.match(await send('/child/mine'), { status: 401 })
    t.match(await send({ url: '/child/alice', headers: alice }), { status: 200 })
    t.match(await send({ url: '/child/bob', headers: alice }), { status: 403 })
    t.match(await send({ method: 'OPTIONS', url: '/child/preflight' }), { status: 200 })
    t.match(await send('/child/no/where'), { status: 404 })
  }
})

const notJudged = 'callNotFound where the guard has not judged before: outside of the scope, or in front of it'
testWithCaches(notJudged, async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.get('/outside', (_request, reply) => { reply.callNotFound() })
  await app.register(async (child) => {
    child.addHook('onRequest', (request, reply, done) => {
      if (request.url === '/early') reply.callNotFound()
      else done()
    })
    child.get('/early', who)
  })
  await app.register(async (api) => {
    await api.register(userScope, { secret })
    api.setNotFoundHandler(async (request, reply) =>
      reply.code(404).send({ user: request.user, own: getUser(request) }))
  })
  const send = sender(app)
  for (const [url, body] of [
    ['/outside', { own: null }], ['/early', { own: null }], ['/nowhere', { user: null, own: null }]
  ] as const) {
    for (const headers of [{}, alice, bearer('x')]) {
      const answer = await send({ url, headers })
      t.strictSame([answer.status, answer.body], [404, body], url)
    }
  }

  const older = Fastify()
  t.teardown(async () => { await older.close() })
  older.register(async (child) => {
    child.addHook('onRequest', (_request, reply) => { reply.callNotFound() })
    child.get('/early', who)
  })
  older.register(userScope, { secret })
  t.match(await sender(older)('/early'), { status: 404, code: undefined })
})

testWithCaches('something on Object.prototype opens nothing', async (t) => {
  const polluted = Object.prototype as { access?: string, exp?: number, iss?: string, aud?: string }
  t.teardown(() => { for (const name of ['access', 'exp', 'iss', 'aud'] as const) delete polluted[name] })
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.get('/early', who)
  await app.register(userScope, { secret, issuer: 'me', audience: 'api' })
  polluted.access = 'public'
  app.get('/late', who)
  const send = sender(app)
  t.match(await send('/early'), { status: 401 })
  t.match(await send('/late'), { status: 401 })
  delete polluted.access
  for (const [name, value] of [['exp', 1e10], ['iss', 'me'], ['aud', 'api']] as const) {
    const claims = { sub: 'alice', exp: 1e10, iss: 'me', aud: 'api', [name]: undefined }
    Object.assign(polluted, { [name]: value })
    t.match(await send({ url: '/late', headers: bearer(sign(claims)) }), { status: 401, code: 'INVALID_CLAIMS' }, name)
    delete polluted[name]
  }
})

testWithCaches('paths as only a socket sends them', async (t) => {
  const { app } = await build(t, {}, {}, (app) => {
    app.get('/u/:user_id', who)
    app.get('/u/:user_id/items', who)
    app.get('/files/:user_id/*', who)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const rows: Array<[path: string, id: string, answer: string]> = [
    ['/u/alice', 'alice', '200'],
    ['/u/bob/../alice', 'alice', '404'],
    ['/u/../u/alice', 'alice', '404'],
    ['/u/.', 'alice', '403'],
    ['/u/.', '.', '403'],
    ['/u/..', '..', '403'],
    ['/u/..', 'alice', '403'],
    ['/u/%2e%2e', '..', '403'],
    ['/u//items', 'alice', '403'],
    ['/u/./items', 'alice', '403'],
    ['/files/bob/../alice/x', 'alice', '403'],
    ['/files/alice/../bob/x', 'alice', '403'],
    ['/u/alice\\bob', 'alice', '403'],
    ['/u/alice%5cbob', 'alice', '403'],
    ['/u/al\u00efce', 'alice', isOldestNode ? '403' : '400'], // newer releases of Node refuse it themselves
    ['//u/alice', 'alice', '404'],
    ['http://other.example/u/alice', 'alice', '200'],
    ['http://other.example/u/bob', 'alice', '403'],
    ['/u/alice?%00', 'alice', '200'],
    ['/u/alice/', 'alice', '404'],
    ['/u/alice%2fitems', 'alice', '403'],
    ['/u/alice/%69tems', 'alice', '200']
  ]
  for (const [path, id, answer] of rows) {
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => { text += chunk.toString() })
      socket.on('error', reject)
      socket.on('end', () => resolve(text.slice(9, 12)))
      const lines = ['Host: localhost', 'Connection: close', `Authorization: Bearer ${tokenFor(id)}`]
      socket.end(Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
    })
    t.equal(status, answer, `${path} for ${id}`)
  }
})

testWithCaches('asynchronous constraints and hooks', async (t) => {
  const { send } = await host(t, 'after', (app) => {
    app.addHook('onRequest', async () => { await new Promise((resolve) => setImmediate(resolve)) })
    app.addHook('preParsing', async (_request, _reply, payload) => payload)
  })
  await assertGuarded(t, send, 'asynchronous hooks')

  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.addConstraintStrategy({
    name: 'tenant',
    storage: () => {
      const handlers = new Map<unknown, never>()
      return { get: (key) => handlers.get(key) ?? null, set: (key, handler) => { handlers.set(key, handler as never) } }
    },
    deriveConstraint: (request: IncomingMessage, _context, done?: (error: null, value: unknown) => void) => {
      setImmediate(() => done?.(null, request.headers['x-tenant']))
    },
    validate: () => true
  })
  await app.register(userScope, { secret })
  app.get('/t/:user_id', { constraints: { tenant: 'one' } }, who)
  app.get('/t/:user_id', { constraints: { tenant: 'two' }, config: { access: 'public' } }, async () => 'open')
  const tenant = sender(app)
  t.match(await tenant({ url: '/t/bob', headers: { ...alice, 'x-tenant': 'one' } }), { status: 403 })
  t.match(await tenant({ url: '/t/bob', headers: { 'x-tenant': 'two' } }), { status: 200, body: 'open' })
  t.match(await tenant({ url: '/t/bob', headers: { 'x-tenant': 'three' } }), { status: 404 })
})
