import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mock } from 'node:test'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope, { KeysUnreachableError, type IssuerOptions, type VerifyMessage } from '../../lib/index.js'
import { createIssuer, createKey, sendJson, type RemoteIssuer } from '../../lib/testing/index.js'
import { stopClock } from '../support/clock.js'
import { bearer, build, cacheOption, now, refusals, sender, testWithCaches, usualRoutes } from '../support/host.js'
import { atEnd } from '../support/room.js'
import { sameLength } from '../support/same-length.js'

const start = 1_800_000_000
stopClock(start)
let steady = 0 // seconds of the clock that nobody sets
const { now: steadyNow } = performance
performance.now = () => steady * 1000 // no mock, which would record each call
atEnd(() => { performance.now = steadyNow })
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
  const warnings = () => log.filter(({ level }) => level === 40)
  return { app, ask, status, log, info: () => app.userScope.issuers()[0], warnings }
}

/** Lets what goes on in the background come to its end: the issuer's answer passes a socket. */
async function until (condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

testWithCaches('own paths and only those, for each algorithm', async (t) => {
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

testWithCaches('50 first requests at once cause one fetch', async (t) => {
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

t.test('the cache is only cleared if the keys have changed', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { app, send } = await build(t, { issuers: [issuer.entry], cache: {} })
  const ask = (token: string) => send({ url: '/api/alice/tasks', headers: bearer(token) })
  const cached: boolean[] = []
  const listen = (message: unknown) => { cached.push((message as VerifyMessage).cached) }
  subscribe('fastify-user-scope:verify', listen)
  t.teardown(() => unsubscribe('fastify-user-scope:verify', listen))
  const token = await issuer.token('alice', { key: issuer.keys[0]! })
  for (const keys of [issuer.keys, [...issuer.keys, await createKey('more')]]) {
    issuer.keys.splice(0, 9, ...keys)
    cached.length = 0
    pass(470)
    await ask(token)
    pass(15) // four fifths of maxAge are over: a token that is not known has the keys fetched
    await ask(await issuer.token('alice', { key: issuer.keys[0]! }))
    await until(() => app.userScope.issuers()[0]?.age === 0)
    await ask(token)
    t.same(cached, [false, false, keys.length === 1])
  }
})

testWithCaches('unreachable at boot', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  await issuer.stop()
  const app = Fastify()
  await app.register(userScope, { issuers: [issuer.entry] })
  const error = await app.ready().then(() => null, (error: Error) => error)
  t.ok(error instanceof KeysUnreachableError)
  t.match(error?.message, `issuer "${issuer.url}": its keys cannot be fetched (`)
  t.match(error?.message, 'Fix: start the issuer, or correct its entry (the URL, or an option that is named here), ' +
    'or set lazy: true to start without keys')

  const lazy = await host(t, issuer, { lazy: true })
  const answer = await lazy.ask(await issuer.token('alice'))
  const body = { message: 'Token verification is temporarily unavailable' }
  t.match(answer, { status: 503, code: 'KEYS_UNAVAILABLE', body, headers: { 'retry-after': '30' } })
  t.notOk('www-authenticate' in answer.headers)
  t.match(lazy.warnings(), sameLength([{ failures: 1, msg: 'issuer keys could not be fetched; none are left' }]))
  await issuer.restart()
  pass(29)
  t.equal(await lazy.status(await issuer.token('alice')), 503)
  pass(1)
  t.equal(await lazy.status(await issuer.token('alice')), 200)
})

testWithCaches('a client without keys is told to come again in whole seconds, and never at once', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  let time = 0.8 // seconds that a fetch takes
  const fetch = async () => {
    pass(time)
    throw new Error('no answer')
  }
  const { ask } = await host(t, issuer, { lazy: true, fetch })
  const token = await issuer.token('alice')
  t.match(await ask(token), { status: 503, headers: { 'retry-after': '30' } })
  time = 60
  pass(30)
  t.match(await ask(token), { status: 503, headers: { 'retry-after': '1' } })
})

testWithCaches('a flood of unknown kids', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, ask } = await host(t, issuer)
  const stranger = await createKey('stranger')
  const known = await issuer.token('alice')
  const tokens = await Promise.all(Array.from({ length: 300 }, async (_, i) =>
    await issuer.token('alice', { key: { ...stranger, kid: `k${i}` } })))
  const flood = async () => [...new Set(await Promise.all(tokens.map((token) => status(token))))]
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

testWithCaches('rotation', async (t) => {
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

testWithCaches('a removed key is refused by the first request after the maximum age', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status } = await host(t, issuer)
  const [old] = issuer.keys
  issuer.keys.splice(0, 1, await createKey('two'))
  pass(600)
  t.equal(await status(await issuer.token('alice', { key: old! })), 401)
  t.equal(issuer.requests, 2)
})

testWithCaches('a cooldown longer than maxAge does not let a removed key serve on', async (t) => {
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

type Answer = NonNullable<RemoteIssuer['answer']>
const slowBody: Answer = (_request, response) => { response.writeHead(200).write('{"keys":[', () => timeUp()) }
const cutOff: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': 100 }).write('{', () => { response.destroy() })
}
const text = (body: string): Answer => (_request, response) => { response.end(body) }

const failures: Array<[what: string, lastError: RegExp, fail: (issuer: RemoteIssuer) => Answer | Promise<void>]> = [
  ['down', /^TypeError (ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/, async (issuer) => issuer.stop()],
  ['slow', /timed out|JWKSTimeout|TimeoutError/, () => () => timeUp()],
  ['slow body', /timed out|Timeout|AbortError/, () => slowBody],
  ['500', /^status 500$/, () => sendJson({}, 500)],
  ['404', /^status 404$/, () => sendJson({ keys: [] }, 404)],
  ['HTML', /^not JSON$/, () => text('<html>secret-body</html>')],
  ['truncated JSON', /^not JSON$/, () => text('{"keys":[{"kty":"OKP"')],
  ['a body cut off', /TypeError/, () => cutOff],
  ['over 1 MiB', /^longer than 1048576 bytes \(option "maxBytes"\)$/, (issuer) =>
    sendJson({ keys: issuer.keys.map(({ jwk }) => jwk), pad: 'x'.repeat(1_048_577) })],
  ['empty set', /^no usable key: the set is empty$/, () => sendJson({ keys: [] })],
  ['no set', /^not a JWK Set$/, () => sendJson(null)],
  ['keys no list', /^not a JWK Set$/, () => sendJson({ keys: {} })],
  ['redirect', /^status 302 \(a redirect, which is not followed\)$/, (issuer) => (_request, response) => {
    response.writeHead(302, { location: `${issuer.url}/elsewhere` }).end()
  }]
]

testWithCaches('of a set without a usable key, the failure says why the first is none', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  issuer.answer = sendJson({ keys: [issuer.keys[0]?.jwk, { kty: 'oct' }] })
  const { info } = await host(t, issuer, { algorithms: ['RS256'], lazy: true })
  await until(() => info()?.lastError !== null)
  t.equal(info()?.lastError, 'no usable key: for an algorithm that is not configured (option "algorithms")')
})

for (const [what, lastError, fail] of failures) {
  testWithCaches(`the issuer fails: ${what}`, async (t) => {
    const issuer = await createIssuer({ mode: 'jwks', t })
    const { app, status, info, warnings, log } = await host(t, issuer)
    const token = await issuer.token({ id: 'alice', exp: start + 100_000 })
    const answering = fail(issuer)
    if (answering instanceof Promise) await answering
    else issuer.answer = answering
    const before = issuer.requests

    pass(600)
    t.equal(await status(token), 200, 'the keys held serve on')
    t.match(info()?.lastError, lastError)
    t.same(info()?.keys, ['key-1'])
    const line = { issuer: issuer.url, url: issuer.entry.jwksUri, reason: lastError, failures: 1 }
    t.match(warnings(), [{ ...line, msg: 'issuer keys could not be fetched; the last ones are still used' }])
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
    const { code } = answer.json<{ code: string }>()
    t.same([answer.statusCode, code], [503, 'KEYS_UNAVAILABLE'], 'until the keys are a day old')
    t.same(info()?.keys, [])
    t.match(warnings().at(-1), { msg: 'issuer keys could not be fetched; none are left' })

    issuer.answer = undefined
    if (what === 'down') await issuer.restart()
    pass(30)
    t.equal(await status(token), 200, 'and it recovers')
    t.match(info(), { lastError: null, keys: ['key-1'], age: 0 })
  })
}

testWithCaches('maxStale below maxAge: keys serve until maxAge, whoever answers', async (t) => {
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
    t.match(info(), sameLength({ keys: [], age: null }))
    await issuer.restart()
    pass(28)
    t.match(await ask(await fresh(4)), { status: 503, headers: { 'retry-after': '1' } })
    pass(1)
    t.equal(await status(await fresh(5)), 200)
  }
})

testWithCaches('keys too old to serve are fetched after the cooldown, however many attempts failed', async (t) => {
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
  const answered = await ask(await fresh(8))
  t.match(answered, { status: 503, headers: { 'retry-after': '30' } }, 'asked, and no longer at rarer and rarer times')
  t.equal(issuer.requests, requests + 1)
  issuer.answer = answer
  pass(30)
  t.same(await Promise.all([9, 10, 11].map(async (n) => status(await fresh(n)))), [200, 200, 200])
  t.equal(issuer.requests, requests + 2)
  pass(100_000)
  t.equal(await status(await fresh(12)), 200, 'and after a long time without requests')
})

testWithCaches('keys of exactly 80 % of maxAge are fetched anew, and the answer does not wait', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, info } = await host(t, issuer)
  const fresh = (n: number) => issuer.token({ id: 'alice', exp: start + 1e6, n })
  pass(479)
  t.equal(await status(await fresh(1)), 200)
  t.equal(info()?.age, 479)
  t.same(info()?.lastFetch, new Date(start * 1000), 'no fetch yet')
  pass(1)
  t.equal(await status(await fresh(2)), 200)
  t.same(info()?.lastFetch, new Date((start + 480) * 1000))
  await until(() => info()?.age === 0)
  t.equal(issuer.requests, 2)

  issuer.answer = () => {} // never
  pass(500)
  t.same(await Promise.all([3, 4].map(async (n) => status(await fresh(n)))), [200, 200], 'while the fetch hangs')
  t.match(info(), { age: 500, lastError: null })
  t.same(info()?.lastFetch, new Date(Date.now()))
  await until(() => issuer.requests === 3) // a token is verified sooner than a request arrives
  timeUp()
  await until(() => info()?.lastError !== null)
  t.equal(issuer.requests, 3)

  // Known to be down.
  pass(150)
  t.equal(await status(await fresh(5)), 200, 'nor does it wait for another fetch that hangs')
  t.equal(info()?.age, 650)
  t.same(info()?.lastFetch, new Date(Date.now()))
  timeUp()
})

testWithCaches('the issuer is down when the first keys are too old to serve', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask, info } = await host(t, issuer, { maxStale: 3600 })
  await issuer.stop()
  pass(4200)
  t.match(info(), { keys: ['key-1'], age: 4200, lastError: null }, 'nobody has asked meanwhile')
  const token = await issuer.token({ id: 'alice', exp: start + 1e6 })
  t.match(await ask(token), { status: 503, code: 'KEYS_UNAVAILABLE', headers: { 'retry-after': '30' } })
  t.match(info(), sameLength({ keys: [], age: null, lastError: String }))
})

