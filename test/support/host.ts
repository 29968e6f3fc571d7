import { createHmac } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import userScope, { type UserScopeOptions, type VerifiedUser } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'

// The library's own import of @fastify/jwt brings its declaration of `user` into this program; a host that has both
// says the same.
declare module '@fastify/jwt' {
  interface FastifyJWT { user: VerifiedUser }
}

export const secret = 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT'
export const otherSecret = 'Qw8eRt5yUi2oPa6sDf3gHj9kLz1xCv7b'
/** 64 bytes, long enough for HS512. */
export const longSecret = `${secret}${otherSecret}`

export const now = () => Math.floor(Date.now() / 1000)

type Encodable = object | string | Buffer
const encode = (part: Encodable) => {
  const isText = typeof part === 'string' || Buffer.isBuffer(part)
  return Buffer.from(isText ? part : JSON.stringify(part)).toString('base64url')
}

interface SignOptions {
  /** The header: an object, or the bytes of one that JSON.stringify would not write. */
  header?: Encodable
  key?: string
  hash?: string
}

/** A JWS of exactly these parts with a good HMAC, whatever they are: for what the test kit does not make. */
export function sign (
  payload: Encodable, { header = { alg: 'HS256', typ: 'JWT' }, key = secret, hash = 'sha256' }: SignOptions = {}
): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
}

const issuer = createIssuer({ secret, expiresIn: 3600 })

/** A good token for a user, for longer than any file of tests may take. */
export const tokenFor = (id: string, claims: object = {}) => issuer.token({ ...claims, id })

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

export const challengeOf = (description: string, error = 'invalid_token') =>
  `Bearer realm="api", error="${error}", error_description="${description}"`

/** A line of the log, parsed. */
export interface LogLine { level: number, msg: string, code?: string, reason?: string, [field: string]: unknown }

const caches: Array<[name: string, cache: false | { max?: number }]> = [
  ['on', {}], ['off', false], ['of one token', { max: 1 }]
]
let cache: false | { max?: number } = {}

/** For suites that must hold with the cache on, off and too small for anything: it changes only speed. */
export function testWithCaches (title: string, run: (t: Test) => Promise<unknown>): void {
  for (const [name, setting] of caches) {
    t.test(`${title}; cache ${name}`, async (t) => {
      cache = setting
      t.teardown(() => { cache = {} })
      await run(t)
    })
  }
}

/** The `cache` option of the test that is running, for hosts that are not made by `build`. */
export const cacheOption = () => ({ cache })

interface Answer {
  status: number
  code: string | undefined
  body: unknown
  headers: Record<string, unknown>
}

interface Host {
  app: FastifyInstance
  log: LogLine[]
  /** Sends a request and returns status, code and body. */
  send: (request: InjectOptions | string) => Promise<Answer>
}

/**
 * A host with the plugin and a few routes, closed with the test. `routes` stands in for the usual ones.
 */
export async function build (
  t: Test, options: UserScopeOptions = {}, server: FastifyServerOptions = {}, routes = usualRoutes
): Promise<Host> {
  const log: LogLine[] = []
  const app = Fastify({
    logger: { level: 'info', stream: { write: (line: string) => { log.push(JSON.parse(line) as LogLine) } } },
    ...server
  })
  t.teardown(async () => { await app.close() })
  await app.register(userScope, { cache, ...!options.issuers && { secret }, ...options })
  routes(app)
  await app.ready()
  return { app, log, send: sender(app) }
}

export const sender = (app: FastifyInstance): Host['send'] => async (request) => {
  const response = await app.inject(request)
  const isJson = response.body && response.headers['content-type']?.toString().startsWith('application/json')
  const body = isJson ? response.json<{ code?: string }>() : response.body
  return {
    status: response.statusCode,
    code: typeof body === 'object' ? body?.code : undefined,
    body,
    headers: response.headers
  }
}

export function usualRoutes (app: FastifyInstance): void {
  app.get('/api/:user_id/tasks', async (request) => ({ user: request.user.id }))
  app.get('/api/me', async (request) => ({ user: request.user.id }))
  app.get('/health', { config: { access: 'public' } }, async () => ({ ok: true }))
}

/** The lines that the plugin wrote about refused requests. */
export const refusals = (log: LogLine[]) => log.filter(({ msg }) => msg === 'request refused')

/** Collects the warnings of the plugin that have no logger, until the test ends. */
export function processWarnings (t: Test): string[] {
  const warnings: string[] = []
  const listen = ({ name, message }: Error) => { if (name === 'UserScopeWarning') warnings.push(message) }
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  return warnings
}
