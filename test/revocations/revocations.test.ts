import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { execArgv, execPath } from 'node:process'
import { mock } from 'node:test'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t from 'tap'
import userScope, { untilRevoked, type Revocation, type UserScopeOptions } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { stopClock } from '../support/clock.js'
import { bearer, build, refusals, sender, sign, testWithCaches, usualRoutes } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const start = 1_800_000_000
const at = stopClock(start, ['setInterval'])

const hour = 3600
const token = (claims: object = {}) => sign({ sub: 'alice', iat: start - 10, exp: start + hour, ...claims })

/** A host with revocations; `ask` leads to the code of a request to the user's own path, or 'in'. */
async function host (t: Parameters<typeof build>[0], options: UserScopeOptions = {}) {
  const { app, send, log } = await build(t, { revocations: true, ...options })
  const ask = async (token: string, url = '/api/alice/tasks') =>
    (await send({ url, headers: bearer(token) })).code ?? 'in'
  return { app, send, log, ask, revoke: app.userScope.revoke }
}

t.test('a sid or jti that is a number JSON may round is refused', async (t) => {
  const { ask, log } = await host(t)
  for (const id of [2 ** 53, -(2 ** 53), 1e300]) {
    for (const name of ['sid', 'jti']) t.equal(await ask(token({ [name]: id })), 'INVALID_CLAIMS', `${name} ${id}`)
  }
  t.match(refusals(log)[0]?.reason, /is a number that JSON rounds\. Fix: write it as a text/)
  for (const id of [2 ** 53 - 1, -5, 0.5, '9007199254740993', null, [2 ** 53]]) {
    t.equal(await ask(token({ sid: id, jti: id })), 'in', JSON.stringify(id))
  }
})

testWithCaches('all tokens of a user, until now', async (t) => {
  const { ask, revoke, send, log } = await host(t)
  const [old, later] = [token(), token({ iat: start + 1 })]
  t.same([await ask(old), await ask(later)], ['in', 'in'])
  await revoke({ user: 'alice' })
  t.same([await ask(old), await ask(later)], ['TOKEN_REVOKED', 'in'])
  t.equal(await ask(old, '/api/me'), 'TOKEN_REVOKED')
  t.equal(await ask(old, '/api/bob/tasks'), 'TOKEN_REVOKED', 'before the path is compared')
  t.equal(await ask(old, '/health'), 'in')
  t.equal(await ask(token({ sub: 'bob' }), '/api/bob/tasks'), 'in')
  const { status, body, headers } = await send({ url: '/api/me', headers: bearer(old) })
  t.same([status, body], [401, {
    statusCode: 401, code: 'TOKEN_REVOKED', error: 'Unauthorized', message: 'Token revoked'
  }])
  t.match(headers, {
    'www-authenticate': 'Bearer realm="api", error="invalid_token", error_description="Token revoked"',
    'cache-control': 'no-store'
  })
  const reason = 'the tokens of the user were revoked after this one was issued, or in the same second'
  t.match(refusals(log)[0], { code: 'TOKEN_REVOKED', reason })
  t.same(refusals(log).map(({ code, user }) => [code, user]), refusals(log).map(() => ['TOKEN_REVOKED', 'alice']))
})

t.test('a member of Object.prototype does not replace a missing claim', async (t) => {
  const { ask, revoke } = await host(t)
  const polluted = Object.prototype as { iat?: number, sid?: string }
  t.teardown(() => {
    delete polluted.iat
    delete polluted.sid
  })
  await revoke({ user: 'alice' })
  await revoke({ session: 's' })
  Object.assign(polluted, { iat: start + 100, sid: 's' })
  t.equal(await ask(token({ iat: undefined })), 'TOKEN_REVOKED')
  t.equal(await ask(token({ sub: 'bob', iat: undefined }), '/api/bob/tasks'), 'INVALID_CLAIMS')
  t.equal(await ask(token({ sub: 'bob' }), '/api/bob/tasks'), 'in')
})

testWithCaches('an actor who is revoked acts for nobody', async (t) => {
  const { ask, revoke, log } = await host(t)
  const byEve = token({ act: { sub: 'eve', act: { sub: 'mallory' } } })
  t.equal(await ask(byEve), 'in')
  await revoke({ user: 'mallory', issuedBefore: start - 3600 })
  t.equal(await ask(byEve), 'in')
  await revoke({ user: 'mallory' })
  t.equal(await ask(byEve), 'TOKEN_REVOKED')
  t.match(refusals(log)[0], { reason: /^the tokens of an actor/ })
  t.same([await ask(token()), await ask(token({ act: { sub: 'sam' } }))], ['in', 'in'])
})

