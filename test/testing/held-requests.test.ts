import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { holdRequests } from '../../lib/testing/held-requests.js'

const channel = 'tracing:fastify.request.handler:start'

/** An app whose handlers count, and one that holds its requests until the test ends. */
async function host (t: Test, routes: (app: FastifyInstance, ran: () => void) => unknown, timeout = 60_000) {
  const app = Fastify()
  const state = { ran: 0 }
  await routes(app, () => { state.ran++ })
  t.teardown(() => app.close())
  const held = await holdRequests(app, timeout)
  t.teardown(held.release)
  return { app, state, held }
}

/** What waits, and what ends the waiting. */
function signal (): [promise: Promise<void>, resolve: () => void] {
  let go = () => {}
  return [new Promise<void>((resolve) => { go = resolve }), () => go()]
}

t.test('no handler runs, whatever its kind', async (t) => {
  const { app, held, state } = await host(t, async (app, ran) => {
    await app.register(websocket)
    app.get('/sync', (_request, reply) => { ran(); reply.send('x') })
    app.get('/async', async () => { ran(); await setImmediate(); return 'x' })
    app.get('/stream', async (_request, reply) => { ran(); return reply.send(Readable.from(['x'])) })
    app.get('/raw', (_request, reply) => { ran(); reply.hijack(); reply.raw.end('x') })
    app.get('/throws', async () => { ran(); throw new Error('x') })
    app.get('/socket', { websocket: true }, () => { ran() })
    app.get('/schema', { schema: { response: { '2xx': { type: 'object', required: ['a'] } } } }, async () => { ran(); return {} })
    app.get('/params/:a/:n', { schema: { params: { type: 'object', properties: { n: { type: 'integer' } } } } }, async () => { ran() })
    app.post('/body', async () => { ran(); return 'x' })
    app.setNotFoundHandler(() => { ran() })
    await app.register(async (child) => {
      child.setNotFoundHandler(() => { ran() })
      child.get('/handed-on', { preHandler: async (_request, reply) => { reply.callNotFound() } }, async () => { ran() })
    }, { prefix: '/child' })
  })
  for (const url of ['/sync', '/async', '/stream', '/raw', '/throws', '/socket', '/schema']) {
    for (const method of ['GET', 'HEAD']) t.same(await held.send({ method, url }), { status: 418, reached: url, params: {}, notFound: false, says: '' }, `${method} ${url}`)
  }
  t.same(await held.send({ method: 'POST', url: '/body', body: { a: 1 } }), { status: 418, reached: '/body', params: {}, notFound: false, says: '' })
  for (const url of ['/unknown', '/child/unknown', '/child/handed-on']) {
    t.same(await held.send({ method: 'GET', url }), { status: 404, reached: null, params: {}, notFound: true, says: '' }, url)
  }
  t.equal(state.ran, 0)
  t.same((await held.send({ method: 'GET', url: '/params/%61/2' })).params, { a: 'a', n: 2 }, 'parameters as the handler would see them')
  t.equal((await app.inject('/async')).body, 'x')
  t.equal(state.ran, 1)
})

t.test('requests of others at the same time get their handlers, and an app that has served is held as well', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const [gate, go] = signal()
  app.get('/slow', async (request) => { await gate; return request.headers['x-n'] })
  app.setNotFoundHandler(async () => 'unknown')
  t.equal((await app.inject('/unknown')).body, 'unknown')
  const held = await holdRequests(app, 60_000)
  const others = Array.from({ length: 20 }, (_, n) => app.inject({ url: n % 2 ? '/slow' : '/unknown', headers: { 'x-n': String(n) } }))
  const ours = Array.from({ length: 20 }, () => held.send({ method: 'GET', url: '/slow' }))
  t.same(new Set((await Promise.all(ours)).map(({ reached }) => reached)), new Set(['/slow']))
  go()
  t.same((await Promise.all(others)).map(({ body }) => body), Array.from({ length: 20 }, (_, n) => n % 2 ? String(n) : 'unknown'))
  held.release()
})

t.test('what answers before the handler is told as it is', async (t) => {
  const { held, state } = await host(t, (app, ran) => {
    const answering = (status: number, body: unknown) => ({ onRequest: async (_request: unknown, reply: { code: (status: number) => { send: (body: unknown) => unknown } }) => reply.code(status).send(body) })
    app.get('/cached', answering(200, 'text') as object, async () => { ran() })
    app.get('/refused', answering(403, { code: 'NO', message: 'm' }) as object, async () => { ran() })
    app.get('/message', answering(418, { message: 'm' }) as object, async () => { ran() })
    app.get('/problem', answering(422, { type: 'about:blank', title: 't', detail: 'd' }) as object, async () => { ran() })
    app.get('/titled', answering(422, { title: 't' }) as object, async () => { ran() })
    app.get('/empty', answering(500, null) as object, async () => { ran() })
    app.get('/invalid', { schema: { querystring: { type: 'object', required: ['q'] } } }, async () => { ran() })
    app.get('/late', { preHandler: async () => { throw Object.assign(new Error('m'), { statusCode: 403, code: 'LATE' }) } }, async () => { ran() })
  })
  const answers = ['/cached', '/refused', '/message', '/problem', '/titled', '/empty', '/invalid', '/late'].map((url) => held.send({ method: 'GET', url }))
  t.same((await Promise.all(answers)).map(({ status, reached, says }) => [status, reached, says]), [
    [200, null, ''], [403, null, 'NO'], [418, null, 'm'], [422, null, 'd'], [422, null, 't'], [500, null, ''],
    [400, null, "FST_ERR_VALIDATION querystring must have required property 'q'"], [403, null, 'LATE']
  ])
  t.equal(state.ran, 0)
})

