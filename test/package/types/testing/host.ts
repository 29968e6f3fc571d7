import test from 'node:test'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import { userScope, type IssuerOptions, type UserScopeOptions } from 'fastify-user-scope'
import {
  ScopeAssertionError,
  assertDocumentMatchesGuards,
  assertIsolation,
  assertOwnership,
  createIssuer,
  createKey,
  routeTable,
  sendJson,
  type IssuerKey,
  type ObjectMaker,
  type OwnershipOptions,
  type RemoteIssuer,
  type SecretIssuer,
  type TokenSource
} from 'fastify-user-scope/testing'
import { typeOf } from '../equal.js'

const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
app.get('/:user_id', { schema: { params: Type.Object({ user_id: Type.String() }) } }, async (request) =>
  request.params.user_id)

// With a secret: at once
const issuer = createIssuer()
typeOf(issuer).is<SecretIssuer>()
typeOf(issuer.token('alice')).is<string>()
typeOf(issuer.expired({ id: 'alice', role: 'admin' })).is<string>()
typeOf(issuer.forged('alice', { header: { typ: 'at+jwt' } })).is<string>()
typeOf(issuer.authorization('alice')).is<{ authorization: string }>()
typeOf(issuer.options).is<UserScopeOptions>()
app.register(userScope, issuer.options)
app.register(userScope, { ...issuer.options, userIdParam: 'account' })
typeOf(createIssuer({
  secret: 'a',
  algorithm: 'HS512',
  issuer: 'b',
  audience: 'c',
  userIdClaim: 'd',
  expiresIn: 5
})).is<SecretIssuer>()
// @ts-expect-error: no id
issuer.token({ role: 'admin' })
// @ts-expect-error: keys are for the other mode
createIssuer({ alg: 'ES256' })
// @ts-expect-error: an algorithm with a private key
createIssuer({ algorithm: 'ES256' })

// With keys: by promises
test('keys', async (t) => {
  const remote =
    await createIssuer({ mode: 'jwks', t, alg: 'ES256', audience: 'a', keys: [await createKey('k', 'ES256')] })
  typeOf(remote).is<RemoteIssuer>()
  typeOf(remote.token('alice')).is<Promise<string>>()
  typeOf(remote.authorization('alice')).is<Promise<{ authorization: string }>>()
  typeOf(remote.requests).is<number>()
  typeOf(remote.keys).is<IssuerKey[]>()
  typeOf(remote.options).is<{ issuers: IssuerOptions[] }>()
  typeOf((await createIssuer({ mode: 'jwks', t, idPrefix: 'b:' })).entry.idPrefix).is<string | undefined>()
  app.register(userScope, remote.options)
  app.register(userScope, { issuers: [{ ...remote.entry, maxAge: 5 }] })
  remote.answer = sendJson({ keys: [] }, 500)
  remote.answer = undefined
  remote.slow(5)
  await remote.rotate({ keep: true })
  // @ts-expect-error: counted by the issuer
  remote.requests = 0
  const sources: TokenSource[] = [issuer, remote]
  typeOf(sources[0]?.token('alice')).is<string | Promise<string> | undefined>()
})
createIssuer({ mode: 'jwks', t: { onTestFinished: (cleanUp: () => unknown) => { cleanUp() } } })
// @ts-expect-error: a secret is for the other mode
createIssuer({ mode: 'jwks', secret: 'a' })
// @ts-expect-error: no context of a test
createIssuer({ mode: 'jwks', t: {} })

// Assertions, for every kind of server
const secure = Fastify({ http2: true, https: {} })
await assertOwnership(secure, { issuer, alice: 'alice', bob: 'bob' })
await assertOwnership(app,
  { issuer, alice: { id: 'alice', role: 'admin' }, bob: { id: 'bob' }, allow: ['GET /a', /b/], timeout: 5 })
await assertOwnership(app,
  { alice: { id: 'alice', token: 'a', expired: 'b' }, bob: 'bob', only: ({ method, url }) => method + url === '' })
await assertOwnership(app,
  {
    issuer,
    alice: 'alice',
    bob: 'bob',
    params: { 'GET /a': { path: { id: '1' }, query: { q: ['1'] }, headers: { h: '1' }, body: null } }
  })
await assertDocumentMatchesGuards(app, { issuer, alice: 'alice', bob: 'bob', document: {}, allow: [], params: {} })
await assertDocumentMatchesGuards(secure, { alice: { id: 'alice', token: 'a' }, bob: 'bob' })
await assertDocumentMatchesGuards(secure)
const task: ObjectMaker = async ({ inject, owner, ids }) =>
  (await inject(`/${owner}/${ids.list_id}`)).json<{ id: string }>().id
await assertIsolation(app,
  { issuer, alice: 'alice', bob: { id: 'bob', role: 'admin' }, objects: { list_id: () => 1, task_id: task } })
await assertIsolation(secure, {
  alice: { id: 'alice', token: 'a' },
  bob: { id: 'bob', token: 'b' },
  objects: { task_id: task },
  only: () => true,
  allow: ['GET /a'],
  params: {}
})
typeOf(await routeTable(app)).is<string>()
typeOf(await routeTable(secure)).is<string>()
typeOf(new ScopeAssertionError('', []).routes).is<readonly string[]>()
// @ts-expect-error: an id alone needs an issuer
await assertOwnership(app, { alice: 'alice', bob: 'bob' })
// @ts-expect-error: bob sends requests, too
await assertIsolation(app, { alice: { id: 'alice', token: 'a' }, bob: 'bob', objects: { task_id: task } })
// @ts-expect-error: what makes objects
await assertIsolation(app, { issuer, alice: 'alice', bob: 'bob' })
// @ts-expect-error: an id
await assertIsolation(app, { issuer, alice: 'alice', bob: 'bob', objects: { task_id: async () => ({}) } })
// @ts-expect-error: two users
await assertOwnership(app, { issuer, alice: 'alice' })
// @ts-expect-error: a misspelt option
await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob', allowed: [] })
// @ts-expect-error: the path has texts
const options: OwnershipOptions = { issuer, alice: 'alice', bob: 'bob', params: { 'GET /a': { path: { id: 1 } } } }
typeOf(options).is<OwnershipOptions>()
