import { EventEmitter, once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { mock } from 'node:test'
import timers from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope, { type FollowOptions, type RevocationStore, type UserScopeOptions } from '../../lib/index.js'
import { Feed } from '../../lib/revocations/feed.js'
import { RevocationList } from '../../lib/revocations/list.js'
import { stopClock } from '../support/clock.js'
import { build, bearer, refusals, secret, sign, type LogLine } from '../support/host.js'
import { MemoryStore } from '../support/memory-store.js'
import { atEnd } from '../support/room.js'
import { sameLength } from '../support/same-length.js'

const start = 1_800_000_000
const at = stopClock(start)
// The clock that nobody sets stands still: on a busy machine answers would age, and the other clock would seem set.
const { now: steadyNow } = performance
performance.now = () => 0
atEnd(() => { performance.now = steadyNow })

const hour = 3600
const token = (claims: object = {}) => sign({ sub: 'alice', iat: start - 10, exp: start + hour, ...claims })
const entryOf = (id: string, change: object = {}) =>
  ({ kind: 'user', id, issuer: '', moment: start, keepFor: 2_592_000, ...change })

/** Lets what goes on in the background come to its end. */
async function until (condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setImmediate(resolve))
}

async function host (t: Test, revocations: UserScopeOptions['revocations'], options: UserScopeOptions = {}) {
  const { app, send, log } = await build(t, { revocations: revocations as RevocationStore, ...options })
  const ask = async (claims: object = {}) => {
    const { sub = 'alice' } = claims as { sub?: string }
    return (await send({ url: `/api/${sub}/tasks`, headers: bearer(token(claims)) })).code ?? 'in'
  }
  return { app, send, log, ask, revoke: app.userScope.revoke }
}

/** Lets time pass on the monotonic clock too, so that no clock seems to be set. */
function tie (t: Test): void {
  const { mock: steady } = mock.method(performance, 'now', () => Date.now())
  t.teardown(() => { steady.restore() })
}

/** Stops the timers of a test. Returns what lets seconds pass. */
function holdTimers (t: Test): (seconds: number) => void {
  mock.timers.reset()
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: start * 1000 })
  t.teardown(() => {
    mock.timers.reset()
    mock.timers.enable({ apis: ['Date'], now: start * 1000 })
  })
  return (seconds) => { mock.timers.tick(seconds * 1000) }
}

/** What is logged about the store. */
const lines = (log: LogLine[], least = 40) =>
  log.filter(({ level, msg }) => level >= least && /revocations/.test(msg)).map(({ msg }) => msg)

t.test('a revocation holds on all instances, also on those that start later', async (t) => {
  const store = new MemoryStore()
  const [one, two] = [await host(t, store), await host(t, store)]
  await one.revoke({ user: 'alice' })
  t.equal(await one.ask(), 'TOKEN_REVOKED')
  await until(async () => await two.ask() === 'TOKEN_REVOKED')
  await two.revoke({ session: 's', issuer: 'secret' })
  await two.revoke({ token: 'j' })
  const three = await host(t, Object.assign(store, { maxStale: 90 }))
  for (const { ask } of [one, two, three]) {
    await until(async () => await ask({ sub: 'bob', jti: 'j' }) === 'TOKEN_REVOKED')
    t.same(await Promise.all([ask(), ask({ iat: start + 1 }), ask({ sub: 'bob', sid: 's' }), ask({ sub: 'bob' })]), [
      'TOKEN_REVOKED', 'in', 'TOKEN_REVOKED', 'in'
    ])
  }
  t.same(JSON.parse(String(store.published[0]?.entry)), entryOf('alice'))
  t.match(store.published, sameLength([{ keepFor: 2_592_000 + 3 * 5 + 1 + hour }, {}, {}]))
  t.match(store.followed[0], { interval: 20, keepFor: 2_592_000 + 3 * 5 + 1 + hour })
  t.match(store.followed[2], { interval: 20 }, 'however large maxStale is')
})

