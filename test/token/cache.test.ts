import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import t from 'tap'
import { readOptions } from '../../lib/options/settings.js'
import { TokenCache } from '../../lib/token/cache.js'
import { createClaimsReader } from '../../lib/token/claims-reader.js'
import type { Verified } from '../../lib/token/verifier.js'
import userScope, { type UserScopeOptions, type VerifiedUser } from '../../lib/index.js'
import { createIssuer, createKey } from '../../lib/testing/index.js'
import { stopClock } from '../support/clock.js'
import { bearer, build, secret, sign } from '../support/host.js'

const verified = { user: { issuer: 'secret' }, expiresAt: Infinity, weight: 100 } as Verified
const start = 1_800_000_000
const at = stopClock(start)

/** A host that hands out the users its handler sees: the cache answered if two of them are the very same object. */
async function host (t: Parameters<typeof build>[0], options: UserScopeOptions = {}) {
  let seen: VerifiedUser | undefined
  const { send } = await build(t, options, {}, (app) => {
    app.get('/api/:user_id/tasks', async (request) => { seen = request.user; return 'in' })
  })
  return async (token: string, user = 'alice', headers = bearer(token)) => {
    seen = undefined
    const { status } = await send({ url: `/api/${user}/tasks`, headers })
    return seen ?? status
  }
}

t.test('a known token is not verified again', async (t) => {
  const ask = await host(t)
  const token = sign({ sub: 'alice', exp: start + 1000 })
  const first = await ask(token)
  t.type(first, 'object')
  t.equal(await ask(token), first)
  t.equal(await ask(token, 'bob'), 403, 'but its path is compared each time')
  t.not(await ask(sign({ sub: 'alice', exp: start + 1001 })), first)
  t.equal(await ask(`${token}x`), 401)
  const authorization = `bearer ${token}`
  const other = await ask(token, 'alice', { authorization })
  t.not(other, first, 'another spelling of the scheme is let in, by the long way')
  t.equal(await ask(token, 'alice', { authorization }), other, 'and is known then')
  t.equal(await ask(token), first, 'as the first one still is')
})

t.test('a clock that is set back by little does not keep a token for longer', async (t) => {
  const { now } = performance
  t.teardown(() => { performance.now = now })
  const cache = new TokenCache({ max: 10, ttl: 300 })
  const ask = () => cache.find('Bearer a.b.c') !== undefined
  for (const [what, expiresAt, until] of [['its ttl', Infinity, 300], ['its key', start + 200, 200]] as const) {
    const running = 10_000_000 // for months
    let steady = running
    performance.now = () => steady * 1000
    at(0)
    cache.keep('Bearer a.b.c', { ...verified, expiresAt }, cache.generation)
    for (let passed = 0; passed < until; passed += 20) {
      steady = running + passed
      at(19) // it was set back by as much as has passed
      t.ok(ask(), `${what} after ${passed} s`)
    }
    steady = running + until
    t.notOk(ask(), what)
    cache.clear()
  }
  at(0)
})

t.test('a token that only ends like a known one is verified', async (t) => {
  const ask = await host(t)
  const claims = { sub: 'alice', exp: start + 1000 }
  const known = sign(claims)
  const first = await ask(known)
  const [head, , signature] = known.split('.')
  const payload = Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url')
  t.equal(await ask(`${head}.${payload}.${signature}`), 401)
  t.equal(await ask(known), first, 'which stays known')
})

t.test('the token of an application is cached as such', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const ask = await host(t, { issuers: [issuer.entry] })
  const token = await issuer.token({ id: 'alice', client_id: 'alice' })
  t.same([await ask(token), await ask(token)], [403, 403])
})

t.test('cache: false verifies every time', async (t) => {
  const ask = await host(t, { cache: false })
  const token = sign({ sub: 'alice', exp: start + 1000 })
  t.not(await ask(token), await ask(token))
})

