import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import userScope from '../../lib/index.js'
import { requireScopes } from '../../lib/openapi/required-scopes.js'
import { secret } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

t.test('scopes are added to the requirements of an operation', async (t) => {
  const takes = (scheme: string) => scheme.startsWith('oauth')
  const rows: Array<[security: Array<Record<string, string[]>>, scopes: string[] | { anyOf: string[] },
    all: object]> = [
      [[{ oauth: [] }], ['a', 'b'], { security: [{ oauth: ['a', 'b'] }] }],
      [[{ oauth: ['a', 'c'] }], ['a', 'b'], { security: [{ oauth: ['a', 'c', 'b'] }] }],
      [[{ oauth: [], key: [] }], ['a'], { security: [{ oauth: ['a'], key: [] }] }],
      [[{ oauth: [] }, { oauth2: [] }], ['a'], { security: [{ oauth: ['a'] }, { oauth2: ['a'] }] }],
      [[{ oauth: [] }], { anyOf: ['a', 'b'] }, { security: [{ oauth: ['a'] }, { oauth: ['b'] }] }],
      [[{ key: [] }], ['a'], { security: [{ key: [] }], 'x-required-scopes': ['a'] }],
      [[{ key: [] }, { oauth: [] }], { anyOf: ['a', 'b'] },
        { security: [{ key: [] }, { oauth: ['a'] }, { oauth: ['b'] }], 'x-required-scopes': { anyOf: ['a', 'b'] } }]
    ]
  for (const [security, scopes, all] of rows) {
    const before = structuredClone(security)
    t.same(requireScopes(security, scopes, takes), all, JSON.stringify([security, scopes]))
    t.same(security, before, 'what the host wrote is left alone')
  }
  const security = [{ oauth: [] }]
  t.equal(requireScopes(security, null, takes).security, security)
})

interface Operation {
  security: object,
  responses: Record<string, { description: string, headers?: object }>,
  [mark: `x-${string}`]: unknown
}

/** The operations of a host with rules, in a document that must be valid, and the same in YAML. */
async function operations (t: Test, options: object): Promise<Record<string, Operation>> {
  const app = Fastify({ exposeHeadRoutes: true })
  t.teardown(() => app.close())
  await app.register(swagger, { exposeHeadRoutes: true, ...options })
  await app.register(userScope, { secret, bind: { org_id: 'org_id' } })
  const handler = async () => 'in'
  app.get('/all/:user_id', { config: { access: { scopes: ['a', 'b'], delegates: { scopes: ['staff'] } } } }, handler)
  app.get('/any', { config: { access: { scopes: { anyOf: ['a', 'b'] } } } }, handler)
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
  // What the host wrote for both GET and HEAD is one object.
  t.notMatch(yaml.replaceAll(/key: [&*]a1/g, ''), /[&*]a\d/)
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
const info = { title: 'Tasks', version: '1.0.0' }
const components = { securitySchemes: { ...schemes, oauth: { type: 'oauth2', flows } } }

for (const version of ['3.0.3', '3.1.0', '3.2.0']) {
  t.test(`scopes in OpenAPI ${version}`, async (t) => {
    const found = await operations(t, { openapi: { openapi: version, info, components } })
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

t.test('scopes in Swagger 2', async (t) => {
  const oauth = {
    type: 'oauth2',
    flow: 'application',
    tokenUrl: 'https://auth.example.com/token',
    scopes: { a: 'A', mine: 'M' }
  }
  const found = await operations(t, { swagger: { info, securityDefinitions: { ...schemes, oauth } } })
  t.same(found['get /any']?.security, [{ bearerAuth: [] }])
  t.same(found['get /any']?.['x-required-scopes'], { anyOf: ['a', 'b'] })
  t.same(found['get /written']?.security, [{ bearerAuth: [], key: [] }, { oauth: ['mine', 'a'] }])
  t.equal(found['get /orgs/{org_id}']?.responses[403]?.description, "A parameter of the path is not the user's")
})
