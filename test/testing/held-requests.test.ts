import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import Fastify,
{ type FastifyInstance, type FastifyRequest, type FastifyServerOptions, type InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { answerText, describeAnswer, holdRequests, type HeldAnswer } from '../../lib/testing/held-requests.js'
import { copyOfLib, libUrl, runAlone } from '../support/kit.js'

/** An app whose handlers count, and how to send it requests that are held back. */
async function host (t: Test, routes: (app: FastifyInstance, ran: () => void) => unknown,
  server: FastifyServerOptions = {}, timeout = 60_000) {
  const app = Fastify(server)
  const state = { ran: 0 }
  t.teardown(() => app.close())
  await routes(app, () => { state.ran++ })
  await app.ready()
  const held = holdRequests(app, timeout)
  const send = (request: InjectOptions, validate?: boolean) =>
    held({ method: 'GET', url: '/', headers: {}, ...request }, validate)
  return { app, state, send }
}

const told = ({ reached, ...rest }: HeldAnswer) => ({ ...rest, reached: reached?.url ?? null })

/** What waits, and what ends the waiting. */
function signal (): [promise: Promise<void>, resolve: () => void] {
  let go = () => {}
  return [new Promise<void>((resolve) => { go = resolve }), () => go()]
}

t.test('no handler of any kind runs', async (t) => {
  const { app, send, state } = await host(t, async (app, ran) => {
    await app.register(websocket)
    app.get('/sync', (_request, reply) => { ran(); reply.send('x') })
    app.get('/async', async () => { ran(); await setImmediate(); return 'x' })
    app.get('/stream', async (_request, reply) => { ran(); return reply.send(Readable.from(['x'])) })
    app.get('/raw', (_request, reply) => { ran(); reply.hijack(); reply.raw.end('x') })
    app.get('/throws', async () => { ran(); throw new Error('x') })
    app.get('/socket', { websocket: true }, () => { ran() })
    app.get('/schema', { schema: { response: { '2xx': { type: 'object', required: ['a'] } } } },
      async () => { ran(); return {} })
    app.get('/hooks',
      { preHandler: [async () => {}, (_request, _reply, done) => done()], preValidation: async () => {} },
      async () => { ran() })
    app.get('/params/:a/:n', { schema: { params: { type: 'object', properties: { n: { type: 'integer' } } } } },
      async () => { ran() })
    app.post('/body', async () => { ran(); return 'x' })
    app.addHook('onRoute', (options) => { if (options.url === '/replaced') options.handler = async () => { ran() } })
    app.get('/replaced', async () => { ran() })
    app.setNotFoundHandler(() => { ran() })
    await app.register(async (child) => {
      child.setNotFoundHandler({ preHandler: async () => {} }, () => { ran() })
      child.get('/handed-on', { preHandler: async (_request, reply) => { reply.callNotFound() } },
        async () => { ran() })
    }, { prefix: '/child' })
  })
  const nothing =
    {
      status: 418,
      says: 'the handler was held back by fastify-user-scope/testing',
      params: {},
      invalidParam: undefined,
      notFound: false,
      validate: false
    }
  for (const url of ['/sync', '/async', '/stream', '/raw', '/throws', '/socket', '/schema', '/hooks', '/replaced']) {
    t.same(told(await send({ url })), { ...nothing, reached: url }, url)
    t.match(told(await send({ url, method: 'HEAD' })), { status: 418, reached: url }, `HEAD ${url}`)
  }
  t.match(told(await send({ method: 'POST', url: '/body', payload: { a: 1 } })), { reached: '/body' })
  for (const url of ['/unknown', '/child/unknown', '/child/handed-on']) {
    t.match(told(await send({ url })), { status: 404, reached: null, notFound: true }, url)
  }
  t.equal(state.ran, 0)
  t.same((await send({ url: '/params/%61/2' })).params, { a: 'a', n: 2 }, 'parameters as the handler would see them')
  t.equal((await app.inject('/async')).body, 'x')
  t.equal(state.ran, 1)
})

t.test('validation is skipped, or answers as usual', async (t) => {
  const object = (name: string, schema: object) =>
    ({ type: 'object', required: [name], properties: { [name]: schema } })
  const { send } = await host(t, (app) => {
    const schema =
      {
        params: object('n', { type: 'integer' }),
        querystring: object('q', {}),
        headers: object('x-h', {}),
        body: object('b', {})
      }
    app.post('/:n', { schema }, async () => {})
    app.get('/broken/:n', { schema: { params: object('m', {}) } }, async () => {})
    const validatorCompiler = () => () => ({ error: new Error('of a validator that names no parameter') })
    app.get('/other/:n', { schema: { params: {} }, validatorCompiler }, async () => {})
  })
  t.match(told(await send({ method: 'POST', url: '/1' })), { reached: '/:n', invalidParam: undefined })
  t.match(told(await send({ method: 'POST', url: '/x' })), { reached: '/:n', params: { n: 'x' }, invalidParam: '/n' })
  t.match(told(await send({ url: '/broken/x' })), { reached: '/broken/:n', invalidParam: '' })
  t.match(told(await send({ url: '/other/x' })), { reached: '/other/:n', invalidParam: undefined })
  t.match(told(await send({ method: 'POST', url: '/x' }, true)),
    { status: 400, reached: null, says: 'FST_ERR_VALIDATION params/n must be integer' })
})

t.test('other requests are answered as if the kit were not there', async (t) => {
  const code = `
    const { default: userScope } = await import(${libUrl('index.ts')})
    const schema =
      { body: { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } },
        querystring: { type: 'object', properties: { q: { type: 'integer' } } } }
    const app = Fastify()
    const order = []
    app.addHook('preHandler', async () => { order.push('preHandler') })
    app.addHook('onError', async (_request, _reply, error) => { order.push('onError ' + error.code) })
    app.addHook('preValidation', async () => { order.push('preValidation') })
    app.post('/plain', { schema }, async ({ body }) => body)
    app.post('/formatted', { schema, schemaErrorFormatter: (errors, part) => new Error(part + errors.length) },
      async () => 'ran')
    app.post('/own', { schema, attachValidation: true }, async ({ validationError }) => 'saw ' +
      validationError?.message)
    app.post('/own/hooks',
      { schema, attachValidation: true, preValidation: async () => { order.push('own') },
        preHandler: [async () => { order.push('own') }] },
      async ({ validationError }) => 'saw ' + validationError?.message)
    app.post('/handler',
      { schema, errorHandler: (error, request, reply) =>
        reply.code(422).send({ message: error.message, seen: 'validationError' in request }) }, async () => 'ran')
    app.post('/validator', { schema, validatorCompiler: () => () => ({ error: new Error('never') }) }, async () =>
      'ran')
    app.post('/async', { schema: { body: { $async: true, type: 'object', required: ['a'] } } }, async () => 'ran')
    app.setNotFoundHandler(async (_request, reply) => reply.code(404).send('not found'))
    app.register(async (child) => {
      child.setErrorHandler((error, _request, reply) => reply.code(409).send(error.message))
      child.addHook('onRoute', (options) => {
        // Another route of the same options.
        if (options.url === '/child/alias') child.post('/alias-of', { ...options, url: undefined, path: undefined })
      })
      child.post('/alias', { schema }, async () => 'ran')
      child.get('/', async ({ routeOptions, headers }) => ({ config: routeOptions.config, headers }))
    }, { prefix: '/child' })
    app.register(async (child) => {
      await child.register(userScope, { secret: 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT' })
      child.post('/guarded', async () => 'ran')
    })
    for (const url of ['/plain', '/formatted', '/own', '/own/hooks', '/handler', '/validator', '/async', '/unknown',
      '/child/alias', '/child/alias-of', '/child/', '/guarded']) {
      for (const request of [{ payload: { a: '1' } }, { payload: {} }, { payload: { a: 1 }, query: { q: 'x' } },
        { method: 'GET' }, { method: 'HEAD' }]) {
        const { statusCode, headers: { date, ...headers }, body } =
          await app.inject({ method: 'POST', url, ...request })
        answers.push({ url, statusCode, headers, body, order: order.splice(0) })
      }
    }`
  const [without, withKit] =
    await Promise.all([runAlone('', code),
      runAlone(`import ${libUrl('testing/index.ts')}`, code)]) as [Array<{ statusCode: number }>, unknown]
  t.equal(without.length, 60)
  t.same(new Set(without.map(({ statusCode }) => statusCode)), new Set([200, 400, 401, 404, 409, 422]))
  t.same(withKit, without)
})

t.test('a route that is made of another\'s options is held back as itself', async (t) => {
  const { send } = await host(t, (app) => {
    app.addHook('onRoute', (options) => {
      if (options.url === '/one') app.post('/other', { ...options, url: undefined, path: undefined } as object as never)
    })
    app.post('/one', async () => {})
  })
  t.match(told(await send({ method: 'POST', url: '/other' })), { reached: '/other' })
})

t.test('other requests at the same time reach their handlers', async (t) => {
  const [gate, go] = signal()
  const { app, send } = await host(t, (app) => {
    app.get('/slow', async (request) => { await gate; return request.headers['x-n'] })
    app.setNotFoundHandler(async () => 'unknown')
  })
  t.equal((await app.inject('/unknown')).body, 'unknown')
  const others =
    Array.from({ length: 20 }, (_, n) =>
      app.inject({ url: n % 2 ? '/slow' : '/unknown', headers: { 'x-n': String(n) } }))
  const ours = Array.from({ length: 20 }, () => send({ url: '/slow' }))
  t.same(new Set((await Promise.all(ours)).map(({ reached }) => reached?.url)), new Set(['/slow']))
  go()
  t.same((await Promise.all(others)).map(({ body }) => body),
    Array.from({ length: 20 }, (_, n) => n % 2 ? String(n) : 'unknown'))
})

t.test('a route that asks for validation errors gets those of others', async (t) => {
  const schema = { body: { type: 'object' } }
  const { app, send } = await host(t, (app) => {
    app.post('/', { attachValidation: true, schema }, async ({ validationError }) => validationError?.message)
  })
  t.equal((await app.inject({ method: 'POST', url: '/' })).body, 'body must be object')
  t.match(told(await send({ method: 'POST' }, true)), { reached: '/' })
})

t.test('two copies of the kit in one process hold their own requests', async (t) => {
  const file = 'testing/held-requests.ts'
  const imports = `import * as one from ${libUrl(file)}\nimport * as two from ${libUrl(file, await copyOfLib(t))}`
  t.same(await runAlone(imports, `
    const schema = { body: { type: 'object' } }
    const app = Fastify()
    let ran = 0
    app.post('/', { schema }, async () => { ran++; return 'ran' })
    app.post('/own', { schema, attachValidation: true },
      async ({ validationError }) => { ran++; return validationError?.message })
    await app.ready()
    for (const { holdRequests } of [one, two]) {
      const send = holdRequests(app, 60_000)
      const post = (url, validate) => send({ method: 'POST', url }, validate)
      answers.push([(await post('/')).reached?.url, (await post('/own')).reached?.url, (await post('/', true)).status,
        ran])
    }
    const others =
      [await app.inject({ method: 'POST', url: '/' }), await app.inject({ method: 'POST', url: '/', payload: {} }),
        await app.inject({ method: 'POST', url: '/own' })]
    answers.push(one.holdRequests === two.holdRequests, ...others.map(({ body }) => body))`), [
    ['/', '/own', 400, 0],
    ['/', '/own', 400, 0],
    false,
    '{"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request","message":"body must be object"}',
    'ran',
    'body must be object'
  ])
})

t.test('an app that was created before the kit is a TypeError that says what to move', async (t) => {
  const message =
    'the app was created before the test kit was loaded, so its routes are unknown. Fix: move this line above the ' +
    "import of the app: import … from 'fastify-user-scope/testing'"
  const code = (first: string) => `
    ${first}
    const app = Fastify()
    const { assertOwnership, createIssuer, routeTable } = await import(${libUrl('testing/index.ts')})
    const issuer = createIssuer()
    for (const assertion of [() => assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' }), () =>
      routeTable(app)]) {
      await assertion().then((text) => answers.push(text), ({ name, message }) => answers.push([name, message]))
    }`
  t.throws(() => holdRequests({ server: {} } as FastifyInstance, 1), new TypeError(message))
  t.same(await runAlone('', code('')), [['TypeError', message], ['TypeError', message]])
  const plugin = `await import(${libUrl('index.ts')})`
  t.same(await runAlone('', code(plugin)), [['TypeError', message], ''],
    'its routes are known, its handlers are not held back')
})

t.test('a hook that replaces the preHandler of a route is named, and nothing is sent', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRoute', (options) => { options.preHandler = async () => {} })
  app.post('/x', async () => {})
  await app.ready()
  t.throws(() => holdRequests(app, 1000),
    new TypeError('an onRoute hook replaces the option "preHandler" of POST /x, so its handler would run. ' +
      'Fix: add to the list that is there, or turn off in tests what wraps hooks, such as tracing. Nothing was sent'))
})

