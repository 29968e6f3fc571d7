import Fastify, { type FastifyInstance } from 'fastify'
import defaultExport, * as all from 'fastify-user-scope'
import {
  ForbiddenUserAccessError,
  InvalidOptionError,
  MissingTokenError,
  TokenExpiredError,
  getUser,
  userScope,
  type AccessLevel,
  type AccessRule,
  type RefusalCode,
  type ScopedRoute,
  type SecretAlgorithm,
  type UserScopeOptions,
  type VerifiedUser
} from 'fastify-user-scope'
import { typeOf } from '../equal.js'

typeOf(defaultExport).is<typeof userScope>()
typeOf(all.default).is<typeof userScope>()

const app = Fastify()
await app.register(userScope)

app.get('/api/:user_id/tasks', async (request) => {
  typeOf(request.user).is<VerifiedUser>()
  typeOf(request.user.id).is<string>()
  typeOf(request.user.claims.sub).is<string | undefined>()
  typeOf(request.user.claims.exp).is<number>()
  typeOf(request.user.claims.aud).is<string | readonly string[] | undefined>()
  typeOf(request.user.claims.role).is<unknown>()
  // @ts-expect-error: the id is read-only
  request.user.id = 'bob'
  // @ts-expect-error: and so are the claims
  request.user.claims.sub = 'bob'
  // @ts-expect-error: those that nobody declared included
  request.user.claims.role = 'admin'
  // @ts-expect-error: the payload stands in claims, not beside them
  return request.user.sub
})

app.addHook('preHandler', async (request) => {
  const user = getUser(request)
  typeOf(user).is<VerifiedUser | null>()
  // @ts-expect-error: there may be no user
  typeOf(user.id)
  const typed = getUser<{ role: 'admin' | 'member' }>(request)
  typeOf(typed?.claims.role).is<'admin' | 'member' | undefined>()
  typeOf(request.routeOptions.config.access).is<AccessLevel | (AccessRule & object) | undefined>()
})

app.get<{ Params: { user_id: string } }>('/api/:user_id', async (request) => [request.params.user_id, getUser(request)])

// Access levels
typeOf({} as AccessLevel).is<'owner' | 'user' | 'optional' | 'public'>()
app.get('/api/:user_id/a', { config: { access: 'owner' } }, async () => null)
app.get('/b', { config: { access: 'user' } }, async () => null)
app.get('/c', { config: { access: 'optional' } }, async () => null)
app.route({ method: 'GET', url: '/d', config: { access: 'public' }, handler: async () => null })
// @ts-expect-error: an unknown level
app.get('/e', { config: { access: 'none' } }, async () => null)
// @ts-expect-error: a level and not a switch
app.get('/f', { config: { access: false } }, async () => null)
// @ts-expect-error: undefined is no level
app.route({ method: 'GET', url: '/g', config: { access: undefined }, handler: async () => null })

