import t from 'tap'
import { assertIsolation, assertOwnership, createIssuer, type ObjectMaker } from 'fastify-user-scope/testing'
import { buildApp } from './app.js'

t.test('tasks are their owner\'s alone', async () => {
  const issuer = createIssuer()
  const app = await buildApp(issuer.options)
  await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' })
})

t.test('nobody gets at a task of another by a path of their own', async () => {
  const issuer = createIssuer()
  const app = await buildApp(issuer.options)
  const task: ObjectMaker = async ({ inject, owner }) => {
    const response = await inject({ method: 'POST', url: `/api/${owner}/tasks`, payload: { title: 'a task' } })
    return response.json<{ id: string }>().id
  }
  await assertIsolation(app, { issuer, alice: 'alice', bob: 'bob', objects: { task_id: task } })
})

t.test('a signed-in user is known', async (t) => {
  const issuer = createIssuer()
  const app = await buildApp(issuer.options)
  const response = await app.inject({ url: '/api/me', headers: issuer.authorization({ id: 'alice', role: 'admin' }) })
  t.match(response.json(), { id: 'alice', claims: { role: 'admin' } })
})
