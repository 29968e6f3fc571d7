import { Type } from '@sinclair/typebox'
import t from 'tap'
import { flag, seconds, text, texts } from '../../lib/options/schemas.js'
import { assertValid, faultOf } from '../../lib/options/validate.js'

const unset = 'is undefined. Fix: give it a value (is an environment variable or a claim missing?), or, to do ' +
  'without it, leave the key out'

const endless: Record<string, unknown> = { left: undefined }
endless.endless = endless

const schema = Type.Object({
  name: text('a name'),
  tags: Type.Optional(texts('a tag in lower case, or a list of them', /^[a-z]+$/)),
  lists: Type.Optional(Type.Array(Type.Object({ max: Type.Optional(seconds(1, 60)), on: Type.Optional(flag) }, {
    additionalProperties: false, expects: 'an object: { max, on }'
  }), { expects: 'a list' })),
  either: Type.Optional(Type.Union(
    [Type.Literal(false), Type.Object({ on: flag }, { additionalProperties: false })],
    { expects: 'false, or { on }' }
  )),
  unique: Type.Optional(Type.Union([
    Type.Array(Type.String(), { uniqueItems: true }), Type.Object({ list: Type.Array(flag, { uniqueItems: true }) })
  ], { expects: 'a list of texts' })),
  own: Type.Optional(Type.Object({
    inner: Type.Optional(Type.Object({ on: Type.Optional(flag) }, { expects: 'an object' }))
  }, { opaque: true, expects: 'an object' })),
  records: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Union([flag, Type.Object({ on: flag })], {
    expects: 'a flag, or { on }'
  })), { expects: 'a list of objects' }))
}, { additionalProperties: false })

const rows: Array<[options: unknown, path: string, says: string | undefined]> = [
  [{ name: 'a' }, '', undefined],
  [{ name: 'a', tags: ['b'], lists: [{ max: 1 }, {}], either: { on: true }, own: endless }, '', undefined],
  [{ name: '' }, 'name', 'must be a name'],
  [{}, 'name', 'must be a name. It is undefined'],
  [{ name: new URL('https://a.example.com') }, 'name', 'must be a name. It is a URL object'],
  [{ name: 'a', tags: [new URL('https://a.example.com')] }, 'tags', 'must be a tag in lower case, or a list of them'],
  [{ name: 'a', tags: 'B' }, 'tags', 'must be a tag in lower case, or a list of them'],
  [{ name: 'a', tags: ['b', 'B'] }, 'tags', 'must be a tag in lower case, or a list of them'],
  [{ name: 'a', tags: [] }, 'tags', 'must be a tag in lower case, or a list of them'],
  [{ name: 'a', lists: 5 }, 'lists', 'must be a list'],
  [{ name: 'a', lists: [5] }, 'lists.0', 'must be an object: { max, on }'],
  [{ name: 'a', lists: [{}, { max: 61 }] }, 'lists.1.max', 'must be a number of seconds from 1 to 60'],
  [{ name: 'a', lists: [{ on: 'yes' }] }, 'lists.0.on', 'must be true or false'],
  [{ name: 'a', lists: [{ max: undefined }] }, 'lists.0.max', unset],
  [{ name: 'a', either: true }, 'either', 'must be false, or { on }'],
  [{ name: 'a', either: { on: 5 } }, 'either.on', 'must be true or false'],
  [{ name: 'a', unique: ['b', 'b'] }, 'unique', 'must be a list of texts'],
  [{ name: 'a', unique: ['b', () => 'b'] }, 'unique', 'must be a list of texts'],
  [{ name: 'a', unique: { list: [() => 'b'] } }, 'unique', 'must be a list of texts'],
  [{ name: 'a', own: undefined }, 'own', unset],
  [{ name: 'a', own: 5 }, 'own', 'must be an object'],
  [{ name: 'a', own: { inner: undefined } }, '', undefined],
  [{ name: 'a', own: { inner: { on: undefined } } }, '', undefined],
  [{ name: 'a', own: { inner: new Map() } }, '', undefined],
  [{ name: 'a', own: { inner: { on: 5 } } }, 'own.inner.on', 'must be true or false'],
  [{ name: 'a', records: [{ 'b~c/d~1': 5 }] }, 'records.0.b~c/d~1', 'must be a flag, or { on }'],
  [{ name: 'a', records: [{ b: { on: 5 } }] }, 'records.0.b.on', 'must be true or false'],
  [{ name: 'a', records: [{ 'b\nc': 5 }] }, 'records.0.b\nc', 'must be a flag, or { on }']
]

t.test('each fault names its option', async (t) => {
  for (const [options, path, says] of rows) {
    t.equal(faultOf(schema, options), says && `option "${path}" ${says}`, JSON.stringify(says))
    t.equal(faultOf(schema, options, 'make'), says && `option "make.${path}" ${says}`, 'behind the name of a function')
  }
  for (const options of [undefined, null, 5, 'x', []]) {
    t.equal(faultOf(schema, options), 'the options must be an object. Fix: app.register(userScope, { … })')
    t.equal(faultOf(schema, options, 'make'),
      'make() must be given an object with its options: name, tags, lists, either, unique, own, records')
    t.match(faultOf(schema, options, 'make(user)'), /^make\(user\) must be given an object/)
  }
})

t.test('a misspelt word is answered with the one that was meant', async (t) => {
  const word = Type.Union([Type.Literal('HS256'), Type.Literal('HS512')])
  const list = Type.Array(word, { expects: 'a list of words' })
  const one = Type.Object({ word: { ...word, expects: 'a word' }, list })
  t.equal(faultOf(one, { word: 'HS265', list: [] }), 'option "word" must be a word. Did you mean "HS256"?')
  t.equal(faultOf(one, { word: 'none', list: [] }), 'option "word" must be a word')
  t.equal(faultOf(one, { word: 'HS256', list: ['RS256'] }), 'option "list" must be a list of words',
    'it may be of another kind')
})

t.test('a list of values that cannot be compared is never accepted', async (t) => {
  const anything = Type.Object({ list: Type.Array(Type.Unknown(), { uniqueItems: true }) })
  t.throws(() => faultOf(anything, { list: [() => 1] }), /hash/)
})

t.test('an unknown option is named, with the one that was probably meant', async (t) => {
  t.equal(faultOf(schema, { name: 'a', lists: [{ most: 1 }] }, 'make'),
    'unknown option "make.lists.0.most". Use one of: max, on')
  t.equal(
    faultOf(schema, { nmae: 'a' }),
    'unknown option "nmae". Did you mean "name"?',
    'before the one that is missing'
  )
  const required = Type.Object({ a: Type.Optional(flag), b: flag, c: flag }, { additionalProperties: false })
  t.equal(faultOf(required, { unlike: 1 }), 'unknown option "unlike". Use one of: b, c, a', 'required ones go first')
  t.equal(faultOf(schema, { name: 'a', lists: [{ On: true }] }), 'unknown option "lists.0.On". Did you mean "on"?')
  t.equal(faultOf(schema, { name: 'a', either: { onn: true } }), 'unknown option "either.onn". Did you mean "on"?')
})

t.test('a fault stops the boot', async (t) => {
  t.doesNotThrow(() => assertValid(schema, { name: 'a' }))
  t.throws(() => assertValid(schema, {}, 'make'), {
    code: 'FST_USER_SCOPE_INVALID_OPTION', message: 'fastify-user-scope: option "make.name" must be a name'
  })
})
