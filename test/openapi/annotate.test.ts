import Fastify, { type FastifyInstance, type FastifySchema, type RouteOptions } from 'fastify'
import swagger, { type SwaggerOptions, type SwaggerTransform } from '@fastify/swagger'
import t from 'tap'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import { annotate } from '../../lib/openapi/annotate.js'
import { bearer, secret, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'
import { bearerAuth, build, dialects, handler, implicit, info } from '../support/openapi.js'
import { membersOf, operations, optionsOf, read, securityOf } from '../support/openapi.js'
import type { Document, Operation } from '../support/openapi.js'

t.test('registrations that share a scheme do not repeat the work of each other', async (t) => {
  const settings = { schemeName: 'bearerAuth', description: 'd', decorators: undefined, readOnlyActors: false }
  const paths = { '/a': { get: { 'x-user-scope': 'user' }, put: { 'x-user-scope': 'owner' } }, '/b': { get: {} } }
  const first = annotate({ openapi: '3.1.0', paths }, settings, new Map())
  const second = annotate(first.document, settings, new Map())
  t.not(first.document.paths, paths)
  t.equal(second.document.paths, first.document.paths)
  t.same(second.marked, first.marked)
  const elsewhere = annotate({ openapi: '3.1.0', paths: first.document.paths }, settings, new Map())
  t.match(elsewhere.document.components, { securitySchemes: { bearerAuth: {} }, schemas: { UserScopeError: {} } })
  const other = annotate(second.document, { ...settings, readOnlyActors: true }, new Map())
  t.match(other.document.paths['/a'], { put: { responses: { 403: {} } } })
  t.not(other.document.paths, first.document.paths)
})

/** Routes of all kinds below `/base/v1`, where the plugin is, and others outside. */
async function registerMany (app: FastifyInstance): Promise<void> {
  const params = { type: 'object', properties: { user_id: { type: 'string' } }, required: ['user_id'] }
  const body = { type: 'object', required: ['title'], properties: { title: { type: 'string' } } }
  const response = { 200: { type: 'object' } }
  app.get('/outside', handler)
  app.get('/outside/:user_id/tasks', { schema: { summary: 'Not of the scope' } }, handler)
  app.delete('/base/v1/:user_id/tasks', handler)
  await app.register(async (app) => {
    app.get('/early', handler)
    app.get('/early/:user_id/:id(^\\d+$)', handler)
    await app.register(userScope, { secret })
    app.get('/', handler)
    app.get('/me', handler)
    app.get('/:user_id/tasks', { schema: { operationId: 'list', params, response } }, handler)
    app.post('/:user_id/tasks', { schema: { params, body } }, handler)
    app.get('/:user_id/tasks/:id(^\\d+$)', handler)
    app.route({ method: ['PUT', 'PATCH'], url: '/:user_id/profile', handler })
    app.route({ method: ['GET', 'DELETE'], url: '/:user_id/picture', schema: { tags: ['pictures'] }, handler })
    app.get('/:user_id/near/:lat-:lng', handler)
    app.get('/:user_id/files/*', handler)
    app.get('/files/*', handler)
    app.get('/tasks::archive', handler)
    app.options('/preflight', handler)
    app.get('/:user_id/public', { config: { access: 'public' } }, handler)
    app.get('/public', { schema: { operationId: 'open' }, config: { access: 'public' } }, handler)
    app.get('/:user_id/shared', { config: { access: 'user' } }, handler)
    app.get('/optional', { config: { access: 'optional' } }, handler)
    app.get('/hidden', { schema: { hide: true } }, handler)
    app.register(async (app) => {
      app.get('/', handler)
      app.get('/deep/:user_id', handler)
    }, { prefix: '/nested' })
  }, { prefix: '/base/v1' })
}

type Level = 'owner' | 'user' | 'optional' | 'public'

/** What really happens to requests without a token, with a bad one, and with another user's. */
async function tryOut (app: FastifyInstance, method: string, path: string): Promise<Level> {
  const values: Record<string, string> = { user_id: 'alice', id: '7', lat: '1', lng: '2', '*': 'a/b.txt' }
  const url = path.replace(/\{([^{}]+)\}/g, (_, name: string) => String(values[name]))
  const send = async (headers = {}) =>
    (await app.inject({ method: method.toUpperCase() as 'GET', url, headers })).statusCode
  if (await send() === 401) return await send(bearer(tokenFor('stranger'))) === 403 ? 'owner' : 'user'
  return await send(bearer('bad')) === 401 ? 'optional' : 'public'
}

/** What the document says of it. */
function claimed ({ security, responses }: Operation): Level | undefined {
  const text = `${JSON.stringify(security)} ${Object.keys(responses).filter((status) => status.startsWith('4')).join()}`
  return new Map<string, Level>([
    ['[{"bearerAuth":[]}] 401,403', 'owner'],
    ['[{"bearerAuth":[]}] 401', 'user'],
    ['[{},{"bearerAuth":[]}] 401', 'optional'],
    ['undefined ', 'public']
  ]).get(text)
}

t.test('each operation says what really happens', async (t) => {
  interface Variant { name: string, options: SwaggerOptions, count?: number, urlOf?: (path: string) => string }
  const openapi = { info }
  const below = (base: string) => (path: string) => path.startsWith('/outside') ? path : `${base}${path}`
  const serversOf = (...servers: Array<{ url: string, variables?: Record<string, { default: string }> }>) =>
    ({ openapi: { info, servers } })
  const swaggerOf = (basePath: string) => ({ swagger: { info, basePath } })
  const filled = { protocol: { default: 'https' }, version: { default: 'base' } }
  const isBare = (schema?: FastifySchema) => Object.keys(schema ?? {}).every((key) => key === 'x-user-scope')
  const variants: Variant[] = [
    ...Object.entries(dialects).map(([name, options]) => ({ name, options })),
    { name: 'HEAD routes', options: { openapi, exposeHeadRoutes: true }, count: 46 },
    {
      name: 'transform: another URL',
      options: { openapi, exposeHeadRoutes: true, transform: ({ schema, url }) => ({ schema, url: `/v2${url}` }) },
      count: 46,
      urlOf: (path) => path.slice('/v2'.length)
    },
    {
      name: 'transform: another schema',
      options: {
        openapi,
        transform: ({ schema, url }) => {
          const { params, body, ...others } = schema as FastifySchema | undefined ?? {}
          return { url, schema: { ...others, summary: 'Rebuilt' } }
        }
      }
    },
    {
      name: 'transform: hides routes that have only the mark',
      options: { openapi, transform: ({ schema, url }) => ({ url, schema: isBare(schema) ? { hide: true } : schema }) },
      count: 6
    },
    { name: 'hideUntagged', options: { openapi, hideUntagged: true }, count: 2 },
    {
      name: 'transformObject',
      options: {
        openapi,
        transformObject: (document) =>
          ({ ...'openapiObject' in document && document.openapiObject, tags: [{ name: 'added' }] }) as object
      }
    },
    { name: 'servers, not stripped', options: { ...serversOf({ url: '/base' }), stripBasePath: false } },
    { name: 'servers, stripped', options: serversOf({ url: '/' }, { url: '/base' }), urlOf: below('/base') },
    {
      name: 'servers with host, stripped',
      options: serversOf({ url: 'https://tasks.example/base' }),
      urlOf: below('/base')
    },
    {
      name: 'servers with variables, stripped',
      options: serversOf({ url: '{protocol}://tasks.example/{version}', variables: filled }),
      urlOf: below('/base')
    },
    {
      name: 'several servers, stripped one after the other',
      options: serversOf({ url: '/base' }, { url: '/other' }, { url: 'https://tasks.example/v1' }),
      urlOf: below('/base/v1')
    },
    { name: 'basePath, not stripped', options: { ...swaggerOf('/base'), stripBasePath: false } },
    { name: 'basePath, stripped', options: swaggerOf('/base'), urlOf: below('/base') },
    { name: 'basePath with a slash at its end, stripped', options: swaggerOf('/base/'), urlOf: below('/base') },
    { name: 'basePath /', options: swaggerOf('/') }
  ]
  for (const { name, options, count = 25, urlOf = (path: string) => path } of variants) {
    await t.test(name, async (t) => {
      const app = Fastify()
      t.teardown(async () => { await app.close() })
      await app.register(swagger, options)
      await registerMany(app)
      await app.ready()
      const found = operations(await read(t, app))
      t.equal(found.length, count, 'operations')
      for (const { name, method, path, operation } of found) {
        const level = await tryOut(app, method, urlOf(path))
        t.equal(claimed(operation), level, name)
        const isOutside = /outside|DELETE .*\/tasks$/.test(name)
        t.equal(operation['x-user-scope'], isOutside ? undefined : level, `the mark of ${name}`)
      }
    })
  }
})

t.test('a scheme that no operation names is not added', async (t) => {
  const login = { type: 'oauth2', flows: { implicit } } as const
  const options = { openapi: { info, security: [{ login: [] }], components: { securitySchemes: { login } } } }
  const schemesWith = async (security?: Array<Record<string, string[]>>) => {
    const { components } = await read(t, await build(t, options, (app) => {
      app.get('/me', handler)
      app.get('/other', { schema: security ? { security } : {} }, handler)
      app.get('/last', handler)
    }))
    return Object.keys(components?.securitySchemes ?? {})
  }
  t.same(await schemesWith(), ['login'])
  t.same(await schemesWith([]), ['bearerAuth', 'login'])
  t.same(await schemesWith([{ login: [] }, {}]), ['bearerAuth', 'login'], 'an alternative names it')
})

t.test('responses that the host wrote are kept', async (t) => {
  const response = (description: string) => ({ description, type: 'object', properties: { error: { type: 'string' } } })
  const documented = (description: string) =>
    ({ description, content: { 'application/json': { schema: response(description) } } })
  const ours = { 401: { description: 'No valid token was sent' }, 403: { description: "The path is another user's" } }
  const cases: Array<{ written: string[], statuses: string[], ours: object }> = [
    { written: ['200'], statuses: ['200', '401', '403'], ours },
    { written: ['401'], statuses: ['401', '403'], ours: { 403: ours[403] } },
    { written: ['403'], statuses: ['401', '403'], ours: { 401: ours[401] } },
    { written: ['401', '403'], statuses: ['401', '403'], ours: {} },
    { written: ['4XX'], statuses: ['4XX'], ours: {} },
    { written: ['default'], statuses: ['401', '403', 'default'], ours },
    { written: ['5XX'], statuses: ['401', '403', '5XX'], ours }
  ]
  for (const { written, statuses, ours } of cases) {
    await t.test(written.join(), async (t) => {
      const document = await read(t, await build(t, { openapi: { info } }, (app) => {
        const schemas = Object.fromEntries(written.map((status) => [status.toLowerCase(), response(status)]))
        app.get('/:user_id', { schema: { response: schemas } }, handler)
      }))
      const responses = document.paths['/{user_id}']?.['get']?.responses ?? {}
      t.same(Object.keys(responses), statuses)
      t.match(responses, { ...ours, ...Object.fromEntries(written.map((status) => [status, documented(status)])) })
    })
  }
})

t.test('a refusal has the body that the host wrote for default, because Fastify serializes it so', async (t) => {
  const failure = { description: 'A failure', type: 'object', properties: { message: { type: 'string' } } }
  for (const [dialect, member] of Object.entries({ 'OpenAPI 3.0': 'content', 'Swagger 2.0': 'schema' })) {
    const app = await build(t, optionsOf(dialect), (app) => {
      app.get('/:user_id', { schema: { response: { default: failure } } }, handler)
    })
    t.same((await app.inject('/alice')).json(), { message: 'Missing authentication token' })
    const responses = (await read(t, app)).paths['/{user_id}']?.['get']?.responses ?? {}
    const { 401: unauthorized, 403: forbidden, default: written } = responses as Record<string, Record<string, object>>
    t.match(unauthorized, { description: 'No valid token was sent', headers: { 'WWW-Authenticate': {} } })
    t.match(forbidden, { description: "The path is another user's" })
    t.type(written?.[member], 'object')
    t.same([unauthorized?.[member], forbidden?.[member]], [written?.[member], written?.[member]], dialect)
  }
})

t.test('a default response that is a reference, empty or no JSON is not read', (t) => {
  const settings = { schemeName: 'bearerAuth', description: '', decorators: undefined, readOnlyActors: false }
  const body = { 'application/json': { schema: { $ref: '#/components/schemas/UserScopeError' } } }
  const problem = { content: { 'application/problem+json': { schema: {} } } }
  for (const written of [{ $ref: '#/components/responses/Failure' }, null, problem]) {
    const operation = { 'x-user-scope': 'user', responses: { default: written } }
    const { document } = annotate({ openapi: '3.1.0', paths: { '/x': { get: operation } } }, settings, new Map())
    t.match(document.paths, { '/x': { get: { responses: { 401: { content: body } } } } })
  }
  const content = { '*/*': { schema: { type: 'object' } } } // JSON is one of all types
  const operation = { 'x-user-scope': 'user', responses: { default: { content } } }
  const { document } = annotate({ openapi: '3.1.0', paths: { '/x': { get: operation } } }, settings, new Map())
  t.match(document.paths, { '/x': { get: { responses: { 401: sameLength({ content }) } } } })
  t.end()
})

t.test('a route is not mistaken for another whose URL ends alike', async (t) => {
  const variants = [{ openapi: { info, servers: [{ url: '/base' }] } }, { swagger: { info, basePath: '/base' } }]
  for (const options of variants) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await app.register(swagger, { ...options, stripBasePath: false })
    app.get('/me', handler)
    app.register(async (app) => {
      await app.register(userScope, { secret })
      app.get('/me', handler)
    }, { prefix: '/base' })
    await app.ready()
    t.same(securityOf(await read(t, app)), { 'GET /me': undefined, 'GET /base/me': bearerAuth })
  }
})

