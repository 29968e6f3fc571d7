import swagger from '@fastify/swagger'
import Fastify, {
  type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest,
  type FastifyServerOptions
} from 'fastify'
import { jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import {
  assertDocumentMatchesGuards, assertOwnership, createIssuer,
  ScopeAssertionError
} from '../../lib/testing/index.js'

const issuer = createIssuer()
const people = { issuer, alice: 'alice', bob: 'bob' }
const members = { issuer, alice: { id: 'alice', org_id: 'acme' }, bob: { id: 'bob', org_id: 'umbrella' } }
const bind = { org_id: 'org_id' }
/** What makes a 200 of one refusal. */
const inItsPlace = "something answers in the guard's place, such as an error handler or a cache: let it keep the " +
  "guard's status"
const swallow = (code: string) => ({
  errorHandler: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) =>
    error.code === code ? reply.code(200).send({}) : reply.send(error)
})

interface Host {
  server?: FastifyServerOptions
  /** `handler` must never run. */
  build: (app: FastifyInstance, handler: () => Promise<object>) => unknown
  assert?: (app: FastifyInstance) => Promise<void>
  /** What the message must say, in this order. */
  says: string[]
}

/** A guard as hosts write it by hand. `isOwner` compares. */
const handMade = (isOwner: (id: string, request: FastifyRequest<{ Params: Record<string, string> }>) => boolean) =>
  async (request: FastifyRequest, reply: FastifyReply) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const verified = await jwtVerify(token, Buffer.from(issuer.secret)).catch(() => null)
    if (!verified) return reply.code(401).send({ code: 'UNAUTHORIZED' })
    if (!isOwner(String(verified.payload.sub),
      request as FastifyRequest<{ Params: Record<string, string> }>)) return reply.code(403).send({ code: 'FORBIDDEN' })
  }

/** A sound part that every host has, beside its fault. */
const scope = (
  routes: (api: FastifyInstance) => unknown = () => {}, options: UserScopeOptions = {}
) => async (api: FastifyInstance) => {
  await api.register(userScope, { ...issuer.options, ...options })
  api.get('/sound/:user_id', async () => ({}))
  await routes(api)
}

