import { isIP } from 'node:net'
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import { Type } from '@fastify/type-provider-typebox'
import { fromNodeHeaders } from 'better-auth/node'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { alice } from '../plugins/demo.js'
import { DatabaseUnavailableError, NotFoundError, TooManyRequestsError } from '../plugins/errors.js'
import { databaseFault, fault, name } from '../schemas.js'

// For the document: Better Auth's answers are passed on as they are.
const User = Type.Object({ id: Type.String(), email: Type.String(), name: Type.String() })
const signedIn = 'Signed in. The `token` here is of the session: for the API copy that of `GET /api/auth/token`'
const SignedIn = Type.Object({ token: Type.String(), user: User }, { description: signedIn })
const ApiToken = Type.Object({ token: Type.String() }, { description: 'The token to paste into **Authorize**' })
const authFault = (description: string) => Type.Object({ code: Type.String(), message: Type.String() }, { description })
const refusals = { 429: fault('Too many requests from this address'), 503: databaseFault }

/** Better Auth, under the prefix that it expects. Only the routes for getting a token are in the document. */
export const authRoutes: FastifyPluginAsync = async (app) => {
  const { betterAuth, settings: { baseURL, AUTH_RATE_LIMIT: max, SIGN_IN_RATE_LIMIT } } = app
  const errorResponseBuilder = (_request: unknown, { after }: { after: string }) => new TooManyRequestsError(after)
  // Some proxies add the port of the client, with which each connection would have a limit of its own.
  const keyGenerator = ({ ip, socket }: FastifyRequest) => normalizeIP(isIP(ip) ? ip : socket.remoteAddress ?? '')
  await app.register(rateLimit, { max, timeWindow: '1 minute', keyGenerator, errorResponseBuilder })
  app.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  async function handler ({ method, url, headers, body, ip }: FastifyRequest, reply: FastifyReply) {
    const target = new URL(url, baseURL)
    // A URL that Better Auth would read as another path or host could avoid the rate limit of that path.
    if (target.pathname !== url.replace(/[?#].*/, '')) throw new NotFoundError()
    // Better Auth trusts this header from anyone, while `ip` only trusts the configured proxies.
    const sent = fromNodeHeaders({ ...headers, 'x-forwarded-for': ip })
    const content = Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body)
    const response = await betterAuth.handler(new Request(target, { method, headers: sent, body: content ?? null }))
    // Without its database Better Auth answers as if nobody were signed in, or as if the session had ended.
    const unavailable = () => { throw new DatabaseUnavailableError() }
    const isDoubtful = [401, 500].includes(response.status) || target.pathname.endsWith('/sign-out')
    if (isDoubtful) await betterAuth.api.getSession({ headers: sent }).catch(unavailable)
    return reply.send(response)
  }

  // Fastify cannot take the body off an answer of Better Auth, as it does for HEAD.
  // A longer body can be nested so deep that it overflows the stack. Tokens of a social provider may need more.
  const rest = {
    bodyLimit: 4 * 1024, exposeHeadRoute: false, handler, config: { access: 'public' } as const, schema: { hide: true }
  }
  const guessable = { ...rest, config: { ...rest.config, rateLimit: { max: SIGN_IN_RATE_LIMIT } } }
  const untrusted = authFault(`The request comes from a page of another origin. A program sends \`Origin: ${baseURL}\``)
  const answers = { 200: SignedIn, 400: authFault('The body does not fit'), 403: untrusted, ...refusals }
  const credentials = (example: string) => ({
    email: Type.String({ format: 'email', maxLength: 254, examples: [example] }),
    password: Type.String({ minLength: 8, maxLength: 128, examples: [alice.password] })
  })
  const route = (summary: string, schema: object) => ({ schema: { tags: ['auth'], summary, ...schema } })
  const signUp = route('Make an account', {
    body: Type.Object({ name: name('Carol', 100), ...credentials('carol@example.com') }),
    response: { ...answers, 422: authFault('There is an account with this e-mail') }
  })
  const signIn = route('Sign in', {
    description: 'Sets the session cookie. Next, `GET /api/auth/token`: copy the token of that answer, not this one.',
    body: Type.Object(credentials(alice.email)),
    response: { ...answers, 401: authFault('E-mail or password is wrong') }
  })
  const token = route('Get a token for the API', {
    description: 'Copy the `token` of this answer, press **Authorize**, paste it. It is good for 15 minutes.',
    response: { 200: ApiToken, 401: authFault('Not signed in'), ...refusals }
  })
  app.route({ ...guessable, ...signUp, method: 'POST', url: '/sign-up/email' })
  app.route({ ...guessable, ...signIn, method: 'POST', url: '/sign-in/email' })
  app.route({ ...rest, ...token, method: 'GET', url: '/token' })

  await app.register(async (others) => {
    others.removeAllContentTypeParsers()
    others.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body.length > 0 ? body : undefined) // Better Auth takes an empty text for broken JSON
    })
    others.route({ ...rest, method: ['GET', 'POST'], url: '/*' })
    // These routes check a password too.
    for (const url of ['/verify-password', '/change-password']) others.route({ ...guessable, method: 'POST', url })
  })
}
