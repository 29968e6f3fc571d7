import t from 'tap'
import type { UserScopeOptions } from '../../lib/index.js'
import { readOptions } from '../../lib/options/settings.js'
import { createIssuer } from '../../lib/testing/index.js'
import { readActor } from '../../lib/token/actor.js'
import { bearer, build, refusals, secret, sign } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const entry = { issuer: 'https://b.example', audience: 'api', jwksUri: 'https://b.example/jwks', idPrefix: 'b:' }
const rules = (options: UserScopeOptions = {}) => readOptions({ secret, ...options }, {}).claimRules

t.test('the actors of a token are read, the current one first', async (t) => {
  const rows: Array<[act: unknown, chain: string[]]> = [
    [{ sub: 'admin' }, ['admin']],
    [{ sub: 'admin', iss: 'https://other.example', act: { sub: 'batch', act: { sub: 'root' } } },
      ['admin', 'batch', 'root']]
  ]
  for (const [act, chain] of rows) t.same(readActor({ sub: 'alice', act }, rules()), { id: chain[0], chain })
  t.same(readActor({ act: { sub: 'admin' } }, { ...rules(), idPrefix: 'b:' }), { id: 'b:admin', chain: ['b:admin'] })
  t.equal(readActor({ sub: 'alice', actor: { sub: 'admin' } }, rules()), null)
  t.equal(readActor(Object.create({ act: { sub: 'admin' } }) as Record<string, unknown>, rules()), null)
})

t.test('a malformed actor is refused', async (t) => {
  const malformed: unknown[] = [
    null, 'admin', 7, true, [], [{ sub: 'admin' }], {}, { id: 'admin' }, { client_id: 'admin' }, { sub: '' },
    { sub: ' ' }, { sub: 7 }, { sub: null }, { sub: ['admin'] }, { sub: 'a\nb' }, Object.create({ sub: 'admin' })
  ]
  for (const act of malformed) {
    t.throws(() => readActor({ act }, rules()), { code: 'INVALID_CLAIMS' }, JSON.stringify(act))
    t.throws(() => readActor({ act: { sub: 'admin', act } }, rules()), { code: 'INVALID_CLAIMS' },
      `inner ${JSON.stringify(act)}`)
  }
  t.throws(() => readActor({ act: { sub: 'b:admin' } }, rules({ issuers: [entry] })), { code: 'INVALID_CLAIMS' })
})

t.test('the log says what is wrong with an actor', async (t) => {
  const other = { ...entry, lazy: true, fetch: async () => Response.json({}) }
  const { send, log } = await build(t, { secret, issuers: [other] })
  for (const [act, reason] of [
    [{ sub: 7 }, 'claim "sub" of the actor (claim "act") is not a string'],
    [{ sub: 'b:admin' }, 'claim "sub" of the actor (claim "act") begins with the idPrefix of another issuer']
  ] as const) {
    await send({ url: '/api/alice/tasks', headers: bearer(sign({ sub: 'alice', exp: 1e10, act })) })
    t.match(refusals(log).at(-1), { code: 'INVALID_CLAIMS', reason })
  }
})

t.test('option impersonation allows actors, lets them read, or refuses them', async (t) => {
  const headers = bearer(sign({ sub: 'alice', exp: 1e10, act: { sub: 'admin' } }))
  const own = bearer(sign({ sub: 'alice', exp: 1e10 }))
  const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
  const answers: Record<string, unknown[]> = {}
  for (const impersonation of ['allow', 'read-only', 'refuse'] as const) {
    const { send, log } = await build(t, { impersonation }, {}, (app) => {
      for (const access of ['owner', 'user', 'optional'] as const) {
        app.route({
          method: [...methods],
          url: `/${access}/:user_id`,
          config: { access },
          exposeHeadRoute: false,
          handler: async ({ user }) => user
        })
      }
    })
    for (const url of ['/owner/alice', '/user/x', '/optional/x']) {
      const found = new Map<unknown, string[]>()
      for (const method of methods) {
        t.match(await send({ method, url, headers: own }), { status: 200 }, `${method} ${url} as herself`)
        const { status, code, headers: { 'www-authenticate': challenge } } = await send({ method, url, headers })
        const answer = method === 'HEAD' && status !== 200 ? status : code ?? status
        t.equal(challenge !== undefined, status === 401)
        found.set(answer, [...found.get(answer) ?? [], method])
      }
      answers[`${impersonation} ${url}`] = [...found]
    }
    t.ok(refusals(log).every(({ reason }) => /claim "act"/.test(String(reason))))
  }
  const safe = ['GET', 'HEAD', 'OPTIONS']
  for (const url of ['/owner/alice', '/user/x', '/optional/x']) {
    t.same(answers[`allow ${url}`], [[200, methods]])
    t.same(answers[`read-only ${url}`],
      [[200, safe], ['FORBIDDEN_RESOURCE_ACCESS', ['POST', 'PUT', 'PATCH', 'DELETE']]])
    t.same(answers[`refuse ${url}`], [
      ['INVALID_CLAIMS', methods.filter((method) => method !== 'HEAD')], [401, ['HEAD']]
    ])
  }
})

