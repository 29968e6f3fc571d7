import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import {
  assertDocumentMatchesGuards, createIssuer, ScopeAssertionError,
  type DocumentOptions
} from '../../lib/testing/index.js'

const issuer = createIssuer()
let ran = 0
const handler = async () => ({ ran: ran++ })
const docs = /^(GET|HEAD) \/docs/

async function host (t: Test, options: object, routes: (app: FastifyInstance) => unknown = () => {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, options)
  await app.register(userScope, issuer.options)
  app.get('/api/:user_id/tasks', handler)
  app.post('/api/:user_id/tasks/:n(^\\d+$)', { schema: { body: { type: 'object', required: ['a'] } } }, handler)
  app.get('/api/me', handler)
  app.get('/api/stats', { config: { access: { scopes: ['stats:read'] } } }, handler)
  app.get('/api/maybe', { config: { access: 'optional' } }, handler)
  app.get('/api/open', { config: { access: 'public' } }, handler)
  app.get('/api/files/*', { config: { access: 'public' } }, handler)
  app.get('/api/100%', { config: { access: 'public' } }, handler)
  app.register(async (child) => { child.get('/', handler) }, { prefix: '/api/root' })
  app.get('/api/twin', { config: { access: 'public' } }, handler)
  app.get('/api/twin/', handler)
  await routes(app)
  return app
}

async function say (app: FastifyInstance, options: DocumentOptions = {}): Promise<string> {
  const error = await assertDocumentMatchesGuards(app, options).then(() => null, (error: unknown) => error)
  if (error !== null && !(error instanceof ScopeAssertionError)) throw error
  return error?.message ?? ''
}

const dialects: Record<string, object> = {
  'OpenAPI 3.0': {},
  'OpenAPI 3.1': { openapi: { openapi: '3.1.0' } },
  'OpenAPI 3.1, a base path': { openapi: { openapi: '3.1.0', servers: [{ url: 'https://example.com/api' }] } },
  'OpenAPI 3.0, a base path that stays': {
    openapi: {
      servers: [{
        url: '/{v}',
        variables: { v: { default: 'api' } }
      }]
    },
    stripBasePath: false
  },
  'OpenAPI 3.0, a base path with variables': {
    openapi: {
      servers: [{
        url: 'https://{region}.example.com/{base}',
        variables: { region: { default: 'eu' }, base: { default: 'api' } }
      }]
    }
  },
  'OpenAPI 3.0, a base path on loopback': { openapi: { servers: [{ url: 'http://localhost:3000/api' }] } },
  'OpenAPI 3.0, the base path of others': { openapi: { servers: [{ url: '/v2' }] } },
  'OpenAPI 3.0, a base path after that of the root': { openapi: { servers: [{ url: '/' }, { url: '/api' }] } },
  'OpenAPI 3.0, a base path after that of others': { openapi: { servers: [{ url: '/v2' }, { url: '/api' }] } },
  'Swagger 2': { swagger: {} },
  'Swagger 2, a base path': { swagger: { basePath: '/api' } },
  'a global default': {
    openapi: {
      security: [{ bearerAuth: [] }],
      components: { securitySchemes: { bearerAuth: { type: 'http', scheme: 'bearer' } } }
    }
  },
  'HEAD routes, too': { exposeHeadRoutes: true }
}

for (const [name, options] of Object.entries(dialects)) {
  t.test(`the document of a sound host is what the server does: ${name}`,
    async (t) => { t.equal(await say(await host(t, options)), '') })
}

t.test('a docs page may be missing in the document if it is allowed', async (t) => {
  const app = await host(t, {}, async (app) => {
    await app.register(async (child) => {
      child.addHook('onRoute', (route) => { route.config = { ...route.config, access: 'public' } })
      await child.register(swaggerUi, { routePrefix: '/docs' })
    })
  })
  t.match(await say(app), 'GET /docs/json (public)\n  it is served, and the document does not have it')
  t.equal(await say(app, { allow: [docs] }), '')
})

t.test('an optional parameter is compared', async (t) => {
  t.equal(await say(await host(t, {}, (app) => { app.get('/optional/:user_id?', handler) })), '')
})

t.test('a name in a document ends where that of the router goes on', async (t) => {
  const urls = ['/api/:user_id/:a~b', '/api/:user_id/:name(^[^/]+$)/b', '/api/:user_id/:from(\\d+)-:to(\\d+)']
  for (const url of urls) {
    t.equal(await say(await host(t, {}, (app) => { app.get(url, handler) })), '', url)
  }
})

t.test('a method that documents cannot have is ignored', async (t) => {
  const app = await host(t, {}, (app) => {
    app.addHttpMethod('PROPFIND')
    app.route({ method: 'PROPFIND', url: '/files', handler: async () => 'in' })
  })
  t.equal(await say(app), '')
})