const hosts: Record<string, Host> = {
  'a public level left on an owner route': {
    build: (app, handler) =>
      app.register(scope((api) => api.get('/api/:user_id/avatar', { config: { access: 'public' } }, handler))),
    says: [
      'Routes that let others in, or could not be tried: 2',
      'GET, HEAD /api/:user_id/avatar (public, stated)',
      "its level is 'public', though its URL has the owner's \":user_id\": state 'owner' (staff come in by its " +
      "delegates), or allow: ['GET /api/:user_id/avatar']",
      'no token  401  its handler',
      "alice's token, bob's path  403  its handler  /api/bob/avatar"
    ]
  },
  'a level that hides a misspelt parameter': {
    build: (app, handler) =>
      app.register(scope((api) => api.put('/api/:userId/tasks', { config: { access: 'user' } }, handler))),
    says: ['could not be tried: 1', 'PUT /api/:userId/tasks (user, stated)',
      '":userId" looks like the owner\'s parameter ":user_id", and is compared with nobody\'s id: rename it, or ' +
      'allow: [\'PUT /api/:userId/tasks\']']
  },
  'a guard behind validation': {
    build: (app, handler) => {
      const schema = { body: { type: 'object', required: ['title'] } }
      app.register(scope())
      app.post('/api/:user_id/tasks', { schema, preHandler: handMade((id, { params }) => params.user_id === id) },
        handler)
    },
    says: ['POST /api/:user_id/tasks (unguarded)', 'no token  401  400 FST_ERR_VALIDATION body must be object']
  },
  'an id that is compared in small letters': {
    build: (app, handler) => {
      app.register(scope())
      app.get('/api/:user_id',
        { onRequest: handMade((id, { params }) => params.user_id?.toLowerCase() === id.toLowerCase()) }, handler)
    },
    says: ['GET, HEAD /api/:user_id (unguarded)', "no guard of the plugin covers it, though its URL has the owner's",
      "alice's token, path of \"ALICE\"  4xx  its handler"]
  },
  'an id that a hook trims before the guard': {
    build: (app, handler) => app.register(async (outer) => {
      outer.addHook('onRequest', async ({ method, params }) => {
        const { user_id: id = '' } = params as Record<string, string>
        if (method === 'PUT') Object.assign(params as object, { user_id: id.trim() })
      })
      await outer.register(scope((api) => api.put('/api/:user_id', handler)))
    }),
    says: ['something changes ":user_id" before the guard compares it, such as a hook that trims it: let it come as ' +
      'it is', "alice's token, path of \"alice \"  4xx  its handler"]
  },
  'an id that a hook rewrites': {
    build: (app, handler) => app.register(scope((api) => api.delete('/api/:user_id', {
      preValidation: async ({ params }) => { Object.assign(params as object, { user_id: 'alice' }) }
    }, handler))),
    assert: (app) => assertOwnership(app, { ...people, alice: 'Alice' }),
    says: ['DELETE /api/:user_id (owner, default)',
      'alice is kept from her own path: does a hook or a schema change the id',
      'her own path  its handler  403 FORBIDDEN_USER_ACCESS']
  },
  'a sibling context without the guard': {
    build: (app, handler) => {
      app.register(scope())
      app.register(async (child) => { child.get('/v2/:user_id/tasks', handler) })
    },
    says: ['GET, HEAD /v2/:user_id/tasks (unguarded)', 'move it into the guarded context', 'no token  401  its handler']
  },
  'a guard for one method': {
    build: (app, handler) => {
      const guard = handMade((id, { params }) => params.user_id === id)
      app.register(scope())
      app.route({
        method: ['GET', 'DELETE'],
        url: '/api/:user_id',
        onRequest: async (request, reply) =>
          request.method === 'GET' ? await guard(request, reply) : undefined,
        handler
      })
    },
    says: ['DELETE, HEAD /api/:user_id (unguarded)', "alice's token, bob's path  403  its handler  /api/bob"]
  },
  'an error handler that makes a 200 of each refusal': {
    build: (app, handler) => app.register(scope((api) => api.get('/api/:user_id', {
      errorHandler: (error, _request, reply) => reply.code(200).send({ message: error.message })
    }, handler))),
    says: ['GET, HEAD /api/:user_id (owner, default)', 'no token  401  200 Missing authentication token',
      "alice's token, bob's path  403  200 Access denied"]
  },
  'rewriteUrl takes the user away': {
    server: { rewriteUrl: ({ url = '' }) => url.replace(/^\/api\/[^/]+\//, '/api/') },
    build: (app, handler) => app.register(scope((api) => {
      api.get('/api/:user_id/tasks', handler)
      api.get('/api/tasks', handler)
    })),
    says: ['GET, HEAD /api/:user_id/tasks (owner, default)',
      "alice's token, bob's path  403  the handler of /api/tasks"]
  },
  'a cache that answers before the guard': {
    build: (app, handler) => {
      app.addHook('onRequest', async (request, reply) =>
        request.url.startsWith('/api') ? reply.send({ code: 'CACHED' }) : undefined)
      app.register(scope((api) => api.get('/api/:user_id/tasks', handler)))
    },
    says: ['GET, HEAD /api/:user_id/tasks (owner, default)', 'no token  401  200 CACHED',
      "alice's token, bob's path  403  200 CACHED"]
  },
  'a wildcard that serves the same path': {
    build: (app, handler) => app.register(scope((api) => {
      api.get('/api/:user_id/tasks', handler)
      api.route({ method: ['PUT', 'POST', 'DELETE'], url: '/api/*', handler })
    })),
    says: ['PUT, POST, DELETE /api/* (user, default)',
      'it serves paths of /api/:user_id/tasks too, and does not look at the owner there: declare its routes one by ' +
      "one, or allow: ['PUT /api/*', 'POST /api/*', 'DELETE /api/*']"]
  },
  'a parameter of another name in the same place': {
    build: (app, handler) => app.register(scope((api) => {
      api.get('/api/:user_id/tasks', handler)
      api.post('/api/:account/tasks', handler)
    })),
    says: ['POST /api/:account/tasks (user, default)',
      'its ":account" stands where /api/:user_id/tasks has its owner, and is compared with nobody\'s id: rename it, ' +
      'or allow: [\'POST /api/:account/tasks\']']
  },
  'a HEAD route of its own, unguarded': {
    build: (app, handler) => app.register(scope((api) => {
      api.head('/api/:user_id/tasks', { config: { access: 'public' } }, handler)
      api.get('/api/:user_id/tasks', { exposeHeadRoute: false }, handler)
    })),
    says: ['could not be tried: 1', 'HEAD /api/:user_id/tasks (public, stated)',
      "alice's token, bob's path  403  its handler"]
  },
  'a guard by prefix, and a router that does not mind the case': {
    server: { routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true } },
    build: (app, handler) => {
      const guard = handMade((id, { params }) => params.user_id === id)
      app.register(scope())
      app.register(async (child) => {
        child.addHook('onRequest', async (request, reply) =>
          request.url.startsWith('/api/') ? await guard(request, reply) : undefined)
        child.get('/api/:user_id', handler)
      })
    },
    says: ["alice's token, bob's path, in capitals  403  its handler",
      "alice's token, bob's path, with two slashes  403  its handler"]
  },
  'a scope with another parameter, and a route that was left behind': {
    build: (app, handler) => {
      app.register(scope())
      app.register(async (child) => {
        await child.register(userScope, { ...issuer.options, userIdParam: 'account' })
        child.get('/accounts/:account', handler)
      })
      app.get('/accounts/:account/bills', handler)
    },
    says: ['could not be tried: 2',
      'GET, HEAD /accounts/:account/bills (unguarded)\n  no guard of the plugin covers it, though its URL has the ' +
      "owner's \":account\""]
  },
  'a missing scope that is let through': {
    build: (app, handler) => app.register(scope((api) => {
      const rule = { config: { access: { scopes: ['tasks:write'] } }, ...swallow('INSUFFICIENT_SCOPE') }
      api.put('/api/:user_id/tasks', rule, handler)
      api.post('/tasks', rule, handler)
    })),
    says: ['could not be tried: 2',
      `PUT /api/:user_id/tasks (owner, default)\n  ${inItsPlace}\n  request  expected  answer  path\n` +
      "  alice's token without the scopes  403  200  /api/alice/tasks\n",
      `POST /tasks (user, default)\n  ${inItsPlace}\n  request  expected  answer  path\n` +
      "  alice's token without the scopes  403  200  /tasks"]
  },
  'a route for delegates that takes everybody': {
    build: (app, handler) => app.register(scope((api) => api.get('/api/:user_id/tasks',
      { config: { access: { delegates: { scopes: ['support'] } } }, ...swallow('FORBIDDEN_USER_ACCESS') }, handler))),
    says: ['could not be tried: 2', "alice's token, bob's path  403  200"]
  },
  'a delegate who is kept out': {
    build: (app, handler) => app.register(scope((api) => api.put('/api/:user_id/tasks', {
      config: { access: { delegates: { scopes: ['support'] } } },
      preHandler: async ({ user, params }, reply) =>
        user.id === (params as { user_id: string }).user_id ? undefined : reply.code(403).send({ code: 'NOT_YOURS' })
    }, handler))),
    says: ['could not be tried: 1', 'a delegate is kept out: does a hook ask for more?',
      "a delegate's token, alice's path  its handler  403 NOT_YOURS"]
  },
  'another tenant that is let through': {
    build: (app, handler) => app.register(scope((api) => {
      api.put('/orgs/:org_id/:user_id', swallow('FORBIDDEN_RESOURCE_ACCESS'), handler)
      api.post('/orgs/:org_id', swallow('FORBIDDEN_RESOURCE_ACCESS'), handler)
    }, { bind })),
    assert: (app) => assertOwnership(app, members),
    says: ['could not be tried: 2',
      "alice's token, bob's org_id  403  200  /orgs/umbrella/alice",
      "alice's token, bob's org_id  403  200  /orgs/umbrella"]
  },
  'a tenant that is bound elsewhere only': {
    build: (app, handler) => {
      app.register(scope((api) => {
        api.get('/orgs/:org_id/:user_id', handler)
        api.put('/orgs/:org_id', { config: { access: 'public' } }, handler)
        api.patch('/orgs/:orgId', { config: { access: 'user' } }, handler)
      }, { bind }))
      app.register(async (child) => {
        await child.register(userScope, issuer.options)
        child.post('/orgs/:org_id/:user_id', handler)
        child.delete('/orgs/:org_id', handler)
      })
    },
    assert: (app) => assertOwnership(app, members),
    says: ['could not be tried: 4', 'POST /orgs/:org_id/:user_id (owner, default)\n  ":org_id" is, or looks like, a ' +
      'parameter of option "bind", and is compared with no claim here: bind it here too, or allow: [\'POST ' +
      "/orgs/:org_id/:user_id']", 'PUT /orgs/:org_id (public, stated)\n  ":org_id" is, or',
    'PATCH /orgs/:orgId (user, stated)\n  ":orgId" is, or looks',
    'DELETE /orgs/:org_id (user, default)\n  ":org_id" is']
  },
  'a document that hides a route': {
    build: (app, handler) => {
      app.register(swagger)
      app.register(scope((api) => { api.get('/api/:user_id/secrets', { schema: { hide: true } }, handler) }))
    },
    assert: (app) => assertDocumentMatchesGuards(app, people),
    says: ['Routes that are not what the document says: 1', 'GET /api/:user_id/secrets (owner)',
      'it is served, and the document does not have it: take schema.hide away (with hideUntagged, give it a ' +
      'tag), or register @fastify/swagger before ' +
      "the route, or allow: ['GET /api/:user_id/secrets']"]
  },
  'a document that says guarded of what is not': {
    build: (app, handler) => {
      app.register(swagger,
        { openapi: { components: { securitySchemes: { bearerAuth: { type: 'http', scheme: 'bearer' } } } } })
      app.register(scope())
      app.register(async (child) => { child.get('/x', { schema: { security: [{ bearerAuth: [] }] } }, handler) })
    },
    assert: (app) => assertDocumentMatchesGuards(app, people),
    says: [
      'GET /x\n  the document says guarded, and no registration of the plugin guards it: ' +
        'move it into the guarded context',
      "or allow: ['GET /x']"
    ]
  }
}

for (const [name,
  {
    server = {}, build, assert = (app: FastifyInstance) => assertOwnership(app, people),
    says
  }] of Object.entries(hosts)) {
  t.test(name, async (t) => {
    const app = Fastify(server)
    t.teardown(() => app.close())
    let ran = 0
    await build(app, async () => ({ ran: ran++ }))
    const message = await failureOf(t, assert(app))
    // In this order; columns are as wide as they must be.
    const missing = says.reduce<{ rest: string, missing?: string }>(({ rest, missing }, part) => {
      const at = rest.indexOf(part)
      return missing !== undefined ||
        at < 0
        ? { rest, missing: missing ?? part }
        : { rest: rest.slice(at + part.length) }
    }, { rest: message.replace(/(?<=\S) {2,}/g, '  ') }).missing
    t.equal(missing, undefined, message)
    t.notMatch(message, '/sound', 'what is sound is not named')
    t.equal(ran, 0, 'no handler ran')
  })
}

async function failureOf (t: Test, assertion: Promise<void>): Promise<string> {
  const error = await assertion.then(() => null, (error: unknown) => error)
  t.type(error, ScopeAssertionError)
  return String((error as Error | null)?.message)
}