testWithCaches('keys that grow too old while a request waits for new ones do not serve', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status } = await host(t, issuer, { maxStale: 3600 })
  issuer.answer = () => { pass(5); timeUp() }
  pass(3594)
  const token = await issuer.token({ id: 'alice', exp: start + 1e6 })
  t.equal(await status(token), 200, 'of 3599 s')
  mock.timers.setTime(start * 1000)
  const late = await createIssuer({ mode: 'jwks', t })
  const other = await host(t, late, { maxStale: 3600 })
  late.answer = () => { pass(5); timeUp() }
  pass(3595)
  t.equal(await other.status(await late.token({ id: 'alice', exp: start + 1e6 })), 503, 'of 3600 s')
})

t.test('while the issuer is down, a token is verified once until the next attempt', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { app, send, log } = await build(t, { issuers: [{ ...issuer.entry, maxStale: 660 }], cache: { ttl: 3600 } })
  app.log.level = 'debug'
  const token = await issuer.token({ id: 'alice', exp: start + 1e6 })
  const verified = () => log.filter(({ msg }) => msg === 'token verified').length
  await issuer.stop()
  const rows = [[0, 1], [599, 1], [610, 2], [610, 2], [639, 2], [640, 3], [659, 3]] as const
  for (const [at, times] of rows) {
    mock.timers.setTime((start + at) * 1000)
    t.match(await send({ url: '/api/alice/tasks', headers: bearer(token) }), { status: 200 })
    await until(() => at < 640 || log.filter(({ failures }) => failures === 2).length > 0)
    t.equal(verified(), times, `at ${at}`)
  }
  mock.timers.setTime((start + 660) * 1000)
  t.match(await send({ url: '/api/alice/tasks', headers: bearer(token) }), { status: 503 }, 'not beyond maxStale')
})

