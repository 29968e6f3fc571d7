import Fastify from 'fastify'
import t from 'tap'
import type { AppRoute } from '../../lib/testing/app-routes.js'
import { requestsFor, type RequestParams } from '../../lib/testing/route-requests.js'
import { couldServe } from '../../lib/testing/url.js'

const app = Fastify()
app.addSchema({ $id: 'ids', type: 'object', properties: { n: { type: 'integer', minimum: 5 } }, definitions: { n: { const: 9 } } })
t.teardown(() => app.close())

const route = (given: Partial<AppRoute>): AppRoute => ({
  method: 'GET', url: '/:user_id', access: 'owner', source: 'default', parameter: 'user_id', lookAlike: null, constraints: {}, schema: undefined, scope: { context: app } as unknown as AppRoute['scope'], ...given
})
const ask = (given: Partial<AppRoute>, params: RequestParams = {}) => {
  const { complete, bare, missing } = requestsFor(route(given), params)
  return { complete: complete('alice'), bare: bare('alice'), missing }
}

t.test('nothing but the owner where no more is asked for', async (t) => {
  t.same(ask({}), { complete: { method: 'GET', url: '/alice', headers: {} }, bare: { method: 'GET', url: '/alice', headers: {} }, missing: [] })
})

t.test('from the schemas, and the bare one without query and body', async (t) => {
  const schema = {
    params: { $ref: 'ids#' },
    querystring: { type: 'object', required: ['q', 'all'], properties: { all: { type: 'array', minItems: 2, items: { enum: ['a b'] } } } },
    headers: { type: 'object', required: ['x-n', 'authorization'], properties: { 'x-n': { type: 'integer' } } },
    body: { $ref: 'ids#/definitions/n' }
  }
  t.same(ask({ method: 'POST', url: '/:user_id/:n/:other', schema }), {
    complete: { method: 'POST', url: '/alice/5/1?q=x&all=a+b&all=a+b', headers: { 'x-n': '1' }, body: 9 },
    bare: { method: 'POST', url: '/alice/5/1', headers: { 'x-n': '1' } },
    missing: []
  })
})

t.test('as given, for the route, its HEAD route, or all', async (t) => {
  const params = { '*': { path: { n: 'all', m: 'a/b' } }, 'GET /:user_id/:n/:m/*': { path: { n: 'one', '*': 'c/d' }, query: { q: ['1', '2'] }, headers: { h: '1' } } }
  for (const method of ['GET', 'HEAD']) {
    t.same(ask({ method, url: '/:user_id/:n/:m/*' }, params).complete, { method, url: '/alice/one/a%2Fb/c/d?q=1&q=2', headers: { h: '1' } })
  }
  t.equal(ask({ url: '/:n' }, params).complete.url, '/all')
  t.same(ask({ method: 'POST' }, {
    '*': { headers: { a: 'all', b: 'all' }, query: { p: 'all', q: 'all' }, body: 'all' },
    'POST /:user_id': { headers: { b: 'own' }, query: { q: 'own' } }
  }).complete, { method: 'POST', url: '/alice?p=all&q=own', headers: { a: 'all', b: 'own' }, body: 'all' }, 'one does not take away the other')
  t.equal(ask({ method: 'POST' }, { 'POST /:user_id': { body: null } }).complete.body, null)
  t.same(ask({ method: 'QUERY' }).complete.body, {})
})

t.test('what has no body gets none, whoever gives it', async (t) => {
  for (const method of ['GET', 'HEAD', 'TRACE']) {
    const params = { '*': { body: { a: 1 } }, [`${method} /:user_id`]: { body: { b: 1 } } }
    t.notOk('body' in ask({ method }, params).complete, method)
  }
  t.same(ask({ method: 'DELETE' }, { '*': { body: { a: 1 } } }).complete.body, { a: 1 })
})

t.test('a body that is no JSON is not made up, and one of a kind of JSON goes by its type', async (t) => {
  const body = (type: string) => ({ body: { content: { [type]: { schema: { type: 'object' } } } } })
  const { complete, missing } = ask({ method: 'POST', schema: body('multipart/form-data') })
  t.notOk('body' in complete)
  t.same(missing, ['body: none is made up for multipart/form-data'])
  t.same(ask({ method: 'POST', schema: body('multipart/form-data') }, { '*': { body: 'given' } }), ask({ method: 'POST' }, { '*': { body: 'given' } }))
  t.same(ask({ method: 'POST', schema: body('application/a+json') }).complete, { method: 'POST', url: '/alice', headers: { 'content-type': 'application/a+json' }, body: {} })
  t.same(ask({ method: 'POST', schema: body('application/a+json') }).bare.headers, {})
})

t.test('each part finds its own definitions', async (t) => {
  const part = (n: number) => ({ type: 'object', required: ['n'], properties: { n: { $ref: '#/$defs/n' } }, $defs: { n: { const: n } } })
  const schema = { params: part(1), querystring: part(2), headers: part(3), body: part(4) }
  t.same(ask({ method: 'POST', url: '/:user_id/:n', schema }).complete, { method: 'POST', url: '/alice/1?n=2', headers: { n: '3' }, body: { n: 4 } })
})

t.test('the text of a URL is encoded, and the router serves it', async (t) => {
  const urls = ['/a b/:user_id', '/[a]{b}/:user_id', '/größe/:user_id', '/日本/:user_id/"x"', '/a%2Fb%25%/:user_id', '/a::b,c;d@e/:user_id', '/a|b^`/:user_id']
  const app = Fastify()
  t.teardown(() => app.close())
  for (const url of urls) app.get(url, async ({ routeOptions }) => routeOptions.url)
  for (const url of urls) {
    const { complete, bare } = ask({ url })
    t.match(complete.url, /^[\w!#$%&'()*+,./:;=?@~-]+$/)
    t.equal(bare.url, complete.url)
    t.equal((await app.inject(complete.url)).body, url)
    t.ok(couldServe(url, complete.url, { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false }), url)
  }
})

t.test('for constraints of Fastify, and for no others', async (t) => {
  t.same(ask({ constraints: { host: 'a', version: '1.0.0' } }).complete.headers, { host: 'a', 'accept-version': '1.0.0' })
  t.same(ask({ constraints: { host: /a/, secret: 'b' } }).complete.headers, {})
})

t.test('what cannot be made up is told', async (t) => {
  const odd = { type: 'string', format: 'odd' }
  const object = { type: 'object', required: ['a'], properties: { a: odd } }
  t.same(ask({ method: 'POST', url: '/:user_id/:a/:b(^(?=b)a$)', schema: { params: object, querystring: object, headers: object, body: { content: { 'text/plain': {}, 'application/json': { schema: object } } } } }).missing, [
    'headers/a: no value is made up for the format "odd"',
    'querystring/a: no value is made up for the format "odd"',
    'body/a: no value is made up for the format "odd"',
    'params/a: no value is made up for the format "odd"',
    'params/b: no value is made up for the pattern ^(?=b)a$'
  ])
  t.same(ask({ method: 'POST', schema: { body: { $ref: 'unknown#' } } }).missing, ['body: no value is made up for the reference unknown#'])
  t.same(ask({ method: 'POST', scope: null, schema: { body: { $ref: '#/a' } } }).missing, ['body: no value is made up for the reference #/a'])
})