t.test('an answer before the handler is returned as it is', async (t) => {
  const { send, state } = await host(t, (app, ran) => {
    const answering = (status: number, body: unknown) =>
      ({
        onRequest: async (_request: unknown,
          reply: { code: (status: number) => { send: (body: unknown) => unknown } }) => reply.code(status).send(body)
      })
    app.get('/cached', answering(200, 'text') as object, async () => { ran() })
    app.get('/refused', answering(403, { code: 'NO', message: 'm' }) as object, async () => { ran() })
    app.get('/message', answering(418, { message: 'm' }) as object, async () => { ran() })
    app.get('/problem', answering(422, { type: 'about:blank', title: 't', detail: 'd' }) as object,
      async () => { ran() })
    app.get('/titled', answering(422, { title: 't' }) as object, async () => { ran() })
    app.get('/both', answering(404, { error: { details: [] }, message: 'm' }) as object, async () => { ran() })
    app.get('/wrapped', answering(400, { error: { code: 'BAD', message: 'm' } }) as object, async () => { ran() })
    app.get('/empty', answering(500, null) as object, async () => { ran() })
    app.get('/late',
      { preHandler: async () => { throw Object.assign(new Error('m'), { statusCode: 403, code: 'LATE' }) } },
      async () => { ran() })
  })
  const urls = ['/cached', '/refused', '/message', '/problem', '/titled', '/both', '/wrapped', '/empty', '/late']
  const answers = urls.map((url) => send({ url }))
  t.same((await Promise.all(answers)).map(({ status, reached, says }) => [status, reached, says]), [
    [200, null, ''], [403, null, 'NO'], [418, null, 'm'], [422, null, 'd'], [422, null, 't'], [404, null, 'm'],
    [400, null, 'BAD'], [500, null, ''], [403, null, 'LATE']
  ])
  t.equal(state.ran, 0)
})

