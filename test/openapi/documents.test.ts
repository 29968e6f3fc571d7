import Fastify, { type FastifyInstance, type FastifyRequest, type FastifySchema, type RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import swagger, { type SwaggerOptions, type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import userScope from '../../lib/index.js'
import { bearer, processWarnings, secret, tokenFor, type LogLine } from '../support/host.js'

interface Document { paths: Record<string, Record<string, { security?: object[] }>> }
type Decorator = (options?: { yaml?: boolean }) => unknown

const info = { title: 'Tasks', version: '1.0.0' }
const openapi = { info }
const bearerAuth = [{ bearerAuth: [] }]
const handler = async () => ({})

async function host (t: Test, setUp: (app: FastifyInstance) => unknown, log?: LogLine[]): Promise<FastifyInstance> {
  const stream = { write: (line: string) => log?.push(JSON.parse(line) as LogLine) }
  const app = Fastify(log ? { logger: { level: 'warn', stream } } : {})
  t.teardown(async () => { await app.close() })
  await setUp(app)
  await app.ready()
  return app
}

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const decoratorOf = (app: FastifyInstance, name = 'swagger') =>
  (app as unknown as Record<string, Decorator>)[name] as Decorator
const securityAt = (document: unknown, path: string) => (document as Document).paths[path]?.['get']?.security

t.test('a transform that changes the mark of scopes does not change the guard', async (t) => {
  const transform: SwaggerTransform = ({ schema, url }) => {
    const marks = schema as unknown as { 'x-user-scope-scopes'?: string[] } | undefined
    marks?.['x-user-scope-scopes']?.splice(0)
    return { schema, url }
  }
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi, transform })
    await app.register(userScope, { secret })
    app.get('/admin', { config: { access: { scopes: ['admin'] } } }, handler)
  })
  decoratorOf(app)()
  const headers = bearer(tokenFor('alice'))
  t.equal((await app.inject({ url: '/admin', headers })).statusCode, 403)
  t.match(app.userScope.printRoutes(), 'user + admin')
})

t.test('@fastify/swagger may be registered anywhere', async (t) => {
  /** Sets a host up and leads to the instances and decorators that have a document with a guarded route `/me`. */
  type Place = (app: FastifyInstance) => Promise<Array<[context: FastifyInstance, decorator: string]>>
  const me = (app: FastifyInstance) => app.get('/me', handler)
  const places: Record<string, Place> = {
    'before the plugin': async (app) => {
      await app.register(swagger, { openapi })
      await app.register(userScope, { secret })
      me(app)
      return [[app, 'swagger']]
    },
    'after the plugin': async (app) => {
      await app.register(userScope, { secret })
      await app.register(swagger, { openapi })
      me(app)
      return [[app, 'swagger']]
    },
    'beside the plugin, without await': async (app) => {
      app.register(userScope, { secret })
      app.register(swagger, { openapi })
      app.register(async (app) => { me(app) })
      return [[app, 'swagger']]
    },
    'around the context of the plugin': async (app) => {
      await app.register(swagger, { openapi })
      app.register(async (app) => app.register(async (app) => {
        await app.register(userScope, { secret })
        me(app)
      }))
      return [[app, 'swagger']]
    },
    'in a context inside that of the plugin': async (app) => {
      let inner = app
      await app.register(userScope, { secret })
      await app.register(async (app) => app.register(async (app) => {
        await app.register(swagger, { openapi })
        me(app)
        inner = app
      }))
      return [[inner, 'swagger']]
    },
    'in a context that was loaded before the plugin': async (app) => {
      let inner = app
      await app.register(async (app) => {
        await app.register(swagger, { openapi })
        app.register(async (app) => { me(app) })
        inner = app
      })
      await app.register(userScope, { secret, openapi: { decorator: 'swagger' } })
      return [[inner, 'swagger']]
    },
    'in a plugin of the host': async (app) => {
      await app.register(fp(async (app: FastifyInstance) => app.register(swagger, { openapi })))
      await app.register(userScope, { secret })
      me(app)
      return [[app, 'swagger']]
    },
    'under another name': async (app) => {
      await app.register(swagger, { openapi, decorator: 'docs' as 'swagger' })
      await app.register(userScope, { secret, openapi: { decorator: 'docs' } })
      me(app)
      return [[app, 'docs']]
    },
    'several times': async (app) => {
      await app.register(swagger, { openapi })
      await app.register(userScope, { secret, openapi: { decorator: ['swagger', 'docs'] } })
      await app.register(swagger, { swagger: { info }, decorator: 'docs' as 'swagger' })
      me(app)
      return [[app, 'swagger'], [app, 'docs']]
    }
  }
  for (const [name, place] of Object.entries(places)) {
    await t.test(name, async (t) => {
      let found: Awaited<ReturnType<Place>> = []
      await host(t, async (app) => { found = await place(app) })
      for (const [context, decorator] of found) {
        const read = decoratorOf(context, decorator)
        t.same(securityAt(read(), '/me'), bearerAuth)
        t.same(parse(read({ yaml: true }) as string), plain(read()))
      }
    })
  }
})

