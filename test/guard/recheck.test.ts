import { once } from 'node:events'
import { request as open, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mock } from 'node:test'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { AccessLevel, AccessRule, UserScopeOptions } from '../../lib/index.js'
import { detailsOf, type Refusal } from '../../lib/contract/errors.js'
import { createRecheck } from '../../lib/guard/recheck.js'
import { bearer, build, now, refusals, sign, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const alice = bearer(tokenFor('alice'))

t.test('an owner\'s parameter that a hook adds is refused', async (t) => {
  const { send, log } = await build(t, { bind: { org_id: 'org_id' } }, {}, (app) => {
    app.addHook('preValidation', async (request) => {
      const { slug } = request.params as { slug: string }
      const [name = '', value] = slug.split('.')
      Object.assign(request.params as object, { [name]: value })
    })
    app.get('/:slug', async () => 'in')
  })
  const headers = bearer(tokenFor('alice', { org_id: 'acme' }))
  for (const slug of ['user_id.bob', 'user_id.alice']) {
    t.match(await send({ url: `/${slug}`, headers }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
  }
  for (const slug of ['org_id.other', 'org_id.acme']) {
    t.match(await send({ url: `/${slug}`, headers }), { status: 403, code: 'FORBIDDEN_RESOURCE_ACCESS' })
  }
  t.match(refusals(log)[0],
    { reason: 'path parameter "user_id" was added after the check. Fix: look for a hook that adds it' })
  t.match(await send({ method: 'HEAD', url: '/user_id.bob', headers }), { status: 403 })
  t.match(await send({ url: '/other.x', headers }), { status: 200 })
})

t.test('parameters that throw in the second comparison are refused', async (t) => {
  const { send, log } = await build(t, {}, {}, (app) => {
    app.addHook('preValidation', async (request) => {
      request.params = new Proxy(request.params as object, { get: () => { throw new Error('no such parameter') } })
    })
    app.get('/me', async () => 'in')
    app.get('/of/:user_id', async () => 'in')
  })
  for (const url of ['/me', '/of/alice']) {
    t.match(await send({ url, headers: alice }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
  }
  t.match(refusals(log).at(-1), { reason: /^the path parameters cannot be read/ })
})

/** A host to which a client has sent all of a request but its body. */
async function half (
  t: Test, options: UserScopeOptions, headers: Record<string, string>, access: AccessLevel | AccessRule = 'owner'
) {
  let admit = () => {}
  const admitted = new Promise<void>((resolve) => { admit = resolve })
  const { app, log } = await build(t, options, {}, (app: FastifyInstance) => {
    app.addHook('preParsing', async () => { admit() })
    app.post('/api/:user_id/tasks', { config: { access } }, async () => 'in')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const sent = open({
    port, method: 'POST', path: '/api/alice/tasks', headers: { ...headers, 'content-type': 'application/json' }
  })
  sent.write('{')
  await admitted
  const finish = async () => {
    sent.end('}')
    const [response] = await once(sent, 'response') as [IncomingMessage]
    const body = (await response.toArray()).join('')
    return [response.statusCode, response.headers['www-authenticate'] !== undefined, body]
  }
  return { app, log, finish }
}

t.test('a token that was revoked while the body came is refused', async (t) => {
  for (const user of ['alice', 'bob']) { // the owner, and a delegate
    const headers = bearer(tokenFor(user, { iat: now(), scope: 'staff' }))
    const { app, log, finish } = await half(t, { revocations: true }, headers, { delegates: { scopes: ['staff'] } })
    await app.userScope.revoke({ user })
    t.match(await finish(), [401, true, /"TOKEN_REVOKED"/])
    t.match(refusals(log), sameLength([{ code: 'TOKEN_REVOKED', user }]))
  }
})

for (const [what, options, claims, passed, access] of [
  ['exp', {}, { exp: now() + 60 }, 65], ['maxTokenAge', { maxTokenAge: 30 }, { iat: now(), exp: now() + 60 }, 35],
  ['exp, on an optional route', {}, { exp: now() + 60 }, 65, 'optional']
] as const) {
  t.test(`a token that expired while the body came is refused: ${what}`, async (t) => {
    const start = now()
    mock.timers.enable({ apis: ['Date'], now: start * 1000 })
    t.teardown(() => { mock.timers.reset() })
    const { log, finish } = await half(t, options, bearer(sign({ sub: 'alice', ...claims })), access)
    mock.timers.setTime((start + passed + 1) * 1000)
    t.match(await finish(), [401, true, /"TOKEN_EXPIRED"/])
    t.match(refusals(log), sameLength([{ reason: 'the token has expired since the request was admitted' }]))
  })
}

t.test('a token that is still valid when the body has come is admitted', async (t) => {
  const { app, finish } = await half(t, { revocations: true }, bearer(tokenFor('alice', { iat: now() })))
  await app.userScope.revoke({ user: 'bob' })
  t.same(await finish(), [200, false, 'in'])
})

t.test('a request that was never judged is refused', (t) => {
  const recheck = createRecheck({ userIdParam: 'user_id', claimRules: {} as never, impersonation: 'allow' }, null)
  const refusal = recheck({ params: {} } as never, null) as Refusal
  t.match([refusal.code, detailsOf(refusal).reason], ['MISSING_TOKEN', 'the request was not admitted'])
  t.end()
})
