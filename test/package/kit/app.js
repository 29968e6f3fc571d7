// The host of the examples beside this file: what a host has anyway.
import Fastify from 'fastify'
import userScope from 'fastify-user-scope'

/** @param {import('fastify-user-scope').UserScopeOptions} options */
export async function buildApp (options) {
  const app = Fastify()
  await app.register(userScope, options)
  const schema = { body: { type: 'object', required: ['title'], properties: { title: { type: 'string', minLength: 1 } } } }
  app.get('/api/:user_id/tasks', async (request) => ({ tasks: [], owner: request.user.id }))
  app.post('/api/:user_id/tasks', { schema }, async () => ({ ok: true }))
  app.get('/api/me', async (request) => request.user)
  app.get('/health', { config: { access: 'public' } }, async () => ({ ok: true }))
  return app
}
