import { Readable } from 'node:stream'
import t from 'tap'
import { contentTypeOf, wireBody } from '../../lib/testing/request-body.js'

const ask = (body: unknown, headers?: Record<string, string>) => wireBody({ method: 'POST', url: '/', body, ...headers && { headers } })
const contentType = 'application/json'

t.test('JSON, whatever it is', async (t) => {
  for (const [body, payload] of [['x', '"x"'], ['', '""'], [0, '0'], [false, 'false'], [null, 'null'], [{ a: [1] }, '{"a":[1]}']]) t.same(ask(body), { payload, contentType })
  t.same(ask(undefined), {})
  t.same(ask({ resume: 1 }), { payload: '{"resume":1}', contentType })
})

t.test('with a type of its own a text is not written in another way', async (t) => {
  for (const name of ['content-type', 'Content-Type']) {
    t.same(ask('a=1', { [name]: 'text/plain' }), { payload: 'a=1' })
    t.same(ask({ a: 1 }, { [name]: 'application/vnd.api+json' }), { payload: '{"a":1}' })
    t.equal(contentTypeOf({ accept: '*/*', [name]: 'text/plain' }), 'text/plain')
  }
  t.equal(contentTypeOf({}), undefined)
})

t.test('bytes, forms and streams as they are', async (t) => {
  for (const body of [Buffer.from('x'), new FormData(), Readable.from(['x'])]) t.equal(ask(body).payload, body)
})