t.test('a request without an answer ends, and its handler stays held back', async (t) => {
  const [gate, go] = signal()
  const [ended, end] = signal()
  const { send, state } = await host(t, (app, ran) => {
    app.get('/', { preHandler: () => gate, onError: async () => end() }, async () => { ran() })
  }, {}, 20)
  const answer = await send({})
  const late = { status: 0, reached: null, says: 'no answer within 0.02 s' }
  t.match(told(answer), late)
  go()
  await ended
  t.match(told(answer), late, 'and what comes later does not change it')
  t.match(told(await send({ headers: { 'x-a': undefined as unknown as string } })),
    { status: 0, says: /invalid value "undefined" for header x-a/ })
  const headers = { get 'x-a' (): string { throw new Error('a line\nand another') } }
  t.equal((await send({ headers })).says, 'a line')
  t.equal(state.ran, 0)
})

t.test('a context inside the app works, and hooks that change headers do no harm', async (t) => {
  let child: FastifyInstance | undefined
  let ran = 0
  const app = Fastify()
  t.teardown(() => app.close())
  const headers: object[] = []
  app.addHook('onRequest', async (request) => {
    headers.push({ ...request.headers })
    for (const name of Object.keys(request.headers)) Reflect.deleteProperty(request.headers, name)
  })
  app.get('/', async () => { ran++ })
  await app.register(async (instance) => { child = instance })
  await app.ready()
  const send = holdRequests(child as FastifyInstance, 60_000)
  t.equal((await send({ method: 'GET', url: '/', headers: { 'x-a': '1' } })).reached?.url, '/')
  t.same(headers, [{ 'x-a': '1', host: 'localhost:80', 'user-agent': 'lightMyRequest' }], 'the host sees no mark')
  t.equal(ran, 0)
})