testWithCaches('attempts get rarer, but never rarer than maxAge or the cooldown', async (t) => {
  const rows: Array<[entry: Partial<IssuerOptions>, pauses: number[]]> = [
    [{}, [30, 60, 120, 240, 300, 300]],
    [{ maxAge: 100 }, [30, 60, 100, 100]],
    [{ maxAge: 86_400, cooldown: 10 }, [10, 20, 40, 80, 100, 100]],
    [{ maxAge: 5, cooldown: 30 }, [30, 30]]
  ]
  for (const [entry, pauses] of rows) {
    mock.timers.setTime(start * 1000)
    const issuer = await createIssuer({ mode: 'jwks', t })
    const { status, info, warnings } = await host(t, issuer, { maxStale: 604_800, ...entry })
    const token = await issuer.token({ id: 'alice', exp: start + 1e6 }, { key: await createKey('stranger') })
    issuer.answer = sendJson({}, 500)
    pass(30)
    for (const [index, pause] of pauses.entries()) {
      t.equal(await status(token), 503)
      await until(() => warnings().length > index)
      t.same(info()?.nextTry, new Date(Date.now() + pause * 1000), `${pause} s after failure ${index + 1}`)
      pass(pause)
    }
  }
})

testWithCaches('a token verified during a slow fetch is not known for longer than maxAge', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status } = await host(t, issuer)
  const token = await issuer.token({ id: 'alice', exp: start + 1e6 })
  let answerNow = () => {}
  issuer.answer = (request, response) => { answerNow = () => sendJson({ keys: [fresh.jwk] })(request, response) }
  const fresh = await createKey('two')
  pass(590)
  t.equal(await status(token), 200)
  await until(() => issuer.requests === 2)
  pass(10)
  const answer = status(token)
  answerNow()
  t.equal(await answer, 401, 'its key was removed')
})