t.test('an entry lives until its ttl, exp or maxTokenAge is over', async (t) => {
  const cases: Array<[what: string, options: UserScopeOptions, claims: object, kept: number, gone: number]> = [
    ['exp', { clockTolerance: 0 }, { exp: start + 100 }, 99.999, 100],
    ['exp and clockTolerance', { clockTolerance: 10 }, { exp: start + 100 }, 109.999, 110],
    ['maxTokenAge', { maxTokenAge: 50, clockTolerance: 0 }, { exp: start + 1000, iat: start - 10 }, 39.999, 40],
    ['ttl', { cache: { ttl: 60 } }, { exp: start + 1000 }, 59.999, 60],
    ['the default ttl', {}, { exp: start + 1000 }, 299.999, 300]
  ]
  for (const [what, options, claims, kept, gone] of cases) {
    at(0)
    const ask = await host(t, options)
    const token = sign({ sub: 'alice', ...claims })
    const first = await ask(token)
    at(kept)
    t.equal(await ask(token), first, `${what}: kept`)
    at(gone)
    t.not(await ask(token), first, `${what}: gone`)
  }
})

t.test('when a known token expires, no hook of the host after the guard sees its user', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const rows: Array<[what: string, options: UserScopeOptions, claims: object]> = [
    ['exp', { clockTolerance: 0 }, { exp: start + 40 }],
    ['exp and clockTolerance', { clockTolerance: 10 }, { exp: start + 30 }],
    ['maxTokenAge', { clockTolerance: 0, maxTokenAge: 50 }, { exp: start + 1000, iat: start - 10 }]
  ]
  for (const [what, options, claims] of rows) {
    at(0)
    for (const [signer, token] of [
      [{}, sign({ sub: 'alice', ...claims })],
      [{ issuers: [issuer.entry] }, await issuer.token({ id: 'alice', ...claims })]
    ] as const) {
      at(0)
      const seen: string[] = []
      const { send } = await build(t, { ...options, ...signer }, {}, (app) => {
        app.addHook('preParsing', async ({ user }) => { seen.push(user.id) })
        app.get('/api/me', async () => 'in')
      })
      for (const [seconds, answer, times] of [
        [0, { status: 200 }, 1], [39.999, { status: 200 }, 2], [40, { status: 401, code: 'TOKEN_EXPIRED' }, 2]
      ] as const) {
        at(seconds)
        t.match(await send({ url: '/api/me', headers: bearer(token) }), answer, `${what} after ${seconds} s`)
        t.equal(seen.length, times, `${what} after ${seconds} s`)
      }
    }
  }
})

t.test('if the clock is set back, tokens that were kept later are verified again', async (t) => {
  const ask = await host(t, { cache: { ttl: 60 }, clockTolerance: 0 })
  const token = sign({ sub: 'alice', exp: start + 1000, nbf: start - 100, iat: start - 100 })
  const first = await ask(token)
  t.equal(await ask(token), first)
  at(-0.001)
  const second = await ask(token)
  t.type(second, 'object')
  t.not(second, first)
  at(58.999)
  t.equal(await ask(token), second)
  at(-100.001)
  t.equal(await ask(token), 401, 'before nbf and iat')
  at(58.999)
  t.not(await ask(token), second, 'what was stale once is gone')
})

t.test('an entry is never kept longer than its ttl, also if it was kept within a second', async (t) => {
  const ask = await host(t, { cache: { ttl: 1 } })
  const token = sign({ sub: 'alice', exp: start + 1000 })
  at(0.5)
  const first = await ask(token)
  at(0.999)
  t.equal(await ask(token), first)
  at(1.5)
  t.not(await ask(token), first)
})

t.test('the least recently used token leaves first', async (t) => {
  const ask = await host(t, { cache: { max: 2 } })
  const [a, b, c] = ['a', 'b', 'c'].map((n) => sign({ sub: 'alice', exp: start + 1000, n })) as [string, string, string]
  const first = await ask(a)
  const second = await ask(b)
  t.equal(await ask(a), first)
  await ask(c)
  await ask(c)
  t.equal(await ask(a), first, 'used again, so b left')
  t.not(await ask(b), second)
})

