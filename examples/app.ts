import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import userScope, { type UserScopeOptions } from 'fastify-user-scope'
import { tasks, TaskStore } from './tasks.js'

export interface ServerOptions {
  logger?: FastifyServerOptions['logger']
  /** Options of the plugin; without a secret it reads the environment. */
  userScope?: UserScopeOptions
}

/** The todo API, ready to listen or to be sent requests with `inject`. */
export async function buildServer (options: ServerOptions = {}) {
  const app = Fastify({ logger: options.logger ?? false }).withTypeProvider<TypeBoxTypeProvider>()

  // First of all, so that whatever is registered from here on is guarded unless it says otherwise.
  await app.register(userScope, options.userScope ?? {})

  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Todo API', version: '1.0.0' } } })
  await app.register(async (docs) => {
    // The routes of another plugin cannot state a level themselves.
    docs.addHook('onRoute', (route) => { route.config = { ...route.config, access: 'public' } })
    await docs.register(swaggerUi, { routePrefix: '/docs' })
  })

  await app.register(tasks, { prefix: '/api/:user_id/tasks', store: new TaskStore() })

  app.get('/api/me', {
    schema: { summary: 'Who the token belongs to', response: { 200: Type.Object({ id: Type.String() }) } }
  }, async ({ user }) => ({ id: user.id }))

  app.get('/health', {
    config: { access: 'public' },
    schema: { summary: 'Whether the server is up', response: { 200: Type.Object({ ok: Type.Boolean() }) } }
  }, async () => ({ ok: true }))

  await app.ready()
  return app
}