testWithCaches('keys are as old as the beginning of their fetch, however long it takes', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const old = await issuer.token({ id: 'alice', exp: start + 1e6 })
  const fetch = async () => {
    const keys = issuer.keys.map(({ jwk }) => jwk)
    pass(4)
    return Response.json({ keys })
  }
  const { status, info } = await host(t, issuer, { fetch })
  t.match(info(), { age: 4 })
  issuer.keys.splice(0, 1, await createKey('two'))
  pass(596)
  t.equal(await status(old), 401, 'after 600 s')
  t.match(info(), { keys: ['two'], age: 4 })
})

testWithCaches('there is one fetch at a time, also if it takes longer than the cooldown', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  let asked = 0
  const fetch = () => {
    asked++
    return new Promise<Response>(() => {})
  }
  const { info } = await host(t, issuer, { lazy: true, timeout: 60, cooldown: 5, fetch })
  for (let seconds = 0; seconds < 60; seconds += 20) {
    info() // a health check has keys fetched
    t.equal(asked, 1, `after ${seconds} s`)
    pass(20)
  }
  timeUp()
  await until(() => info()?.lastError !== null)
  t.equal(asked, 2)
})

testWithCaches('a lazy boot does not wait for an issuer that hangs', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { info } = await host(t, issuer, { lazy: true, fetch: () => new Promise(() => {}) })
  t.match(info(), sameLength({ keys: [], lastError: null }))
  t.same(info()?.lastFetch, new Date(start * 1000))
})

