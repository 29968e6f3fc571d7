import { ServerResponse } from 'node:http'
import { mock } from 'node:test'
import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import { appRoutes } from '../../lib/testing/app-routes.js'
import { createIssuer } from '../../lib/testing/index.js'
import { ask, Owner, planFor, type ObjectMaker } from '../../lib/testing/objects.js'
import type { RequestParams } from '../../lib/testing/route-requests.js'
import { sameLength } from '../support/same-length.js'

t.test('makers get the ids of objects that were made before', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', async ({ headers }) => headers)
  app.post('/', async (_request, reply) => reply.code(409).send({ code: 'TITLE_TAKEN' }))
  const seen: object[] = []
  const owner = new Owner(app, 'alice', 'a.b.c', {
    list_id: async ({ inject, owner, ids }) => {
      seen.push([owner, ids, (await inject('/')).json().authorization,
        (await inject({ url: '/', headers: { 'x-a': '1' } })).json()])
      return 'l1'
    },
    task_id: ({ ids }) => { seen.push(ids); return 7 }
  })
  t.same(owner.ids, {})
  await owner.make()
  t.same(owner.ids, { list_id: 'l1', task_id: 7 })
  await owner.make()
  t.same(seen.splice(2), seen, 'and not those that they replace')
  t.match(seen,
    sameLength([['alice', {}, 'Bearer a.b.c', { 'x-a': '1', authorization: 'Bearer a.b.c' }], { list_id: 'l1' }]))
  t.same(Object(seen[0])[1], {}, 'also later')
  const response = await app.inject('/')
  const wrong = [[undefined, 'undefined'], [null, 'null'], ['', "''"], [NaN, 'NaN'], [{}, 'an object'],
    [response, 'an object'],
    [['1'], 'a list, where one id is enough: where the app takes a list, it is put into one']]
  for (const [id, described] of wrong) {
    await t.rejects(new Owner(app, 'alice', 'a', { a: () => id as string }).make(),
      new TypeError('objects.a must return the id of what it made for "alice", and returned ' +
        `${String(described)} (it awaited no request)`))
  }
  const failing = new Owner(app, 'alice', 'a', {
    a: async ({ inject }) => (await inject({ method: 'POST', url: '/' })).json<{ id: string }>().id
  })
  await t.rejects(failing.make(), /undefined \(its last request was answered 409 TITLE_TAKEN\)$/)
})

t.test('a maker that fails is named, with what it was answered', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.post('/', async (_request, reply) => reply.code(500).send({ code: '22P02' }))
  const last = 'its last request was answered 500 22P02: its log has the error. Do the ids of alice and bob look ' +
    'like those of your app?'
  const makers: Array<[ObjectMaker, message: string]> = [
    [async ({ inject }) => (await inject({ method: 'POST', url: '/' })).json<{ data: { id: string } }>().data.id,
      `TypeError: Cannot read properties of undefined (reading 'id') (${last})`],
    [async ({ inject }) => {
      const { statusCode } = await inject({ method: 'POST', url: '/' })
      throw new Error(`no task: ${statusCode}`)
    }, `Error: no task: 500 (${last})`],
    [() => { throw new Error('no database') }, 'Error: no database (it awaited no request)'],
    // Plain JavaScript may reject with anything.
    ...['no', null, undefined].map((thrown): [ObjectMaker, string] =>
      [() => ({ then: (_done: unknown, fail: (cause: unknown) => void) => fail(thrown) }) as never,
        `${thrown} (it awaited no request)`])
  ]
  for (const [maker, message] of makers) {
    await t.rejects(new Owner(app, 'alice', 'a', { task_id: maker }).make(), Object.assign(
      new TypeError(`objects.task_id failed for "alice": ${message}`), message.includes('Error') && { cause: Error }))
  }
})

t.test('a token that is not taken is named, as no maker can do without', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.post('/', async (_request, reply) => reply.code(401).send({ code: 'INVALID_TOKEN_SIGNATURE' }))
  const owner = new Owner(app, 'alice', 'a', {
    a: async ({ inject }) => (await inject({ method: 'POST', url: '/' })).json<{ id: string }>().id
  })
  await t.rejects(owner.make(), /answered 401 INVALID_TOKEN_SIGNATURE: is the plugin registered with the options/)
})

