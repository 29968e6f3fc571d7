import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import client from 'prom-client'
import t, { type Test } from 'tap'
import userScope, { requireScopes, type VerifyMessage } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { blockBelow, runBlock } from '../support/docs.js'
import { bearer, build, now, otherSecret, secret, sign, tokenFor, usualRoutes } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const name = 'fastify-user-scope:verify'

/** What is published until the test ends. */
function listen (t: Test): VerifyMessage[] {
  const messages: VerifyMessage[] = []
  const listener = (message: unknown) => { messages.push(message as VerifyMessage) }
  subscribe(name, listener)
  t.teardown(() => { unsubscribe(name, listener) })
  return messages
}

t.test('each judgement is published', async (t) => {
  const messages = listen(t)

  const { send } = await build(t, {}, {}, (app) => {
    usualRoutes(app)
    const method = ['GET', 'POST']
    app.route({ method, url: '/maybe', config: { access: 'optional' }, handler: async () => 'in' })
  })
  const token = tokenFor('alice', { note: 'of the payload' })
  const requests = [
    { url: '/api/alice/tasks?x=1', headers: bearer(token) },
    { url: '/api/alice/tasks', headers: bearer(token) },
    { url: '/api/bob/tasks', headers: bearer(token) },
    { url: '/api/me' },
    { url: '/api/me', headers: bearer(sign({}, { key: otherSecret })) },
    { url: '/maybe' },
    { url: '/health' },
    { url: '/nowhere' }
  ]
  for (const request of requests) await send(request)
  const rows = messages.map(({ outcome, code, method, route, verifiedBy, cached }) =>
    [outcome, code, method, route, verifiedBy, cached])
  t.strictSame(rows, [
    ['admitted', null, 'GET', '/api/:user_id/tasks', 'secret', false],
    ['admitted', null, 'GET', '/api/:user_id/tasks', 'secret', true],
    ['refused', 'FORBIDDEN_USER_ACCESS', 'GET', '/api/:user_id/tasks', 'secret', true],
    ['refused', 'MISSING_TOKEN', 'GET', '/api/me', null, false],
    ['refused', 'INVALID_TOKEN_SIGNATURE', 'GET', '/api/me', null, false],
    ['anonymous', null, 'GET', '/maybe', null, false]
  ])
  t.ok(messages.every(({ duration }) => duration > 0 && duration < 60e9 && Number.isInteger(duration)))
  const text = JSON.stringify(messages)
  for (const part of [...token.split('.'), 'of the payload']) t.notOk(text.includes(part), part)
  t.strictSame(messages.map(({ user, owner, actor }) => [user, owner, actor]), [
    ['alice', 'alice', null],
    ['alice', 'alice', null],
    ['alice', 'bob', null],
    ...Array.from({ length: 3 }, () => [null, null, null])
  ])
  t.same(new Set(messages.map(({ requestId }) => /^req-\w+$/.test(requestId))), new Set([true]))

  messages.length = 0
  await send({ url: '/api/me', headers: bearer(tokenFor('alice', { act: { sub: 'support', act: { sub: 'robot' } } })) })
  t.match(messages, sameLength([{ outcome: 'admitted', user: 'alice', owner: null, actor: 'support' }]))

  const ids: unknown[] = []
  const delegates = { scopes: ['staff'] }
  const { send: sendAsBob } = await build(t, {}, {}, (app) => {
    app.get('/api/:user_id', { config: { access: { delegates } } }, async ({ id }) => { ids.push(id) })
  })
  messages.length = 0
  const staff = bearer(tokenFor('bob', { scope: 'staff' }))
  for (const url of ['/api/alice', '/api/bob', '/api/alice']) await sendAsBob({ url, headers: staff })
  t.match(messages, sameLength([
    { outcome: 'admitted', user: 'bob', owner: 'alice', actor: null, requestId: ids[0], cached: false },
    { outcome: 'admitted', user: 'bob', owner: 'bob', actor: null, requestId: ids[1], cached: true },
    { outcome: 'admitted', user: 'bob', owner: 'alice', actor: null, requestId: ids[2], cached: true }
  ]))
  t.equal(new Set(ids).size, 3)

  const issuer = await createIssuer({ mode: 'jwks', t })
  const remote = await build(t, { issuers: [issuer.entry] })
  messages.length = 0
  await remote.send({ url: '/api/alice/tasks', headers: bearer(await issuer.token('alice')) })
  t.match(messages, sameLength([{ outcome: 'admitted', verifiedBy: issuer.url, cached: false }]))
})