t.test('a document of a context beside the plugin is left alone', async (t) => {
  let beside: FastifyInstance | undefined
  await host(t, (app) => {
    app.register(async (app) => app.register(userScope, { secret }))
    app.register(async (app) => {
      beside = app
      await app.register(swagger, { openapi })
      app.get('/me', handler)
    })
  })
  t.notMatch(JSON.stringify(beside?.swagger()), /bearerAuth/)
})

t.test('a stated decorator that is not found stops the boot', async (t) => {
  const cases: Array<{ decorator: string | string[], missing: string, setUp?: (app: FastifyInstance) => unknown }> = [
    { decorator: 'swagger', missing: 'swagger' },
    { decorator: 'docs', missing: 'docs', setUp: (app) => app.register(swagger, { openapi }) },
    { decorator: ['swagger', 'docs'], missing: 'docs', setUp: (app) => app.register(swagger, { openapi }) },
    { decorator: 'docs', missing: 'docs', setUp: (app) => app.decorate('docs', 'no function') },
    { decorator: 'docs', missing: 'docs', setUp: (app) => app.decorate('docs', { getter: () => handler }) },
    {
      decorator: 'swagger',
      missing: 'swagger',
      setUp: (app) => app.register(async (app) => app.register(swagger, { openapi }))
    }
  ]
  for (const { decorator, missing, setUp } of cases) {
    const starting = host(t, async (app) => {
      await setUp?.(app)
      app.register(async (app) => app.register(userScope, { secret, openapi: { decorator } }))
    })
    await t.rejects(starting, {
      code: 'FST_USER_SCOPE_INVALID_OPTION',
      message: `fastify-user-scope: option "openapi.decorator": no function "${missing}" decorates this context, one ` +
        'around it, or one inside it that has routes. Fix: give the name that @fastify/swagger has in its own ' +
        'option "decorator" (by default "swagger"), and register it in one of these contexts'
    })
  }
})

t.test('without a decorator, schemas stay as they are', async (t) => {
  const seen: RouteOptions[] = []
  await host(t, async (app) => {
    app.addHook('onRoute', (route) => { seen.push(route) })
    await app.register(userScope, { secret })
    app.get('/me', { exposeHeadRoute: false }, handler)
  })
  t.match(seen, [{ url: '/me', schema: undefined }])
})

t.test('a decorator that is not stated is left alone', async (t) => {
  let before: unknown
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi })
    await app.register(swagger, { openapi, decorator: 'docs' as 'swagger' })
    await app.register(userScope, { secret })
    app.get('/me', handler)
    before = decoratorOf(app, 'docs')
  })
  t.equal(decoratorOf(app, 'docs'), before)
  t.same(securityAt(app.swagger(), '/me'), bearerAuth)
})