t.test('in a full cache, a token is kept at its second request', async (t) => {
  const ask = await host(t, { cache: { max: 2 } })
  const [a, b, c] = ['a', 'b', 'c'].map((n) => sign({ sub: 'alice', exp: start + 1000, n })) as [string, string, string]
  const [first, second] = [await ask(a), await ask(b)]
  const once = await ask(c)
  for (let n = 0; n < 100; n++) t.type(await ask(sign({ sub: 'alice', exp: start + 1000, n })), 'object')
  t.equal(await ask(a), first, 'what comes but once pushes nobody out')
  t.equal(await ask(b), second)
  const twice = await ask(c)
  t.not(twice, once)
  t.equal(await ask(c), twice)
})

t.test('tokens that keep coming replace those that were kept', (t) => {
  const max = 5000
  const cache = new TokenCache({ max, ttl: 300 })
  const headers = () => Array.from({ length: max }, () => `Bearer ${randomBytes(60).toString('base64url')}`)
  for (const each of headers()) cache.keep(each, verified, 0)
  const others = headers()
  for (const round of [1, 2]) {
    for (const each of others) if (!cache.find(each)) cache.keep(each, verified, 0)
    const found = others.filter((each) => cache.find(each)).length
    t.ok(round === 1 ? found < max / 10 : found > 0.99 * max, `${found} of ${max} after round ${round}`)
  }
  t.end()
})

t.test('it counts as full by entries or by bytes', (t) => {
  const rows: Array<[max: number, length: number, active: number]> = [[20_000, 100, 17_500], [1_000_000, 3000, 2500]]
  for (const [max, length, active] of rows) {
    const cache = new TokenCache({ max, ttl: 300 })
    const headers = (count: number) =>
      Array.from({ length: count }, () => randomBytes(length).toString('base64url').slice(0, length))
    for (const each of headers(30_000)) cache.keep(each, verified, 0)
    const others = headers(active)
    for (let round = 0; round < 2; round++) for (const each of others) cache.keep(each, verified, 0)
    for (const each of headers(30_000)) cache.keep(each, verified, 0)
    const found = others.filter((each) => cache.find(each)).length
    t.ok(found > 0.9 * active, `${found} of ${active}`)
  }
  t.end()
})

t.test('the token of an issuer is kept at its first request even in a full cache', (t) => {
  const cache = new TokenCache({ max: 1, ttl: 300 })
  for (const header of ['Bearer a', 'Bearer b']) {
    cache.keep(header, { ...verified, user: { ...verified.user, issuer: 'https://issuer.example' } }, 0)
    t.type(cache.find(header), 'object')
  }
  t.end()
})

t.test('tokens that come only once are forgotten', (t) => {
  const max = 1000
  const cache = new TokenCache({ max, ttl: 300 })
  const keep = () => {
    const header = `Bearer ${randomBytes(60).toString('base64url')}`
    cache.keep(header, verified, 0)
    return header
  }
  for (let i = 0; i < max + 300_000; i++) keep()
  const found = Array.from({ length: 10_000 }, keep).filter((each) => cache.find(each)).length
  t.ok(found < 250, `${found} of 10000`)
  const again = keep()
  cache.keep(again, verified, 0)
  t.type(cache.find(again), 'object', 'and what comes twice is still kept')
  t.end()
})

t.test('one token too many costs one look-up, not all of them', (t) => {
  const max = 1000
  const cache = new TokenCache({ max, ttl: 300 })
  const headers = Array.from({ length: max + 1 }, () => `Bearer ${randomBytes(60).toString('base64url')}`)
  let missed = 0
  for (let round = 0; round < 10; round++) {
    for (const each of headers) {
      if (cache.find(each)) continue
      missed++
      cache.keep(each, verified, 0)
    }
  }
  t.ok(missed < max + 20, `${missed} of ${10 * headers.length}`)
  t.end()
})