t.test('two registrations share a document', async (t) => {
  const sharing = async (one: UserScopeOptions, two: UserScopeOptions) => {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await app.register(swagger, { openapi: { info } })
    for (const [prefix, options] of Object.entries({ '/one': one, '/two': two })) {
      app.register(async (app) => {
        await app.register(userScope, { secret, ...options })
        app.get('/me', { schema: { tags: ['me'] } }, handler)
        app.get('/public', { config: { access: 'public' } }, handler)
      }, { prefix })
    }
    await app.ready()
    return await read(t, app)
  }

  const apart = await sharing(
    { openapi: { schemeName: 'users', description: 'Of a user.' } },
    { openapi: { schemeName: 'staff.v2', description: 'Of staff.' } }
  )
  t.match(apart.components?.securitySchemes, {
    users: { description: 'Of a user.' }, 'staff.v2': { description: 'Of staff.' }
  })
  const open = { 'GET /one/public': undefined, 'GET /two/public': undefined }
  t.same(securityOf(apart), { ...open, 'GET /one/me': [{ users: [] }], 'GET /two/me': [{ 'staff.v2': [] }] })

  const usual = await sharing({}, { openapi: { schemeName: 'staff' } })
  t.same(securityOf(usual), { ...open, 'GET /one/me': bearerAuth, 'GET /two/me': [{ staff: [] }] })

  const reverse = await sharing({ openapi: { schemeName: 'staff' } }, {})
  t.same(securityOf(reverse), { ...open, 'GET /one/me': [{ staff: [] }], 'GET /two/me': bearerAuth })

  const alike = await sharing({}, {})
  t.same(Object.keys(alike.components?.securitySchemes ?? {}), ['bearerAuth'])
  t.same(securityOf(alike), { ...open, 'GET /one/me': bearerAuth, 'GET /two/me': bearerAuth })

  const half = await sharing({}, { openapi: false })
  t.same(securityOf(half), { ...open, 'GET /one/me': bearerAuth, 'GET /two/me': undefined })
})