t.test('the refusal of a revoked token is published', async (t) => {
  const messages = listen(t)
  const { app, send } = await build(t, { revocations: true })
  const request = { url: '/api/alice/tasks', headers: bearer(tokenFor('alice', { iat: now() })) }
  await send(request)
  await app.userScope.revoke({ user: 'alice' })
  await send(request)
  const [admitted, refused] = messages.map(({ outcome, code, user, owner, cached }) =>
    [outcome, code, user, owner, cached])
  t.strictSame(admitted, ['admitted', null, 'alice', 'alice', false])
  t.strictSame(refused, ['refused', 'TOKEN_REVOKED', 'alice', null, true])
})

t.test('a refusal by the second comparison is published', async (t) => {
  const messages = listen(t)
  const { send } = await build(t, {}, {}, (app) => {
    app.setNotFoundHandler(async (_request, reply) => reply.code(404).send())
    app.get(
      '/changed/:user_id',
      { preValidation: async (request) => { request.params = { user_id: 'bob' } } },
      async () => 'in'
    )
    app.get(
      '/number/:user_id',
      { schema: { params: { type: 'object', properties: { user_id: { type: 'integer' } } } } },
      async () => 'in'
    )
    app.get('/public', { config: { access: 'public' } }, (_request, reply) => { reply.callNotFound() })
    app.get('/user', (_request, reply) => { reply.callNotFound() })
  })
  const published = async (url: string, id?: string) => {
    messages.length = 0
    await send({ url, ...id && { headers: bearer(tokenFor(id)) } })
    t.equal(new Set(messages.map(({ requestId }) => requestId)).size, messages.length > 0 ? 1 : 0)
    return messages.map(({ outcome, code, route, verifiedBy }) => [outcome, code, route, verifiedBy])
  }
  t.same(await published('/changed/alice', 'alice'), [
    ['admitted', null, '/changed/:user_id', 'secret'],
    ['refused', 'FORBIDDEN_USER_ACCESS', '/changed/:user_id', 'secret']
  ])
  t.same(messages.map(({ user, owner }) => [user, owner]), [['alice', 'alice'], ['alice', 'alice']])
  t.same(await published('/number/7', '7'), [['admitted', null, '/number/:user_id', 'secret']])
  t.same(await published('/public'), [])
  t.same(await published('/public', 'alice'), [])
  t.same(await published('/user', 'alice'), [['admitted', null, '/user', 'secret']])
})

t.test('a refusal because a hook of the host goes on twice is published', async (t) => {
  const messages = listen(t)
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', (_request, _reply, done) => Promise.resolve().then(() => done()) as unknown as void)
  await app.register(userScope, { issuers: [issuer.entry] })
  usualRoutes(app)
  await app.inject({ url: '/api/me', headers: await issuer.authorization('alice') })
  const rows = messages.map(({ outcome, code, user, owner, cached }) => [outcome, code, user, owner, cached])
  t.strictSame(rows[0], ['refused', 'MISSING_TOKEN', null, null, false])
})

t.test('a refusal by a 404 handler\'s requireScopes is published', async (t) => {
  const messages = listen(t)
  const { send } = await build(t, {}, {}, (app) => {
    app.setNotFoundHandler(async (request) => { requireScopes(request, 'tasks:read') })
  })
  t.match(await send({ url: '/nowhere' }), { status: 401, code: 'MISSING_TOKEN' })
  t.strictSame(messages.map(({ outcome, code, route }) => [outcome, code, route]), [['refused', 'MISSING_TOKEN', null]])
})

t.test('nothing is published or measured without subscribers', async (t) => {
  const { send } = await build(t)
  const clock = t.capture(process.hrtime, 'bigint', process.hrtime.bigint)
  t.match(await send({ url: '/api/me', headers: bearer(tokenFor('alice')) }), { status: 200 })
  t.equal(clock().length, 0)
})

t.test('who subscribes during a request gets no message without a duration', async (t) => {
  let messages: VerifyMessage[] | undefined
  const mayActFor = () => {
    messages = listen(t)
    return true
  }
  const { send } = await build(t, { mayActFor }, {}, (app) => {
    app.get('/api/:user_id', { config: { access: { delegates: true } } }, async () => 'in')
  })
  t.match(await send({ url: '/api/alice', headers: bearer(tokenFor('bob')) }), { status: 200 })
  t.same(messages, [])
})

t.test('the histogram for Prometheus of the docs works', async (t) => {
  await runBlock(t, blockBelow('docs/deployment.md', 'Metrics'))
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(userScope, { secret })
  usualRoutes(app)
  await app.inject({ url: '/api/me', headers: bearer(tokenFor('alice')) })
  await app.inject('/api/me')
  const text = await client.register.metrics()
  t.match(text, /user_scope_seconds_count\{route="\/api\/me",outcome="admitted",code="",cached="false"\} 1/)
  t.match(text, /user_scope_seconds_count\{route="\/api\/me",outcome="refused",code="MISSING_TOKEN",cached="false"\} 1/)
})
