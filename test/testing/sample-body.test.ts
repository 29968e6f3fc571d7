import t from 'tap'
import { sampleBody } from '../../lib/testing/sample-body.js'
import { NoSampleError } from '../../lib/testing/sample-value.js'

const sample = (body: unknown, method = 'POST', headers = {}) => sampleBody({ method, schema: body === undefined ? undefined : { body } }, undefined, headers)
const schema = { type: 'object', required: ['a'], properties: { a: { const: 1 } } }
const text = { type: 'string', minLength: 3 }

t.test('of a schema, and of those for a content type', async (t) => {
  t.same(sample(schema), { body: { a: 1 } })
  t.same(sample(undefined), {})
  t.same(sample(undefined, 'QUERY'), { body: {} })
  t.same(sample({ content: { 'text/plain': { schema: text }, 'application/json': { schema } } }), { body: { a: 1 } })
  t.same(sample({ content: { '*/*': { schema }, 'application/json': { schema: text } } }), { body: 'xxx' }, 'JSON itself comes first')
  t.same(sample({ content: { '*/*': { schema } } }), { body: { a: 1 } })
  t.same(sample({ content: { 'Application/JSON; charset=utf-8': { schema } } }), { body: { a: 1 } })
  t.same(sample({ content: { 'application/merge-patch+json': { schema } } }), { body: { a: 1 }, contentType: 'application/merge-patch+json' })
})

t.test('none is made up for another type', async (t) => {
  t.throws(() => sample({ content: { 'multipart/form-data': { schema }, 'text/json-lines': {} } }), new NoSampleError('body: none is made up for multipart/form-data, text/json-lines'))
})

t.test('a text is written as JSON where the headers say already that it is', async (t) => {
  t.same(sample(text, 'POST', { 'Content-Type': 'application/json; charset=utf-8' }), { body: '"xxx"' })
  t.same(sample({ content: { 'application/a+json': { schema: text } } }), { body: '"xxx"', contentType: 'application/a+json' })
  t.same(sample({ content: { 'application/a+json': { schema: text } } }, 'POST', { 'content-type': 'application/json' }), { body: '"xxx"' })
  t.same(sample(text, 'POST', { 'content-type': 'text/plain' }), { body: 'xxx' })
  t.same(sample(schema, 'POST', { 'content-type': 'application/json' }), { body: { a: 1 } })
})
