import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import t from 'tap'
import { NoSampleError, sampleValue } from '../../lib/testing/sample-value.js'

const child = { $ref: 'node#' }
const tree = { type: 'object', required: ['children'], properties: { children: { anyOf: [{ $ref: 'tree#' }, { type: 'null' }] } } }
const shared: Record<string, unknown> = {
  'node#': { type: 'object', required: ['child'], properties: { child } },
  'tree#': tree,
  'self#': { $ref: 'self#' },
  'task#': { type: 'object', required: ['title'], properties: { title: { type: 'string', minLength: 3 } } }
}
const sample = (schema: unknown) => sampleValue(schema, (ref) => shared[ref], 'body')

const schemas: Array<[schema: unknown, value: unknown]> = [
  [{ const: null }, null],
  [{ enum: ['b', 'c'] }, 'b'],
  [{ type: 'integer', default: 7 }, 7],
  [{ type: 'string', examples: ['e'] }, 'e'],
  [{ type: 'string' }, 'x'],
  [{ type: 'string', minLength: 3 }, 'xxx'],
  [{ type: 'string', pattern: '^[A-Z]{2}$' }, 'AA'],
  [{ type: 'string', format: 'email' }, 'a@example.com'],
  [{ type: 'integer' }, 1],
  [{ type: 'integer', minimum: 5 }, 5],
  [{ type: 'integer', exclusiveMinimum: 5 }, 6],
  [{ type: 'number', exclusiveMinimum: 5 }, 6],
  [{ type: 'number', exclusiveMinimum: 5, multipleOf: 0.5 }, 5.5],
  [{ type: 'integer', minimum: 5, multipleOf: 4 }, 8],
  [{ type: 'number', maximum: 0 }, 0],
  [{ type: 'number', exclusiveMinimum: 0, maximum: 0.5 }, 0.5],
  [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 }, 0.25],
  [{ type: 'number', exclusiveMaximum: -3 }, -4],
  [{ type: 'integer', exclusiveMaximum: 0 }, -1],
  [{ type: 'integer', minimum: 7, exclusiveMinimum: 2 }, 7],
  [{ type: 'integer', maximum: 5, multipleOf: 10 }, 0],
  [{ type: 'number', minimum: 0.1, multipleOf: 0.01 }, 0.1],
  [{ type: 'boolean' }, true],
  [{ type: 'null' }, null],
  [{ type: ['integer', 'null'] }, 1],
  [{ type: 'array', items: { type: 'integer' } }, []],
  [{ type: 'array', items: { type: 'integer' }, minItems: 2 }, [1, 1]],
  [{ type: 'array', minItems: 1 }, ['x']],
  [{ type: 'object' }, {}],
  [{ properties: { a: { type: 'string' }, b: {} }, required: ['a'] }, { a: 'x' }],
  [{ type: 'object', required: ['unknown'] }, { unknown: 'x' }],
  [{ $ref: 'task#' }, { title: 'xxx' }],
  [{ allOf: [{ $ref: 'task#' }, { required: ['n'], properties: { n: { type: 'integer' } } }] }, { title: 'xxx', n: 1 }],
  [{ anyOf: [{ type: 'string', format: 'odd' }, { type: 'integer' }] }, 1],
  [{ type: 'object', required: ['a'], properties: { a: { const: 1 } }, oneOf: [{ required: ['b'], properties: { b: { const: 2 } } }] }, { a: 1, b: 2 }],
  [tree, { children: null }],
  [{ type: 'object', required: ['a', 'b'], properties: { a: { $ref: 'task#' }, b: { allOf: [{ $ref: 'task#' }, { $ref: 'task#' }] } } }, { a: { title: 'xxx' }, b: { title: 'xxx' } }],
  [true, 'x'],
  [Type.Object({ id: Type.String({ format: 'uuid' }), tags: Type.Array(Type.Literal('a'), { minItems: 1 }), note: Type.Optional(Type.String()) }), { id: '00000000-0000-4000-8000-000000000000', tags: ['a'] }]
]

for (const [schema, value] of schemas) {
  t.test(JSON.stringify(schema), async (t) => { t.same(sample(schema), value) })
}

const impossible: Array<[schema: unknown, message: string]> = [
  [{ type: 'string', format: 'odd' }, 'body: no value is made up for the format "odd"'],
  [{ type: 'string', pattern: '^(?=b)a$' }, 'body: no value is made up for the pattern ^(?=b)a$'],
  [{ type: 'object', required: ['a'], properties: { a: { type: 'date' } } }, 'body/a: no value is made up for the type "date"'],
  [child, 'body/child: no value is made up for a schema that requires itself'],
  [{ type: 'array', minItems: 1, items: child }, 'body/0/child: no value is made up for a schema that requires itself'],
  [{ $ref: 'self#' }, 'body: no value is made up for a schema that requires itself'],
  [{ type: 'number', minimum: 2, maximum: 1 }, 'body: no value is made up for the limits of its number'],
  [{ type: 'integer', minimum: 11, maximum: 12, multipleOf: 5 }, 'body: no value is made up for the limits of its number'],
  [{ $ref: 'unknown#' }, 'body: no value is made up for the reference unknown#'],
  [{ type: 'array', minItems: 1, items: false }, 'body/0: no value is made up for a schema that allows nothing'],
  [{ anyOf: [{ type: 'string', format: 'odd' }, { type: 'a' }] }, 'body: no value is made up for the type "a"']
]

for (const [schema, message] of impossible) {
  t.test(message, async (t) => { t.throws(() => sample(schema), new NoSampleError(message)) })
}

t.test('every format that Fastify knows has a value which Fastify takes', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const formats = ['uuid', 'date-time', 'iso-date-time', 'date', 'time', 'iso-time', 'duration', 'email', 'uri', 'url', 'uri-reference', 'uri-template', 'hostname', 'ipv4', 'ipv6', 'json-pointer', 'relative-json-pointer', 'regex', 'byte']
  const schema = { type: 'object', required: formats, properties: Object.fromEntries(formats.map((format) => [format, { type: 'string', format }])) }
  app.post('/', { schema: { body: schema } }, async () => 'taken')
  const response = await app.inject({ method: 'POST', url: '/', payload: sample(schema) as object })
  t.equal(response.body, 'taken')
})