t.test('tokens over 4 KB, and refusals, are not kept', async (t) => {
  const ask = await host(t)
  const long = sign({ sub: 'alice', exp: start + 1000, pad: 'x'.repeat(3200) })
  t.ok(long.length > 4096)
  t.not(await ask(long), await ask(long))
  const soon = sign({ sub: 'alice', exp: start + 1000, nbf: start + 10 })
  t.equal(await ask(soon), 401)
  at(10)
  t.type(await ask(soon), 'object')
})

const header = (i: number, length = 4096) => String(i).padStart(length, '0')

/** How many of so many headers are kept, with so much known of each. */
function keptOf (count: number, length: number, weight: number): number {
  const cache = new TokenCache({ max: 1_000_000, ttl: 300 })
  for (let i = 0; i < count; i++) cache.keep(header(i, length), { ...verified, weight }, 0)
  return Array.from({ length: count }, (_, i) => cache.find(header(i, length))).filter(Boolean).length
}

t.test('the cache is bounded in bytes of headers and users', async (t) => {
  t.equal(keptOf(10_000, 4096, 100), Math.floor(33_554_432 / (2 * 4096 + 100)))
  t.equal(keptOf(1000, 100, 100_000), Math.floor(33_554_432 / (2 * 100 + 100_000)))
  t.equal(keptOf(1, 4097, 100), 0)
})

t.test('a max that the bytes never let it reach takes no memory', async (t) => {
  const before = process.memoryUsage().arrayBuffers
  const cache = new TokenCache({ max: 10_000_000, ttl: 300 })
  t.ok(process.memoryUsage().arrayBuffers - before < 8_000_000, 'for the largest one')
  t.equal(cache.generation, 0)
})

t.test('an entry weighs as much as its claims in memory', async (t) => {
  const { claimRules } = readOptions({ secret }, {})
  const weigh = (claims: object) =>
    createClaimsReader(claimRules)({ header: {}, payload: { sub: 'alice', exp: start + 100, ...claims } }).weight
  t.ok(weigh({}) < 1000)
  t.ok(weigh({ lists: Array.from({ length: 1000 }, () => []) }) > 60_000, '2 KB of text')
  t.ok(weigh({ deep: JSON.parse(`${'['.repeat(50)}${']'.repeat(50)}`) }) > 3000)
})

t.test('expired entries are removed at most once a minute, without being looked up', async (t) => {
  const cache = new TokenCache({ max: 10, ttl: 300 })
  cache.keep('old', { ...verified, expiresAt: start + 10 }, 0)
  at(60)
  cache.keep('new', verified, 0)
  at(0)
  t.type(cache.find('old'), 'object', 'not in the same minute')
  at(60.001)
  cache.keep('newer', verified, 0)
  t.type(cache.find('new'), 'object', 'what is good stays')
  at(0)
  t.equal(cache.find('old'), undefined, 'gone, though the clock says that it is good again')
})

t.test('one request cannot change the user of another', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.get(
      '/api/:user_id/tasks',
      { preHandler: async (request) => { Object.assign(request, { user: { id: 'mallory' } }) } },
      async (request) => request.user.id
    )
    app.get('/api/me', async (request) => request.user.id)
  })
  const headers = bearer(sign({ sub: 'alice', exp: start + 1000 }))
  t.match(await send({ url: '/api/alice/tasks', headers }), { body: 'mallory' })
  t.match(await send({ url: '/api/me', headers }), { body: 'alice' })
})

