import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { mock } from 'node:test'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope, { KeysUnreachableError, type IssuerOptions } from '../../lib/index.js'
import { createIssuer, createKey, sendJson, type RemoteIssuer } from '../../lib/testing/index.js'
import { bearer, build, now, refusals, sender, usualRoutes } from '../support/host.js'

const start = 1_800_000_000
mock.timers.enable({ apis: ['Date'], now: start * 1000 })
let steady = 0 // seconds of the clock that nobody sets
mock.method(performance, 'now', () => steady * 1000)
t.beforeEach(() => { mock.timers.setTime(start * 1000) })
const pass = (seconds: number) => { mock.timers.setTime(Date.now() + seconds * 1000) }
let timeUp = () => {} // for the latest fetch; none has less time because the machine is busy
const limits = mock.method(AbortSignal, 'timeout', () => {
  const limit = new AbortController()
  timeUp = () => limit.abort(new DOMException('too slow', 'TimeoutError'))
  return limit.signal
}).mock

/** A host that trusts this one issuer; `status` sends a token to alice's path. */
async function host (t: Test, issuer: RemoteIssuer, entry: Partial<IssuerOptions> = {}) {
  const { app, send, log } = await build(t, { issuers: [{ ...issuer.entry, ...entry }] })
  const ask = async (token: string, user = 'alice') => send({ url: `/api/${user}/tasks`, headers: bearer(token) })
  const status = async (token: string) => (await ask(token)).status
  return { app, ask, status, log, info: () => app.userScope.issuers()[0], warnings: () => log.filter(({ level }) => level === 40) }
}

/** Lets what goes on in the background come to its end: the issuer's answer passes a socket. */
async function until (condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

t.test('own paths and only those, for each algorithm', async (t) => {
  for (const alg of ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'RS256', 'PS256']) {
    const issuer = await createIssuer({ mode: 'jwks', t, keys: [await createKey('k', alg)] })
    const { ask } = await host(t, issuer)
    t.match(await ask(await issuer.token('alice')), { status: 200, body: { user: 'alice' } }, alg)
    t.match(await ask(await issuer.token('alice'), 'bob'), { code: 'FORBIDDEN_USER_ACCESS' }, alg)
    const token = await issuer.token('alice')
    t.match(await ask(token.slice(0, -8) + 'AAAAAAAA'), { status: 401 }, alg)
    t.equal(issuer.requests, 1)
  }
})

t.test('50 first requests at once cause one fetch', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  await issuer.stop()
  const { status } = await host(t, issuer, { lazy: true })
  const token = await issuer.token('alice')
  t.equal(await status(token), 503)
  await issuer.restart()
  pass(30)
  const before = issuer.requests
  const statuses = await Promise.all(Array.from({ length: 50 }, () => status(token)))
  t.same(new Set(statuses), new Set([200]))
  t.equal(issuer.requests - before, 1)
})

t.test('unreachable at boot', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  await issuer.stop()
  const app = Fastify()
  await app.register(userScope, { issuers: [issuer.entry] })
  const error = await app.ready().then(() => null, (error: Error) => error)
  t.ok(error instanceof KeysUnreachableError)
  t.match(error?.message, `issuer "${issuer.url}": its keys cannot be fetched (`)
  t.match(error?.message, 'or set lazy: true')

  const lazy = await host(t, issuer, { lazy: true })
  const answer = await lazy.ask(await issuer.token('alice'))
  t.match(answer, { status: 503, code: 'KEYS_UNAVAILABLE', body: { message: 'Token verification is temporarily unavailable' }, headers: { 'retry-after': '30' } })
  t.notOk('www-authenticate' in answer.headers)
  await issuer.restart()
  pass(29)
  t.equal(await lazy.status(await issuer.token('alice')), 503)
  pass(1)
  t.equal(await lazy.status(await issuer.token('alice')), 200)
})