/** The document of the sound host, after somebody wrote in it. */
async function changed (t: Test,
  change: (paths: Record<string, Record<string, { security?: unknown, responses?: unknown }>>) => unknown,
  options: DocumentOptions = {}) {
  const app = await host(t, {})
  await app.ready()
  const document = structuredClone(app.swagger()) as unknown as { paths: Parameters<typeof change>[0] }
  change(document.paths)
  return await say(app, { document, ...options })
}

const tasks = '/api/{user_id}/tasks'
const heading = 'Routes that are not what the document says: 1'
const fixOf = (name: string) => '\n  Fix: let transforms keep what begins with "x-", leave option "openapi" on, take ' +
  `the document of the ready app, or correct what is written by hand, or allow: ['${name}']`

t.test('each kind of drift is named', async (t) => {
  const level = (name: string) => `and the route's level is '${name}'`
  t.equal(await changed(t, (paths) => { paths[tasks]!.get!.security = [] }),
    `${heading}\n\nGET ${tasks}\n  the document says open, ${level('owner')}${fixOf(`GET ${tasks}`)}`)
  t.equal(await changed(t, (paths) => { paths['/api/open']!.get!.security = [{ bearerAuth: [] }] }),
    `${heading}\n\nGET /api/open\n  the document says guarded, ${level('public')}${fixOf('GET /api/open')}`)
  t.match(await changed(t, (paths) => { paths['/api/open']!.get!.security = [{}, { bearerAuth: [] }] }),
    `the document says guarded where a token comes, ${level('public')}`)
  t.match(await changed(t, (paths) => { paths['/api/me']!.get!.security = [{}, { bearerAuth: [] }] }),
    `the document says guarded where a token comes, ${level('user')}`)
  t.match(await changed(t, (paths) => { paths['/api/maybe']!.get!.security = [] }),
    `the document says open, ${level('optional')}`)
  t.match(await changed(t, (paths) => { paths['/api/maybe']!.get!.security = [{ bearerAuth: [] }] }),
    `the document says guarded, ${level('optional')}`)
  t.match(await changed(t, (paths) => { delete (paths[tasks]!.get!.responses as Record<string, unknown>)['403'] }),
    'the document lists no 403, and the guard answers so')
  const stats = '/api/stats'
  t.match(await changed(t, (paths) => { delete (paths[stats]!.get!.responses as Record<string, unknown>)['403'] }),
    'GET /api/stats\n  the document lists no 403, and the guard answers so')
  t.match(await changed(t, (paths) => { delete paths['/api/me']!.get!.responses }),
    'the document lists no 401, and the guard answers so')
  t.equal(await changed(t, (paths) => { paths['/api/me']!.get!.responses = { '4xx': {} } }), '')
  t.equal(await changed(t, (paths) => { paths['/api/me']!.get!.responses = { default: {} } }), '')
  t.equal(await changed(t, (paths) => { paths['/api/me']!.post = {} }),
    `${heading}\n\nPOST /api/me\n` +
    "  the document has it, and the app has no such route: remove it, or allow: ['POST /api/me']")
  t.match(await changed(t, (paths) => { paths['/apime'] = { get: {} } }), 'GET /apime\n  the document has it')
  t.match(await changed(t, (paths) => { paths['/api/me']!.options = {} }), 'OPTIONS /api/me\n  the document has it')
  t.match(await changed(t, (paths) => { paths['/api/me']!.head = {} }), 'HEAD /api/me\n  the document says open')
  t.equal(await changed(t, (paths) => { Object.assign(paths['/api/me']!, { parameters: [] }) }), '', 'no method')
  t.equal(await changed(t, (paths) => { paths['/api/me']!.post = {}; delete paths['/api/open'] },
    { allow: ['POST /api/me', 'GET /api/open'] }), '')
  t.equal(await changed(t, (paths) => { delete paths['/api/open'] }),
    `${heading}\n\nGET /api/open (public)\n` +
    '  it is served, and the document does not have it: take schema.hide away (with hideUntagged, give it a ' +
    'tag), or register @fastify/swagger before ' +
    "the route, or allow: ['GET /api/open']")
  t.equal(await changed(t, () => {}, { allow: ['GET /gone'] }),
    `${heading}\n\nGET /gone\n  allow names it, and it needs no exception: it is sound, or does not exist. ` +
    'Fix: remove it, or write its method, too: \'GET /api/…\'')
})

t.test('a route with a bound parameter may answer 403', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger)
  await app.register(userScope, { ...issuer.options, bind: { org_id: 'org_id' } })
  app.get('/orgs/:org_id', handler)
  await app.ready()
  const text = JSON.stringify(app.swagger())
  t.equal(await say(app), '')
  t.match(await say(app, { document: JSON.parse(text.replace('"403":', '"409":')) as object }),
    'GET /orgs/{org_id}\n  the document lists no 403')
})

