import assert from 'node:assert/strict'
import test from 'node:test'
import { assertOwnership, createIssuer } from 'fastify-user-scope/testing'
import { buildApp } from './app.js'

test('tasks are their owner\'s alone, with the keys of an issuer', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = await buildApp(issuer.options)
  await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' })
  assert.equal(issuer.requests, 1)
})
