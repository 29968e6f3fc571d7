import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import t from 'tap'
import { sampleValue } from '../../lib/testing/sample-value.js'
import { createResolve } from '../../lib/testing/schema-refs.js'

const app = Fastify()
t.teardown(() => app.close())
app.addSchema({
  $id: 'task',
  $defs: { title: { type: 'string', minLength: 2 } },
  definitions: { 'a/b~%': { const: 9 }, list: { type: 'array', minItems: 1, items: { $ref: '#/$defs/title' } } },
  type: 'object',
  required: ['title', 'list'],
  properties: { title: { $ref: '#/$defs/title' }, list: { $ref: '#/definitions/list' } }
})

const sample = (schema: unknown) => sampleValue(schema, createResolve(schema, app), 'body')
const text = { type: 'string', minLength: 4 }

const schemas: Array<[schema: object, value: unknown]> = [
  [{ type: 'object', required: ['a'], properties: { a: { $ref: '#/$defs/x' } }, $defs: { x: text } }, { a: 'xxxx' }],
  [{ $ref: '#/definitions/x', definitions: { x: { $ref: '#/definitions/y' }, y: text } }, 'xxxx'],
  [{ $ref: 'task#' }, { title: 'xx', list: ['xx'] }],
  [{ $ref: 'task' }, { title: 'xx', list: ['xx'] }],
  [{ $ref: 'task#/definitions/list' }, ['xx']],
  [{ $ref: 'task#/definitions/a~1b~0%25' }, 9],
  // Each in its own schema, though both say the same.
  [{ allOf: [{ $ref: 'task#' }], required: ['more'], properties: { more: { $ref: '#/$defs/title' } }, $defs: { title: text } }, { title: 'xx', list: ['xx'], more: 'xxxx' }],
  [Type.Module({ Name: Type.String({ minLength: 5 }), User: Type.Object({ name: Type.Ref('Name') }) }).Import('User'), { name: 'xxxxx' }]
]

for (const [schema, value] of schemas) {
  t.test(JSON.stringify(schema), async (t) => {
    t.same(sample(schema), value)
    const host = Fastify()
    t.teardown(() => host.close())
    for (const shared of Object.values(app.getSchemas())) host.addSchema(shared)
    host.post('/', { schema: { body: schema } }, async () => 'taken')
    t.equal((await host.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload: JSON.stringify(value) })).body, 'taken', 'and the server takes it')
  })
}

t.test('what names nothing', async (t) => {
  for (const $ref of ['#/$defs/x', '#anchor', 'unknown', 'unknown#/a', 'task#/definitions/none/deeper']) t.throws(() => sample({ $ref }), { message: `body: no value is made up for the reference ${$ref}` })
  t.throws(() => sampleValue({ $ref: 'task#' }, createResolve(undefined, undefined), 'body'), { message: /the reference task#$/ })
})

t.test('what goes in circles', async (t) => {
  app.addSchema({ $id: 'node', type: 'object', required: ['node'], properties: { node: { $ref: '#' } } })
  const circles: Array<[schema: object, path: string]> = [
    [{ $ref: 'node#' }, 'body/node/node'],
    [{ type: 'object', required: ['a'], properties: { a: { $ref: '#' } } }, 'body/a'],
    [{ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, 'body']
  ]
  for (const [schema, path] of circles) t.throws(() => sample(schema), { message: `${path}: no value is made up for a schema that requires itself` })
})