testWithCaches('attempts for the first keys get no rarer', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask } = await host(t, issuer, { lazy: true, fetch: async () => new Response(null, { status: 500 }) })
  for (let failures = 1; failures <= 4; failures++) {
    t.match(await ask(await issuer.token('alice')), { status: 503, headers: { 'retry-after': '30' } })
    pass(30)
  }
})

testWithCaches('ignored keys are warned of once, and again when they are others', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const [good] = issuer.keys
  const keys = [{ kty: 'oct', kid: 'a' }, good?.jwk]
  issuer.answer = sendJson({ keys })
  const { status, warnings } = await host(t, issuer, { maxAge: 100 })
  const token = await issuer.token('alice')
  const fetchAgain = async () => {
    const before = issuer.requests
    pass(100)
    t.equal(await status(token), 200)
    t.equal(issuer.requests, before + 1)
    return warnings().map(({ ignored }) => ignored as unknown[])
  }
  const reason = 'not an RSA, EC or OKP key'
  t.same(await fetchAgain(), [[{ kid: 'a', reason }]])
  t.equal((await fetchAgain()).length, 1)
  issuer.answer = sendJson({ keys: [{ kty: 'oct', kid: 'b' }, good?.jwk] })
  t.same((await fetchAgain())[1], [{ kid: 'b', reason }])
  issuer.answer = sendJson({ keys: [good?.jwk] })
  t.equal((await fetchAgain()).length, 2)
  issuer.answer = sendJson({ keys })
  t.equal((await fetchAgain()).length, 3)
  issuer.answer = sendJson({ keys: [...Array.from({ length: 12 }, () => keys[0]), good?.jwk] })
  t.equal((await fetchAgain())[3]?.length, 10)
  t.match(warnings()[3], { count: 12 }, 'the line tells how many, and the first ten')
})

testWithCaches('no redirect is followed to another origin', async (t) => {
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

testWithCaches('an injected fetch that heeds no signal cannot hang a request', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { status, info } = await host(t, issuer, { lazy: true, timeout: 2.5, fetch: hang })
  t.same(limits.calls.at(-1)?.arguments, [2500])
  t.equal(await status(await issuer.token('alice')), 503)
  t.equal(info()?.lastError, 'timed out (option "timeout")')
})

testWithCaches('an injected fetch that hangs, or rejects with anything, while the keys are being found', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { jwksUri: _, ...entry } = issuer.entry
  for (const [fetch, lastError] of [
    [hang, 'timed out (option "timeout")'],
    // eslint-disable-next-line prefer-promise-reject-errors
    [() => Promise.reject(), `unknown error at ${issuer.url}/.well-known/openid-configuration, and unknown error`]
  ] as const) {
    const { app, send } = await build(t, { issuers: [{ ...entry, discovery: true, lazy: true, fetch }] })
    const answer = await send({ url: '/api/alice/tasks', headers: bearer(await issuer.token('alice')) })
    t.match(answer, { status: 503, code: 'KEYS_UNAVAILABLE' })
    t.equal(app.userScope.issuers()[0]?.lastError, lastError)
  }
})

testWithCaches('the error handler of the host cannot lose the status of an outage', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  await issuer.stop()
  const { send } = await build(t, { issuers: [{ ...issuer.entry, lazy: true }] }, {}, (app) => {
    app.setErrorHandler(async () => ({ mine: 1 }))
    app.get('/api/me', async () => 'in')
  })
  const answer = await send({ url: '/api/me', headers: bearer(await issuer.token('alice')) })
  t.match(answer, { status: 503, headers: { 'retry-after': '30' }, body: { mine: 1 } })
})

