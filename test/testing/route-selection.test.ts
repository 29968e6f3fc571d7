import t from 'tap'
import { Selection } from '../../lib/testing/route-selection.js'

t.test('routes by name, HEAD with GET, and by expressions', async (t) => {
  const selection = new Selection(['GET /a', 'HEAD /h', /^\w+ \/docs/g, 'GET /gone'])
  const has = (method: string, url: string) => selection.has({ method, url })
  t.ok(has('GET', '/a'))
  t.ok(has('HEAD', '/a'))
  t.notOk(has('POST', '/a'))
  t.ok(has('HEAD', '/h'))
  t.notOk(has('GET', '/h'))
  t.ok(has('GET', '/docs/json'))
  t.ok(has('GET', '/docs/json'), 'a global expression does not go on where it was')
  t.same(selection.unused(), ['GET /gone'])
})

t.test('no list of names is told how to be one', async (t) => {
  const wrong: unknown[] = ['GET /a', /a/, null, {}, [undefined], ['GET /a', 1]]
  for (const names of wrong) t.throws(() => new Selection(names as string[]), new TypeError("option \"allow\" must be a list of routes: allow: ['GET /users/:user_id', /^GET \\/docs/]"))
})
