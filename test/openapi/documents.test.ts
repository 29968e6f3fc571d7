import { spawnSync } from 'node:child_process'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import swagger, { type SwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import userScope from '../../lib/index.js'
import { bearer, secret, tokenFor } from '../support/host.js'

interface Document { paths: Record<string, Record<string, { security?: object[] }>> }
type Decorator = (options?: { yaml?: boolean }) => unknown

const info = { title: 'Tasks', version: '1.0.0' }
const openapi = { info }
const bearerAuth = [{ bearerAuth: [] }]
const handler = async () => ({})

async function host (t: Test, setUp: (app: FastifyInstance) => unknown): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await setUp(app)
  await app.ready()
  return app
}

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const decoratorOf = (app: FastifyInstance, name = 'swagger') => (app as unknown as Record<string, Decorator>)[name] as Decorator
const securityAt = (document: unknown, path: string) => (document as Document).paths[path]?.['get']?.security

t.test('@fastify/swagger may stand anywhere', async (t) => {
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
    'in a plugin of the host': async (app) => {
      await app.register(fp(async (app: FastifyInstance) => app.register(swagger, { openapi })))
      await app.register(userScope, { secret })
      me(app)
      return [[app, 'swagger']]
    },
    'under another name': async (app) => {
      await app.register(swagger, { openapi, decorator: 'docs' as 'swagger' })
      await app.register(userScope, { secret })
      me(app)
      return [[app, 'docs']]
    },
    'several times': async (app) => {
      await app.register(swagger, { openapi })
      await app.register(userScope, { secret })
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

t.test('the docs page serves the same', async (t) => {
  const variants: Record<string, { options: SwaggerOptions, ui?: object }> = {
    'OpenAPI 3.0': { options: { openapi } },
    'OpenAPI 3.1': { options: { openapi: { openapi: '3.1.0', info } } },
    'Swagger 2.0': { options: { swagger: { info } } },
    'with a specification of its own': { options: { openapi }, ui: { transformSpecification: (document: object) => ({ ...document, host: 'tasks.example' }) } }
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

t.test('static documents', async (t) => {
  const document = { openapi: '3.0.3', info, servers: [{ url: 'https://{unknown}/v1' }], paths: { '/api/{user_id}': { get: { responses: {} } }, '/other': { get: { responses: {} } } } }
  const path = `${t.testdir({ 'openapi.yaml': JSON.stringify(document) })}/openapi.yaml`
  const before = plain(document)
  for (const specification of [{ document }, { path, baseDir: '.' }]) {
    for (const decorator of ['swagger', 'docs']) {
      const app = await host(t, async (app) => {
        await app.register(swagger, { mode: 'static', specification, ...{ decorator } })
        await app.register(userScope, { secret })
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

t.test('calls again return the same', async (t) => {
  const transformed: string[] = []
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi, transform: ({ schema, url }) => { transformed.push(url); return { schema, url } } })
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

t.test('what a host does to its document stays with it', async (t) => {
  const routes = async (app: FastifyInstance) => {
    await app.register(swagger, { openapi })
    await app.register(userScope, { secret })
    app.get('/one', handler)
    app.get('/two', handler)
  }
  const [one, two] = [await host(t, routes), await host(t, routes)]
  const before = plain(two.swagger())
  const { paths, components } = one.swagger() as unknown as { paths: Record<string, { get: { responses: Record<string, { description: string }> } }>, components: { schemas: Record<string, { required: string[] }> } }
  Object.assign(paths['/one']?.get.responses['401'] ?? {}, { description: 'Sign in first' })
  components.schemas['UserScopeError']?.required.pop()
  t.equal(paths['/two']?.get.responses['401']?.description, 'No valid token was sent')
  t.same(two.swagger(), before)
})

t.test('YAML of many routes has no alias for what was added', async (t) => {
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

t.test('a document read too early is not annotated, one read later is', async (t) => {
  for (const yaml of [false, true]) {
    let early: unknown
    const app = await host(t, async (app) => {
      await app.register(swagger, { openapi })
      app.addHook('onReady', async () => { early = app.swagger({ yaml }) })
      await app.register(userScope, { secret })
      app.get('/me', handler)
      app.get('/tagged', { schema: { tags: ['me'] } }, handler)
    })
    t.notMatch(JSON.stringify(early), /bearerAuth|userScope/)
    t.same(securityAt(app.swagger(), '/me'), bearerAuth)
    t.same(securityAt(app.swagger(), '/tagged'), bearerAuth)
    t.same(parse(app.swagger({ yaml: true })), plain(app.swagger()))
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
    t.same(plain(app.swagger()).paths, { '/me': { get: { tags: ['me'], responses: { 200: { description: 'Default Response' } } } } })
  })
  await t.test('schemeName, description', async (t) => {
    const app = await host(t, async (app) => {
      await app.register(swagger, { openapi })
      await app.register(userScope, { secret, openapi: { schemeName: 'user.token', description: 'From /api/auth/token.' } })
      app.get('/me', handler)
    })
    t.same(securityAt(app.swagger(), '/me'), [{ 'user.token': [] }])
    t.match(app.swagger(), {
      components: { securitySchemes: { 'user.token': { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From /api/auth/token.' } } }
    })
    t.notMatch(JSON.stringify(app.swagger()), /bearerAuth/)
  })
})

t.test('only the document changes', async (t) => {
  const key = { type: 'apiKey', in: 'header', name: 'X-Key' } as const
  const components = { securitySchemes: { key }, schemas: { Task: { type: 'object' as const } } }
  const options = {
    openapi: { info, servers: [{ url: 'https://tasks.example/{v}', variables: { v: { default: 'v1' } } }], security: [{ key: [] }], components }
  }
  const task = { type: 'object', properties: { id: { type: 'string' } } } as const
  const schema = { tags: ['tasks'], security: [{ key: [] }], params: { type: 'object', properties: { user_id: { type: 'string' } } }, response: { 200: task, '4xx': task } } as const
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
  t.same(on.map(({ schema }) => Reflect.ownKeys(schema as object ?? {})), off.map(({ schema }) => Reflect.ownKeys(schema as object ?? {})))
  t.match(on, [{ status: 401, body: '{}' }, { status: 200, body: '{"id":"one"}' }, { status: 403, body: '{}' }])
  t.same(plain({ openapi: options.openapi, schema }), snapshot)
  t.notOk([options, options.openapi, components, key, schema, schema.response].some((object) => Object.isFrozen(object)))
})

t.test('frozen objects of the host serve as well', async (t) => {
  const deepFreeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
    return value
  }
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi: deepFreeze({ info, components: { securitySchemes: {} } }), transformObject: (document) => deepFreeze('openapiObject' in document ? document.openapiObject : {}) })
    await app.register(userScope, { secret })
    app.get('/me', { schema: { tags: ['me'] } }, handler)
  })
  t.same(securityAt(app.swagger(), '/me'), bearerAuth)
})

t.test('decorators that are none of @fastify/swagger stay what they are', async (t) => {
  const double = (n: number) => n * 2
  const withDefault = (a: number, b = 2) => a + b
  const reader = (options: { yaml?: boolean } = {}) => options.yaml ? 'a: 1\n' : { a: 1 }
  const convert = (text: string, yaml: boolean) => yaml ? text : JSON.stringify(text)
  const format = (options?: { yaml?: boolean }) => options?.yaml ? 'a: 1\n' : { a: 1 }
  class Model { constructor (readonly id: number) {} }
  let before: Record<string, unknown> = {}
  const names = ['after', 'close', 'onClose', 'ready', 'double', 'withDefault', 'reader', 'convert', 'format', 'Model', 'computed']
  const take = (app: FastifyInstance) => Object.fromEntries(names.map((name) => [name, (app as unknown as Record<string, unknown>)[name]]))
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi })
    await app.register(userScope, { secret })
    // Functions without a name, as a host makes them in place.
    app.decorate('double', Object.defineProperty(double, 'name', { value: '' }))
    app.decorate('withDefault', Object.defineProperty(withDefault, 'name', { value: '' }))
    app.decorate('reader', reader)
    app.decorate('convert', Object.defineProperty(convert, 'name', { value: '' }))
    app.decorate('format', format)
    app.decorate('Model', Model)
    app.decorate('computed', { getter: () => 1 })
    before = take(app)
  })
  const found = take(app)
  for (const name of names) t.equal(found[name], before[name], name)
})

t.test('what returns no document is passed through', async (t) => {
  for (const other of [{ openapi: '3.1.0', webhooks: {} }, { paths: { '/me': { get: {} } } }, 'text', null]) {
    const app = await host(t, async (app) => {
      await app.register(swagger, { openapi, transformObject: () => other as object })
      await app.register(userScope, { secret })
      app.get('/me', handler)
    })
    t.equal(app.swagger(), other)
    t.same(parse(app.swagger({ yaml: true })), other)
  }
})

t.test('a fault in the document reaches the host as it did', async (t) => {
  const app = await host(t, async (app) => {
    await app.register(swagger, { openapi, transform: () => { throw new Error('no such route') } })
    await app.register(userScope, { secret })
    app.get('/me', handler)
  })
  t.throws(() => app.swagger(), { message: 'no such route' })
  t.throws(() => app.swagger({ yaml: true }), { message: 'no such route' })
})

t.test('without @fastify/swagger nothing happens, and nothing of it is needed', async (t) => {
  const refusing = `export const resolve = (name, context, next) => {
    if (/^(yaml|@fastify\\/swagger)$/.test(name)) throw new Error('imported ' + name)
    return next(name, context)
  }`
  const program = `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(refusing)}))
    const { default: Fastify } = await import('fastify')
    const { userScope } = await import(${JSON.stringify(new URL('../../lib/index.js', import.meta.url).href)})
    const app = Fastify()
    await app.register(userScope, { secret: ${JSON.stringify(secret)} })
    if (process.argv[1]) app.register(Object.assign(async (app) => { app.decorate('docs', (options) => options.yaml ? cache.string : cache.object) }, { [Symbol.for('skip-override')]: true, [Symbol.for('plugin-meta')]: { name: process.argv[1] } }))
    app.get('/me', async () => ({}))
    await app.ready()
    console.log((await app.inject('/me')).statusCode)
    await app.close()`
  const run = (...args: string[]) => spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '-e', program, ...args], { encoding: 'utf8' })
  t.match(run(), { status: 0, stdout: '401\n' })
  t.match(run('docs'), { status: 0, stdout: '401\n' }, 'whatever decorators the host has')
  t.match(run('@fastify/swagger'), { status: 1, stderr: /imported @fastify\/swagger/ }, 'the check itself works')
})

t.test('a decorator of the host that only looks like it is called once, as it was', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const calls: unknown[][] = []
  await app.register(swagger, { openapi: {} })
  app.decorate('charge', (order: { id: number }, ...rest: unknown[]) => { calls.push([order, ...rest]); return ['receipt.yaml', 'a'.concat()] })
  // Nameless, of one parameter, and its text names what that of @fastify/swagger names.
  const lookAlike = (() => (order: { yaml?: string, string?: string }) => { calls.push([order.yaml, order.string]); return 'receipt' })()
  app.decorate('bill', lookAlike)
  await app.register(userScope, { secret })
  await app.ready()
  app.getDecorator<(order: object, more: number) => unknown>('charge')({ id: 7 }, 8)
  app.getDecorator<(order: object) => unknown>('bill')({ yaml: 'x', string: 'y' })
  t.same(calls, [[{ id: 7 }, 8], ['x', 'y']])
})