t.test('a route that no registration guards is open', async (t) => {
  const app = await Fastify()
  t.teardown(() => app.close())
  await app.register(swagger)
  await app.register(async (child) => { await child.register(userScope, issuer.options) })
  app.get('/health', handler)
  await app.ready()
  t.equal(await say(app), '')
  const components = { securitySchemes: { b: { type: 'oauth2' } } }
  const document = { ...app.swagger(), components, security: [{ b: [] }] }
  t.match(await say(app, { document }), 'GET /health\n  the document says guarded, and no registration of the plugin')
})

t.test('the mark of an operation must be its level', async (t) => {
  const mark = (level: string) =>
    (paths: Parameters<Parameters<typeof changed>[1]>[0]) => {
      Object.assign(paths['/api/me']!.get!,
        { 'x-user-scope': level })
    }
  t.equal(await changed(t, mark('user')), '')
  t.equal(await changed(t, mark('owner')),
    `${heading}\n\nGET /api/me\n  its mark x-user-scope is 'owner', and the route's level is 'user'` +
    fixOf('GET /api/me'))
})

t.test('every method is compared, and its mark if there is one', async (t) => {
  const methods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'TRACE', 'QUERY'] as const
  const app = await host(t, {}, (app) => {
    for (const method of methods) {
      app.route({ method, url: '/hidden', exposeHeadRoute: false, schema: { hide: true }, handler })
      app.route({ method, url: '/shown', exposeHeadRoute: false, handler })
    }
  })
  const says = await say(app)
  for (const method of methods) t.match(says, new RegExp(`${method}[A-Z, ]* /hidden \\(user\\)`))
  const allow = methods.map((method) => `${method} /hidden`)
  const text = JSON.stringify(app.swagger()).replaceAll(/,?"x-user-scope[a-z-]*":("[a-z]*"|\[[^\]]*\])/g, '')
  const document = JSON.parse(text.replaceAll('{,', '{')) as { paths: Record<string, Record<string, object>> }
  t.notMatch(text, 'x-user-scope')
  t.equal(await say(app, { document, allow }), '', 'a document without marks')
  for (const method of methods) delete document.paths['/shown']?.[method.toLowerCase()]
  t.match(await say(app, { document, allow }), new RegExp(`${methods.join(', ')} /shown \\(user\\)`))
})

t.test('each version of a route is compared', async (t) => {
  const app = await host(t, {}, (app) => {
    app.get('/versions/:user_id',
      { constraints: { version: '1.0.0' }, config: { access: 'public' }, schema: { hide: true } }, handler)
    app.get('/versions/:user_id', { constraints: { version: '2.0.0' } }, handler)
  })
  t.equal(await say(app), `${heading}\n\nGET /versions/{user_id} {"version":"1.0.0"}\n` +
    "  the document says guarded, and the route's level is 'public'\n  its mark x-user-scope is 'owner', and the " +
    "route's level is 'public'" + fixOf('GET /versions/{user_id}'))
})