t.test('a host may have another decorator named swagger', async (t) => {
  const calls: unknown[][] = []
  const app = await host(t, async (app) => {
    app.decorate('swagger' as 'docs', function (this: unknown, ...args: unknown[]) {
      calls.push([this, ...args])
      return args
    })
    await app.register(userScope, { secret })
  })
  const call = app.getDecorator<(...args: unknown[]) => unknown>('swagger').bind(app)
  t.same(call({ id: 7 }, 8), [{ id: 7 }, 8], 'what it returns is handed through')
  t.same(call('text'), ['text'])
  t.same(call(null), [null])
  t.same(calls, [[app, { id: 7 }, 8], [app, 'text'], [app, null]], 'it is called once each time, with its arguments')
  t.same(call({ yaml: true }), [{ yaml: true }])
  t.ok(calls.every(([self]) => self === app), 'and as a method of the app')
})

t.test('routes whose operation has lost its mark are named in a warning', async (t) => {
  const withoutMarks = (schema: FastifySchema | undefined) =>
    Object.fromEntries(Object.entries(schema ?? {}).filter(([key]) => !key.startsWith('x-')))
  const drop: SwaggerTransform = ({ schema, url }) => ({ schema: withoutMarks(schema), url })
  const dropAndMove: SwaggerTransform = ({ schema, url }) => ({ schema: withoutMarks(schema), url: `/v2${url}` })
  const move: SwaggerTransform = ({ schema, url }) => ({ schema, url: `/v2${url}` })
  const hide: SwaggerTransform = ({ schema, url }) => ({ schema: { ...schema, hide: true } as FastifySchema, url })
  const rewriteOne: SwaggerTransformObject = (document) => {
    const copy = structuredClone('openapiObject' in document ? document.openapiObject : {})
    Object.assign(copy.paths?.['/api/me'] ?? {}, { get: { responses: {} } })
    return copy
  }
  const served = { info, servers: [{ url: '/api' }] }
  const all = [
    'GET /api/:user_id/tasks/:id(^\\d+$)', 'GET /api/me', 'PUT /api/me', 'GET /api/open', 'GET /api/:user_id?',
    'GET /api/tasks::archive', 'GET /api/tasks::all::old', 'GET /api/tasks::all/:id', 'GET /api/nameless/:~x',
    'GET /api/:user_id/files/:name(^[^/]+$)', 'GET /api/:user_id/:from(\\d+)-:to(\\d+)', 'GET /api/near/:lat,:lng',
    'GET /api/files/v:version?', 'GET /api/pages/:page(^\\d+$)?'
  ]
  const cases: Array<{ name: string, options: SwaggerOptions, named?: string[] }> = [
    { name: 'without a transform', options: { openapi } },
    { name: 'a transform changes URLs', options: { openapi, transform: move } },
    { name: 'a base path is cut', options: { openapi: served } },
    { name: 'a base path is cut in Swagger 2', options: { swagger: { info, basePath: '/api' } } },
    { name: 'a transform hides all', options: { openapi, transform: hide } },
    {
      name: 'a transform hides the scope, and a route outside ends like one of it',
      options: { openapi, transform: (route) => route.url.startsWith('/api') ? hide(route) : drop(route) }
    },
    { name: 'routes without a tag are hidden', options: { openapi, hideUntagged: true } },
    { name: 'a transform drops marks', options: { openapi, transform: drop }, named: all },
    { name: 'a transform drops marks and changes URLs', options: { openapi, transform: dropAndMove }, named: all },
    {
      name: 'a transform drops marks, and a base path is cut',
      options: { openapi: served, transform: drop },
      named: all
    },
    {
      name: 'a transform drops marks, and a base path is cut in Swagger 2',
      options: { swagger: { info, basePath: '/api' }, transform: drop },
      named: all
    },
    {
      name: 'a transformObject drops a mark',
      options: { openapi, transformObject: rewriteOne },
      named: ['GET /api/me']
    }
  ]
  const hidden = [
    '/hidden', '/:user_id/hidden', '/:user_id/:id/hidden', '/hidden/:id(^\\d+$)', '/hidden/*', '/hidden::all',
    '/hidden-:id?'
  ]
  for (const { name, options, named } of cases) {
    await t.test(name, async (t) => {
      const log: LogLine[] = []
      const app = await host(t, async (app) => {
        await app.register(swagger, options)
        app.get('/outside/:user_id', { config: { access: 'public' }, schema: { tags: ['outside'] } }, handler)
        app.get('/tasks/:user_id/hidden', { config: { access: 'public' } }, handler)
        for (const url of hidden) app.get(url, { config: { access: 'public' } }, handler)
        app.register(async (app) => {
          await app.register(userScope, { secret })
          app.get('/:user_id/tasks/:id(^\\d+$)', { schema: { tags: ['tasks'] } }, handler)
          app.route({ method: ['GET', 'PUT'], url: '/me', handler })
          app.get('/open', { config: { access: 'public' } }, handler)
          app.get('/:user_id?', handler)
          for (const url of ['/tasks::archive', '/tasks::all::old', '/tasks::all/:id', '/nameless/:~x']) {
            app.get(url, handler)
          }
          app.get('/:user_id/files/:name(^[^/]+$)', handler)
          app.get('/:user_id/:from(\\d+)-:to(\\d+)', handler)
          for (const url of ['/near/:lat,:lng', '/files/v:version?', '/pages/:page(^\\d+$)?']) app.get(url, handler)
          for (const url of hidden) app.get(url, { schema: { hide: true } }, handler)
        }, { prefix: '/api' })
      }, log)
      t.same(log, [], 'nothing is said before a document is read')
      for (const yaml of [true, false, true]) app.swagger({ yaml })
      const warning = {
        level: 40,
        msg: 'fastify-user-scope: the OpenAPI document has these routes without their "x-user-scope" and does not ' +
          'say how they are guarded. Fix: keep what begins with "x-" in transform and transformObject, state ' +
          'x-user-scope in operations that are written by hand, and read the document only after the app is ready'
      }
      t.match(log, named ? [warning] : [])
      t.same(log.map(({ routes }) => routes), named ? [named] : [])
    })
  }
})