t.test('a flood of unknown kids', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, ask } = await host(t, issuer)
  const stranger = await createKey('stranger')
  const known = await issuer.token('alice')
  const flood = async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, async (_, i) => status(await issuer.token('alice', { key: { ...stranger, kid: `k${i}` } }))))
    return [...new Set(answers)]
  }
  t.same(await flood(), [401])
  t.equal(issuer.requests, 1, 'within the cooldown of the boot')
  pass(30)
  t.same(await flood(), [401])
  t.equal(issuer.requests, 2, 'one fetch')
  t.same(await flood(), [401])
  t.equal(issuer.requests, 2, 'none within its cooldown')
  t.equal(await status(known), 200)

  pass(30)
  await issuer.stop()
  t.same(await flood(), [503])
  t.equal(await status(known), 200)
  const answer = await ask(await issuer.token('alice', { key: stranger }))
  t.match(answer, { status: 503, headers: { 'retry-after': '30' } })
})

t.test('rotation', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, info } = await host(t, issuer)
  const [old] = issuer.keys
  const fresh = await createKey('two', 'ES256')
  issuer.keys.push(fresh)
  const rotated = await issuer.token('alice', { key: fresh })
  t.equal(await status(rotated), 401, 'within the cooldown')
  pass(30)
  t.same(await Promise.all([status(rotated), status(rotated)]), [200, 200], 'the first requests after it')
  t.equal(issuer.requests, 2)
  t.equal(await status(await issuer.token('alice', { key: old! })), 200, 'the old key is still in the set')

  issuer.keys.shift()
  pass(599)
  const left = await issuer.token('alice', { key: old! })
  await status(rotated)
  await until(() => info()?.age === 0)
  t.equal(issuer.requests, 3)
  t.equal(await status(left), 401, 'a removed key is refused within the maximum age')
  t.equal(await status(rotated), 200)
})

t.test('a removed key is refused by the first request after the maximum age', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status } = await host(t, issuer)
  const [old] = issuer.keys
  issuer.keys.splice(0, 1, await createKey('two'))
  pass(600)
  t.equal(await status(await issuer.token('alice', { key: old! })), 401)
  t.equal(issuer.requests, 2)
})

t.test('nor does a cooldown that is longer make the removed key serve on', async (t) => {
  for (const entry of [{ maxAge: 5 }, { maxAge: 5, cooldown: 3600 }]) {
    mock.timers.setTime(start * 1000)
    const issuer = await createIssuer({ mode: 'jwks', t })
    const { status, info } = await host(t, issuer, entry)
    const token = await issuer.token({ id: 'alice', exp: start + 100_000 })
    t.equal(await status(token), 200)
    t.same(info()?.nextTry, new Date((start + 4) * 1000), 'before the keys are too old')
    const stranger = await issuer.token('alice', { key: await createKey('stranger') })
    pass(3)
    t.equal(await status(stranger), 401)
    t.equal(issuer.requests, 1, 'no fetch for an unknown kid')
    issuer.keys.splice(0, 1, await createKey('two'))
    pass(2)
    t.equal(await status(token), 401)
    t.equal(issuer.requests, 2)
    t.equal(await status(await issuer.token('alice')), 200)

    // After a failure it holds.
    await issuer.stop()
    pass(5)
    t.equal(await status(await issuer.token('alice')), 200)
    t.same(info()?.nextTry, new Date(Date.now() + (entry.cooldown ?? 30) * 1000))
  }
})