t.test('a document without guarded routes does not change', async (t) => {
  for (const [name, options] of Object.entries(dialects)) {
    const document = await read(t, await build(t, options, (app) => {
      app.get('/public', { config: { access: 'public' } }, handler)
      app.get('/hidden', { schema: { hide: true } }, handler)
    }))
    t.notMatch(JSON.stringify(document), /bearerAuth|UserScopeError/, name)
  }
})

t.test('operations of methods that the host added are annotated', async (t) => {
  const routes = (app: FastifyInstance) => {
    app.addHttpMethod('PROPFIND')
    const route: RouteOptions = { method: 'PROPFIND', url: '/files', handler }
    app.route({ ...route, schema: { tags: ['dav'] } })
    app.route({ ...route, url: '/public', config: { access: 'public' } })
  }
  const older = await build(t, { openapi: { info } }, routes)
  const document = JSON.parse(JSON.stringify(older.swagger())) as Document
  t.same(securityOf(document), { 'PROPFIND /files': bearerAuth, 'PROPFIND /public': undefined })

  const { paths } = await read(t, await build(t, optionsOf('OpenAPI 3.2'), routes))
  t.match(paths, { '/files': { additionalOperations: { PROPFIND: { security: bearerAuth } } } })
  t.notMatch(paths['/public'], { additionalOperations: { PROPFIND: { security: bearerAuth } } })
})