t.test('a write that ended the session is named', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  let isOut = false
  app.post('/tasks', async (_request, reply) => isOut ? reply.code(401).send({ code: 'TOKEN_REVOKED' }) : { id: 't1' })
  app.post('/logout', async () => { isOut = true })
  app.get('/', async () => ({}))
  const owner = new Owner(app, 'alice', 'a', {
    task_id: async ({ inject }) => (await inject({ method: 'POST', url: '/tasks' })).json<{ id: string }>().id
  })
  await owner.make()
  await owner.inject({ method: 'POST', url: '/logout' })
  await owner.inject('/')
  await t.rejects(owner.make(), /answered 401 TOKEN_REVOKED: does POST \/logout end the session\? Fix: allow its route/)
})

t.test('a request that never ends is named', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/events', async (_request, reply) => { reply.hijack().raw.write('data: 1\n\n') })
  await app.ready()
  const owner = new Owner(app, 'alice', 'a', {})
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const answer = owner.inject({ url: '/events' })
  mock.timers.tick(10_000)
  await t.rejects(answer, new TypeError('GET /events: no answer within 10 s. Fix: allow the route where it never ' +
    'ends, as an event stream'))
})

t.test('an app whose answers lose their bodies is refused, as nothing could be compared', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  // As Express does it. `inject` then keeps status and headers only.
  app.addHook('onRequest', async (_request, { raw }) => { Object.setPrototypeOf(raw, ServerResponse.prototype) })
  app.get('/', async () => ({ id: 1 }))
  app.delete('/', async (_request, reply) => reply.code(204).send())
  app.put('/', async (_request, reply) => reply.code(304).header('content-length', 9).send())
  const owner = new Owner(app, 'alice', 'a', {})
  await t.rejects(owner.inject('/'), new TypeError('GET /: inject() has lost the body of the answer, as it does with ' +
    '@fastify/express and app.use(). Fix: build the app without it for this test'))
  for (const method of ['HEAD', 'DELETE', 'PUT'] as const) {
    t.match(await owner.inject({ method, url: '/' }), { body: '' })
  }
})

t.test('ids are filled in by name: in path, query and body', async (t) => {
  const issuer = createIssuer()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  const id = { type: 'string' }
  const schema = {
    querystring: { type: 'object', properties: { list_id: id, page: { type: 'integer' } } },
    body: { type: 'object', properties: { list_id: id, task_ids: { type: 'array', items: id }, title: id } }
  }
  app.post('/api/:user_id/tasks/:task_id/:day', { schema },
    async ({ params, query, body }) => ({ params, query, body }))

  const objects = { task_id: () => 't', list_id: () => 'l', task_ids: () => 'x' }
  const [route] = await appRoutes(app)
  if (!route) throw new Error('no route')
  const plan = planFor(route, { '*': { body: { title: 'Buy milk' } } }, objects)
  t.same(plan.places, [
    { name: 'task_id', part: 'path', isList: false, isInList: false },
    { name: 'list_id', part: 'query', isList: false, isInList: false },
    { name: 'list_id', part: 'body', isList: false, isInList: false },
    { name: 'task_ids', part: 'body', isList: true, isInList: false }
  ])
  t.same(plan.kinds, ['task_id', 'list_id', 'task_ids'])
  t.same(plan.unknown, ['day'], 'which nobody makes')

  const alice = new Owner(app, 'alice', issuer.token('alice'), objects)
  const known = planFor(route, { '*': { path: { day: 'monday' }, body: { title: 'Buy milk' } } }, objects)
  t.same(known.unknown, [])
  const response = await ask(known, alice, { task_id: 't1', list_id: 'l1', task_ids: ['x1', 'x2'] })
  t.same(response.json(), {
    params: { user_id: 'alice', task_id: 't1', day: 'monday' },
    query: { list_id: 'l1' },
    body: { title: 'Buy milk', list_id: 'l1', task_ids: ['x1', 'x2'] }
  })
  alice.ids = { task_id: 't1', list_id: 'l1', task_ids: 'x' }
  const inBody = (await ask(known, alice, { list_id: 'l2' }, 'body')).json()
  t.match(inBody,
    sameLength({ query: { list_id: 'l1' }, body: { list_id: 'l2', task_ids: ['x'] } }), 'in one part alone')
  t.same(known.parts.query, { list_id: '' }, 'the plan is left alone')
  const withSlash = new Owner(app, 'al/ice', issuer.token('al/ice'), {})
  t.match((await ask(known, withSlash)).json(), { params: { user_id: 'al/ice' } })
  const other = planFor(route, { '*': { path: { page_id: '7', day: 'monday' } } }, { ...objects, page_id: () => 'p' })
  t.notOk(other.kinds.includes('page_id'), 'a parameter for all routes is none of one that does not have it')
  const again = { task_id: '' }
  const rows = { '*': { body: { rows: [{ list_id: '', at: again }], again } } }
  t.match(planFor(route, rows, objects).places.filter(({ part }) => part === 'body'), [
    { name: 'list_id', isInList: false },
    { name: 'task_ids', isInList: false },
    { name: 'list_id', isInList: true },
    { name: 'task_id', isInList: true },
    { name: 'task_id', isInList: false }
  ])
  const form = planFor(route, { '*': { body: 'title=Buy+milk' } }, objects)
  t.equal(form.parts.body, 'title=Buy+milk', 'a form is sent as it stands')
})