// Options
app.register(userScope, {})
app.register(defaultExport, {
  secret: 'a',
  issuer: 'b',
  audience: 'c',
  algorithms: ['HS512'],
  userIdClaim: 'sub',
  userIdParam: 'id'
})
app.register(userScope, {
  clockTolerance: 5,
  maxTokenAge: 3600,
  decoratorName: 'owner',
  openapi: { schemeName: 'jwt', description: 'd' }
})
app.register(userScope, { secret: ['new', 'old'], openapi: false })
app.register(userScope, { secret: ['new', 'old'] as const, algorithms: ['HS256', 'HS384'] as const })
app.register(userScope, () => ({ secret: 'a' }))
app.register(import('fastify-user-scope'), { secret: 'a' })
typeOf({} as SecretAlgorithm).is<'HS256' | 'HS384' | 'HS512'>()
// @ts-expect-error: a misspelt option
app.register(userScope, { audiance: 'c' })
// @ts-expect-error: a secret is text
app.register(userScope, { secret: Buffer.from('a') })
// @ts-expect-error: never mixed with public keys
app.register(userScope, { algorithms: ['RS256'] })
// @ts-expect-error: seconds, and not a span of time
app.register(userScope, { clockTolerance: '5s' })
// @ts-expect-error: on is the default
app.register(userScope, { openapi: true })
// @ts-expect-error: a misspelt option further inside
app.register(userScope, { openapi: { scheme: 'jwt' } })
// @ts-expect-error: a key that is there has a value, lest a missing variable switch a check off
app.register(userScope, { audience: process.env.AUDIENCE })
const options: UserScopeOptions = { secret: 'a' }
// @ts-expect-error: the same of an options object
options.audience = undefined
const entry = {
  issuer: 'https://a.example',
  audience: ['api'],
  discovery: true,
  algorithms: ['ES256'],
  typ: ['JWT'],
  requiredClaims: { azp: ['web'] },
  machine: { gty: ['client'] }
} as const
const constant = { issuers: [entry] } as const
app.register(userScope, constant)

// Errors
const missing = new MissingTokenError()
typeOf(missing.code).is<'MISSING_TOKEN'>()
typeOf(missing.statusCode).is<401>()
typeOf(new ForbiddenUserAccessError().code).is<'FORBIDDEN_USER_ACCESS'>()
typeOf(new ForbiddenUserAccessError().statusCode).is<403>()
typeOf(new InvalidOptionError().code).is<'FST_USER_SCOPE_INVALID_OPTION'>()
const codes: RefusalCode[] = [
  'MISSING_TOKEN', 'INVALID_HEADER_FORMAT', 'MALFORMED_TOKEN', 'INVALID_TOKEN_SIGNATURE', 'TOKEN_EXPIRED',
  'INVALID_CLAIMS', 'MISSING_UID_CLAIM', 'FORBIDDEN_USER_ACCESS'
]
// @ts-expect-error: no code of a refusal
codes.push('UNAUTHORIZED')
app.setErrorHandler((error, _request, reply) => {
  if (error instanceof TokenExpiredError) {
    typeOf(error.code).is<'TOKEN_EXPIRED'>()
    return reply.send({ code: error.code })
  }
  throw error
})

// Decorators
const revocation = await app.userScope.revoke({ user: 'alice', issuedBefore: new Date(), issuer: 'secret' })
typeOf(revocation).is<void>()
// @ts-expect-error: one kind at a time
await app.userScope.revoke({ user: 'alice', session: 's' })
// @ts-expect-error: a session has no dates
await app.userScope.revoke({ session: 's', issuedBefore: 1 })
const routes = app.userScope.routes()
typeOf(routes).is<ScopedRoute[]>()
typeOf(routes[0]?.access).is<AccessLevel | undefined>()
// @ts-expect-error: frozen, and functions instead of methods, which linters would not let a host take out of it
app.userScope.routes = () => []
// @ts-expect-error: what a route says of itself is not changed through the list
if (routes[0]) routes[0].access = 'public'

// A host that loads none of these has none of their types.
// @ts-expect-error: @fastify/jwt
typeOf(app.jwt)
// @ts-expect-error: @fastify/swagger
typeOf(app.swagger)

// Every kind of server takes the plugin.
async function serve (server: FastifyInstance): Promise<void> { await server.register(userScope) }
await serve(app)
const secure = Fastify({ http2: true, https: {} })
await secure.register(userScope, { secret: 'a' })
secure.get('/', async (request) => [request.user.id, getUser(request)])
const logging = Fastify({ loggerInstance: app.log })
await logging.register(userScope, { secret: 'a' })
logging.get('/', async (request) => [request.user.id, getUser(request)])

// Without a declaration the names of scopes are strings.
app.get('/scoped', { config: { access: { scopes: ['any:name'] } } }, async (request) => {
  all.requireScopes(request, 'any', 'other')
})