t.test('a transaction that a preHandler hook opens is ended', async (t) => {
  let open = 0
  const { send, state } = await host(t, async (app, ran) => {
    app.addHook('preHandler', async () => { open++ })
    app.addHook('onSend', async () => { open-- })
    app.get('/', async () => { ran() })
  })
  t.match(told(await send({})), { reached: '/' })
  t.same([open, state.ran], [0, 0])
})

t.test('a preHandler that a later onRoute hook appends is not run (a limit)', async (t) => {
  let ran = 0
  const { send, state } = await host(t, async (app, handlerRan) => {
    app.addHook('onRoute',
      (options) => { options.preHandler = [...[options.preHandler ?? []].flat(), async () => { ran++ }] })
    app.get('/', async () => { handlerRan() })
  })
  t.match(told(await send({})), { reached: '/' })
  t.same([ran, state.ran], [0, 0])
})

t.test('other WebSockets are left alone', async (t) => {
  const { app } = await host(t, async (app) => {
    await app.register(websocket)
    app.get('/socket', { websocket: true }, (socket) => { socket.send('x') })
    app.setNotFoundHandler(async (_request: FastifyRequest, reply) => reply.code(404).send('unknown'))
  })
  const socket = await app.injectWS('/socket')
  t.teardown(() => socket.terminate())
  await t.rejects(app.injectWS('/unknown'), { message: /404/ })
})

