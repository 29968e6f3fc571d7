import { FormatRegistry, Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import t from 'tap'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import { bearer, build, secret, tokenFor } from '../support/host.js'

const refused: Array<[claims: unknown, says: string]> = [
  [{}, 'option "claims" must be an object schema of @sinclair/typebox'],
  [Type.String(), 'option "claims" must be an object schema of @sinclair/typebox'],
  [{ type: 'object' }, 'option "claims" must be an object schema of @sinclair/typebox'],
  [null, 'option "claims" must be an object schema of @sinclair/typebox'],
  [
    Type.Object({ team: Type.Ref('Team') }),
    'option "claims" must be an object schema of @sinclair/typebox, complete in itself'
  ],
  [
    Type.Object({ mail: Type.String({ format: 'no-such-format' }) }),
    'uses the format "no-such-format", which TypeBox does not know'
  ]
]

t.test('schemas that stop the boot', async (t) => {
  for (const [claims, says] of refused) {
    const boot = Fastify().register(userScope, { secret, claims } as UserScopeOptions)
    const error = await boot.then(() => null, (error: Error) => error)
    t.match(error, { code: 'FST_USER_SCOPE_INVALID_OPTION' })
    t.ok(error?.message.includes(says), String(error?.message))
  }
})

t.test('members of a schema may be null or undefined', async (t) => {
  for (const extra of [{ default: null }, { description: undefined }] as object[]) {
    const { send } = await build(t, { claims: Type.Object({ role: Type.String(extra) }, extra) })
    t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice', { role: 'member' })) }), { status: 200 })
  }
})

t.test('a schema that contains itself', async (t) => {
  const endless = Type.Object({})
  Object.assign(endless.properties, { inner: endless })
  await t.rejects(async () => { await Fastify().register(userScope, { secret, claims: endless }) }, {
    code: 'FST_USER_SCOPE_INVALID_OPTION',
    message: /option "claims" must be an object schema of @sinclair\/typebox, complete in itself/
  })
  // Where TypeBox does not look, it does no harm.
  const annotated = Type.Object({ role: Type.Literal('member') })
  annotated['x-self'] = annotated
  const { send } = await build(t, { claims: annotated })
  t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice', { role: 'member' })) }), { status: 200 })
  t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice', { role: 'admin' })) }), { status: 401 })
})

t.test('the payload must satisfy the schema', async (t) => {
  FormatRegistry.Set('even', (value) => value.length % 2 === 0)
  t.teardown(() => FormatRegistry.Delete('even'))
  const team = Type.Optional(Type.String({ format: 'even' }))
  const { send } = await build(t, { claims: Type.Object({ role: Type.Literal('member'), team }) })
  const cases: Array<[claims: object, status: number]> = [
    [{ role: 'member' }, 200],
    [{ role: 'member', team: 'blue' }, 200],
    [{ role: 'member', team: 'red' }, 401],
    [{ role: 'admin' }, 401],
    [{}, 401]
  ]
  for (const [claims, status] of cases) {
    const answer = await send({ url: '/api/me', headers: bearer(tokenFor('alice', claims)) })
    t.match(answer, { status, ...status === 401 && { code: 'INVALID_CLAIMS' } }, JSON.stringify(claims))
  }
})