t.test('without a logger that warning is a process warning', async (t) => {
  const warnings = processWarnings(t)
  const app = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => app.close())
  await app.register(swagger, { openapi, transform: ({ url }) => ({ schema: { tags: ['x'] }, url }) })
  await app.register(userScope, { secret })
  app.get('/me', async () => 'in')
  await app.ready()
  app.swagger()
  await new Promise((resolve) => setImmediate(resolve))
  t.match(warnings, [/has these routes without their "x-user-scope".*: GET \/me$/])
})

t.test('a marked route is not reported because of an unmarked one that ends alike', async (t) => {
  const warnings: unknown[] = []
  const stream = { write: (line: string) => { warnings.push((JSON.parse(line) as { routes?: unknown }).routes) } }
  const app = Fastify({ exposeHeadRoutes: false, logger: { level: 'warn', stream } })
  t.teardown(() => app.close())
  await app.register(swagger, { openapi, transform: ({ schema, url }) => ({ schema, url: `/v1${url}` }) })
  for (const [prefix, schemeName] of [['', 'bearerAuth'], ['/admin', 'admin']] as const) {
    await app.register(async (part) => {
      await part.register(userScope, { secret, openapi: { schemeName } })
      part.get('/tasks', async () => 'in')
      part.get('/other', async () => 'in')
    }, { prefix })
  }
  app.get('/internal/tasks', async () => 'in')
  await app.ready()
  const { paths = {} } = app.swagger()
  t.same(Object.keys(paths),
    ['/v1/tasks', '/v1/other', '/v1/admin/tasks', '/v1/admin/other', '/v1/internal/tasks'])
  t.same(paths['/v1/tasks']?.get?.security, [{ bearerAuth: [] }])
  t.same(warnings, [])
})