testWithCaches('a session, and a token', async (t) => {
  const { ask, revoke } = await host(t)
  const ids = { sid: 's-1', jti: 't-1' }
  t.equal(await ask(token(ids)), 'in')
  await revoke({ session: 't-1' })
  await revoke({ token: 's-1' })
  await revoke({ user: 's-1' })
  t.equal(await ask(token(ids)), 'in')
  await revoke({ session: 's-1' })
  t.equal(await ask(token({ sid: 's-1' })), 'TOKEN_REVOKED')
  t.equal(await ask(token({ sid: 's-1', iat: start + 5 })), 'TOKEN_REVOKED', 'whenever it was issued')
  t.equal(await ask(token({ sid: ['s-1'] })), 'in', 'a list is no session')
  await revoke({ session: '5' })
  t.equal(await ask(token({ sid: 5 })), 'TOKEN_REVOKED', 'a number, which an issuer should not write, is its text')
  t.equal(await ask(token({ sid: 's-2', jti: 't-1' })), 'in')
  await revoke({ token: 't-1' })
  t.equal(await ask(token({ sid: 's-2', jti: 't-1' })), 'TOKEN_REVOKED')
  t.equal(await ask(token({ sid: 's-2', jti: 't-2' })), 'in')
})

t.test('issuedBefore revokes until another time, in whole seconds', async (t) => {
  const rows: Array<[what: string, issuedBefore: Date | number, iat: number, answer: string]> = [
    ['seconds', start - 100, start - 100, 'TOKEN_REVOKED'],
    ['seconds', start - 100, start - 99, 'in'],
    ['within a second', start - 100, start - 99.1, 'TOKEN_REVOKED'],
    ['a part of a second', start - 99.1, start - 99, 'in'],
    ['a date', new Date((start - 100) * 1000), start - 100, 'TOKEN_REVOKED'],
    ['a date', new Date((start - 100) * 1000), start - 99, 'in'],
    ['ahead of now by clockTolerance', start + 5, start + 5, 'TOKEN_REVOKED'],
    ['before everything', 0, start - 100, 'in']
  ]
  for (const [what, issuedBefore, iat, answer] of rows) {
    const { ask, revoke } = await host(t)
    await revoke({ user: 'alice', issuedBefore })
    t.equal(await ask(token({ iat })), answer, `${what}, ${issuedBefore} ${iat}`)
  }
  const { ask, revoke } = await host(t)
  await revoke({ user: 'alice', issuedBefore: start - 50 })
  await revoke({ user: 'alice', issuedBefore: start - 100 })
  t.equal(await ask(token({ iat: start - 50 })), 'TOKEN_REVOKED', 'an earlier time takes nothing back')
})

t.test('issuer revokes tokens of one issuer only', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const secret = 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT'
  const mixed = { secret, issuers: [{ ...issuer.entry, idPrefix: '' }] }
  const bySecret = token({ sid: 's', jti: 'j' })
  const byKey = await issuer.token({ id: 'alice', sid: 's', jti: 'j', iat: start - 10, exp: start + hour })
  const rows: Array<[Revocation, bySecret: string, byKey: string]> = [
    [{ user: 'alice', issuer: 'secret' }, 'TOKEN_REVOKED', 'in'],
    [{ user: 'alice', issuer: issuer.entry.issuer }, 'in', 'TOKEN_REVOKED'],
    [{ session: 's', issuer: 'secret' }, 'TOKEN_REVOKED', 'in'],
    [{ token: 'j', issuer: issuer.entry.issuer }, 'in', 'TOKEN_REVOKED'],
    [{ token: 'j' }, 'TOKEN_REVOKED', 'TOKEN_REVOKED']
  ]
  for (const [revocation, ...answers] of rows) {
    const { ask, revoke } = await host(t, mixed)
    await revoke(revocation)
    t.same([await ask(bySecret), await ask(byKey)], answers, JSON.stringify(revocation))
  }
  const { ask, revoke } = await host(t, { secret, issuers: [{ ...issuer.entry, idPrefix: 'b:' }] })
  await revoke({ user: 'alice' })
  t.equal(await ask(byKey, '/api/b:alice/tasks'), 'in', 'the prefix belongs to the id')
  await revoke({ user: 'b:alice' })
  t.equal(await ask(byKey, '/api/b:alice/tasks'), 'TOKEN_REVOKED')
})