t.test('a route whose URL has an owner or an id is also tried without the ids of its schema', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, createIssuer().options)
  const schema = { querystring: { type: 'object', properties: { task_id: { type: 'string' } } } }
  const urls = ['/api/:user_id/tasks', '/lists/:list_id', '/tasks']
  for (const url of urls) app.get(url, { schema }, async () => [])
  const plans = (await appRoutes(app)).map((route) => planFor(route, {}, { task_id: () => 't', list_id: () => 'l' }))
  t.same(plans.filter(({ isRead }) => isRead).length, 6, 'GET and HEAD')
  t.same(plans.filter(({ route }) => route.method === 'GET').map(({ kinds, short }) => [kinds, short?.kinds]), [
    [['task_id'], []], [['list_id', 'task_id'], ['list_id']], [['task_id'], undefined]
  ])
})

t.test('members of an object of zod are found', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setValidatorCompiler(() => () => true)
  const wrap = (type: string, innerType: object) => ({ type, def: { innerType } })
  const tags = wrap('default', wrap('optional', { type: 'array', def: {} }))
  const query = { shape: { list_id: wrap('optional', { type: 'string' }) } }
  const body = { shape: { task_ids: { type: 'array' }, tag_ids: tags, title: {} } }
  app.post('/api/tasks', { schema: { querystring: query, body } }, async () => ({}))
  const [route] = await appRoutes(app)
  const makers = { list_id: () => 'l', task_ids: () => 'x', tag_ids: () => 'g' }
  const { places = [] } = { ...route && planFor(route, {}, makers) }
  t.same(places, [
    { name: 'list_id', part: 'query', isList: false, isInList: false },
    { name: 'task_ids', part: 'body', isList: true, isInList: false },
    { name: 'tag_ids', part: 'body', isList: true, isInList: false }
  ])
})

t.test('what a request without a body cannot have is no place', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/api/tasks', async () => [])
  const [route] = await appRoutes(app)
  if (!route) throw new Error('no route')
  const placesWith = (params: RequestParams, options = route.options) =>
    planFor({ ...route, options }, params, { task_id: () => 't' }).places
  t.same(placesWith({ '*': { body: { task_id: '' } } }), [])
  t.match(placesWith({ 'GET /api/tasks': { body: { task_id: '' } } }), [{ part: 'body' }],
    'but of a route that is named, which would not be tested without it')
  // An app can give GET a body, by addHttpMethod. The kit sends none.
  const schema = { body: { type: 'object', properties: { task_id: {} } } }
  t.same(placesWith({}, { ...route.options, schema }), [])
})

t.test('a wildcard takes ids if "*" has a maker', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.put('/api/files/*', async () => ({}))
  const [wild] = await appRoutes(app)
  if (!wild) throw new Error('no route')
  t.same(planFor(wild, {}, {}).unknown, ['*'])
  const files = planFor(wild, {}, { '*': () => 'a/b' })
  t.same(files.places, [{ name: '*', part: 'path', isList: false, isInList: false }])
})

t.test('nullable lists take ids, and the owner\'s parameter is never one', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, createIssuer().options)
  const properties = { task_id: { type: ['array', 'null'] }, user_id: { type: 'string' } }
  app.post('/api/:user_id/tasks', { schema: { body: { type: 'object', properties } } }, async () => ({}))
  const [route] = await appRoutes(app)
  if (!route) throw new Error('no route')
  t.same(planFor(route, {}, { task_id: () => 't', user_id: ({ owner }) => owner }).places, [
    { name: 'task_id', part: 'body', isList: true, isInList: false },
    { name: 'user_id', part: 'body', isList: false, isInList: false }
  ])
})