const failures: Array<[what: string, lastError: RegExp, fail: (issuer: RemoteIssuer) => unknown]> = [
  ['down', /^TypeError (ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/, async (issuer) => issuer.stop()],
  ['slow', /timed out|JWKSTimeout|TimeoutError/, (issuer) => { issuer.answer = () => timeUp() }],
  ['slow body', /timed out|Timeout|AbortError/, (issuer) => { issuer.answer = (_request, response) => { response.writeHead(200).write('{"keys":[', () => timeUp()) } }],
  ['500', /^status 500$/, (issuer) => { issuer.answer = sendJson({}, 500) }],
  ['404', /^status 404$/, (issuer) => { issuer.answer = sendJson({ keys: [] }, 404) }],
  ['HTML', /^not JSON$/, (issuer) => { issuer.answer = (_request, response) => { response.end('<html>secret-body</html>') } }],
  ['truncated JSON', /^not JSON$/, (issuer) => { issuer.answer = (_request, response) => { response.end('{"keys":[{"kty":"OKP"') } }],
  ['a body cut off', /TypeError/, (issuer) => { issuer.answer = (_request, response) => { response.writeHead(200, { 'content-length': 100 }).write('{', () => { response.destroy() }) } }],
  ['over 1 MiB', /^longer than 1048576 bytes$/, (issuer) => { issuer.answer = sendJson({ keys: issuer.keys.map(({ jwk }) => jwk), pad: 'x'.repeat(1_048_577) }) }],
  ['empty set', /^no usable key$/, (issuer) => { issuer.answer = sendJson({ keys: [] }) }],
  ['no set', /^not a JWK Set$/, (issuer) => { issuer.answer = sendJson(null) }],
  ['keys no list', /^not a JWK Set$/, (issuer) => { issuer.answer = sendJson({ keys: {} }) }],
  ['redirect', /^status 30[12]$/, (issuer) => { issuer.answer = (_request, response) => { response.writeHead(302, { location: `${issuer.url}/elsewhere` }).end() } }]
]

for (const [what, lastError, fail] of failures) {
  t.test(`the issuer fails: ${what}`, async (t) => {
    const issuer = await createIssuer({ mode: 'jwks', t })
    const { app, status, info, warnings, log } = await host(t, issuer)
    const token = await issuer.token({ id: 'alice', exp: start + 100_000 })
    await fail(issuer)
    const before = issuer.requests

    pass(600)
    t.equal(await status(token), 200, 'the keys held serve on')
    t.match(info()?.lastError, lastError)
    t.same(info()?.keys, ['key-1'])
    t.equal(warnings().length, 1)
    t.same(await Promise.all(Array.from({ length: 20 }, () => status(token))), Array(20).fill(200))
    t.ok(issuer.requests - before <= 1, 'one attempt within the cooldown')
    t.equal(warnings().length, 1, 'one warning for it')

    // Longer and longer: 30, 60, 120 s …; nobody waits for the answer.
    for (const [seconds, attempts] of [[29, 1], [1, 2], [59, 2], [1, 3], [119, 3], [1, 4]] as const) {
      pass(seconds)
      t.equal(await status(token), 200)
      await until(() => warnings().length >= attempts)
      t.equal(warnings().length, attempts, `${attempts} attempts`)
    }
    t.notMatch(JSON.stringify(log), 'secret-body')

    pass(86_400)
    const answer = await app.inject({ url: '/api/alice/tasks', headers: bearer(token) })
    t.same([answer.statusCode, answer.json<{ code: string }>().code], [503, 'KEYS_UNAVAILABLE'], 'until the keys are a day old')
    t.same(info()?.keys, [])

    issuer.answer = undefined
    if (what === 'down') await issuer.restart()
    pass(30)
    t.equal(await status(token), 200, 'and it recovers')
    t.match(info(), { lastError: null, keys: ['key-1'], age: 0 })
  })
}

t.test('maxStale below maxAge: keys serve until maxAge, whoever answers', async (t) => {
  for (const maxStale of [0, 60, 300, 600]) {
    mock.timers.setTime(start * 1000)
    const issuer = await createIssuer({ mode: 'jwks', t })
    const { ask, status, info } = await host(t, issuer, { maxStale })
    const fresh = (n: number) => issuer.token({ id: 'alice', exp: start + 1e6, n })
    for (const at of [0, 1, 31, 59, 61, 100, 301, 479, 481, 600, 1100, 3000, 100_000]) {
      mock.timers.setTime((start + at) * 1000)
      t.equal(await status(await fresh(at)), 200, `up, maxStale ${maxStale}, at ${at}`)
      await until(() => Number(info()?.lastFetch) + Number(info()?.age) * 1000 === Date.now())
    }

    await issuer.stop()
    pass(599)
    t.equal(await status(await fresh(1)), 200, 'down')
    await until(() => info()?.lastError !== null)
    t.equal(await status(await fresh(2)), 200)
    pass(1)
    t.match(await ask(await fresh(3)), { status: 503, headers: { 'retry-after': '29' } })
    t.match(info(), { keys: [], age: null })
    await issuer.restart()
    pass(28)
    t.match(await ask(await fresh(4)), { status: 503, headers: { 'retry-after': '1' } })
    pass(1)
    t.equal(await status(await fresh(5)), 200)
  }
})

t.test('keys that are too old to serve are fetched at once: nothing is to be gained by waiting', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask, status, warnings } = await host(t, issuer, { maxStale: 3600 })
  const fresh = (n: number) => issuer.token({ id: 'alice', exp: start + 1e6, n })
  const { answer } = issuer
  issuer.answer = sendJson({}, 500)
  for (let attempts = 1; attempts <= 7; attempts++) { // the last pauses are of 300 s
    mock.timers.setTime((start + [0, 600, 700, 800, 1000, 1300, 1900, 3500][attempts]!) * 1000)
    t.equal(await status(await fresh(attempts)), 200)
    await until(() => warnings().length >= attempts)
  }
  mock.timers.setTime((start + 3600) * 1000)
  const requests = issuer.requests
  t.match(await ask(await fresh(8)), { status: 503, headers: { 'retry-after': '30' } }, 'asked, and no longer at rarer and rarer times')
  t.equal(issuer.requests, requests + 1)
  issuer.answer = answer
  pass(30)
  t.same(await Promise.all([9, 10, 11].map(async (n) => status(await fresh(n)))), [200, 200, 200])
  t.equal(issuer.requests, requests + 2)
  pass(100_000)
  t.equal(await status(await fresh(12)), 200, 'and after a long time without requests')
})