t.test('request.user has the actor', async (t) => {
  const { send } = await build(t, {}, {}, (app) => { app.get('/api/:user_id', async ({ user }) => user) })
  const claims = { sub: 'alice', exp: 1e10, act: { sub: 'admin', act: { sub: 'batch' } } }
  t.match(await send({ url: '/api/alice', headers: bearer(sign(claims)) }),
    sameLength({ body: { id: 'alice', actor: { id: 'admin', chain: ['admin', 'batch'] } } }))
  // Not the actor's data: the token is the user's.
  t.match(await send({ url: '/api/admin', headers: bearer(sign(claims)) }), { code: 'FORBIDDEN_USER_ACCESS' })
})

t.test('actors of an issuer have its prefix too', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t, idPrefix: 'b:' })
  const headers = bearer(await issuer.token({ id: 'b:alice', act: { sub: 'admin', act: { sub: 'batch' } } }))
  const own = bearer(await issuer.token('b:alice'))
  const actor = { id: 'b:admin', chain: ['b:admin', 'b:batch'] }
  const refused = { status: 401, code: 'INVALID_CLAIMS' }
  const rows = [
    ['allow', { status: 200, body: { actor } }, { status: 200, body: { actor } }],
    ['read-only', { status: 200, body: { actor } }, { status: 403, code: 'FORBIDDEN_RESOURCE_ACCESS' }],
    ['refuse', refused, refused]
  ] as const
  for (const [impersonation, get, post] of rows) {
    const { send } = await build(t, { secret, impersonation, issuers: [issuer.entry] }, {}, (app) => {
      app.route({ method: ['GET', 'POST'], url: '/api/:user_id', handler: async ({ user }) => user })
    })
    const url = '/api/b:alice'
    t.match(await send({ url, headers }), sameLength(get), `${impersonation} GET`)
    t.match(await send({ url, headers, method: 'POST' }), sameLength(post), `${impersonation} POST`)
    t.match(await send({ url, headers: own, method: 'POST' }), { status: 200, body: { actor: null } })
  }
})

t.test('an actor who may only read is refused before the body is read', async (t) => {
  let reads = 0
  const { send } = await build(t, { impersonation: 'read-only' }, {}, (app) => {
    app.addHook('preParsing', async () => { reads++ })
    app.post('/api/:user_id', async () => 'in')
  })
  const post = async (claims: object) => {
    const headers = bearer(sign({ sub: 'alice', exp: 1e10, ...claims }))
    const { status } = await send({ method: 'POST', url: '/api/alice', headers, payload: {} })
    return [status, reads]
  }
  t.same(await post({ act: { sub: 'admin' } }), [403, 0])
  t.same(await post({}), [200, 1])
})

t.test('an actor who may only read is also refused if a hook overrides the method later', async (t) => {
  const { send, log } = await build(t, { impersonation: 'read-only' }, {}, (app) => {
    app.addHook('preValidation', async ({ raw, headers }) => { raw.method = String(headers['x-method'] ?? raw.method) })
    app.route({ method: ['GET', 'DELETE'], url: '/api/:user_id/x', handler: async ({ method }) => method })
  })
  const headers = (method: string, act = {}) =>
    ({ ...bearer(sign({ sub: 'alice', exp: 1e10, ...act })), 'x-method': method })
  const act = { act: { sub: 'admin' } }
  t.match(await send({ url: '/api/alice/x', headers: headers('GET', act) }), { status: 200, body: 'GET' })
  t.match(await send({ url: '/api/alice/x', headers: headers('DELETE') }), { status: 200, body: 'DELETE' })
  t.match(await send({ url: '/api/alice/x', headers: headers('DELETE', act) }),
    { status: 403, code: 'FORBIDDEN_RESOURCE_ACCESS' })
  t.match(refusals(log), sameLength([{ reason: /who may only read/, user: 'alice' }]))
})
