/**
 * `npx tsx test/support/time-kit.ts`: how long the assertions take on a sound host of 200 routes, and on one with 50
 * routes for objects.
 */
import Fastify from 'fastify'
import userScope from '../../lib/index.js'
import { assertIsolation, assertOwnership, createIssuer } from '../../lib/testing/index.js'

const issuer = createIssuer()
const people = { issuer, alice: 'alice', bob: 'bob' }

async function time (name: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now()
  await work()
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(2)} s`)
}

const many = Fastify()
await many.register(userScope, issuer.options)
for (let n = 0; n < 40; n++) {
  const url = `/api/:user_id/things-${n}`
  many.get(url, async () => [])
  many.post(url, { schema: { body: { type: 'object', required: ['title'] } } }, async () => ({}))
  many.route({ method: ['PUT', 'PATCH', 'DELETE'], url: `${url}/:thing_id`, handler: async () => ({}) })
}
await time('assertOwnership, 200 routes (240 with HEAD)', () => assertOwnership(many, people))

const things = new Map<string, { id: string, owner: string }>()
const objects = Fastify()
await objects.register(userScope, issuer.options)
objects.post('/api/:user_id/things', async ({ user }, reply) => {
  const thing = { id: `n${things.size}`, owner: user.id }
  things.set(thing.id, thing)
  return reply.code(201).send(thing)
})
for (let n = 0; n < 10; n++) {
  objects.route<{ Params: { thing_id: string } }>({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: `/api/:user_id/kind-${n}/:thing_id`,
    handler: async ({ user, params }, reply) => {
      const thing = things.get(params.thing_id)
      return thing?.owner === user.id ? thing : reply.code(404).send({ code: 'NOT_FOUND' })
    }
  })
}
await time('assertIsolation, 50 routes with an object', () => assertIsolation(objects, {
  ...people,
  objects: {
    thing_id: async ({ inject, owner }) =>
      (await inject({ method: 'POST', url: `/api/${owner}/things` })).json<{ id: string }>().id
  }
}))