testWithCaches('an injected fetch that answers without a body', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { info } = await host(t, issuer, { lazy: true, fetch: async () => new Response(null) })
  await until(() => info()?.lastError === 'not JSON')
  t.same(info()?.keys, [])
})

testWithCaches('an injected fetch gets the URL and what it needs to give up', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const calls: Array<[string, RequestInit]> = []
  const fetch: IssuerOptions['fetch'] = async (url, init) => {
    calls.push([url, init])
    return Response.json({ keys: issuer.keys.map(({ jwk }) => jwk) })
  }
  const { status } = await host(t, issuer, { jwksUri: 'https://keys.example/jwks', fetch })
  t.equal(await status(await issuer.token('alice')), 200)
  t.equal(calls.length, 1)
  t.match(calls,
    sameLength([['https://keys.example/jwks', { method: 'GET', redirect: 'manual', signal: AbortSignal }]]))
})

testWithCaches('a token without kid needs exactly one key that fits', async (t) => {
  const [ed, es, es2] = [await createKey('ed'), await createKey('es', 'ES256'), await createKey('es2', 'ES256')]
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [ed, es] })
  const { status } = await host(t, issuer)
  const by = async (key: typeof ed) => status(await issuer.token('alice', { key, header: { kid: undefined } }))
  t.same([await by(ed), await by(es)], [200, 200])
  issuer.keys.push(es2)
  pass(600)
  t.same([await by(ed), await by(es), await by(es2)], [200, 401, 401])

  // A new set would not tell which of the two is meant.
  pass(30)
  t.equal(await by(es), 401)
  t.equal(issuer.requests, 2, 'nothing is fetched for it, after the cooldown either')
  await issuer.stop()
  pass(30)
  t.equal(await by(es), 401, 'nor is it an outage while the issuer is down')
})

testWithCaches('the key of another algorithm', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [await createKey('k', 'RS256')] })
  const { ask, log } = await host(t, issuer)
  const key = { ...issuer.keys[0]!, privateKey: (await createKey('k', 'PS256')).privateKey }
  const token = await issuer.token('alice', { header: { alg: 'PS256' }, key })
  t.match(await ask(token), { code: 'INVALID_TOKEN_SIGNATURE' })
  const reason = /the signature does not verify with a key of the issuer ".*" \(ERR_JWKS_NO_MATCHING_KEY\)/
  t.match(refusals(log), sameLength([{ reason }]))
})

