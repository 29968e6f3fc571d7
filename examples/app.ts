import { randomBytes } from 'node:crypto'
import cors from '@fastify/cors'
import createError from '@fastify/error'
import helmet from '@fastify/helmet'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify'
import userScope, { betterAuth } from 'fastify-user-scope'
import { authOptions, createAuth } from './auth.js'
import { authRoutes } from './auth-routes.js'
import { secretOf } from './data-folder.js'
import { DatabaseUnavailableError, openDatabase } from './database.js'
import { demoUsers, walk, type DemoUsers } from './demo.js'
import { docs } from './docs.js'
import { home } from './home.js'
import { alone, migrate } from './migrations.js'
import { validatorCompiler } from './schemas.js'
import type { Settings } from './settings.js'
import { status } from './status.js'
import { TaskStore } from './task-store.js'
import { tasks } from './tasks.js'

const InternalError = createError('INTERNAL_ERROR', 'Internal error', 500)
const NotFoundError = createError('NOT_FOUND', 'Not found', 404)

/** The todo API, ready to listen. */
export async function buildApp (settings: Settings): Promise<{ app: FastifyInstance, demo: DemoUsers }> {
  const app = Fastify({
    requestTimeout: 30_000,
    trustProxy: (_address, hop) => hop < settings.trustProxy,
    logger: {
      level: settings.logLevel,
      serializers: {
        // Links in mails, and some clients, have a token in the query, or in the path where one route serves many.
        req: ({ method, url, ip, routeOptions }: FastifyRequest) => ({ method, url: routeOptions.url?.endsWith('*') ? routeOptions.url : url.replace(/[?#].*/, ''), ip }),
        // A database's error has the values of the query beside.
        err: ({ name, message, stack, code }: FastifyError) => ({ type: name, message, stack: String(stack), code })
      },
      // No headers of a request are logged; where a line of yours has them, these stay out.
      redact: ['authorization', 'cookie'].flatMap((name) => [`headers.${name}`, `*.headers.${name}`])
    }
  })
  try {
    return { app, demo: await compose(app, settings) }
  } catch (error) {
    await app.close()
    throw error
  }
}

async function compose (app: FastifyInstance, settings: Settings): Promise<DemoUsers> {
  const { baseURL, origins, database } = settings
  app.setValidatorCompiler(validatorCompiler)
  // What nobody foresaw is for the log: its message may name the database and where it is.
  app.setErrorHandler((error: FastifyError, request) => {
    if (error.statusCode !== undefined) throw error
    request.log.error(error)
    // A query that the database gave up, as its time was over.
    throw error.code === '57014' ? new DatabaseUnavailableError() : new InternalError()
  })
  // Fastify's own would log the whole URL.
  app.setNotFoundHandler(() => { throw new NotFoundError() })

  const db = await openDatabase(database, (error) => { app.log.error(error) })
  app.addHook('onClose', () => db.destroy())
  const secret = settings.secret ?? (typeof database === 'object' && 'folder' in database ? await secretOf(database.folder) : randomBytes(32).toString('base64url'))
  const optionsWith = (connection: typeof db) => authOptions(connection, { baseURL, origins, secret }, app.log)
  const demo = await alone(db, async (connection) => {
    await migrate(connection, optionsWith(connection))
    const auth = createAuth(optionsWith(connection))
    // Makes the key pair at the first start, under the lock that all servers share, and finds a wrong secret before a user does.
    await auth.api.signJWT({ body: { payload: {} } }).catch((error: Error) => {
      throw new Error(`tokens cannot be signed (${error.message}): give the BETTER_AUTH_SECRET by which the keys were stored, or empty the table jwks`)
    })
    return await demoUsers(auth)
  })
  const auth = createAuth(optionsWith(db))

  await app.register(cors, { origin: origins, credentials: true, methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], exposedHeaders: ['WWW-Authenticate', 'Retry-After'] })
  // Plain http stays plain: a browser that upgraded would find nobody there.
  const isSecure = baseURL.startsWith('https:')
  await app.register(helmet, { strictTransportSecurity: isSecure, ...!isSecure && { contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } } })
  // Whatever is registered from here on is guarded unless it says otherwise. The keys are read in process, without a socket.
  await app.register(userScope, { issuers: [betterAuth({ baseURL, fetch: (url, init) => auth.handler(new Request(url, init)) })] })

  await docs(app)
  await app.register(home, { walk: walk(baseURL, demo) })
  await app.register(authRoutes, { prefix: '/api/auth', auth, baseURL, limits: settings, example: demo.alice })
  await app.register(tasks, { prefix: '/api/:user_id/tasks', store: new TaskStore(db), example: demo.alice.id })

  await app.register(status, { db })

  await app.ready()
  return demo
}