t.test('an entry does not outlive the keys that verified it', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const ask = await host(t, { issuers: [issuer.entry], cache: { ttl: 86_400 } })
  const [old] = issuer.keys
  const token = await issuer.token({ id: 'alice', exp: start + 100_000 })
  const first = await ask(token)
  t.equal(await ask(token), first)

  issuer.keys.splice(0, 1, await createKey('two'))
  at(30)
  t.type(await ask(await issuer.token('alice')), 'object', 'a new kid has the keys fetched')
  t.equal(await ask(token), 401, 'and the removed key does not serve from memory')

  issuer.keys.splice(0, 1, old!)
  at(700)
  t.type(await ask(token), 'object')
  issuer.keys.splice(0, 1, await createKey('three'))
  at(1300)
  t.equal(await ask(token), 401, 'nor without anybody asking, after the maximum age')
})

t.test('whichever of several issuers removes a key, what it verified is forgotten', async (t) => {
  for (const place of [0, 1, 2]) {
    at(0)
    const list = await Promise.all([0, 1, 2].map(() => createIssuer({ mode: 'jwks', t })))
    const ask = await host(t, { issuers: list.map(({ entry }) => ({ ...entry, idPrefix: '' })) })
    const issuer = list[place]!
    const token = await issuer.token({ id: 'alice', exp: start + 1000 })
    t.type(await ask(token), 'object')
    issuer.keys.splice(0, 1, await createKey('two'))
    at(30)
    t.type(await ask(await issuer.token('alice')), 'object', 'a new kid has the keys fetched')
    t.equal(await ask(token), 401, `${place}`)
  }
})

t.test('nor is a token kept whose verification began before the keys changed', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  let [answered, arrived] = [() => {}, () => {}]
  let asked = 0
  const issuerAnswers = new Promise<void>((resolve) => { answered = resolve })
  const keysArrive = new Promise<void>((resolve) => { arrived = resolve })
  const fetch = async (url: string, init: RequestInit) => {
    const response = await globalThis.fetch(url, init)
    const text = await response.text()
    if (asked++ > 0) answered()
    return new Response(text)
  }
  const app = Fastify({ logger: { level: 'warn', stream: { write: () => { arrived() } } } })
  t.teardown(async () => { await app.close() })
  // A hook of the host in front of the guard: what it waits for ends so many microtasks after the keys came.
  app.addHook('onRequest', async ({ headers }) => {
    if (headers['x-hops'] === undefined) return
    await (Number(headers['x-hops']) % 2 ? keysArrive : issuerAnswers)
    for (let i = 0; i < Number(headers['x-hops']); i++) await null
  })
  await app.register(userScope, { issuers: [{ ...issuer.entry, fetch }], cache: { ttl: 86_400 } })
  app.get('/me', async (request) => request.user.id)
  const status = async (token: string, headers = {}) =>
    (await app.inject({ url: '/me', headers: { ...bearer(token), ...headers } })).statusCode
  const tokens = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => issuer.token({ id: 'alice', exp: start + 100_000, n }))
  )
  t.equal(await status(tokens[0]!), 200)

  // The key that cannot be used is what is logged when the keys arrive.
  issuer.keys.splice(0, 1, await createKey('two'), { ...await createKey('bad'), jwk: { kty: 'oct' } })
  at(590)
  const under = tokens.map((token, hops) => status(token, { 'x-hops': String(hops) }))
  t.equal(
    await status(await issuer.token({ id: 'alice', exp: start + 100_000 })),
    200,
    'a new kid, for which the keys are fetched'
  )
  const during = await Promise.all(under)
  const after = await Promise.all(tokens.map((token) => status(token)))
  t.same(new Set(during), new Set([200, 401]), 'some came in time')
  t.same(new Set(after), new Set([401]))
})

t.test('a verification in flight while the keys change is not kept', async (t) => {
  const cache = new TokenCache({ max: 10, ttl: 300 })
  const { generation } = cache
  cache.clear()
  cache.keep('Bearer token', verified, generation)
  t.equal(cache.find('Bearer token'), undefined)
  cache.keep('Bearer token', verified, cache.generation)
  t.match(cache.find('Bearer token'), { user: verified.user })
})