t.test('no token may outlive an entry', async (t) => {
  const { ask, revoke, log } = await host(t, { revocations: { keepFor: hour } })
  t.equal(await ask(token({ iat: undefined })), 'INVALID_CLAIMS')
  t.equal(await ask(token({ iat: start - 10, exp: start - 10 + hour })), 'in')
  t.equal(await ask(token({ iat: start - 10, exp: start - 9 + hour })), 'INVALID_CLAIMS')
  t.same(refusals(log).map(({ reason }) => reason), [
    'claim "iat" is missing, which revocations require',
    'the token is valid for 3601 s, and revocations are kept for 3600 s. ' +
      'Fix: shorter tokens, or a longer keepFor in option "revocations"'
  ])
  t.same(refusals(log).map(({ user }) => user), ['alice', 'alice'])
  await revoke({ user: 'alice' })
  t.equal(await ask(token({ iat: undefined })), 'TOKEN_REVOKED', 'who is revoked goes first')
  const issuer = await createIssuer({ mode: 'jwks', t })
  const remote = await host(t, { ...issuer.options, revocations: { keepFor: hour } })
  for (const [seconds, answer] of [[hour, 'in'], [hour + 1, 'INVALID_CLAIMS']] as const) {
    t.equal(await remote.ask(await issuer.token({ id: 'alice', iat: start, exp: start + seconds })), answer)
  }
  const usual = await host(t)
  t.equal(await usual.ask(token({ iat: start, exp: start + 2_592_000 })), 'in', '30 days')
  t.equal(await usual.ask(token({ iat: start, exp: start + 2_592_001 })), 'INVALID_CLAIMS')
  const { ask: askWithout } = await build(t, {}).then(({ send }) => ({
    ask: async (token: string) => (await send({ url: '/api/alice/tasks', headers: bearer(token) })).status
  }))
  t.equal(await askWithout(token({ iat: undefined, exp: start + 1e8 })), 200, 'without the option')
})

t.test('an entry ends with the last token that it can revoke', async (t) => {
  const { ask, revoke } = await host(t, { revocations: { keepFor: hour }, clockTolerance: 10 })
  await revoke({ session: 's' })
  const claims = { sid: 's' }
  at(hour + 31)
  t.equal(await ask(token({ ...claims, iat: start + hour, exp: start + hour + 60 })), 'TOKEN_REVOKED')
  at(hour + 31.001)
  t.equal(await ask(token({ ...claims, iat: start + hour, exp: start + hour + 60 })), 'in')
})

t.test('so does the entry of a user, which only a token without iat could still show', async (t) => {
  const monotonic = mock.method(performance, 'now', () => Date.now() - performance.timeOrigin)
  t.teardown(() => { monotonic.mock.restore() })
  const { ask, revoke } = await host(t, { revocations: { keepFor: hour }, clockTolerance: 10 })
  await revoke({ user: 'alice' })
  const without = token({ iat: undefined, exp: start + 3 * hour })
  t.equal(await ask(without), 'TOKEN_REVOKED')
  at(hour + 20)
  mock.timers.tick(0)
  t.equal(await ask(without), 'TOKEN_REVOKED')
  at(hour + 360) // swept ten times in an hour
  mock.timers.tick(0)
  t.equal(await ask(without), 'INVALID_CLAIMS')
})

t.test('a clock that is ahead for a while makes no revoked token valid again', async (t) => {
  const sweeps: Array<() => void> = []
  const interval = mock.method(globalThis, 'setInterval', (sweep: () => void) => {
    sweeps.push(sweep)
    return { unref: () => {} }
  })
  const monotonic = mock.method(performance, 'now', () => start * 1000 - performance.timeOrigin)
  t.teardown(() => { for (const { mock } of [interval, monotonic]) mock.restore() })
  const sweep = () => { for (const each of sweeps) each() }
  const { ask, revoke } = await host(t, { revocations: { keepFor: hour } })
  await revoke({ user: 'alice' })
  await revoke({ session: 's' })
  at(2 * hour)
  sweep()
  at(1)
  t.equal(await ask(token()), 'TOKEN_REVOKED')
  t.equal(await ask(token({ iat: start + 1, sid: 's' })), 'TOKEN_REVOKED')
})

t.test('a token that is revoked during its verification is refused', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask, revoke } = await host(t, { issuers: [issuer.entry] })
  const byKey = await issuer.token({ id: 'alice', iat: start - 10, exp: start + hour })
  const answer = ask(byKey)
  await revoke({ user: 'alice' })
  t.equal(await answer, 'TOKEN_REVOKED')
})