t.test('a request without an answer ends, and its handler is held even after the release', async (t) => {
  const [gate, go] = signal()
  const [ended, end] = signal()
  const { held, state } = await host(t, (app, ran) => {
    app.get('/', { preHandler: () => gate, onResponse: async () => end() }, async () => { ran() })
  }, 20)
  const answer = await held.send({ method: 'GET', url: '/' })
  held.release()
  t.same(answer, { status: 0, reached: null, params: {}, notFound: false, says: 'no answer within 0.02 s' })
  go()
  await ended
  t.equal(state.ran, 0)
})

t.test('a context inside the app will do, and hooks that change the headers change nothing', async (t) => {
  let child: FastifyInstance | undefined
  const app = Fastify()
  t.teardown(() => app.close())
  let ran = 0
  app.addHook('onRequest', async (request) => { for (const name of Object.keys(request.headers)) Reflect.deleteProperty(request.headers, name) })
  app.get('/', async () => { ran++ })
  app.setNotFoundHandler(async () => { ran++ })
  await app.register(async (instance) => { child = instance })
  const held = await holdRequests(child as FastifyInstance, 60_000)
  t.equal((await held.send({ method: 'GET', url: '/' })).reached, '/')
  t.equal((await held.send({ method: 'GET', url: '/unknown' })).notFound, true)
  held.release()
  t.equal(ran, 0)
})

t.test('nothing is sent where handlers cannot be held back', async (t) => {
  // As if Fastify called the handler that it had before it told anybody.
  const undo = (message: unknown) => {
    const { request } = message as { request: FastifyRequest & Record<symbol, object> }
    for (const key of Object.getOwnPropertySymbols(request)) {
      const value = request[key]
      if (key.description === 'fastify.context') Object.defineProperty(request, key, { get: () => value, set () {} })
    }
  }
  const app = Fastify()
  t.teardown(() => app.close())
  let requests = 0
  app.addHook('onRequest', async () => { requests++ })
  subscribe(channel, undo)
  t.teardown(() => unsubscribe(channel, undo))
  await t.rejects(holdRequests(app, 60_000), /handlers of Fastify 5\.\d+\.\d+ cannot be held back .* nothing was sent/)
  t.equal(requests, 0)
})

t.test('a body gets to the handler as what it is', async (t) => {
  const bodies: unknown[] = []
  const { held } = await host(t, (app) => {
    const preHandler = async ({ body }: FastifyRequest) => { bodies.push(body) }
    app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, text, done) => { done(null, text) })
    app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, bytes, done) => { done(null, bytes) })
    app.post('/', { preHandler }, async () => {})
    app.post('/text', { schema: { body: { type: 'string', minLength: 1 } }, preHandler }, async () => {})
  })
  const requests: Array<[body: unknown, headers?: Record<string, string>]> = [
    ['x'], [1], [0], [false], [null], [{ a: 1 }], ['a,b', { 'Content-Type': 'text/csv' }], [Buffer.from('x'), { 'content-type': 'application/octet-stream' }],
    [Readable.from(['x']), { 'content-type': 'application/octet-stream' }]
  ]
  for (const [body, headers] of requests) t.match(await held.send({ method: 'POST', url: '/', body, ...headers && { headers } }), { reached: '/' }, JSON.stringify(body))
  t.same(bodies.splice(0), ['x', 1, 0, false, null, { a: 1 }, 'a,b', Buffer.from('x'), Buffer.from('x')])
  t.match(await held.send({ method: 'POST', url: '/text', body: 'x' }), { reached: '/text' })
})

t.test('what a hook of the host opened before the handler it closes behind it', async (t) => {
  let open = 0
  const { held, state } = await host(t, async (app, ran) => {
    app.addHook('preHandler', async () => { open++ })
    app.addHook('onSend', async () => { open-- })
    app.get('/', async () => { ran() })
    app.setNotFoundHandler(() => { ran() })
  })
  t.match(await held.send({ method: 'GET', url: '/' }), { reached: '/' })
  t.match(await held.send({ method: 'GET', url: '/unknown' }), { notFound: true })
  t.same([open, state.ran], [0, 0])
})

t.test('a request without raw headers, as a test of a WebSocket makes it', async (t) => {
  const { app } = await host(t, async (app) => {
    await app.register(websocket)
    app.get('/socket', { websocket: true }, (socket) => { socket.send('x') })
    app.setNotFoundHandler(async (_request, reply) => reply.code(404).send('unknown'))
  })
  const socket = await app.injectWS('/socket')
  t.teardown(() => socket.terminate())
  await t.rejects(app.injectWS('/unknown'), { message: /404/ })
})