t.test('a route is not reported because of one of another registration that ends alike', async (t) => {
  const log: LogLine[] = []
  const versions = ['v1', 'v2']
  const app = await host(t, async (app) => {
    for (const version of versions) {
      const transform: SwaggerTransform = ({ schema, url }) =>
        ({ schema: { ...schema, hide: !url.startsWith(`/${version}`) } as FastifySchema, url })
      const served = { info, servers: [{ url: `/${version}` }] }
      await app.register(swagger, { decorator: version, openapi: served, transform })
      app.register(async (app) => {
        await app.register(userScope, { secret, openapi: { decorator: versions, schemeName: `${version}Token` } })
        app.get('/tasks', handler)
      }, { prefix: version })
    }
  }, log)
  const securities = versions.map((version) => securityAt(decoratorOf(app, version)(), '/tasks'))
  t.same(securities, [[{ v1Token: [] }], [{ v2Token: [] }]])
  t.same(log, [])
})

t.test('a route that has lost its mark is reported beside a marked one that ends alike', async (t) => {
  const log: LogLine[] = []
  const app = await host(t, async (app) => {
    const transform: SwaggerTransform = ({ schema, url }) =>
      ({ schema: url === '/tasks' ? { summary: 'Mine' } : schema, url: `/v1${url}` })
    await app.register(swagger, { openapi, transform })
    await app.register(userScope, { secret })
    app.get('/tasks', { exposeHeadRoute: false }, handler)
    app.get('/admin/tasks', { exposeHeadRoute: false }, handler)
    app.get('/other', { exposeHeadRoute: false }, handler)
  }, log)
  app.swagger()
  t.match(log, [{ routes: ['GET /tasks'] }])
  t.equal(log.length, 1)
})

t.test('the docs page serves the annotated document', async (t) => {
  const variants: Record<string, { options: SwaggerOptions, ui?: object }> = {
    'OpenAPI 3.0': { options: { openapi } },
    'OpenAPI 3.1': { options: { openapi: { openapi: '3.1.0', info } } },
    'Swagger 2.0': { options: { swagger: { info } } },
    'with a specification of its own': {
      options: { openapi },
      ui: { transformSpecification: (document: object) => ({ ...document, host: 'tasks.example' }) }
    }
  }
  for (const [name, { options, ui }] of Object.entries(variants)) {
    await t.test(name, async (t) => {
      const app = await host(t, async (app) => {
        await app.register(swagger, options)
        await app.register(swaggerUi, { routePrefix: '/docs', ...ui })
        app.register(async (app) => {
          await app.register(userScope, { secret })
          app.get('/api/:user_id/tasks', handler)
          app.route({ method: ['PUT', 'PATCH'], url: '/api/:user_id/tasks/:id', schema: { tags: ['tasks'] }, handler })
        })
      })
      const expected = { ...plain(app.swagger()), ...ui && { host: 'tasks.example' } }
      t.same(securityAt(expected, '/api/{user_id}/tasks'), bearerAuth)
      t.same((await app.inject('/docs/json')).json(), expected)
      t.same(parse((await app.inject('/docs/yaml')).body), expected)
    })
  }
})

t.test('static documents are annotated', async (t) => {
  const document = {
    openapi: '3.0.3',
    info,
    servers: [{ url: 'https://{unknown}/v1' }],
    paths: {
      '/api/{user_id}': { get: { 'x-user-scope': 'owner', responses: {} } },
      '/other': { get: { responses: {} } }
    }
  }
  const path = `${t.testdir({ 'openapi.yaml': JSON.stringify(document) })}/openapi.yaml`
  const before = plain(document)
  for (const specification of [{ document }, { path, baseDir: '.' }]) {
    for (const decorator of ['swagger', 'docs']) {
      const app = await host(t, async (app) => {
        await app.register(swagger, { mode: 'static', specification, ...{ decorator } })
        await app.register(userScope, { secret, openapi: { decorator } })
        app.get('/api/:user_id', handler)
      })
      const read = decoratorOf(app, decorator)
      t.same(securityAt(read(), '/api/{user_id}'), bearerAuth)
      t.same(securityAt(read(), '/other'), undefined)
      t.same(parse(read({ yaml: true }) as string), plain(read()))
    }
  }
  t.same(document, before)
})