t.test('no redirect is followed to another origin', async (t) => {
  const other = await createIssuer({ mode: 'jwks', t })
  const issuer = await createIssuer({ mode: 'jwks', t })
  issuer.answer = (_request, response) => { response.writeHead(302, { location: `${other.url}/jwks` }).end() }
  const { status } = await host(t, issuer, { lazy: true })
  t.equal(await status(await issuer.token('alice')), 503)
  t.equal(other.requests, 0)
})

const hang = () => {
  setImmediate(() => timeUp())
  return new Promise<Response>(() => {})
}

t.test('an injected fetch that heeds no signal cannot hang a request', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, info } = await host(t, issuer, { lazy: true, timeout: 2.5, fetch: hang })
  t.same(limits.calls.at(-1)?.arguments, [2500])
  t.equal(await status(await issuer.token('alice')), 503)
  t.equal(info()?.lastError, 'timed out')
})

t.test('an injected fetch that hangs, or rejects with anything, while the keys are being found', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { jwksUri: _, ...entry } = issuer.entry
  for (const [fetch, lastError] of [
    [hang, 'timed out'],
    // eslint-disable-next-line prefer-promise-reject-errors
    [() => Promise.reject(), 'unknown error']
  ] as const) {
    const { app, send } = await build(t, { issuers: [{ ...entry, discovery: true, lazy: true, fetch }] })
    t.match(await send({ url: '/api/alice/tasks', headers: bearer(await issuer.token('alice')) }), { status: 503, code: 'KEYS_UNAVAILABLE' })
    t.equal(app.userScope.issuers()[0]?.lastError, lastError)
  }
})

t.test('the error handler of the host cannot lose the status of an outage', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  await issuer.stop()
  const { send } = await build(t, { issuers: [{ ...issuer.entry, lazy: true }] }, {}, (app) => {
    app.setErrorHandler(async () => ({ mine: 1 }))
    app.get('/api/me', async () => 'in')
  })
  t.match(await send({ url: '/api/me', headers: bearer(await issuer.token('alice')) }), { status: 503, headers: { 'retry-after': '30' }, body: { mine: 1 } })
})

t.test('an injected fetch that answers without a body', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { info } = await host(t, issuer, { lazy: true, fetch: async () => new Response(null) })
  await until(() => info()?.lastError === 'not JSON')
  t.same(info()?.keys, [])
})

t.test('an injected fetch gets the URL and what it needs to give up', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const calls: Array<[string, RequestInit]> = []
  const { status } = await host(t, issuer, { jwksUri: 'https://keys.example/jwks', fetch: async (url, init) => { calls.push([url, init]); return Response.json({ keys: issuer.keys.map(({ jwk }) => jwk) }) } })
  t.equal(await status(await issuer.token('alice')), 200)
  t.equal(calls.length, 1)
  t.match(calls, [['https://keys.example/jwks', { method: 'GET', redirect: 'manual', signal: AbortSignal }]])
})