testWithCaches('a clock that is set back or forward', async (t) => {
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

testWithCaches('a clock that is set back while the issuer is down', async (t) => {
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

testWithCaches('keys age behind a clock that is set back', async (t) => {
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

testWithCaches('issuers() has old keys fetched, so that a health check alone gets an app ready', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  await issuer.stop()
  const { info, log } = await host(t, issuer, { lazy: true, maxStale: 3600 })
  const failures = () => log.filter(({ failures }) => failures).length
  await until(() => failures() === 1)
  await issuer.restart()
  t.match(info(), sameLength({ keys: [] }), 'within the cooldown')
  t.equal(issuer.requests, 0)
  pass(30)
  await until(() => info()?.keys.length === 1)
  t.equal(issuer.requests, 1)
  pass(479)
  t.match(info(), { keys: ['key-1'], age: 479 })
  t.equal(issuer.requests, 1)
  await issuer.stop()
  pass(3600)
  await until(() => info()?.keys.length === 0)
  t.equal(failures(), 2)
})

testWithCaches('what issuers() tells', async (t) => {
  const keys = [await createKey('one'), { ...await createKey('x', 'ES256') }]
  const issuer = await createIssuer({ mode: 'jwks', t, keys })
  delete (issuer.keys[1] as { jwk: { kid?: string } }).jwk.kid
  const { info } = await host(t, issuer)
  pass(10)
  const [lastFetch, nextTry] = [new Date(start * 1000), new Date((start + 30) * 1000)]
  t.strictSame(info(), { issuer: issuer.url, keys: ['one', null], age: 10, lastFetch, lastError: null, nextTry })
  pass(0.9)
  t.match(info(), { age: 10 }, 'whole seconds')
  pass(89.1)
  t.strictSame(info(), { issuer: issuer.url, keys: ['one', null], age: 100, lastFetch, lastError: null, nextTry })
  issuer.answer = sendJson({ keys: [{ ...keys[0]?.jwk, kid: '' }] })
  t.same((await host(t, issuer)).info()?.keys, [''], 'a name may be empty')
  const none = await build(t)
  t.same(none.app.userScope.issuers(), [])
  const lazy = Fastify()
  await lazy.register(userScope, { issuers: [{ ...issuer.entry, lazy: true, fetch: () => new Promise(() => {}) }] })
  for (let twice = 0; twice < 2; twice++) { // the first fetch is that of the boot
    t.match(lazy.userScope.issuers(), sameLength([{ keys: [], age: null, lastFetch: null, nextTry: null }]))
  }
})

testWithCaches('1,000 requests at once through promises', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(userScope, { issuers: [issuer.entry], ...cacheOption() })
  usualRoutes(app)
  const send = sender(app)
  const answers = await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
    const user = `user-${i}`
    const token = bearer(await issuer.token({ id: user, exp: now() + 60 }))
    const ask = (id: string) => send({ url: `/api/${id}/tasks`, headers: token })
    const [own, other] = await Promise.all([ask(user), ask(`${user}x`)])
    return own.status === 200 && (own.body as { user: string }).user === user && other.status === 403
  }))
  t.ok(answers.every(Boolean))
})

/** A fetch that never answers; `ended` tells whether it was aborted. */
function hanging () {
  let isEnded = false
  const fetch: IssuerOptions['fetch'] = (_url, { signal }) => new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => {
      isEnded = true
      reject(new Error('aborted'))
    })
  })
  return { fetch, ended: () => isEnded }
}

t.test('a fetch ends when its time is up', async (t) => {
  const { fetch, ended } = hanging()
  const issuer = await createIssuer({ mode: 'jwks', t })
  await host(t, issuer, { lazy: true, fetch })
  t.equal(ended(), false)
  timeUp()
  t.equal(ended(), true)
})

t.test('a fetch in flight ends when the app closes, and is not logged as a failure', async (t) => {
  const { fetch, ended } = hanging()
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { app, warnings } = await host(t, issuer, { lazy: true, fetch })
  t.equal(ended(), false)
  await app.close()
  t.equal(ended(), true)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warnings(), [])
})

t.test('a fetch in flight ends when the boot fails', async (t) => {
  const { fetch: hangs, ended } = hanging()
  const fails: IssuerOptions['fetch'] = async () => new Response('', { status: 500 })
  const app = Fastify()
  t.teardown(() => app.close())
  const entry = { audience: 'api', jwksUri: 'https://keys.example', idPrefix: '' }
  app.register(userScope, {
    issuers: [
      { ...entry, issuer: 'https://hangs.example', fetch: hangs },
      { ...entry, issuer: 'https://fails.example', fetch: fails }
    ]
  })
  await t.rejects(async () => { await app.ready() }, KeysUnreachableError)
  t.equal(ended(), true)
})

t.test('a serializer of the host that throws changes no answer', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  await issuer.stop()
  const create = (lazy: boolean) => {
    const lines: string[] = []
    const url = (value: URL) => value.pathname.toUpperCase()
    const logger = { level: 'warn', serializers: { url }, stream: { write: (line: string) => { lines.push(line) } } }
    const app = Fastify({ logger })
    t.teardown(() => app.close())
    app.register(userScope, { issuers: [{ ...issuer.entry, lazy }] })
    app.register(async (scope) => { usualRoutes(scope) })
    return { app, lines }
  }
  await t.rejects(async () => { await create(false).app.ready() }, KeysUnreachableError)
  const { app, lines } = create(true)
  await app.ready()
  const headers = bearer(await issuer.token('alice'))
  t.match(await sender(app)({ url: '/api/alice/tasks', headers }), { status: 503, code: 'KEYS_UNAVAILABLE' })
  t.match(JSON.parse(String(lines[0])), { msg: /could not be fetched.*"url":"http:/ })
})