t.test('repeated calls return the same document', async (t) => {
  const transformed: string[] = []
  const app = await host(t, async (app) => {
    const transform: SwaggerTransform = ({ schema, url }) => {
      transformed.push(url)
      return { schema, url }
    }
    await app.register(swagger, { openapi, transform })
    await app.register(userScope, { secret })
    app.get('/me', handler)
  })
  const yaml = app.swagger({ yaml: true })
  const document = app.swagger()
  t.equal(app.swagger(), document)
  t.equal(app.swagger({ yaml: false }), document)
  t.equal(app.swagger({ yaml: true }), yaml)
  t.same(transformed, ['/me'], 'the transform of the host runs once')
})

t.test('what a host does to its document does not affect later calls', async (t) => {
  const routes = async (app: FastifyInstance) => {
    await app.register(swagger, { openapi })
    await app.register(userScope, { secret })
    app.get('/one', handler)
    app.get('/two', handler)
  }
  const [one, two] = [await host(t, routes), await host(t, routes)]
  const before = plain(two.swagger())
  const { paths, components } = one.swagger() as unknown as {
    paths: Record<string, { get: { responses: Record<string, { description: string }> } }>
    components: { schemas: Record<string, { required: string[] }> }
  }
  Object.assign(paths['/one']?.get.responses['401'] ?? {}, { description: 'Sign in first' })
  components.schemas['UserScopeError']?.required.pop()
  t.equal(paths['/two']?.get.responses['401']?.description, 'No valid token was sent')
  t.same(two.swagger(), before)
})

t.test('YAML of many routes has no aliases', async (t) => {
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi })
    await app.register(userScope, { secret })
    for (let i = 0; i < 150; i++) app.get(`/${i}/:user_id`, handler)
  })
  const yaml = app.swagger({ yaml: true })
  t.match(yaml, /^openapi: 3\.0\.3\n/)
  t.notMatch(yaml, /[&*]a\d/)
  t.same(parse(yaml), plain(app.swagger()))
})

t.test('a document read too early is not annotated', async (t) => {
  for (const yaml of [false, true]) {
    let early: unknown
    const log: LogLine[] = []
    const app = await host(t, async (app) => {
      await app.register(swagger, { openapi })
      app.addHook('onReady', async () => { early = app.swagger({ yaml }) })
      await app.register(userScope, { secret })
      app.get('/me', handler)
      app.get('/tagged', { schema: { tags: ['me'] } }, handler)
    }, log)
    t.notMatch(JSON.stringify(early), /bearerAuth|x-user-scope/)
    app.swagger()
    t.same(parse(app.swagger({ yaml: true })), plain(app.swagger()))
    if (yaml) {
      t.same(securityAt(app.swagger(), '/me'), bearerAuth)
      t.same(securityAt(app.swagger(), '/tagged'), bearerAuth)
      t.same(log, [])
    } else t.match(log, [{ routes: ['GET /me', 'GET /tagged'] }], '@fastify/swagger has kept it, and a warning says so')
  }
})

