import Fastify from 'fastify'
import t from 'tap'
import type { AppRoute } from '../../lib/testing/app-routes.js'
import {
  fillUrl, hasBody, partsFor, pathFor, requestTo, valueFor,
  type RequestParams
} from '../../lib/testing/route-requests.js'

const route = (given: Partial<AppRoute> = {}) =>
  ({ method: 'GET', url: '/:user_id', parameter: { name: 'user_id' }, constraints: {}, ...given }) as AppRoute

const urls: Array<[url: string, params: string[], path: string]> = [
  ['/', [], '/'],
  ['/a/b', [], '/a/b'],
  ['/a/:user_id', ['user_id'], '/a/1'],
  ['/a/:user_id/b', ['user_id'], '/a/1/b'],
  ['/a/:user_id?', ['user_id'], '/a/1'],
  ['/a/:x(^\\d+$)/b', ['x'], '/a/1/b'],
  ['/a/:x(^[1\\)]$)/c', ['x'], '/a/1/c'],
  ['/a/:x-:y.json', ['x', 'y'], '/a/1-1.json'],
  ['/a/:x(\\d+)h:y(\\d+)m', ['x', 'y'], '/a/1h1m'],
  ['/a::b/:x', ['x'], '/a:b/1'],
  ['/a/*', ['*'], '/a/1'],
  ['/größe/:x/100%', ['x'], '/größe/1/100%25']
]

for (const [url, params, path] of urls) {
  t.test(`the path of ${url}, as the router reads it`, async (t) => {
    const names: string[] = []
    t.equal(fillUrl(url, (name) => { names.push(name); return '1' }), path)
    t.same(names, params)
    const app = Fastify()
    t.teardown(() => app.close())
    app.get(url, async (request) => Object.keys(request.params as object))
    t.same((await app.inject(path)).json(), params)
  })
}

t.test('a parameter\'s regular expression is passed on', async (t) => {
  const patterns: string[] = []
  fillUrl('/:a(^(x|\\))$)/:b/*', (_name, pattern) => { patterns.push(pattern); return '' })
  t.same(patterns, ['^(x|\\))$', '', ''])
  t.same(['', '^\\d+$', '^[a-z]$', '^\\d{4}-', '^[\\da-f-]{36}$', '^never$'].map((pattern) => valueFor(pattern)),
    ['1', '1', 'a', '2026-01-01', '00000000-0000-4000-8000-000000000000', '1'])
  t.same([valueFor('', 'a/b'), valueFor('^\\d$', 'x', '7')], ['a%2Fb', '7'])
})

t.test('a path has given values, and made-up ones for the rest', async (t) => {
  const path = { n: 'a/b', '*': 'c/d e' }
  t.equal(pathFor(route({ url: '/:user_id/:n/:m/*' }), 'al%69ce', { path }), '/al%69ce/a%2Fb/1/c/d%20e')
  t.equal(pathFor(route(), 'alice', {}, '/:user_id/'), '/alice/')
  t.equal(pathFor(route({ url: '/:user_id/:n/x' }), 'alice', { path: { user_id: 'bob', n: '' } }), '/alice//x')
})

t.test('parts are given for the route, its GET route, or all', async (t) => {
  const params: RequestParams = {
    '*': { headers: { a: 'all', b: 'all' }, query: { p: 'all', q: 'all' }, path: { n: 'all', m: 'all' }, body: 'all' },
    'GET /:user_id': { headers: { b: 'own' }, query: { q: 'own' }, path: { m: 'own' } },
    'POST /:user_id': { body: null }
  }
  const path = { n: 'all', m: 'own' }
  const own = { headers: { a: 'all', b: 'own' }, query: { p: 'all', q: 'own' }, path, body: 'all' }
  t.same(partsFor(route(), params), own)
  t.same(partsFor(route({ method: 'HEAD' }), params), own)
  t.equal(partsFor(route({ method: 'POST' }), params).body, null)
  const ofHead = { ...params, 'HEAD /:user_id': { headers: { b: 'head' } } }
  t.same(partsFor(route({ method: 'HEAD' }), ofHead).headers, { a: 'all', b: 'head' }, 'or its own')
  t.same(partsFor(route(), params, { n: 'made', m: 'made', o: 'made' }).path, { ...path, o: 'made' })
  t.same(partsFor(route({ method: 'PUT' }), {}), { headers: {}, query: {}, path: {} })
  const constraints = { host: 'a', version: '1.0.0', secret: 'b' }
  t.same(partsFor(route({ constraints }), {}).headers, { host: 'a', 'accept-version': '1.0.0' })
  t.same(partsFor(route({ constraints: { host: /a/ } }), { '*': { headers: { host: 'a' } } }).headers, { host: 'a' })
  t.same(partsFor(route({ constraints: { host: /a/ } }), {}).headers, {})
  t.same(partsFor(route({ constraints }), { '*': { headers: { host: 'b' } } }).headers.host, 'b')
})

t.test('a request has its token, parts and payload', async (t) => {
  t.same(requestTo('GET', '/a', {}), { method: 'GET', url: '/a', headers: {}, query: {} })
  t.same(requestTo('POST', '/a', { query: { q: ['1', 'a b'], r: '&' }, headers: { h: '1' }, body: { a: 1 } }, 't'),
    {
      method: 'POST',
      url: '/a',
      query: { q: ['1', 'a b'], r: '&' },
      headers: { h: '1', authorization: 'Bearer t' },
      payload: { a: 1 }
    })
  for (const method of ['GET', 'HEAD', 'TRACE']) t.notOk('payload' in requestTo(method, '/', { body: {} }), method)
  t.same(requestTo('QUERY', '/', {}).payload, {})
  t.same(requestTo('QUERY', '/', { body: { a: 1 } }).payload, { a: 1 })
  t.same(requestTo('GET', '/', { headers: { authorization: 'Basic x' } }, 't').headers, { authorization: 'Bearer t' })
  t.same(['HEAD', 'DELETE', 'OPTIONS'].map(hasBody), [false, true, true])
})
