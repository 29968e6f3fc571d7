import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import Fastify, { type FastifyInstance } from 'fastify'
import userScope, { betterAuth, getUser } from 'fastify-user-scope'
import { logging } from './logging.js'
import { auth } from './plugins/auth.js'
import { database } from './plugins/database.js'
import { demo } from './plugins/demo.js'
import { docs } from './plugins/docs.js'
import { errors } from './plugins/errors.js'
import { settings } from './plugins/settings.js'
import { authRoutes } from './routes/auth.js'
import { organizations } from './routes/organizations.js'
import { root } from './routes/root.js'
import { tasks } from './routes/tasks.js'
import { validatorCompiler } from './schemas.js'

/** The todo API, ready to listen. */
export async function buildApp (): Promise<FastifyInstance> {
  const trustProxy = (address: string) => app.settings.isProxy(address)
  // No plugin timeout: the embedded database takes seconds to start.
  const app: FastifyInstance = Fastify({ ...logging, pluginTimeout: 0, requestTimeout: 30_000, trustProxy })
  app.setValidatorCompiler(validatorCompiler)
  for (const plugin of [errors, settings, database, auth, demo]) await app.register(plugin)
  const { baseURL, origins: origin } = app.settings
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
  await app.register(cors, { origin, methods, credentials: true, exposedHeaders: ['WWW-Authenticate', 'Retry-After'] })
  const hsts = baseURL.startsWith('https:') // where it is not, browsers must not try https
  const directives = { upgradeInsecureRequests: hsts ? [] : null }
  await app.register(helmet, { hsts, contentSecurityPolicy: { directives } })

  // Every route is guarded from here on, unless it says otherwise. The keys are read in this process, without a socket.
  const fetch = (url: string, init: RequestInit) => app.betterAuth.handler(new Request(url, init))
  const issuers = [betterAuth({ baseURL, fetch })]
  await app.register(userScope, { issuers, bind: { org_id: 'org_id' }, requireStatedAccess: true })
  app.addHook('onSend', async (request, reply) => { if (getUser(request)) reply.header('cache-control', 'no-store') })

  await app.register(docs)
  await app.register(root)
  await app.register(authRoutes, { prefix: '/api/auth' })
  await app.register(organizations, { prefix: '/api/orgs/:org_id' })
  await app.register(tasks, { prefix: '/api/:user_id/tasks' })
  await app.ready()
  return app
}
