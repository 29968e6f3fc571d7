import { runInNewContext } from 'node:vm'
import { Kind, Type } from '@sinclair/typebox'
import { TypeSystem } from '@sinclair/typebox/system'
import Fastify from 'fastify'
import t from 'tap'
import One from 'typebox'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import { compileClaims } from '../../lib/options/claims-schema.js'
import { bearer, build, refusals, secret, tokenFor } from '../support/host.js'

const refused: Array<[claims: unknown, says: string | RegExp]> = [
  [{}, 'its "type" is not "object"'],
  [Type.String(), 'its "type" is not "object"'],
  [Type.Union([Type.Object({}), Type.Object({})]),
    'its "type" is not "object". Fix: state it, also of a union or an intersection: ' +
    "Type.Union([…], { type: 'object' })"],
  [null, 'option "claims" must be a JSON Schema of an object'],
  [[], 'option "claims" must be a JSON Schema of an object'],
  [Type.Object({ team: Type.Ref('Team') }), "can't resolve reference Team"],
  [Type.Object({ mail: Type.String({ format: 'email' }) }),
    'unknown format "email" in schema at path "#/properties/mail". Fix: leave "format" out, and use "pattern"'],
  [Object.assign(Object.create({ required: ['role'] }) as object, {
    $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object'
  }), 'it is no plain object'],
  [{ type: 'object', requierd: ['role'] }, /unknown keyword: "requierd"$/],
  [{ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', dependentRequired: { a: ['b'] } },
    'unknown keyword: "dependentRequired"'],
  [{ type: 'object', properties: { role: { type: 'text' } } }, 'data/properties/role/type must be'],
  [Type.Object({ since: Type.Date() }), 'data/properties/since/type must be'],
  [{ kind: 'schema', type: 'object', '~standard': {} }, 'unknown keyword: "kind"'],
  [Object.assign(Object.create({ '~standard': { vendor: 'zod' } }) as object, { type: 'object' }),
    'it is no plain object. Fix: convert a schema of zod or the like, as z.toJSONSchema(z.looseObject({ … })) does'],
  [Object.create({ type: 'object', required: ['role'] }), 'it is no plain object'],
  // Prototypes that resemble Object.prototype: each is the last one, or has its method.
  ...[Object.create(null) as object, { hasOwnProperty: null }].map((prototype): [unknown, string] => [
    Object.assign(Object.create(Object.assign(prototype, { required: ['role'] })) as object, { type: 'object' }),
    'it is no plain object'
  ]),
  [Type.Object({ role: Type.String() }, { additionalProperties: false }),
    'it allows no other claims, and lacks "exp", which every token has. Fix: leave out "additionalProperties" (with ' +
    'zod: z.looseObject), or list all claims that tokens have'],
  [{ type: 'object', additionalProperties: false, properties: null }, 'data/properties must be object'],
  [{ type: 'object', additionalProperties: false }, 'it allows no other claims'],
  [{ type: 'object', $async: true }, '"$async" is not supported'],
  [{ type: 'object', properties: { tenant: { const: undefined } } }, '"const" is undefined'],
  [{ type: 'object', anyOf: [{ required: ['tenant'], minProperties: undefined }] }, '"minProperties" is undefined'],
  [Type.Object({ tenant: Type.String({ pattern: undefined as never }) }), '"pattern" is undefined'],
  [Type.Object({ role: Type.Transform(Type.String()).Decode((role) => role).Encode((role) => role) }),
    '"TypeBox.Transform" is no JSON Schema'],
  [Type.Object({ role: Type.Unsafe({ [Kind]: 'Admin' }) }),
    'kind "Admin" is none of TypeBox itself, and its function would not be called. Fix: say it in JSON Schema, ' +
    'without [Kind]'],
  [Type.Object({ age: TypeSystem.Type<number>('Even', () => false)({ type: 'number' }) }), 'kind "Even"'],
  [One.Object({ role: One.Refine(One.String(), (role) => role === 'admin') }), '"~refine" is no JSON Schema'],
  [One.Object({ role: One.Codec(One.String()).Decode((role) => role).Encode((role) => role) }),
    '"~codec" is no JSON Schema']
]

t.test('a schema that would check too little stops the boot', async (t) => {
  for (const [claims, says] of refused) {
    const boot = Fastify().register(userScope, { secret, claims } as UserScopeOptions)
    const error = await boot.then(() => null, (error: Error) => error)
    t.match(error, { code: 'FST_USER_SCOPE_INVALID_OPTION' })
    t.match(error?.message, says)
  }
})

t.test('members of a schema may be null or undefined', async (t) => {
  const annotations =
    ['title', 'description', 'default', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly']
  for (const extra of [{ default: null }, ...annotations.map((name) => ({ [name]: undefined }))] as object[]) {
    const { send } = await build(t, { claims: Type.Object({ role: Type.String(extra) }, extra) })
    t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice', { role: 'member' })) }), { status: 200 })
  }
})

t.test('a plain object may be of another context, or have no prototype', async (t) => {
  for (const claims of [runInNewContext("({ type: 'object', required: ['role'] })") as object,
    Object.assign(Object.create(null) as object, { type: 'object', required: ['role'] })]) {
    const { send } = await build(t, { claims })
    t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice')) }), { code: 'INVALID_CLAIMS' })
    t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice', { role: 'x' })) }), { status: 200 })
  }
})

t.test('a schema without room for other claims boots if it lists those of every token', async (t) => {
  const closed = { type: 'object', additionalProperties: false }
  const names = ['sub', 'iat', 'exp']
  for (const claims of [{ ...closed, patternProperties: { [`^(${names.join('|')})$`]: {} } },
    { ...closed, properties: Object.fromEntries(names.map((name) => [name, {}])) }]) {
    const { send } = await build(t, { claims })
    t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice')) }), { status: 200 })
  }
})

t.test('warnings of the compiler are not printed', async (t) => {
  const printed = (['log', 'warn', 'error'] as const).map((name) => t.capture(console, name))
  compileClaims({ type: 'object', properties: { team: { minLength: 1 } } })
  t.same(printed.flatMap((calls) => calls()), [])
})

t.test('a schema that contains itself stops the boot', async (t) => {
  const endless = Type.Object({})
  Object.assign(endless.properties, { inner: endless })
  await t.rejects(async () => { await Fastify().register(userScope, { secret, claims: endless }) }, {
    code: 'FST_USER_SCOPE_INVALID_OPTION',
    message: /option "claims" must be a JSON Schema of an object, complete in itself/
  })
})

const cases: Array<[claims: object, status: number]> = [
  [{ role: 'member' }, 200],
  [{ role: 'member', team: 'blue' }, 200],
  [{ role: 'member', team: null }, 200],
  [{ role: 'member', team: 1 }, 401],
  [{ role: ['member'] }, 401],
  [{ role: 'admin' }, 401],
  [{}, 401]
]

const schemas = {
  '@sinclair/typebox': Type.Object({
    role: Type.Literal('member'), team: Type.Optional(Type.Union([Type.String(), Type.Null()]))
  }),
  '@sinclair/typebox, of a module and with a recursive type': Type.Object({
    role: Type.Module({ Role: Type.Literal('member') }).Import('Role'),
    team: Type.Optional(Type.Recursive((Team) => Type.Union([Type.String(), Type.Null(), Type.Array(Team)])))
  }),
  typebox: One.Object({ role: One.Literal('member'), team: One.Optional(One.Union([One.String(), One.Null()])) }),
  'typebox, an intersection with its type': One.Intersect([
    One.Object({ role: One.Literal('member') }),
    One.Union([One.Object({ team: One.Optional(One.String()) }), One.Object({ team: One.Null() })])
  ], { type: 'object' } as Record<string, string>),
  'JSON Schema': {
    type: 'object', required: ['role'], properties: { role: { const: 'member' }, team: { type: ['string', 'null'] } }
  },
  'JSON Schema 2020-12, as zod writes it': Object.defineProperty({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['role'],
    properties: { role: { type: 'string', const: 'member' }, team: { anyOf: [{ type: 'string' }, { type: 'null' }] } }
  }, '~standard', { value: { vendor: 'zod', validate: () => {} } })
}

for (const [kind, claims] of Object.entries(schemas)) {
  t.test(`the payload must satisfy a schema of ${kind}`, async (t) => {
    const { send } = await build(t, { claims })
    for (const [claims, status] of cases) {
      const answer = await send({ url: '/api/me', headers: bearer(tokenFor('alice', claims)) })
      t.match(answer, { status, ...status === 401 && { code: 'INVALID_CLAIMS' } }, JSON.stringify(claims))
    }
  })
}

t.test('the log says what is wrong with the claims, without their values', async (t) => {
  const claims = Type.Object({ role: Type.Literal('member'), team: Type.Optional(Type.Object({ id: Type.Integer() })) })
  const closed = { ...Type.Object({ ...claims.properties, exp: Type.Number() }), additionalProperties: false }
  const long = 'x'.repeat(300)
  const rows: Array<[claims: object, schema: object, fault: string]> = [
    [{}, claims, "the payload must have required property 'role'"],
    [{ role: 's3cret' }, claims, 'claim "role" must be equal to constant (#/properties/role/const)'],
    [{ role: 'member', team: { id: 's3cret' } }, claims,
      'claim "team" must be integer (#/properties/team/properties/id/type)'],
    [{ role: 'member', team: 's3cret' }, Type.Object({ team: Type.Union([Type.Null(), Type.Object({})]) }),
      'claim "team" must match a schema in anyOf (#/properties/team/anyOf)'],
    [{ role: 'member' }, Type.Object({ org: Type.Object({}, { additionalProperties: Type.Number() }) }),
      'the payload must have required property \'org\''],
    [{ org: { 's3cret@example.com': 'x' } },
      Type.Object({ org: Type.Object({}, { additionalProperties: Type.Number() }) }),
      'claim "org" must be number (#/properties/org/additionalProperties/type)'],
    [{ org: { 's3cret@example.com': 'x' } }, Type.Object({ org: Type.Object({}, { additionalProperties: false }) }),
      'claim "org" must NOT have additional properties (#/properties/org/additionalProperties)'],
    [{ role: 'member' }, closed, 'the payload must NOT have additional properties: "sub"'],
    [{ 'x-\u202erole\n': 1 }, { type: 'object', patternProperties: { '^x-': { type: 'string' } } },
      'claim "x-\\u202erole\\n" must be string (#/patternProperties/%5Ex-/type)'],
    [{}, { type: 'object', required: [long] }, `the payload must have required property '${'x'.repeat(171)}…`],
    [{ role: 'y' }, { type: 'object', properties: { role: { pattern: long } } },
      `claim "role" must match pattern "${'x'.repeat(180)}… (#/properties/role/pattern)`],
    [{ [long]: 1 }, { type: 'object', properties: { [long]: { type: 'string' } } },
      `claim "${'x'.repeat(199)}… must be string (#/properties/${'x'.repeat(187)}…)`]
  ]
  for (const [claims, schema, fault] of rows) {
    const { send, log } = await build(t, { claims: schema })
    await send({ url: '/api/me', headers: bearer(tokenFor('alice', claims)) })
    const reason = `the claims do not satisfy the schema of option "claims": ${fault}`
    t.same(refusals(log).map(({ code, reason }) => [code, reason]), [['INVALID_CLAIMS', reason]])
    t.notMatch(JSON.stringify(log), 's3cret')
  }
})

t.test('a member of Object.prototype does not replace a missing claim', async (t) => {
  const { send } = await build(t, { claims: { type: 'object', required: ['toString', 'role'] } })
  t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice', { role: 'member' })) }), { status: 401 })
  const claims = { toString: 'text', role: 'member' }
  t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice', claims)) }), { status: 200 })
})