t.test('options', async (t) => {
  await t.test('openapi: false', async (t) => {
    let original: unknown
    const app = await host(t, async (app) => {
      await app.register(swagger, { openapi })
      original = app.swagger
      await app.register(userScope, { secret, openapi: false })
      app.get('/me', { schema: { tags: ['me'] } }, handler)
    })
    t.equal(app.swagger, original)
    const responses = { 200: { description: 'Default Response' } }
    t.same(plain(app.swagger()).paths, { '/me': { get: { tags: ['me'], responses } } })
  })
  await t.test('schemeName, description', async (t) => {
    const app = await host(t, async (app) => {
      await app.register(swagger, { openapi })
      const description = 'From /api/auth/token.'
      await app.register(userScope, { secret, openapi: { schemeName: 'user.token', description } })
      app.get('/me', handler)
    })
    t.same(securityAt(app.swagger(), '/me'), [{ 'user.token': [] }])
    t.match(app.swagger(), {
      components: {
        securitySchemes: {
          'user.token': { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From /api/auth/token.' }
        }
      }
    })
    t.notMatch(JSON.stringify(app.swagger()), /bearerAuth/)
  })
})

t.test('only the document changes', async (t) => {
  const key = { type: 'apiKey', in: 'header', name: 'X-Key' } as const
  const components = { securitySchemes: { key }, schemas: { Task: { type: 'object' as const } } }
  const servers = [{ url: 'https://tasks.example/{v}', variables: { v: { default: 'v1' } } }]
  const options = { openapi: { info, servers, security: [{ key: [] }], components } }
  const task = { type: 'object', properties: { id: { type: 'string' } } } as const
  const schema = {
    tags: ['tasks'],
    security: [{ key: [] }],
    params: { type: 'object', properties: { user_id: { type: 'string' } } },
    response: { 200: task, '4xx': task }
  } as const
  const snapshot = plain({ openapi: options.openapi, schema })
  type Seen = Array<{ status: number, body: string, schema: unknown }>

  const run = async (annotated: boolean): Promise<Seen> => {
    const seen: Seen = []
    const schemas: unknown[] = []
    const show = async (request: FastifyRequest) => {
      schemas.push(request.routeOptions.schema)
      return { id: 'one', secret: 'two' }
    }
    const app = await host(t, async (app) => {
      await app.register(swagger, options)
      await app.register(userScope, annotated ? { secret } : { secret, openapi: false })
      app.addHook('onError', async (request: FastifyRequest) => { schemas.push(request.routeOptions.schema) })
      app.get('/tasks/:user_id', { schema }, show)
      app.get('/plain/:user_id', show)
      app.get('/open', { schema, config: { access: 'public' } }, show)
    })
    t.equal(JSON.stringify(app.swagger()).includes('bearerAuth'), annotated)
    app.swagger({ yaml: true })
    for (const url of ['/tasks/alice', '/plain/alice', '/open']) {
      for (const headers of [{}, bearer(tokenFor('alice')), bearer(tokenFor('bob'))]) {
        const { statusCode, body } = await app.inject({ url, headers })
        seen.push({ status: statusCode, body, schema: schemas.pop() })
      }
    }
    return seen
  }

  const off = await run(false)
  const on = await run(true)
  t.same(on, off)
  const keysOf = (seen: Seen) => seen.map(({ schema }) => Reflect.ownKeys(schema as object ?? {}))
  t.same(keysOf(on), keysOf(off))
  t.match(on, [{ status: 401, body: '{}' }, { status: 200, body: '{"id":"one"}' }, { status: 403, body: '{}' }])
  t.same(plain({ openapi: options.openapi, schema }), snapshot)
  const objects = [options, options.openapi, components, key, schema, schema.response]
  t.notOk(objects.some((object) => Object.isFrozen(object)))
})

t.test('frozen objects of the host are accepted', async (t) => {
  const deepFreeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
    return value
  }
  const app = await host(t, async (app) => {
    await app.register(swagger, {
      openapi: deepFreeze({ info, components: { securitySchemes: {} } }),
      transformObject: (document) => deepFreeze('openapiObject' in document ? document.openapiObject : {})
    })
    await app.register(userScope, { secret })
    app.get('/me', { schema: { tags: ['me'] } }, handler)
  })
  t.same(securityAt(app.swagger(), '/me'), bearerAuth)
})

t.test('a result that is not a document is passed through', async (t) => {
  const noPaths = [{ openapi: '3.1.0', webhooks: {} }, { openapi: '3.1.0', paths: null }]
  for (const other of [...noPaths, { paths: { '/me': { get: {} } } }, 'text', null]) {
    const app = await host(t, async (app) => {
      await app.register(swagger, { openapi, transformObject: () => other as object })
      await app.register(userScope, { secret })
      app.get('/me', handler)
    })
    t.equal(app.swagger(), other)
    t.same(parse(app.swagger({ yaml: true })), other)
  }
})

t.test('an error of @fastify/swagger reaches the host unchanged', async (t) => {
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi, transform: () => { throw new Error('no such route') } })
    await app.register(userScope, { secret })
    app.get('/me', handler)
  })
  t.throws(() => app.swagger(), { message: 'no such route' })
  t.throws(() => app.swagger({ yaml: true }), { message: 'no such route' })
})
