// The plugin guards the context in which it is registered, and those inside it: a route outside needs no level.
import Fastify from 'fastify'
import userScope from 'fastify-user-scope'

const app = Fastify({ logger: true })

await app.register(async (api) => {
  await api.register(userScope) // reads BETTER_AUTH_SECRET
  api.get('/:user_id/tasks', async (request) => ({ tasks: [], owner: request.user.id })) // the owner only
  api.get('/me', async (request) => request.user) // any signed-in user
}, { prefix: '/api' })
app.get('/health', async () => ({ ok: true })) // outside: not guarded

await app.listen({ port: Number(process.env.PORT || 3000) })
