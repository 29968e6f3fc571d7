import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import { appRoutes } from '../../lib/testing/app-routes.js'
import { ask, planFor } from '../../lib/testing/object-requests.js'
import { Owner } from '../../lib/testing/objects.js'
import { createIssuer } from '../../lib/testing/index.js'

t.test('ids go where their names stand: in the path, the query and the body', async (t) => {
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
    { name: 'task_id', part: 'path', isList: false },
    { name: 'list_id', part: 'query', isList: false },
    { name: 'list_id', part: 'body', isList: false },
    { name: 'task_ids', part: 'body', isList: true }
  ])
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
  const inBody = (await ask(known, alice, { task_id: 't1', list_id: 'l1', 'body.list_id': 'l2', task_ids: 'x' })).json()
  t.match(inBody, { query: { list_id: 'l1' }, body: { list_id: 'l2', task_ids: ['x'] } }, 'in one part alone')
  const form = planFor(route, { '*': { body: 'title=Buy+milk' } }, objects)
  t.equal(form.parts.body, 'title=Buy+milk', 'a form is sent as it stands')
})

t.test('members of schemas that are no JSON Schema', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setValidatorCompiler(() => () => true)
  const [query, body] = [{ shape: { list_id: {} } }, { shape: { task_ids: { type: 'array' }, title: {} } }]
  app.post('/api/tasks', { schema: { querystring: query, body } }, async () => ({}))
  const [route] = await appRoutes(app)
  const { places = [] } = { ...route && planFor(route, {}, { list_id: () => 'l', task_ids: () => 'x' }) }
  t.same(places, [
    { name: 'list_id', part: 'query', isList: false }, { name: 'task_ids', part: 'body', isList: true }
  ])
})

t.test('a wildcard is a kind of objects where its star is among them', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.put('/api/files/*', async () => ({}))
  const [wild] = await appRoutes(app)
  if (!wild) throw new Error('no route')
  t.same(planFor(wild, {}, {}).unknown, ['*'])
  const files = planFor(wild, {}, { '*': () => 'a/b' })
  t.same(files.places, [{ name: '*', part: 'path', isList: false }])
})

t.test('lists that may be null, and the owner by the name that the path has', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, createIssuer().options)
  const properties = { task_id: { type: ['array', 'null'] }, user_id: { type: 'string' } }
  app.post('/api/:user_id/tasks', { schema: { body: { type: 'object', properties } } }, async () => ({}))
  const [route] = await appRoutes(app)
  if (!route) throw new Error('no route')
  t.same(planFor(route, {}, { task_id: () => 't', user_id: ({ owner }) => owner }).places, [
    { name: 'task_id', part: 'body', isList: true },
    { name: 'user_id', part: 'body', isList: false }
  ])
})
