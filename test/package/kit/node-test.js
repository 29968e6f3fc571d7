import assert from 'node:assert/strict'
import test from 'node:test'
import { assertIsolation, assertOwnership, createIssuer } from 'fastify-user-scope/testing'
import { buildApp } from './app.js'

test('tasks are their owner\'s alone, with the keys of an issuer', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = await buildApp(issuer.options)
  await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' })
  assert.equal(issuer.requests, 1)
})

test('nobody gets at a task of another by a path of their own', async () => {
  const issuer = createIssuer()
  const app = await buildApp(issuer.options)
  await assertIsolation(app, {
    issuer,
    alice: 'alice',
    bob: 'bob',
    objects: {
      task_id: async ({ inject, owner }) => {
        const response = await inject({ method: 'POST', url: `/api/${owner}/tasks`, payload: { title: 'a task' } })
        return response.json().id
      }
    }
  })
})
