import createError from '@fastify/error'
import rateLimit from '@fastify/rate-limit'
import { Type } from '@fastify/type-provider-typebox'
import { fromNodeHeaders } from 'better-auth/node'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from './auth.js'
import { DatabaseUnavailableError } from './database.js'
import type { DemoUser } from './demo.js'
import { databaseFault, fault, name } from './schemas.js'
import type { Settings } from './settings.js'

const Credentials = (email: string, password: string) => ({
  email: Type.String({ format: 'email', maxLength: 254, examples: [email] }),
  password: Type.String({ minLength: 8, maxLength: 128, examples: [password] })
})

// For the document: Better Auth's answers are passed on as they are.
const User = Type.Object({ id: Type.String(), email: Type.String(), name: Type.String() }, { additionalProperties: true })
const SignedIn = Type.Object({ token: Type.String({ description: 'Of the session: not what the API takes' }), user: User }, { description: 'Signed in: the answer sets the session cookie', additionalProperties: true })
const authFault = (description: string) => Type.Object({ code: Type.String(), message: Type.String() }, { description, additionalProperties: true })
const unfit = { 400: authFault('The body does not fit') }
const refusals = { 429: fault('Too many requests from this address'), 503: databaseFault }

const TooManyRequestsError = createError<[string]>('TOO_MANY_REQUESTS', 'Too many requests, try again in %s', 429)

interface AuthRoutes {
  auth: Auth
  baseURL: string
  limits: Pick<Settings, 'authLimit' | 'signInLimit'>
  /** Who is filled in for Try it out. */
  example: DemoUser
}

/** Better Auth, under the prefix that it expects: what a client needs for a token stands in the document, the rest is served unseen. */
export const authRoutes: FastifyPluginAsync<AuthRoutes> = async (app, { auth, baseURL, limits, example }) => {
  // Guessing passwords is slowed down; the rest of the API is not.
  await app.register(rateLimit, { max: limits.authLimit, timeWindow: '1 minute', errorResponseBuilder: (_request, { after }) => new TooManyRequestsError(after) })
  // Better Auth's own word, where it has one, goes before it.
  app.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })
  const config = { access: 'public' } as const
  const guessable = { ...config, rateLimit: { max: limits.signInLimit } }
  const shared = { tags: ['sign in'] }
  const untrusted = { 403: authFault(`The request comes from a page of another origin, or does not say from where. A program sends \`Origin: ${baseURL}\``) }

  async function pass ({ method, url, headers, body, ip }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const target = new URL(url, baseURL)
    // What is read as another path, or host, than stands there was sent around the limit of that path.
    if (target.pathname !== url.replace(/[?#].*/, '')) {
      reply.callNotFound()
      return reply
    }
    // Better Auth believes the header of anybody; `ip` believes the proxies that are trusted.
    const sent = fromNodeHeaders({ ...headers, 'x-forwarded-for': ip })
    const response = await auth.handler(new Request(target, {
      method, headers: sent, body: body == null ? null : Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body)
    }))
    // It takes a session that it cannot read for none, and the client would forget its own.
    if ([401, 500].includes(response.status)) await auth.api.getSession({ headers: sent }).catch(() => { throw new DatabaseUnavailableError() })
    for (const [name, value] of response.headers) if (name !== 'set-cookie') reply.header(name, value)
    // One header for each: a browser cannot tell them apart in a list.
    const cookies = response.headers.getSetCookie()
    if (cookies.length > 0) reply.header('set-cookie', cookies)
    return reply.code(response.status).send(Buffer.from(await response.arrayBuffer()))
  }

  app.post('/sign-up/email', {
    config: guessable,
    schema: {
      ...shared,
      summary: 'Make an account',
      body: Type.Object({ name: name({ maxLength: 100, examples: ['Carol'] }), ...Credentials('carol@example.com', example.password) }),
      response: { 200: SignedIn, ...unfit, ...untrusted, 422: authFault('There is an account with this e-mail'), ...refusals }
    }
  }, pass)

  app.post('/sign-in/email', {
    config: guessable,
    schema: {
      ...shared,
      summary: 'Sign in',
      description: 'Sets the session cookie, by which `GET /api/auth/token` knows you. 401: e-mail or password is wrong. 403: the request comes from a page of another origin, or has cookies, or the headers of `fetch`, and no `Origin`.',
      body: Type.Object(Credentials(example.email, example.password)),
      response: { 200: SignedIn, ...unfit, 401: authFault('E-mail or password is wrong'), ...untrusted, ...refusals }
    }
  }, pass)

  app.get('/token', {
    config,
    schema: {
      ...shared,
      summary: 'Get a token for the API',
      description: 'Copy `token`, press **Authorize**, paste it. It is good for 15 minutes. 401: you are not signed in.',
      response: { 200: Type.Object({ token: Type.String() }, { description: 'The token' }), 401: authFault('Not signed in'), ...refusals }
    }
  }, pass)

  await app.register(async (rest) => {
    rest.removeAllContentTypeParsers()
    rest.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
    rest.route({ method: ['GET', 'POST'], url: '/*', config, schema: { hide: true }, handler: pass })
  })
}
