import t from 'tap'
import type { AppRoute } from '../../lib/testing/app-routes.js'
import { placeOf, waysInto } from '../../lib/testing/places.js'

const strict = { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false }
const place = (url: string, path: string) => placeOf({ url, parameter: 'user_id' } as AppRoute, path)
const ways = (url: string, owner: string, path: string, router = strict) => waysInto(url, router)(place(owner, path)).map((way) => 'path' in way ? way.path : [way.param, Object.fromEntries(way.values)])

t.test('how deep the owner stands', async (t) => {
  t.same(place('/a/:user_id/b', '/a/bob/b'), { url: '/a/:user_id/b', path: '/a/bob/b', start: ['', 'a', 'bob'] })
  t.same(place('/:x(^a/b$)/:user_id', '/1/b%C3%B6b').start, ['', '1', 'böb'])
  t.same(place('/:user_id', '/bob').start, ['', 'bob'])
})

t.test('by a parameter in its place', async (t) => {
  t.same(ways('/a/:id/c/d', '/a/:user_id/b', '/a/bob/b'), [['id', { id: 'bob' }]])
  t.same(ways('/:x/:id', '/a/:user_id/b', '/a/bob/b'), [['id', { x: 'a', id: 'bob' }]])
  t.same(ways('/a/:id-:n', '/a/:user_id', '/a/b-c-d'), [['id', { id: 'b', n: 'c-d' }]])
  t.same(ways('/a/:id', '/a/:user_id', '/a/auth0%7C1%2F%C3%B6'), [['id', { id: 'auth0|1/ö' }]])
  t.same(ways('/é/:id', '/é/:user_id', '/%C3%A9/bob'), [['id', { id: 'bob' }]])
  t.same(ways('/A//:id/', '/a/:user_id', '/a/bob', { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true }), [['id', { id: 'bob' }]])
  for (const url of ['/a', '/a/b', '/b/:id', '/a/x/:id', '/A/:id', '/a/:n(^\\d+$)', '/a/x-:id']) t.same(ways(url, '/a/:user_id', '/a/bob'), [], url)
})

t.test('by a wildcard', async (t) => {
  t.same(ways('/a/*', '/a/:user_id/b', '/a/bob/b'), ['/a/bob/b', '/a/bob/x'])
  t.same(ways('/*', '/a/:user_id/b', '/a/bob/b'), ['/a/bob/b'])
  t.same(ways('*', '/:user_id', '/bob'), ['/bob'])
  t.same(ways('/a/:id/*', '/a/:user_id/b', '/a/bob/b'), [['id', { id: 'bob' }]])
  t.same(ways('/a/bob/*', '/a/:user_id/b', '/a/bob/b'), ['/a/bob/b', '/a/bob/x'])
  t.same(ways('/é/*', '/é/:user_id', '/%C3%A9/bob'), ['/%C3%A9/bob', '/%C3%A9/bob/x'])
  t.same(ways('/b/*', '/a/:user_id/b', '/a/bob/b'), [])
})