t.test('a route may have a `swaggerTransform` of its own', async (t) => {
  const document = await read(t, await build(t, {
    openapi: { info }, transform: ({ url }) => ({ schema: {}, url })
  }, (app) => {
    const swaggerTransform: SwaggerTransform = ({ schema }) => ({ schema, url: '/moved' })
    app.get('/off', { schema: { tags: ['off'] }, config: { swaggerTransform: false } }, handler)
    app.get('/own', { schema: { tags: ['own'] }, config: { swaggerTransform } }, handler)
  }))
  t.same(securityOf(document), { 'GET /off': bearerAuth, 'GET /moved': bearerAuth })
})

t.test('a HEAD route with an operationId is annotated', async (t) => {
  const options = { openapi: { info }, exposeHeadRoutes: true }
  await t.test('has the level of the GET route that Fastify made it from', async (t) => {
    for (const schemeName of ['bearerAuth', 'users']) {
      const document = await read(t, await build(t, options, (app) => {
        app.get('/:user_id', { schema: { operationId: 'one' } }, handler)
        app.get('/open', { schema: { operationId: 'open' }, config: { access: 'public' } }, handler)
      }, { openapi: { schemeName } }))
      const security = [{ [schemeName]: [] }]
      t.same(securityOf(document), {
        'HEAD /{user_id}': security, 'GET /{user_id}': security, 'HEAD /open': undefined, 'GET /open': undefined
      })
      t.same(membersOf(document, 'x-user-scope'), {
        'HEAD /{user_id}': 'owner', 'GET /{user_id}': 'owner', 'HEAD /open': 'public', 'GET /open': 'public'
      })
    }
  })
  await t.test('of its own is not given the level of a GET route', async (t) => {
    const document = await read(t, await build(t, options, (app) => {
      app.head('/:user_id', { schema: { operationId: 'oneOrNone' }, config: { access: 'public' } }, handler)
      app.head('/guarded/:user_id', { schema: { operationId: 'has' } }, handler)
      app.get('/guarded/:user_id', { schema: { operationId: 'hasNot' }, config: { access: 'public' } }, handler)
      app.get('/:user_id', { schema: { operationId: 'one' } }, handler)
      app.head('/alone', { schema: { operationId: 'undefined' } }, handler) // a name like any other
      app.head('/alike', { schema: { operationId: 'alike' }, config: { access: 'public' } }, handler)
      app.get('/alike', { schema: { operationId: 'alike' } }, handler)
      app.head('/marked', { config: { access: 'public' } }, handler)
      app.get('/marked', { config: { access: { scopes: ['read'] } } }, handler)
    }))
    t.same(securityOf(document), {
      'HEAD /{user_id}': undefined,
      'GET /{user_id}': bearerAuth,
      'HEAD /guarded/{user_id}': bearerAuth,
      'GET /guarded/{user_id}': undefined,
      'HEAD /alone': bearerAuth,
      'HEAD /alike': undefined,
      'GET /alike': bearerAuth,
      'HEAD /marked': undefined,
      'GET /marked': bearerAuth
    })
    t.strictSame(membersOf(document, 'x-user-scope-scopes')['HEAD /marked'], undefined)
  })
})

