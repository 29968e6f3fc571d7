import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import userScope from '../../lib/index.js'
import { annotate } from '../../lib/openapi/annotate.js'
import { withScopes } from '../../lib/openapi/security.js'
import { secret } from '../support/host.js'
import { sameLength } from '../support/same-length.js'
import { bearerAuth, build, handler, implicit, info, read, securityOf } from '../support/openapi.js'

t.test('scopes are added to the requirements of an operation', async (t) => {
  const takes = (scheme: string) => scheme.startsWith('oauth')
  const rows: Array<[security: Array<Record<string, string[]>>, scopes: string[] | { anyOf: string[] },
    all: object]> = [
      [[{ oauth: [] }], ['a', 'b'], { security: [{ oauth: ['a', 'b'] }] }],
      [[{ oauth: ['a', 'c'] }], ['a', 'b'], { security: [{ oauth: ['a', 'c', 'b'] }] }],
      [[{ oauth: [], key: [] }], ['a'], { security: [{ oauth: ['a'], key: [] }] }],
      [[{ oauth: [], key: ['role'] }], ['a'], { security: [{ oauth: ['a'], key: ['role'] }] }],
      [[{ oauth: [] }, { oauth2: [] }], ['a'], { security: [{ oauth: ['a'] }, { oauth2: ['a'] }] }],
      [[{ oauth: [] }], { anyOf: ['a', 'b'] }, { security: [{ oauth: ['a'] }, { oauth: ['b'] }] }],
      [[{ key: [] }], ['a'], { security: [{ key: [] }], 'x-required-scopes': ['a'] }],
      [[{ key: [] }, { oauth: [] }], { anyOf: ['a', 'b'] },
        { security: [{ key: [] }, { oauth: ['a'] }, { oauth: ['b'] }], 'x-required-scopes': { anyOf: ['a', 'b'] } }]
    ]
  for (const [security, scopes, all] of rows) {
    const before = structuredClone(security)
    t.same(withScopes(security, scopes, takes), all, JSON.stringify([security, scopes]))
    t.same(security, before, 'what the host wrote is left alone')
  }
  const security = [{ oauth: [] }]
  t.equal(withScopes(security, null, takes).security, security)
})

interface Operation {
  security: object,
  responses: Record<string, { description: string, headers?: object }>,
  [mark: `x-${string}`]: unknown
}

/** The operations of a host with rules, in a document that must be valid, and the same in YAML. */
async function documented (t: Test, options: object): Promise<Record<string, Operation>> {
  const app = Fastify({ exposeHeadRoutes: true })
  t.teardown(() => app.close())
  await app.register(swagger, { exposeHeadRoutes: true, ...options })
  await app.register(userScope, { secret, bind: { org_id: 'org_id' } })
  const handler = async () => 'in'
  app.get('/all/:user_id', { config: { access: { scopes: ['a', 'b'], delegates: { scopes: ['staff'] } } } }, handler)
  app.get('/any', { config: { access: { scopes: { anyOf: ['a', 'b'] } } } }, handler)
  app.route({ method: ['PUT', 'PATCH'], url: '/both', config: { access: { scopes: ['a'] } }, handler })
  app.get('/orgs/:org_id', handler)
  app.get('/named/:org_id', { schema: { operationId: 'named' }, config: { access: { scopes: ['a'] } } }, handler)
  app.get('/unbound/:org_id', { config: { access: { level: 'user', unbound: ['org_id'] } } }, handler)
  app.get('/written', {
    schema: { security: [{ key: [] }, { oauth: ['mine'] }], response: { 403: { description: 'Mine', type: 'null' } } },
    config: { access: { scopes: ['a'] } }
  }, handler)
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger())) as { paths: Record<string, Record<string, Operation>> }
  const yaml = app.swagger({ yaml: true })
  t.same(parse(yaml), document)
  // What the host wrote for both GET and HEAD is one object, and what @fastify/swagger adds for several methods.
  t.notMatch(yaml.replaceAll(/(key|"?200"?): [&*]a\d/g, ''), /[&*]a\d/)
  t.match(await new Validator().validate(structuredClone(document)), { valid: true })
  return Object.fromEntries(Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, operation])))
}

const schemes = { key: { type: 'apiKey', in: 'header', name: 'x-key' } }
const flows = {
  clientCredentials: {
    tokenUrl: 'https://auth.example.com/token',
    scopes: { a: 'A', b: 'B', mine: 'Mine' }
  }
}
const components = { securitySchemes: { ...schemes, oauth: { type: 'oauth2', flows } } }