t.test('malformed entries in the store are skipped and logged', async (t) => {
  const store = new MemoryStore()
  const malformed = ['', '{', 'null', '{"kind":"user"}', entryOf('', {}), entryOf('alice', { moment: 'now' }), 'x']
  for (const each of malformed) store.write(each)
  const { ask, log } = await host(t, store)
  t.same([await ask(), lines(log)], ['in', Array(4).fill('malformed revocations were skipped')])
  store.write(entryOf('bob', { issuer: 'https://of.another.app' }))
  store.write(entryOf('alice', { kind: 'token', id: 'j' }))
  await until(async () => await ask({ jti: 'j' }) === 'TOKEN_REVOKED')
  t.equal(await ask({ sub: 'bob' }), 'in')
})

t.test('a moment after the time of its entry is cut', async (t) => {
  const store = new MemoryStore()
  store.write(entryOf('alice', { moment: start + 1e6 }), start - hour - 100)
  const others = { carol: NaN, dave: start - 100, eve: start + 1e5, frank: -Infinity, grace: start + hour }
  for (const [id, storedAt] of Object.entries(others)) store.write(entryOf(id, { moment: start + 1e6 }), storedAt)
  const { ask } = await host(t, store)
  t.same([await ask({ iat: start - 90 }), await ask({ iat: start - 89 })], ['TOKEN_REVOKED', 'in'])
  for (const sub of Object.keys(others)) t.equal(await ask({ sub, iat: start + 5 }), 'TOKEN_REVOKED', sub)
  at(10)
  for (const sub of Object.keys(others)) t.equal(await ask({ sub, iat: start + 10 }), 'TOKEN_REVOKED', sub)
  for (const sub of Object.keys(others)) t.equal(await ask({ sub, iat: start + 11 }), 'in', sub)
  store.write(entryOf('bob', { moment: start + 1e6 }), start + 1e6)
  await until(async () => await ask({ sub: 'bob', iat: start + 15 }) === 'TOKEN_REVOKED')
  at(20)
  t.equal(await ask({ sub: 'bob', iat: start + 20 }), 'TOKEN_REVOKED', 'who revoked may be ahead as well')
  t.equal(await ask({ sub: 'bob', iat: start + 21 }), 'in', 'by the clock of this server, if the entry is new')
})

t.test('so is that of a session, which would count for longer', async (t) => {
  const store = Object.assign(new MemoryStore(), { whenDown: 'serve' as const })
  store.write(entryOf('s', { kind: 'session', moment: start + 1e6 }))
  const { ask } = await host(t, store)
  t.equal(await ask({ sid: 's' }), 'TOKEN_REVOKED')
  const later = 2_592_000 + 2 * hour
  at(later)
  t.equal(await ask({ sid: 's', iat: start + later, exp: start + later + 60 }), 'in')
})

t.test('an instance with a slow clock reads all entries', async (t) => {
  const store = new MemoryStore()
  const live = await host(t, store)
  at(14)
  await (await host(t, store)).revoke({ user: 'alice' })
  at(0)
  const later = await host(t, store)
  for (const { ask } of [live, later]) {
    at(0)
    await until(async () => await ask() === 'TOKEN_REVOKED')
    at(20)
    t.same([await ask({ iat: start + 14 }), await ask({ iat: start + 15 })], ['TOKEN_REVOKED', 'in'])
  }
})

t.test('when the clock was set, all entries are read again', async (t) => {
  const rows: Array<[what: string, keepFor: number, wrong: number]> = [
    ['it was slow, so moments were cut', 2_592_000, -3 * hour],
    ['it was fast, so entries seemed to have expired', 2 * hour, 3 * hour]
  ]
  for (const [what, keepFor, wrong] of rows) {
    at(0)
    const store = new MemoryStore()
    store.write(entryOf('alice', { keepFor }))
    at(wrong)
    const { ask, log } = await host(t, { store, keepFor })
    at(0)
    t.not(await ask(), 'TOKEN_REVOKED', what)
    store.wake()
    await until(async () => await ask() === 'TOKEN_REVOKED')
    t.match(log.filter(({ msg }) => msg === 'the store of revocations failed'),
      sameLength([{ reason: 'the clock was set' }]))
    at(6)
    store.wake()
    await until(() => lines(log).length === 2 && store.followed.length === 3)
    at(11)
    store.write(entryOf('bob', { keepFor }))
    await until(async () => await ask({ sub: 'bob' }) === 'TOKEN_REVOKED')
    t.equal(lines(log).length, 2, 'up to 5 s are no reason')
  }
})