t.test('a token without kid needs exactly one key that fits', async (t) => {
  const [ed, es, es2] = [await createKey('ed'), await createKey('es', 'ES256'), await createKey('es2', 'ES256')]
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [ed, es] })
  const { status } = await host(t, issuer)
  const without = (key: typeof ed) => issuer.token('alice', { key, header: { kid: undefined } })
  t.same([await status(await without(ed)), await status(await without(es))], [200, 200])
  issuer.keys.push(es2)
  pass(600)
  t.same([await status(await without(ed)), await status(await without(es)), await status(await without(es2))], [200, 401, 401])
})

t.test('the key of another algorithm', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [await createKey('k', 'RS256')] })
  const { ask, log } = await host(t, issuer)
  t.match(await ask(await issuer.token('alice', { header: { alg: 'PS256' }, key: { ...issuer.keys[0]!, privateKey: (await createKey('k', 'PS256')).privateKey } })), { code: 'INVALID_TOKEN_SIGNATURE' })
  t.match(refusals(log), [{ reason: /the signature does not verify with a key of the issuer ".*" \(ERR_JWKS_NO_MATCHING_KEY\)/ }])
})

t.test('a clock that is set back or forward', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, info } = await host(t, issuer)
  const token = await issuer.token({ id: 'alice', exp: start + 1e6, iat: start - 1e6 })
  mock.timers.setTime((start - 3600) * 1000)
  t.equal(await status(token), 200, 'an hour back')
  t.equal(issuer.requests, 1, 'another clock tells that the keys are as old as before')
  t.equal(info()?.age, 0)
  mock.timers.setTime((start + 500_000) * 1000)
  t.equal(await status(token), 200, 'days forward')
  t.equal(issuer.requests, 2, 'the machine may have been suspended')
})

t.test('a clock that is set back while the issuer is down', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, info } = await host(t, issuer)
  const token = await issuer.token({ id: 'alice', exp: start + 1000, iat: start - 1000 })
  await issuer.stop()
  for (const back of [2, 900]) {
    mock.timers.setTime((start - back) * 1000)
    t.equal(await status(token), 200, `${back} s back`)
    t.match(info(), { keys: ['key-1'], lastError: null }, 'nothing was fetched, and nothing lost')
  }
})

t.test('keys age behind a clock that is set back', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, info } = await host(t, issuer)
  const claims = { id: 'alice', exp: start + 1e6, iat: start - 1e6 }
  const old = await issuer.token(claims)
  t.equal(await status(old), 200)
  issuer.keys.splice(0, 1, await createKey('two'))
  steady += 600
  mock.timers.setTime((start - 3600) * 1000)
  t.equal(await status(old), 401, 'the maximum age has passed')
  t.equal(issuer.requests, 2)

  await issuer.stop()
  const strange = async () => status(await issuer.token(claims, { key: await createKey('strange') }))
  steady += 30
  t.equal(await strange(), 503)
  await issuer.restart()
  steady += 29
  t.equal(await strange(), 503, 'within the cooldown')
  steady += 1
  t.equal(await strange(), 401, 'which passes too')
  t.match(info(), { age: 0, lastError: null })
})

t.test('what issuers() tells', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [await createKey('one'), { ...await createKey('x', 'ES256') }] })
  delete (issuer.keys[1] as { jwk: { kid?: string } }).jwk.kid
  const { info } = await host(t, issuer)
  pass(10)
  t.same(info(), { issuer: issuer.url, keys: ['one', null], age: 10, lastFetch: new Date(start * 1000), lastError: null, nextTry: new Date((start + 30) * 1000) })
  const none = await build(t)
  t.same(none.app.userScope.issuers(), [])
  const lazy = Fastify()
  await lazy.register(userScope, { issuers: [{ ...issuer.entry, lazy: true, fetch: () => new Promise(() => {}) }] })
  t.match(lazy.userScope.issuers(), [{ keys: [], age: null, lastFetch: null, nextTry: null }])
})

t.test('1,000 requests at once through promises', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(userScope, { issuers: [issuer.entry] })
  usualRoutes(app)
  const send = sender(app)
  const answers = await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
    const user = `user-${i}`
    const token = bearer(await issuer.token({ id: user, exp: now() + 60 }))
    const [own, other] = await Promise.all([send({ url: `/api/${user}/tasks`, headers: token }), send({ url: `/api/${user}x/tasks`, headers: token })])
    return own.status === 200 && (own.body as { user: string }).user === user && other.status === 403
  }))
  t.ok(answers.every(Boolean))
})
