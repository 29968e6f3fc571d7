import t from 'tap'
import { assertOwnership, createIssuer } from 'fastify-user-scope/testing'
import { buildApp } from './app.js'

t.test('tasks are their owner\'s alone', async () => {
  const issuer = createIssuer()
  const app = await buildApp(issuer.options)
  await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' })
})

t.test('a signed-in user is known', async (t) => {
  const issuer = createIssuer()
  const app = await buildApp(issuer.options)
  const response = await app.inject({ url: '/api/me', headers: issuer.authorization({ id: 'alice', role: 'admin' }) })
  t.match(response.json(), { id: 'alice', claims: { role: 'admin' } })
})
