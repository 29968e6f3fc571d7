/**
 * @typedef {{
 *   secret?: string, jwksUri?: string, algorithm: string, issuer: string, audience: string, cache?: unknown
 * }} Settings
 */

/** What each answers to the owner. */
export const answer = {
  tasks: [{ id: 1, title: 'Buy milk', completed: false }, { id: 2, title: 'Call the bank', completed: true }]
}

const host = '127.0.0.1'
const path = '/api/:user_id/tasks'

/** Each starts a server as its own documentation shows it, and resolves to its port. */
export const contenders = {
  'no-auth': async () => {
    const app = await newFastify()
    app.get(path, async () => answer)
    return await listen(app)
  },

  // By hand, the checks that a request with a known token needs. It knows each token at first sight, unverified.
  floor: async () => {
    const app = await newFastify()
    const known = new Map()
    const refusal = (statusCode) => Object.assign(new Error('refused'), { statusCode })
    const count = (rawHeaders) => {
      let found = 0
      for (let i = 0; i < rawHeaders.length; i += 2) {
        if (rawHeaders[i].length === 13 && rawHeaders[i].toLowerCase() === 'authorization') found++
      }
      return found
    }
    const learn = (header) => {
      const claims = JSON.parse(Buffer.from(header.split('.')[1], 'base64url'))
      const entry = { user: { id: claims.sub, claims }, id: claims.sub, until: claims.exp }
      known.set(header, entry)
      return entry
    }
    app.decorateRequest('user', null)
    app.decorateRequest('until', 0)
    app.addHook('onRequest', (request, _reply, done) => {
      const header = request.headers.authorization
      if (header === undefined || count(request.raw.rawHeaders) > 1) return done(refusal(401))
      const entry = known.get(header) ?? learn(header)
      if (entry.until <= Date.now() / 1000) return done(refusal(401))
      if (request.params.user_id !== entry.id) return done(refusal(403))
      // A path with a dot segment may lead to another user's.
      if (request.url.includes('.') || request.url.includes('%')) return done(refusal(403))
      request.user = entry.user
      request.until = entry.until
      done()
    })
    // Hooks may have changed the parameter, or taken their time.
    app.addHook('preHandler', (request, _reply, done) => {
      if (request.until <= Date.now() / 1000) return done(refusal(401))
      done(request.params.user_id === request.user.id ? undefined : refusal(403))
    })
    app.get(path, async () => answer)
    return await listen(app)
  },

  'user-scope': async ({ secret, jwksUri, algorithm, issuer, audience, cache }) => {
    const { default: userScope } = await import('../../dist/index.js')
    const app = await newFastify()
    const issuers = [{ issuer, audience, jwksUri, algorithms: [algorithm] }]
    const keys = secret ? { secret, issuer, audience } : { issuers }
    await app.register(userScope, { ...keys, ...cache !== undefined && { cache } })
    app.get(path, async () => answer)
    return await listen(app)
  },

  '@fastify/jwt': async ({ secret, algorithm, issuer, audience, cache }) => {
    const { default: jwt } = await import('@fastify/jwt')
    const app = await newFastify()
    app.register(jwt, {
      secret,
      verify: { algorithms: [algorithm], allowedIss: issuer, allowedAud: audience, ...cache !== undefined && { cache } }
    })
    app.decorate('authenticate', async (request, reply) => {
      try {
        await request.jwtVerify()
      } catch (error) {
        reply.send(error)
      }
    })
    return await behindAuthenticate(app)
  },

  'fastify-jwt-jwks': async ({ secret, jwksUri, issuer, audience }) => {
    const { default: jwks } = await import('fastify-jwt-jwks')
    const app = await newFastify()
    app.register(jwks, { ...secret ? { secret } : { jwksUrl: jwksUri }, issuer, audience })
    return await behindAuthenticate(app)
  },

  hono: async ({ secret, jwksUri, algorithm, issuer, audience }) => {
    const { Hono } = await import('hono')
    const { jwt } = await import('hono/jwt')
    const { jwk } = await import('hono/jwk')
    const { serve } = await import('@hono/node-server')
    const verification = { iss: issuer, aud: audience }
    const app = new Hono()
    if (secret) app.use('/api/*', jwt({ secret, alg: algorithm, verification }))
    else app.use('/api/*', jwk({ jwks_uri: jwksUri, alg: [algorithm], verification }))
    app.get(path, (context) => {
      const isOwner = context.get('jwtPayload').sub === context.req.param('user_id')
      return isOwner ? context.json(answer) : context.json(forbidden, 403)
    })
    return await new Promise((resolve) => {
      serve({ fetch: app.fetch, port: 0, hostname: host }, ({ port }) => resolve(port))
    })
  },

  express: async ({ secret, jwksUri, algorithm, issuer, audience }) => {
    const { default: express } = await import('express')
    const { auth } = await import('express-oauth2-jwt-bearer')
    const app = express()
    // Work that none of the others does.
    app.disable('etag').disable('x-powered-by')
    app.use(auth({ issuer, audience, tokenSigningAlg: algorithm, ...secret ? { secret } : { jwksUri } }))
    app.get(path, (request, response) => {
      const isOwner = request.auth.payload.sub === request.params.user_id
      return isOwner ? response.json(answer) : response.status(403).json(forbidden)
    })
    // The default one writes each refusal to the console.
    app.use((error, _request, response, _next) =>
      response.status(error.status).set(error.headers).json({ message: error.message }))
    return await new Promise((resolve) => {
      const server = app.listen(0, host, () => resolve(server.address().port))
    })
  }
}

const forbidden = { statusCode: 403, error: 'Forbidden', message: "Cannot access another user's resources" }

async function newFastify () {
  const { default: Fastify } = await import('fastify')
  return Fastify()
}

/** The two Fastify plugins that leave the comparison to the host. */
async function behindAuthenticate (app) {
  await app.after()
  app.get(path, { onRequest: [app.authenticate] }, async (request, reply) => {
    if (request.user.sub === request.params.user_id) return answer
    return reply.code(403).send(forbidden)
  })
  return await listen(app)
}

async function listen (app) {
  await app.listen({ port: 0, host })
  return app.server.address().port
}