for (const version of ['3.0.3', '3.1.0', '3.2.0']) {
  t.test(`scopes in OpenAPI ${version}`, async (t) => {
    const found = await documented(t, { openapi: { openapi: version, info, components } })
    const isSaid = version !== '3.0.3'
    for (const method of ['get', 'head']) {
      const all = found[`${method} /all/{user_id}`]
      t.same(all?.security, [{ bearerAuth: isSaid ? ['a', 'b'] : [] }])
      t.same(all?.['x-required-scopes'], isSaid ? undefined : ['a', 'b'])
      t.match(all?.responses[403], {
        description: "The path is another user's, or the token lacks the required scopes",
        headers: { 'WWW-Authenticate': {} }
      })
      const any = found[`${method} /any`]
      t.same(any?.security, isSaid ? [{ bearerAuth: ['a'] }, { bearerAuth: ['b'] }] : [{ bearerAuth: [] }])
      t.same(any?.['x-required-scopes'], isSaid ? undefined : { anyOf: ['a', 'b'] })
      const orgs = found[`${method} /orgs/{org_id}`]
      t.same([orgs?.security, orgs?.['x-user-scope-bound']], [[{ bearerAuth: [] }], ['org_id']])
      t.equal(orgs?.responses[403]?.description, "A parameter of the path is not the user's")
      t.notOk(orgs?.responses[403]?.headers)
      t.match(found[`${method} /named/{org_id}`]?.security, sameLength([{ bearerAuth: isSaid ? ['a'] : [] }]))
      t.notOk(found[`${method} /unbound/{org_id}`]?.responses[403])
      const written = found[`${method} /written`]
      t.same(written?.security, [{ bearerAuth: isSaid ? ['a'] : [], key: [] }, { oauth: ['mine', 'a'] }])
      t.same(written?.['x-required-scopes'], isSaid ? undefined : ['a'])
      t.equal(written?.responses[403]?.description, 'Mine')
    }
    t.ok(Object.values(found).every((operation) => !('x-user-scope-scopes' in operation)))
  })
}

t.test('bound parameters of a route with several methods are no alias in YAML', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { info } })
  await app.register(userScope, { secret, bind: { org_id: 'org_id' } })
  app.route({ method: ['PUT', 'PATCH'], url: '/both/:org_id', handler: async () => 'in' })
  await app.ready()
  const yaml = app.swagger({ yaml: true })
  t.equal(yaml.match(/x-user-scope-bound:/g)?.length, 2)
  t.notMatch(yaml, /x-user-scope-bound: *[&*]/)
})

t.test('a scheme of the host that has the name is the one that counts', async (t) => {
  const { oauth } = components.securitySchemes
  const securitySchemes = { ...components.securitySchemes, bearerAuth: structuredClone(oauth) }
  const found = await documented(t, { openapi: { openapi: '3.0.3', info, components: { securitySchemes } } })
  const all = found['get /all/{user_id}']
  t.same([all?.security, all?.['x-required-scopes']], [[{ bearerAuth: ['a', 'b'] }], undefined])
})

t.test('scopes in Swagger 2', async (t) => {
  const oauth = {
    type: 'oauth2',
    flow: 'application',
    tokenUrl: 'https://auth.example.com/token',
    scopes: { a: 'A', mine: 'M' }
  }
  const found = await documented(t, { swagger: { info, securityDefinitions: { ...schemes, oauth } } })
  t.same(found['get /any']?.security, [{ bearerAuth: [] }])
  t.same(found['get /any']?.['x-required-scopes'], { anyOf: ['a', 'b'] })
  t.same(found['get /written']?.security, [{ bearerAuth: [], key: [] }, { oauth: ['mine', 'a'] }])
  t.equal(found['get /orgs/{org_id}']?.responses[403]?.description, "A parameter of the path is not the user's")
})