t.test('a host may require anything else if the plugin requires no token', async (t) => {
  const apiKey = (security: object[]) => ({ schema: { security: security as Array<Record<string, string[]>> } })
  const app =
    await host(t,
      { openapi: { components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-key' } } } } },
      (app) => {
        app.post('/webhook', { config: { access: 'public' }, ...apiKey([{ key: [] }]) }, handler)
        app.post('/both', apiKey([{ key: [] }]), handler)
        app.post('/key', apiKey([{ key: [] }]), handler)
      })
  await app.ready()
  const document = structuredClone(app.swagger()) as { paths: Record<string, { post: { security: unknown } }> }
  t.same(document.paths['/both']?.post.security, [{ bearerAuth: [], key: [] }])
  t.equal(await say(app), '', 'and beside a token, too')
  for (const [security, says] of [[[{ key: [] }], 'that key will do, without a bearer token'],
    [[{ key: [] }, { bearerAuth: [] }], 'guarded where a token comes']] as const) {
    document.paths['/key']!.post.security = security
    t.equal(await say(app, { document }),
      `${heading}\n\nPOST /key\n  the document says ${says}, and the route's level is 'user'${fixOf('POST /key')}`)
  }
})

t.test('a route that is served with and without a slash may have both operations', async (t) => {
  const app = Fastify({ routerOptions: { ignoreTrailingSlash: true } })
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  app.get('/a', handler)
  const responses = { 401: {} }
  const paths = { '/a': { get: { responses } }, '/a/': { get: { responses } } }
  const components = { securitySchemes: { b: { type: 'http', scheme: 'bearer' } } }
  const document = { openapi: '3.1.0', security: [{ b: [] }], components, paths }
  t.equal(await say(app, { document }), '')
})

t.test('users are not needed, and are ignored', async (t) => {
  const app = await host(t, {})
  await assertDocumentMatchesGuards(app)
  await assertDocumentMatchesGuards(app, { issuer: createIssuer(), alice: 1, bob: 'bob', params: {}, timeout: 5 })
})

t.test('the security scheme must be for bearer tokens', async (t) => {
  const withScheme = async (scheme: object | undefined, security: object[]) => {
    const app = await host(t, { openapi: {} })
    await app.ready()
    const document =
      structuredClone(app.swagger()) as unknown as {
        components: { securitySchemes: Record<string, unknown> },
        paths: Record<string, { get: { security: unknown } }>
      }
    if (scheme) document.components.securitySchemes.other = scheme
    document.paths['/api/me']!.get.security = security
    return await say(app, { document })
  }
  const other = [{ other: [] }]
  t.match(await withScheme(undefined, other), 'GET /api/me\n  the document says that other will do')
  t.match(await withScheme(undefined, other), 'without a bearer token (its security schemes lack other), and the route')
  t.notMatch(await withScheme({ type: 'http', scheme: 'basic' }, other), 'lack')
  t.match(await withScheme({ type: 'http', scheme: 'basic' }, [...other, { gone: [] }]), 'lack gone')
  for (const scheme of [{ type: 'apiKey', in: 'query', name: 'key' }, { type: 'http', scheme: 'basic' },
    { type: 'http' }, {}]) {
    t.match(await withScheme(scheme, other), 'GET /api/me\n  the document says that other will do')
    t.equal(await withScheme(scheme, [{ other: [], bearerAuth: [] }]), '', 'both')
    t.match(await withScheme(scheme, [{ other: [] }, { bearerAuth: [] }]), 'says guarded where a token comes', 'either')
  }
  for (const scheme of [{ type: 'http', scheme: 'Bearer' }, { type: 'oauth2' }, { type: 'openIdConnect' },
    { type: 'apiKey', in: 'header', name: 'Authorization' }]) t.equal(await withScheme(scheme, other), '')
})

t.test('scopes with different issuers are compared one by one', async (t) => {
  const admin = createIssuer()
  const app = await Fastify()
  t.teardown(() => app.close())
  await app.register(swagger)
  for (const [prefix, { options }] of [['/a', issuer], ['/b', admin]] as const) {
    await app.register(async (child) => {
      await child.register(userScope, options)
      child.get('/:user_id', handler)
      child.get('/hidden', { schema: { hide: true } }, handler)
    }, { prefix })
  }
  t.match(await say(app), /GET \/a\/hidden \(user\)[^]*GET \/b\/hidden \(user\)/)
  t.equal(await say(app, { only: ({ url }) => url.startsWith('/a'), allow: ['GET /a/hidden', 'GET /b/hidden'] }), '')
  t.match(await say(app, { only: ({ url }) => url.startsWith('/b') }),
    `${heading}\n\nGET /b/hidden (user)\n  it is served`)
})

t.test('without a document it is a TypeError', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  await t.rejects(say(app), /^no OpenAPI document: register @fastify\/swagger .*, or give the document .* an object$/)
  await t.rejects(say(app, { document: { openapi: '3.0.0' } }), /^no OpenAPI document/)
  await t.rejects(say(app, { document: './openapi.json' as unknown as object }), /in option "document", as an object$/)
  await t.rejects(say(app, { documents: {} } as object),
    /^unknown option "assertDocumentMatchesGuards.documents". Did you mean "document"\?/)
  await t.rejects(say({} as FastifyInstance), /^the first argument must be a Fastify app/)
})

t.test('no handler of these hosts has run', async (t) => { t.equal(ran, 0) })

t.test('a WebSocket, for which a document has no place, need not be in it', async (t) => {
  const app = await host(t, {}, async (app) => {
    await app.register(websocket)
    app.get('/api/:user_id/live', { websocket: true }, handler)
  })
  t.equal(await say(app), '')
})

t.test('an operation with another slash at its end belongs to the route, unless that is another route', async (t) => {
  const paths = async (app: FastifyInstance, more: Record<string, object>) => {
    await app.ready()
    const document = structuredClone(app.swagger()) as { paths: Record<string, object> }
    Object.assign(document.paths, more)
    return await say(app, { document, only: ({ url }) => url.startsWith('/x') })
  }
  const open = { get: { responses: {} } }
  const one = await host(t, {}, (app) => app.get('/x/:id', handler))
  t.match(await paths(one, { '/x/{id}/': open }),
    "GET /x/{id}/\n  the document says open, and the route's level is 'user'")
  const two = await host(t, {}, (app) => {
    app.get('/x/:id', handler)
    app.get('/x/:id/', { config: { access: 'public' } }, handler)
  })
  t.equal(await paths(two, { '/x/{id}/': open }), '')
})
