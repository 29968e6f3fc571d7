import Fastify from 'fastify'
import t from 'tap'
import { couldServe, fillUrl, paramsIn, parseUrl, type RouterSettings } from '../../lib/testing/url.js'

const strict: RouterSettings = { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false }

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
  ['*', ['*'], '1']
]

for (const [url, params, path] of urls) {
  t.test(url, async (t) => {
    t.same(paramsIn(url), params)
    t.equal(fillUrl(url, () => '1'), path)
    t.ok(couldServe(url, path, strict))
    t.notOk(couldServe(url, `${path}/more/x`, strict) && !url.includes('*'))
  })
}

t.test('the router reads them so, too', async (t) => {
  for (const [url, params, path] of urls) {
    const app = Fastify()
    app.get(url, async (request) => Object.keys(request.params as object))
    t.same((await app.inject(path.startsWith('/') ? path : `/${path}`)).json(), params, url)
    await app.close()
  }
})

t.test('the text can be written another way, and the pattern of a parameter is told', async (t) => {
  t.equal(fillUrl('/a/:x/b', (name) => name, (text) => text.toUpperCase()), '/A/x/B')
  t.same(parseUrl('/:x(^\\d+$)'), [{ text: '/' }, { name: 'x', pattern: '^\\d+$' }])
  t.notOk(couldServe('/a.b/:x', '/aXb/1', strict))
  t.ok(couldServe('/:x/ä b%', '/%2F/%C3%A4%20b%25', strict), 'a path is encoded')
  t.notOk(couldServe('/:x/b', '/%2Fb', strict))
})

t.test('what the router takes for the same path', async (t) => {
  const cases: Array<[setting: Partial<RouterSettings>, url: string, path: string]> = [
    [{ caseSensitive: false }, '/API/:x', '/api/B'],
    [{ ignoreTrailingSlash: true }, '/api/:x/', '/api/b'],
    [{ ignoreTrailingSlash: true }, '/', '/'],
    [{ ignoreDuplicateSlashes: true }, '/api//:x', '/api/b'],
    [{ ignoreTrailingSlash: true, ignoreDuplicateSlashes: true }, '/api/:x//', '/api/b']
  ]
  for (const [setting, url, path] of cases) {
    t.ok(couldServe(url, path, { ...strict, ...setting }), url)
    t.equal(couldServe(url, path, strict), url === path, url)
  }
  t.notOk(couldServe('/api/:x/', '/apis/b', { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true }))
})