t.test('without a store, the registrations of an app have the same list', async (t) => {
  const open = async () => {
    const app = Fastify()
    t.teardown(() => app.close())
    for (const prefix of ['/a', '/b']) {
      await app.register(async (scope) => {
        await scope.register(userScope, { secret: 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT', revocations: true })
        usualRoutes(scope)
        scope.get('/out', async (request) => {
          await scope.userScope.revoke({ user: request.user.id })
          return 'out'
        })
        scope.get('/wait', async (request) => {
          const signal = untilRevoked(request)
          await new Promise((resolve) => { signal.addEventListener('abort', resolve) })
          return String((signal.reason as { code: string }).code)
        })
      }, { prefix })
    }
    await app.ready()
    const send = sender(app)
    return async (url: string) => await send({ url, headers: bearer(token()) })
  }
  const [send, other] = [await open(), await open()]
  const waits = send('/b/wait')
  const statuses = async () => [(await send('/a/out')).status, (await send('/a/api/me')).status,
    (await send('/b/api/me')).status, (await other('/a/api/me')).status]
  t.same(await statuses(), [200, 401, 401, 200], 'another app in the process has its own')
  t.equal((await waits).body, 'TOKEN_REVOKED')
})

t.test('registrations with the same secrets and issuers share a list, whatever else they state', async (t) => {
  const [ours, theirs] = [createIssuer(), createIssuer()]
  const issuer = 'https://b.example'
  const remote = { issuer, jwksUri: `${issuer}/jwks`, audience: 'x', idPrefix: 'b:', lazy: true }
  const app = Fastify()
  t.teardown(() => app.close())
  const scopes: Record<string, UserScopeOptions> = {
    '/a': { ...ours.options, revocations: true },
    '/b': { ...theirs.options, revocations: true },
    '/c': { ...ours.options, revocations: { keepFor: 7200 } },
    '/d': { ...ours.options, revocations: true },
    '/e': { ...ours.options, revocations: true, clockTolerance: 10, userIdClaim: 'sub', maxTokenAge: 900 },
    '/f': { ...ours.options, revocations: true, issuers: [remote] },
    '/g': { secret: [ours.secret, theirs.secret], revocations: true },
    '/h': { secret: [theirs.secret, ours.secret], revocations: true }
  }
  for (const [prefix, options] of Object.entries(scopes)) {
    await app.register(async (scope) => {
      await scope.register(userScope, options)
      usualRoutes(scope)
      if (prefix === '/c' || prefix === '/g') await scope.userScope.revoke({ user: 'alice', issuer: 'secret' })
    }, { prefix })
  }
  const send = sender(app)
  const status = async (prefix: string, issuer = ours) =>
    (await send({ url: `${prefix}/api/me`, headers: issuer.authorization({ id: 'alice', iat: start - 10 }) })).status
  for (const prefix of ['/a', '/c', '/d', '/e', '/g', '/h']) t.equal(await status(prefix), 401, prefix)
  t.same([await status('/b', theirs), await status('/f')], [200, 200], 'others may have other users with the same id')
})

t.test('a shared list keeps its entries for the longest keepFor, and the order of issuers is nothing', async (t) => {
  const open = async (idPrefix: string) => await createIssuer({ mode: 'jwks', t, idPrefix })
  const issuers = [await open('b:'), await open('c:')]
  const entries = issuers.map(({ entry }) => entry)
  const app = Fastify()
  t.teardown(() => app.close())
  const scopes: Record<string, UserScopeOptions> = {
    '/long': { issuers: entries, revocations: { keepFor: 3 * hour } },
    '/short': { issuers: entries.toReversed(), revocations: { keepFor: hour } }
  }
  const revokes: Array<(target: Revocation) => Promise<void>> = []
  for (const [prefix, options] of Object.entries(scopes)) {
    await app.register(async (scope) => {
      await scope.register(userScope, options)
      usualRoutes(scope)
      revokes.push(scope.userScope.revoke)
    }, { prefix })
  }
  await app.ready()
  const user = { id: 'b:alice', iat: start - 10, exp: start + 2 * hour, sid: 's' }
  const headers = bearer(await issuers[0]!.token(user))
  const send = sender(app)
  await revokes[1]!({ session: 's' })
  t.match(await send({ url: '/long/api/me', headers }), { status: 401 })
  at(hour + 60)
  t.match(await send({ url: '/long/api/me', headers }), { status: 401 }, 'after the shorter keepFor')
})

t.test('wrong calls revoke nothing', async (t) => {
  const { ask, revoke } = await host(t)
  const rows: Array<[target: unknown, message: string]> = [
    [undefined, 'revoke() must be given an object with its options'],
    ['alice', 'revoke() must be given an object with its options'],
    [{}, 'revoke() must be given exactly one of the options "user", "session" and "token"'],
    [{ user: 'alice', token: 't' }, 'revoke() must be given exactly one of the options "user", "session" and "token"'],
    [{ user: '' }, 'option "revoke.user" must be a non-empty string'],
    [{ user: 7 }, 'option "revoke.user" must be a non-empty string'],
    [{ user: undefined }, 'option "revoke.user" is undefined. Fix: give it a value'],
    [{ usr: 'alice' }, 'unknown option "revoke.usr". Did you mean "user"?'],
    [
      { user: 'alice', issuedBefore: undefined },
      'option "revoke.issuedBefore" is undefined. Fix: give it a value'
    ],
    ...['2026-01-01', NaN, new Date(NaN), -1].map((issuedBefore): [unknown, string] =>
      [{ user: 'alice', issuedBefore }, 'option "revoke.issuedBefore" must be a Date object, or seconds since 1970']),
    [
      { user: 'alice', issuedBefore: start + 6 },
      'option "revoke.issuedBefore" is ahead of now by more than option "clockTolerance", and would revoke tokens ' +
        'that do not exist yet. Fix: give a date, or seconds (not milliseconds) since 1970'
    ],
    [
      { session: 's', issuedBefore: start },
      'option "revoke.issuedBefore" is for a user: all tokens of a session are revoked'
    ],
    [{ user: 'alice', issuer: 'https://elsewhere' }, 'option "revoke.issuer" must be "secret"'],
    [{ user: 'alice', issuer: '' }, 'option "revoke.issuer" must be "secret"'],
    [{ user: 'alice', issuer: 5 }, 'option "revoke.issuer" must be a string']
  ]
  for (const [target, message] of rows) {
    await t.rejects(revoke(target as Revocation), {
      code: 'FST_USER_SCOPE_INVALID_OPTION', message: `fastify-user-scope: ${message}`
    }, JSON.stringify(target) ?? 'undefined')
  }
  t.equal(await ask(token()), 'in')
  const { app } = await build(t)
  await t.rejects(app.userScope.revoke({ user: 'alice' }), {
    message: 'fastify-user-scope: revoke() needs option "revocations". Fix: revocations: true, or a store'
  })
  const issuer = await createIssuer({ mode: 'jwks', t })
  const remote = await host(t, issuer.options)
  await t.rejects(remote.revoke({ user: 'alice', issuer: 'secret' }),
    { message: `fastify-user-scope: option "revoke.issuer" must be "${issuer.url}"` }, 'no secret verifies here')
})

t.test('a worker of a cluster warns of a list without a store', async (t) => {
  const folder = t.testdir({
    'app.ts': `
      import cluster from 'node:cluster'
      import { argv } from 'node:process'
      import Fastify from 'fastify'
      import userScope from ${JSON.stringify(new URL('../../lib/index.ts', import.meta.url))}
      import { MemoryStore } from ${JSON.stringify(new URL('../support/memory-store.ts', import.meta.url))}

      if (cluster.isPrimary && argv[2] === 'cluster') cluster.fork()
      else {
        process.on('warning', ({ name, message }) => { console.log(name, message) })
        for (const [logger, revocations] of [[true, true], [true, new MemoryStore()], [false, true]]) {
          const app = Fastify({ logger: logger && { level: 'warn' } })
          for (const prefix of ['/a', '/b']) {
            await app.register(async (scope) => {
              await scope.register(userScope, { secret: 'b7FKQ2xv9LmZ3RtWcY8sJdHnP4gAeUqT', revocations })
              scope.get('/', async () => 'in')
            }, { prefix })
          }
          await app.ready()
          await app.close()
        }
        process.disconnect?.()
      }`
  })
  const linesOf = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(execPath, [...execArgv, join(folder, 'app.ts'), ...args])
    return stdout.split('\n').filter((line) => line.includes('fastify-user-scope: '))
  }
  // Once for the list of both registrations.
  t.match(await linesOf('cluster'), sameLength([
    /the others do not know what it revokes\. Fix: give option \\"revocations\\" a store/,
    /^UserScopeWarning .* the others do not know what it revokes\. Fix: give option "revocations" a store/
  ]))
  t.same(await linesOf(), [])
})