t.test('a store with a slow clock loses nothing, also for later readers', async (t) => {
  const store = new MemoryStore()
  const one = await host(t, store)
  store.write(entryOf('bob'), start - 2 * hour)
  store.write(entryOf('alice'), start - hour)
  await until(async () => await one.ask() === 'TOKEN_REVOKED')
  t.equal(await one.ask({ sub: 'bob', iat: start }), 'TOKEN_REVOKED', 'however slow it is, if the entry is new')
  const two = await host(t, store)
  t.same([await two.ask({ iat: start }), await two.ask({ iat: start + 1 })], ['TOKEN_REVOKED', 'in'])
})

t.test('entries stored before the first list are stored again if the store has lost them', async (t) => {
  class LateStore extends MemoryStore {
    readonly maxStale = 3 // so that a third of it, after which the store counts as silent, is soon over
    begun = 0
    gate = Promise.resolve()
    override async * follow (options: FollowOptions) {
      this.begun++
      await this.gate
      yield * super.follow(options)
    }
  }
  const store = new LateStore()
  const { revoke } = await host(t, store)
  await revoke({ user: 'alice' })
  let open = () => {}
  store.gate = new Promise((resolve) => { open = resolve })
  store.fault = new Error('down')
  store.wake()
  await until(() => !store.isFollowed)
  store.fault = undefined
  await until(() => store.begun === 2)
  await revoke({ user: 'bob' })
  store.entries = []
  open()
  const again = () => store.entries.map(({ entry }) => (JSON.parse(entry) as { id: string }).id).sort().join()
  await until(() => again() === 'alice,bob')
})

t.test('expired entries are not read into the list', async (t) => {
  const store = new MemoryStore()
  store.write(entryOf('alice', { kind: 'session', id: 's', moment: start - 2_592_017, keepFor: 1 }), start)
  store.write(entryOf('alice', { kind: 'session', id: 'late', moment: start - 2_592_016 }), start)
  const { ask, log } = await host(t, store)
  t.same([await ask({ sid: 's' }), await ask({ sid: 'late' }), lines(log)], ['in', 'TOKEN_REVOKED', []])
})

t.test('keepFor must be the same on all instances', async (t) => {
  const store = new MemoryStore()
  store.write(entryOf('alice', { keepFor: 60 }))
  await t.rejects(host(t, store), {
    code: 'FST_USER_SCOPE_INVALID_OPTION',
    message: 'fastify-user-scope: option "revocations": keepFor is 2592000 here, and 60 where others use the same ' +
      'store. Fix: the same keepFor on all of them, or another store, such as another prefix'
  })
  t.notOk(store.isFollowed)
  const old = new MemoryStore()
  old.write(entryOf('alice', { moment: start - 72 * hour }), start - 72 * hour)
  old.write(entryOf('bob', { keepFor: hour }))
  await t.rejects(host(t, { store: old, keepFor: hour }), { message: /keepFor is 3600 here, and 2592000 where/ })
  const { ask, log } = await host(t, { store, keepFor: 60 * 60 * 2 }).catch(() => host(t, { store, keepFor: 60 }))
  t.equal(await ask({ exp: start + 50 }), 'TOKEN_REVOKED')
  store.write(entryOf('bob'))
  await until(async () => await ask({ sub: 'bob', exp: start + 50 }) === 'TOKEN_REVOKED')
  t.match(lines(log), sameLength([/keepFor is 60 here, and 2592000 where others/]))
})

