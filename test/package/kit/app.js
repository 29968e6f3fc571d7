// The host of the examples beside this file: what a host has anyway.
import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import userScope from 'fastify-user-scope'

/** @param {import('fastify-user-scope').UserScopeOptions} options */
export async function buildApp (options) {
  const app = Fastify()
  await app.register(userScope, options)
  /** @type {Array<{ id: string, owner: string, title: string }>} */
  const tasks = []
  const properties = { title: { type: 'string', minLength: 1 } }
  const schema = { body: { type: 'object', required: ['title'], properties } }
  app.get('/api/:user_id/tasks', async (request) => tasks.filter(({ owner }) => owner === request.user.id))
  app.post('/api/:user_id/tasks', { schema }, async (request) => {
    const { title } = /** @type {{ title: string }} */ (request.body)
    const task = { id: randomUUID(), owner: request.user.id, title }
    tasks.push(task)
    return task
  })
  app.get('/api/:user_id/tasks/:task_id', async (request, reply) => {
    const { task_id: id } = /** @type {{ task_id: string }} */ (request.params)
    return tasks.find((task) => task.id === id && task.owner === request.user.id) ?? reply.code(404).send()
  })
  app.get('/api/me', async (request) => request.user)
  app.get('/health', { config: { access: 'public' } }, async () => ({ ok: true }))
  return app
}
