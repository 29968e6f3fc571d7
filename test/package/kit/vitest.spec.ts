import { expect, test } from 'vitest'
import { assertOwnership, createIssuer, routeTable } from 'fastify-user-scope/testing'
import { buildApp } from './app.js'

test('tasks are their owner\'s alone, with the keys of an issuer', async (context) => {
  const issuer = await createIssuer({ mode: 'jwks', alg: 'ES256', t: context })
  const app = await buildApp(issuer.options)
  await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' })
})

test('no route is added without a word on who may call it', async () => {
  const app = await buildApp(createIssuer().options)
  expect(await routeTable(app)).toMatchInlineSnapshot(`
    "owner      /api/:user_id/tasks  GET, HEAD, POST  default
    owner      /api/:user_id/tasks/:task_id  GET, HEAD  default
    user       /api/me  GET, HEAD  default
    public     /health  GET, HEAD  stated
    "
  `)
})