t.test('a store that cannot be read stops the boot', async (t) => {
  const faults: Array<[fault: unknown, reason: string]> = [
    [new Error('connect redis://user:pa55@db:6379 failed'), 'connect redis://…@db:6379 failed'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [null, 'null'], ['down', 'down']
  ]
  for (const [fault, reason] of faults) {
    const store = new MemoryStore()
    store.fault = fault
    await t.rejects(host(t, store), {
      code: 'FST_USER_SCOPE_REVOCATIONS_UNREACHABLE',
      message: `fastify-user-scope: option "revocations": the store cannot be read (${reason}). ` +
        'Fix: start it, or correct its address (with TLS or without), password or permissions. A store of your own ' +
        'must yield lists, and an empty one after all stored entries'
    })
    t.equal(store.followed[0]?.signal.aborted, true)
  }
  await t.rejects(host(t, { publish: async () => {}, async * follow () {} }), /cannot be read \(it ended\)/)
})

t.test('values that are no entries, and an iterator that cannot be ended, do no harm', async (t) => {
  const good = { entry: JSON.stringify(entryOf('alice')), storedAt: start }
  const strange = [null, 5, undefined, good]
  let ends = 0
  const follow = () => {
    let calls = 0
    const next = async () => ({ done: false, value: [strange, []][calls++] ?? await new Promise(() => {}) })
    return { [Symbol.asyncIterator]: () => ({ next, return: () => { ends++; throw new Error('no end') } }) }
  }
  const store = { publish: async () => {}, follow } as unknown as RevocationStore
  const { ask, log, app } = await host(t, store)
  t.equal(await ask(), 'TOKEN_REVOKED')
  t.match(log.filter(({ msg }) => /malformed/.test(msg)), sameLength([{ count: 3 }]))
  await app.close()
  t.equal(ends, 1, 'else a generator that waits at a yield would keep its connection')
})

t.test('a store that fails after each time it was read is read less and less often', async (t) => {
  const pauses: unknown[] = []
  let options: unknown
  const random = mock.method(Math, 'random', () => 0.5)
  const wait = mock.method(timers, 'setTimeout', async (ms: unknown, _value: unknown, given: unknown) => {
    pauses.push(ms)
    options = given
  })
  t.teardown(() => { for (const { mock } of [random, wait]) mock.restore() })
  let reads = 0
  const store: RevocationStore = {
    publish: async () => {},
    async * follow ({ signal }) {
      reads++
      yield []
      if (reads === 8) yield [] // it answers after it was read, too
      if (reads === 10) await new Promise((resolve) => { signal.addEventListener('abort', resolve) })
      throw new Error('ERR blocking is not allowed')
    }
  }
  const { app, log } = await host(t, store)
  await until(() => reads === 10)
  t.same(pauses, [100, 200, 400, 800, 1000, 1000, 1000, 100, 200], 'halves, by chance')
  t.equal(log.filter(({ msg }) => msg === 'the store of revocations failed').length, 9)
  await app.close()
  t.match(options, { ref: false, signal: { aborted: true } }, 'a pause keeps no process alive, and ends with the app')
})

t.test('a store that does not answer stops the boot', async (t) => {
  const store = new MemoryStore()
  store.isPaused = true
  const pass = holdTimers(t)
  const starting = host(t, store)
  await until(() => store.followed.length > 0)
  pass(5)
  await t.rejects(starting, { message: /cannot be read \(no answer within 5 s\)/ })
})

t.test('the list is stale when the store has not answered for maxStale', async (t) => {
  for (const [settings, whenStale] of [[{}, 'REVOCATIONS_UNAVAILABLE'], [{ whenDown: 'serve' }, 'in']] as const) {
    at(0)
    const store = Object.assign(new MemoryStore(), settings)
    const { ask, send, log } = await host(t, store)
    at(60)
    t.equal(await ask(), 'in')
    at(60.001)
    t.equal(await ask(), whenStale)
    t.equal((await send('/health')).status, 200)
    t.equal(await ask({ iat: undefined }), 'INVALID_CLAIMS', 'what is known is said')
    if (whenStale === 'REVOCATIONS_UNAVAILABLE') {
      const { status, headers, body } = await send({ url: '/api/me', headers: bearer(token()) })
      t.match([status, headers['retry-after']], [503, '5'])
      t.match(body, { message: 'Token verification is temporarily unavailable' })
      const reason = 'the store of revocations has not answered for maxStale' // and no failure is known yet
      t.same(refusals(log).map((line) => line.reason).at(-1), reason)
      t.match(refusals(log).at(-1), { code: 'REVOCATIONS_UNAVAILABLE', user: 'alice' })
    }
    store.wake()
    await until(async () => await ask() === 'in')
    at(120.001)
    t.equal(await ask(), 'in', 'since that answer')
  }
})

t.test('the list becomes stale by the steady clock, too: the other may be set back', async (t) => {
  const { ask } = await host(t, new MemoryStore())
  let steady = 60_000
  t.capture(performance, 'now', () => steady)
  t.equal(await ask(), 'in')
  steady++
  t.equal(await ask(), 'REVOCATIONS_UNAVAILABLE')
})

t.test('the log says when the list has become stale', async (t) => {
  const pass = holdTimers(t)
  tie(t)
  const store = new MemoryStore()
  const timersOf = t.capture(globalThis, 'setTimeout', setTimeout)
  const { log } = await host(t, store)
  const alarm = timersOf().find(({ args: [, ms] }) => ms === 60_000) as { returned: NodeJS.Timeout }
  const putOff = mock.method(alarm.returned, 'refresh') // mocked timers of Node 20 ignore it
  const answered = new Promise<void>((resolve) => { store.onList = async () => { resolve() } })
  store.wake()
  await answered
  t.equal(putOff.mock.callCount(), 1, 'each answer puts it off')
  const stale = () => log.filter(({ msg }) => msg === 'revocations are stale')
  pass(59.999)
  t.same(stale(), [])
  pass(0.001)
  t.match(stale(), sameLength([{ level: 50, whenDown: 'refuse' }]))
})

t.test('after a failure, the list is fresh when the store was read completely', async (t) => {
  const store = new MemoryStore()
  const { ask, log } = await host(t, store)
  store.fault = new Error('restarted')
  store.wake()
  await until(() => lines(log).length > 0)
  at(61)
  for (let n = 0; n < 5; n++) store.write(entryOf(`user-${n}`))
  // Between two lists of the first read.
  let seen = ''
  store.onList = async (list) => { if (list.length > 0) seen ||= await ask() }
  store.fault = undefined
  await until(async () => await ask() === 'in')
  t.equal(seen, 'REVOCATIONS_UNAVAILABLE')
  t.equal(await ask({ sub: 'user-4' }), 'TOKEN_REVOKED')
})

t.test('a store that is silent or fails is followed again', async (t) => {
  const pass = holdTimers(t)
  tie(t)
  /** Passes the pauses between two attempts. */
  const untilInTime = (condition: () => boolean) => until(() => {
    pass(0.05)
    return condition()
  })
  const store = Object.assign(new MemoryStore(), { maxStale: 1 })
  const { ask, log } = await host(t, store)
  store.isPaused = true
  store.wake()
  pass(0.66)
  t.same([store.followed[0]?.interval, lines(log)], [1 / 3, []])
  pass(0.01)
  await until(() => lines(log).length > 0)
  t.equal(store.followed[0]?.signal.aborted, true)
  t.equal(await ask(), 'in')
  await untilInTime(() => store.followed.length > 1)
  pass(1)
  t.equal(await ask(), 'REVOCATIONS_UNAVAILABLE')
  const says = 'the store of revocations has not answered for maxStale'
  t.equal(refusals(log).at(-1)?.reason, `${says} (no answer within 1 s)`)
  store.fault = new Error('it is starting')
  store.isPaused = false
  store.wake()
  const before = store.followed.length
  await untilInTime(() => store.followed.length > before + 2)
  t.same(lines(log), ['the store of revocations failed', 'revocations are stale'])
  t.equal(await ask(), 'REVOCATIONS_UNAVAILABLE')
  t.equal(refusals(log).at(-1)?.reason, `${says} (it is starting)`, 'the latest failure')
  store.fault = new Error('x'.repeat(1000))
  const last = store.followed.length
  await untilInTime(() => store.followed.length > last + 1)
  t.equal(await ask(), 'REVOCATIONS_UNAVAILABLE')
  t.equal(refusals(log).at(-1)?.reason, `${says} (${'x'.repeat(200)}…)`, 'cut, as it comes with each request')
  store.write(entryOf('alice'))
  store.fault = undefined
  await untilInTime(() => lines(log, 30).includes('the store of revocations answers again'))
  t.same([await ask(), await ask({ sub: 'bob' })], ['TOKEN_REVOKED', 'in'])
})

t.test('so is one whose iterator cannot be ended, and the log says why it failed', async (t) => {
  const iterators: Record<string, () => unknown> = {
    'no answer within 1 s': async function * () {
      yield []
      await new Promise(() => {}) // `return` waits for it too
    },
    'it ended': () => {
      const lists = [[]].values()
      return { next: async () => lists.next(), return: () => { throw new Error('no end') } }
    }
  }
  const pass = holdTimers(t)
  tie(t)
  for (const [reason, iterator] of Object.entries(iterators)) {
    let followed = 0
    const follow = () => {
      followed++
      return { [Symbol.asyncIterator]: iterator }
    }
    const store = { publish: async () => {}, follow, maxStale: 1 } as unknown as RevocationStore
    const { log } = await host(t, store)
    await until(() => {
      pass(0.05)
      return followed > 1
    })
    t.match(log.find(({ msg }) => msg === 'the store of revocations failed'), { reason })
  }
})

t.test('a timer that waits for a list to become stale keeps no process alive', async (t) => {
  const timersOf = t.capture(globalThis, 'setTimeout', setTimeout)
  await host(t, new MemoryStore())
  const alarm = timersOf().find(({ args: [, ms] }) => ms === 60_000) as { returned: NodeJS.Timeout }
  t.equal(alarm.returned.hasRef(), false)
})

t.test('a list that becomes stale is logged with the latest reason', async (t) => {
  const pass = holdTimers(t)
  tie(t)
  const store = Object.assign(new MemoryStore(), { maxStale: 3 })
  const { log } = await host(t, store)
  for (const fault of ['closed', 'wrong password for redis://user:pa55@db']) {
    const before = store.followed.length
    store.fault = new Error(fault)
    store.wake()
    await until(() => {
      pass(0.05)
      return store.followed.length > before + 1
    })
  }
  await until(() => {
    pass(0.05)
    return lines(log).length > 1
  })
  t.match(log.filter(({ level, msg }) => level >= 40 && /revocations/.test(msg)), sameLength([
    { level: 40, msg: 'the store of revocations failed', reason: 'closed' },
    { level: 50, msg: 'revocations are stale', reason: 'wrong password for redis://…@db', whenDown: 'refuse' }
  ]))
  store.fault = undefined
  await until(() => {
    pass(0.05)
    return lines(log, 30).includes('the store of revocations answers again')
  })
})

t.test('what the store has lost is stored again', async (t) => {
  const store = new MemoryStore()
  const { ask, revoke, log } = await host(t, store)
  const users = Array.from({ length: 250 }, (_, n) => `user-${n}`)
  for (const user of users) await revoke({ user })
  await revoke({ session: 's', issuer: 'secret' })
  const kept = store.entries.filter((_, n) => n % 5 === 0)
  store.entries = kept.slice()
  store.fault = new Error('restarted')
  store.wake()
  await until(() => lines(log).length > 0)
  store.fault = undefined
  await until(() => store.entries.length >= 251)
  await until(() => lines(log).includes('revocations that the store lacked were stored again'))
  t.equal(store.entries.length, 251, 'and nothing else')
  t.match(log.find(({ msg }) => msg.includes('stored again')), { count: 200 })
  const fresh = await host(t, store)
  for (const each of [ask, fresh.ask]) {
    t.same([await each({ sub: 'user-7' }), await each({ sub: 'user-250' }), await each({ sub: 'bob', sid: 's' })], [
      'TOKEN_REVOKED', 'in', 'TOKEN_REVOKED'
    ])
  }
})

t.test('what a connection stores again ends with it, as the next one has its own marks', async (t) => {
  t.capture(Math, 'random', () => 0)
  class SlowStore extends MemoryStore {
    waiting = 0
    gate: Promise<void> | undefined
    override async publish (entry: string, keepFor: number) {
      this.waiting++
      await this.gate
      await super.publish(entry, keepFor)
    }
  }
  const store = new SlowStore()
  const { revoke, log } = await host(t, store)
  for (let n = 0; n < 250; n++) await revoke({ user: `user-${n}` })
  store.entries = []
  let open = () => {}
  store.gate = new Promise((resolve) => { open = resolve })
  store.waiting = 0
  for (const times of [1, 2]) {
    store.fault = new Error('closed')
    store.wake()
    await until(() => lines(log).length === times)
    store.fault = undefined
    await until(() => store.waiting === times * 100)
  }
  open()
  await until(() => lines(log).filter((line) => /stored again/.test(line)).length === 2)
  t.match(log.filter(({ msg }) => /stored again/.test(msg)), sameLength([{ count: 100 }, { count: 250 }]))
  t.equal(new Set(store.entries.map(({ entry }) => entry)).size, 250)
})

t.test('what no longer counts is not stored again', async (t) => {
  const store = new MemoryStore()
  const { revoke, log } = await host(t, { store, keepFor: hour })
  await revoke({ user: 'alice' })
  at(1)
  await revoke({ user: 'carol' })
  at(hour + 3 * 5 + 1)
  await revoke({ user: 'bob' })
  at(hour + 3 * 5 + 2)
  store.entries = []
  store.fault = new Error('restarted')
  store.wake()
  await until(() => lines(log).length > 0)
  store.fault = undefined
  await until(() => lines(log).includes('revocations that the store lacked were stored again'))
  t.same(store.entries.map(({ entry }) => (JSON.parse(entry) as { id: string }).id).sort(), ['bob', 'carol'],
    'clocks that differ are allowed for')
})

t.test('a serializer of the host that throws does not end the following', async (t) => {
  const store = new MemoryStore()
  const lines: string[] = []
  const reason = (value: unknown) => (value as Date).toISOString()
  const app = Fastify({
    logger: { level: 'warn', serializers: { reason }, stream: { write: (line: string) => { lines.push(line) } } }
  })
  t.teardown(() => app.close())
  await app.register(userScope, { secret, revocations: store })
  app.get('/api/:user_id/tasks', async () => 'in')
  await app.ready()
  store.fault = new Error('down')
  store.wake()
  await until(() => lines.length > 0)
  t.match(JSON.parse(String(lines[0])), { msg: /the store of revocations failed.*"reason":"down"/ })
  store.fault = undefined
  store.write(entryOf('alice'))
  await until(async () => {
    const response = await app.inject({ url: '/api/alice/tasks', headers: bearer(token()) })
    return response.body.includes('TOKEN_REVOKED')
  })
})

t.test('revoke tries again for a while', async (t) => {
  const store = new MemoryStore()
  const { ask, revoke } = await host(t, store)
  store.fault = new Error('down')
  let tries = 0
  store.onPublish = () => { if (++tries === 3) store.fault = undefined }
  await revoke({ user: 'alice' })
  t.same([tries, store.entries.length, await ask()], [3, 1, 'TOKEN_REVOKED'])
})

t.test('then revoke rejects, but the revocation holds here and is stored later', async (t) => {
  const store = new MemoryStore()
  const { ask, revoke } = await host(t, store)
  const other = await host(t, store)
  store.fault = new Error('down')
  store.onPublish = () => { at(5) }
  await t.rejects(revoke({ user: 'alice' }), { code: 'REVOCATIONS_UNAVAILABLE', statusCode: 503 })
  store.onPublish = () => {}
  store.fault = undefined
  t.same([await ask(), await other.ask()], ['TOKEN_REVOKED', 'in'])
  store.wake()
  await until(async () => await other.ask() === 'TOKEN_REVOKED')
})

t.test('lost entries are stored again even if no empty list ever comes', async (t) => {
  class SteadyStore extends MemoryStore {
    override async * follow (options: FollowOptions) {
      let isWhole = false
      for await (const list of super.follow(options)) {
        if (list.length > 0 || !isWhole) yield list
        isWhole ||= list.length === 0
      }
    }
  }
  tie(t)
  const store = new SteadyStore()
  const { revoke, log } = await host(t, store)
  store.onPublish = () => {
    at(5)
    throw new Error('OOM')
  }
  await t.rejects(revoke({ user: 'alice' }), { code: 'REVOCATIONS_UNAVAILABLE' })
  t.match(log.find(({ msg }) => msg.includes('could not be stored')), { level: 40, reason: /OOM/ })
  const other = async (later: number) => {
    at(later)
    const taken = new Promise<void>((resolve) => { store.onList = async () => { resolve() } })
    store.write(entryOf('bob'))
    await taken
  }
  await other(19)
  t.equal(store.published.length, 1, 'not before an empty list would have come')
  await other(20)
  await until(() => lines(log).length === 2)
  t.match(log.at(-1), { msg: 'revocations could not be stored; tried again later', reason: /OOM/ })
  store.onPublish = () => {}
  await other(39)
  t.equal(store.published.length, 2, 'nor sooner after that')
  await other(40)
  await until(() => store.entries.some(({ entry }) => entry.includes('alice')))
})

t.test('entries that cannot be stored again are tried later', async (t) => {
  const store = new MemoryStore()
  const { revoke } = await host(t, store)
  store.fault = new Error('down')
  store.onPublish = () => { at(5) }
  await t.rejects(revoke({ user: 'alice' }), { code: 'REVOCATIONS_UNAVAILABLE' })
  store.fault = undefined
  let isFull = true
  store.onPublish = () => {
    const wasFull = isFull
    isFull = false
    if (wasFull) throw new Error('full')
  }
  await until(() => {
    store.wake()
    return store.entries.length === 1
  })
})

t.test('a closed app stops following, and says no more', async (t) => {
  const pass = holdTimers(t)
  const store = new MemoryStore()
  const { app, log, revoke } = await host(t, store)
  t.ok(store.isFollowed)
  store.isPaused = true
  const revoking = revoke({ user: 'alice' })
  revoking.catch(() => {})
  await app.close()
  await t.rejects(revoking, { code: 'REVOCATIONS_UNAVAILABLE' })
  t.equal(store.followed[0]?.signal.aborted, true)
  pass(61)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(store.followed.length, 1)
  t.same(lines(log), [])
})

t.test('so does an app whose boot fails, so that its process can end', async (t) => {
  const store = new MemoryStore()
  const issuer = {
    issuer: 'https://a.example', audience: 'api', jwksUri: 'https://a.example/jwks', fetch: () => Promise.reject(new Error())
  }
  const app = Fastify()
  await app.register(userScope, { issuers: [issuer], revocations: store })
  await t.rejects(async () => { await app.ready() }, { code: 'FST_USER_SCOPE_KEYS_UNREACHABLE' })
  t.equal(store.followed[0]?.signal.aborted, true)
  const other = Fastify()
  await other.register(userScope, { secret, revocations: store, openapi: { decorator: 'docs' } })
  await t.rejects(async () => { await other.ready() }, { code: 'FST_USER_SCOPE_INVALID_OPTION' })
  t.equal(store.followed[1]?.signal.aborted, true)
  const third = Fastify()
  await third.register(userScope, { secret, revocations: store })
  third.get('/tasks', { config: { access: 'owner' } }, async () => 'in')
  await t.rejects(async () => { await third.ready() }, { code: 'FST_USER_SCOPE_INVALID_ROUTE' })
  t.equal(store.followed.length, 2, 'its routes are judged before anything is started')
})

t.test('a request that an app answers while it closes can still revoke', async (t) => {
  const store = new MemoryStore()
  const gate = new EventEmitter()
  const { app } = await build(t, { revocations: store }, {}, (app) => {
    app.post('/logout', async ({ user }) => {
      gate.emit('arrived')
      await once(gate, 'closing')
      await app.userScope.revoke({ user: user.id })
      return 'out'
    })
    app.addHook('preClose', async () => { setImmediate(() => gate.emit('closing')) })
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const arrived = once(gate, 'arrived')
  const leaving = request(`${address}/logout`, { method: 'POST', headers: bearer(token()), agent: false }).end()
  const answered = once(leaving, 'response')
  await arrived
  const closing = app.close()
  const [response] = await answered as [IncomingMessage]
  t.equal((await response.toArray()).join(''), 'out')
  await closing
  t.equal(store.entries.length, 1)
})

t.test('a list that was never read is stale', (t) => {
  const settings = { keepFor: 600, maxStale: 60, whenDown: 'refuse', clockTolerance: 5 } as const
  const feed = new Feed({ ...settings, store: new MemoryStore() }, new RevocationList(), Fastify().log)
  t.ok(feed.isStale)
  t.end()
})