t.test('a mark in the schema of a route does not replace its level', async (t) => {
  const document = await read(t, await build(t, { openapi: { info } },
    (app) => app.get('/me', { schema: { 'x-user-scope': 'public' } as object }, handler)))
  t.same(securityOf(document), { 'GET /me': bearerAuth })
})

t.test('operations written by hand are annotated by their mark', async (t) => {
  const responses = { 200: { description: 'By hand' } }
  const paths = {
    '/api/{user_id}': { get: { 'x-user-scope': 'owner', responses } },
    '/elsewhere': { get: { responses } },
    '/unknown': { get: { 'x-user-scope': 'admin', responses } },
    '/inherited': { get: { 'x-user-scope': 'constructor', responses } }
  }
  const document = await read(t, await build(t, { openapi: { info, paths } },
    (app) => app.get('/api/:user_id', { schema: { hide: true } }, handler)))
  t.same(securityOf(document), {
    'GET /api/{user_id}': bearerAuth,
    'GET /elsewhere': undefined,
    'GET /unknown': undefined,
    'GET /inherited': undefined
  })
})

t.test('unusual parts of a document written by hand are left alone', async (t) => {
  const document = {
    openapi: '3.0.3',
    info,
    security: null,
    servers: null,
    paths: {
      'x-note': 'text',
      '/none': null,
      '/me': {
        summary: 'Me',
        parameters: [],
        'x-list': [1],
        'x-object': { a: 1 },
        post: null,
        get: { 'x-user-scope': 'user', security: null, responses: null }
      },
      '/public': { get: { 'x-user-scope': 'public', security: null } }
    }
  }
  const app = await build(t, { mode: 'static', specification: { document: document as never } }, (app) => {
    app.get('/me', handler)
    app.get('/public', { config: { access: 'public' } }, handler)
  })
  const { paths } = app.swagger() as unknown as { paths: typeof document['paths'] }
  const { get, ...rest } = paths['/me']
  t.match(get, sameLength({ security: bearerAuth, responses: { 401: {} } }))
  t.same({ ...paths, '/me': { ...rest, get: document.paths['/me'].get } }, document.paths)
})