t.test('the token is required together with what the host requires', async (t) => {
  const openapi = {
    securitySchemes: {
      key: { type: 'apiKey', in: 'header', name: 'X-Key' },
      basic: { type: 'http', scheme: 'basic' },
      digest: { type: 'http', scheme: 'digest' },
      header: { type: 'apiKey', in: 'header', name: 'authorization' },
      cookie: { type: 'apiKey', in: 'cookie', name: 'authorization' },
      jwt: { type: 'http', scheme: 'Bearer' },
      oauth: { type: 'oauth2', flows: { implicit } },
      oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://login.example/.well-known/openid-configuration' }
    }
  } as const
  const swagger2 = {
    key: { type: 'apiKey', in: 'header', name: 'X-Key' },
    basic: { type: 'basic' },
    header: { type: 'apiKey', in: 'header', name: 'Authorization' },
    oauth: { type: 'oauth2', flow: 'implicit', authorizationUrl: 'https://login.example', scopes: { read: 'Read' } }
  } as const
  const own = (...names: string[]) => Object.fromEntries(names.map((name) => [name, name === 'oauth' ? ['read'] : []]))
  // What the host wrote on a guarded route, and what stands there then.
  const cases = [
    { written: [], found: bearerAuth },
    { written: [{}], found: bearerAuth },
    { written: [own('key')], found: [own('key', 'bearerAuth')] },
    { written: [own('basic')], found: [own('basic', 'bearerAuth')] },
    {
      written: [own('key', 'basic'), own('key', 'oauth')],
      found: [own('key', 'basic', 'bearerAuth'), own('key', 'oauth')]
    },
    { written: [own('header')], found: [own('header')] },
    { written: [own('oauth')], found: [own('oauth')] }
  ]
  const newer = [
    ...['jwt', 'oidc'].map((name) => ({ written: [own(name)], found: [own(name)] })),
    ...['cookie', 'digest'].map((name) => ({ written: [own(name)], found: [own(name, 'bearerAuth')] }))
  ]
  const variants = {
    'OpenAPI 3': { options: { openapi: { info, components: openapi } }, cases: [...cases, ...newer] },
    'Swagger 2': { options: { swagger: { info, securityDefinitions: swagger2 } }, cases }
  }
  for (const [name, { options, cases }] of Object.entries(variants)) {
    await t.test(name, async (t) => {
      const document = await read(t, await build(t, options, (app) => {
        cases.forEach(({ written }, i) => app.get(`/${i}`, { schema: { security: written } }, handler))
        app.get('/optional', { schema: { security: [own('key')] }, config: { access: 'optional' } }, handler)
        app.get('/public', { schema: { security: [own('key')] }, config: { access: 'public' } }, handler)
      }))
      const schemes = document.components?.securitySchemes ?? document['securityDefinitions']
      t.match(schemes, name === 'Swagger 2' ? swagger2 : openapi.securitySchemes, 'schemes of the host stay')
      t.same(securityOf(document), {
        ...Object.fromEntries(cases.map(({ found }, i) => [`GET /${i}`, found])),
        'GET /optional': [own('key')],
        'GET /public': [own('key')]
      })
    })
  }
})

t.test('a token that the host requires or not is required once', async (t) => {
  const components = { securitySchemes: { bearerAuth: { type: 'http', scheme: 'bearer' } } } as const
  const options = { openapi: { info, components, security: [...bearerAuth, {}] } }
  const document = await read(t, await build(t, options, (app) => { app.get('/me', handler) }))
  t.same(securityOf(document), { 'GET /me': bearerAuth })
})

t.test('a default security of the host is joined on guarded routes and dropped on public ones', async (t) => {
  const key = { type: 'apiKey', in: 'header', name: 'X-Key' } as const
  const security = [{ key: [] }]
  const variants = {
    'OpenAPI 3': { openapi: { info, security, components: { securitySchemes: { key } } } },
    'Swagger 2': { swagger: { info, security, securityDefinitions: { key } } }
  }
  for (const [name, options] of Object.entries(variants)) {
    await t.test(name, async (t) => {
      const app = Fastify()
      t.teardown(async () => { await app.close() })
      await app.register(swagger, options)
      app.get('/outside', handler)
      app.register(async (app) => {
        await app.register(userScope, { secret })
        app.get('/api/:user_id', handler)
        app.get('/alone', { schema: { security: [] } }, handler)
        app.get('/optional', { config: { access: 'optional' } }, handler)
        app.get('/public', { config: { access: 'public' } }, handler)
        app.get('/none', { schema: { security: [] }, config: { access: 'public' } }, handler)
        app.get('/stated', { schema: { security }, config: { access: 'public' } }, handler)
      })
      await app.ready()
      const document = await read(t, app)
      t.same(document['security'], security)
      t.same(securityOf(document), {
        'GET /outside': undefined,
        'GET /api/{user_id}': [{ bearerAuth: [], key: [] }],
        'GET /alone': bearerAuth,
        'GET /optional': [{}, { bearerAuth: [], key: [] }],
        'GET /public': [],
        'GET /none': [],
        'GET /stated': security
      })
    })
  }
})

t.test('a scheme that the host requires but does not declare gets no scopes', async (t) => {
  const operation = { 'x-user-scope': 'user', 'x-user-scope-scopes': ['a'], security: [{ nobody: [] }] }
  const settings = { schemeName: 'bearerAuth', description: '', decorators: undefined, readOnlyActors: false }
  const { document } = annotate({ openapi: '3.1.0', paths: { '/x': { get: operation } } }, settings, new Map())
  const { get } = document.paths['/x'] as { get: Operation }
  t.same(get.security, [{ bearerAuth: ['a'], nobody: [] }])
  t.same(Object.keys(get), ['x-user-scope', 'security', 'responses'])
})