t.test('answers are described', async (t) => {
  const options = { url: '/x', method: 'GET', handler: async () => {} }
  const answer = { status: 200, reached: null, notFound: false, says: '', params: {}, invalidParam: undefined }
  t.equal(describeAnswer({ ...answer, reached: options }, options), 'its handler')
  t.equal(describeAnswer({ ...answer, reached: { ...options, url: '/y' } }, options), 'the handler of /y')
  t.equal(describeAnswer({ ...answer, reached: { ...options } }, options), 'the handler of /x', 'another with that URL')
  t.equal(describeAnswer({ ...answer, status: 404, notFound: true }, options), '404, no route')
  t.equal(describeAnswer({ ...answer, says: 'OK' }, options), '200 OK')
  t.equal(describeAnswer({ ...answer, status: 0, says: 'late' }, options), 'none: late')
  t.equal(answerText({ statusCode: 500, body: '' }), '500')
  for (const status of [400, 403]) {
    t.equal(answerText({ statusCode: status, body: '{"code":"NO"}' }), `${status} NO`)
  }
  const nested = '{"message":"all","error":{"message":"the error"}}'
  t.equal(answerText({ statusCode: 409, body: nested }), '409 the error')
  t.equal(answerText({ statusCode: 200, body: '{"code":"NO"}' }), '200')
})