t.test('only a HEAD operation gets the marks of a HEAD route by its operationId', async (t) => {
  const operation = { operationId: 'one-head' }
  const settings = { schemeName: 'bearerAuth', description: '', decorators: undefined, readOnlyActors: false }
  const heads = new Map([['one-head', { 'x-user-scope': 'user' }]])
  const paths = { '/one': { head: operation }, '/outside': { get: operation } }
  const { marked, unmarked } = annotate({ openapi: '3.1.0', paths }, settings, heads)
  t.same([marked, unmarked], [[['HEAD', '/one']], [['GET', '/outside']]])
})

t.test('impersonation: \'read-only\' adds 403 to methods that change something', async (t) => {
  for (const impersonation of ['allow', 'read-only'] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(swagger)
    await app.register(userScope, { secret, impersonation })
    for (const [path, access] of [['/owner/:user_id'], ['/user'], ['/optional', 'optional'], ['/public', 'public']]) {
      const config = access === undefined ? {} : { access: access as 'public' }
      app.route({ method: ['GET', 'POST'], url: String(path), config, handler: async () => 'in' })
    }
    await app.ready()
    const { paths } = app.swagger() as unknown as {
      paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>
    }
    const forbidden = Object.entries(paths).flatMap(([path, item]) => Object.entries(item)
      .map(([method, { responses }]) => [`${method} ${path}`, responses['403']?.description]))
    const [path, actor] = ["The path is another user's", 'The token has an actor, who may only read']
    const isReadOnly = impersonation === 'read-only'
    t.same(Object.fromEntries(forbidden.filter(([, description]) => description !== undefined)), {
      'get /owner/{user_id}': path,
      'post /owner/{user_id}': isReadOnly ? `${path}, or the token has an actor, who may only read` : path,
      ...isReadOnly && { 'post /user': actor, 'post /optional': actor }
    }, impersonation)
  }
})
