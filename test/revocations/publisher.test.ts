import { mock } from 'node:test'
import timers from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { RevocationStore } from '../../lib/index.js'
import type { Entry } from '../../lib/revocations/entry.js'
import { RevocationList } from '../../lib/revocations/list.js'
import { Publisher, reasonOf } from '../../lib/revocations/publisher.js'

const { signal: open } = new AbortController() // of a connection that does not end
const entry = (id: string): Entry => ({ kind: 'user', id, issuer: '', moment: 5 })

/** A publisher, what it wrote into its store, and how much at once; the first `failures` calls fail. */
function publisher (failures = 0, signal = open) {
  const written: string[] = []
  let [calls, running, most] = [0, 0, 0]
  const store: RevocationStore = {
    async publish (text, keepFor) {
      if (++calls <= failures) throw new Error('the store is down')
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      written.push(`${text} for ${keepFor}`)
    },
    async * follow () {}
  }
  return { publish: new Publisher(store, 60, 70, signal), written, calls: () => calls, most: () => most }
}

/** Holds the time of a test. Returns what lets milliseconds pass, and then what waits for them go on. */
function holdTime (t: Test) {
  mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  t.capture(performance, 'now', () => Date.now())
  t.teardown(() => { mock.timers.reset() })
  return async (milliseconds: number) => {
    mock.timers.tick(milliseconds)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('an entry is stored with keepFor', async (t) => {
  const { publish, written } = publisher()
  await publish.publish(entry('alice'))
  t.equal(written.length, 1)
  t.match(written[0], /"alice".* for 70$/)
})

t.test('a store that fails is asked again', async (t) => {
  const pass = holdTime(t)
  const { publish, written, calls } = publisher(2)
  const stored = publish.publish(entry('alice'))
  await pass(0)
  for (const already of [1, 2]) {
    await pass(99)
    t.equal(calls(), already)
    await pass(1)
  }
  await stored
  t.equal(calls(), 3)
  t.equal(written.length, 1)
})

t.test('meanwhile the process is kept alive, as it may be a script that only revokes', async (t) => {
  const pauses = t.capture(timers, 'setTimeout', timers.setTimeout)
  await publisher(1).publish.publish(entry('alice'))
  t.same(pauses().map(({ args }) => args), [[100]], 'without ref: false')
})

t.test('for five seconds in all', async (t) => {
  const pass = holdTime(t)
  const failsFirst = { calls: 0, waits: [1, Infinity], times: [1, 100, 4898, 1] }
  const failsLate = { calls: 0, waits: [4900], times: [4899, 1] }
  for (const row of [failsFirst, failsLate]) {
    const publish = () => new Promise((_resolve, reject) => {
      const wait = Number(row.waits[row.calls++])
      if (wait !== Infinity) setTimeout(() => { reject(new Error('down')) }, wait)
    })
    const store: RevocationStore = { publish, async * follow () {} }
    let refusal: unknown
    new Publisher(store, 60, 70, open).publish(entry('alice'))
      .catch((error: unknown) => { refusal = error })
    for (const time of row.times) {
      t.equal(refusal, undefined)
      await pass(time)
    }
    t.match(refusal, { code: 'REVOCATIONS_UNAVAILABLE' })
    t.equal(row.calls, row.waits.length)
  }
})

t.test('while the app closes nothing is tried again, and the caller is told', async (t) => {
  const end = new AbortController()
  end.abort()
  const { publish } = publisher(1, end.signal)
  await t.rejects(publish.publish(entry('alice')), { code: 'REVOCATIONS_UNAVAILABLE', statusCode: 503 })
})

t.test('missing entries are complete even if more is revoked meanwhile', async (t) => {
  for (let run = 0; run < 20; run++) { // it begins anywhere
    const list = new RevocationList()
    for (let i = 0; i < 300; i++) list.add({ ...entry(`session-${i}`), kind: 'session' })
    const written = new Set<string>()
    const store: RevocationStore = {
      async publish (text) {
        written.add((JSON.parse(text) as Entry).id)
        if (written.size < 50) list.add(entry(`user-${written.size}`)) // users are in front of sessions
      },
      async * follow () {}
    }
    await new Publisher(store, 60, 70, open).addMissing(list, 7, 0, open)
    const left = Array.from({ length: 300 }, (_, i) => `session-${i}`).filter((id) => !written.has(id))
    t.same(left, [])
  }
})

t.test('an entry that the store lacks is added once', async (t) => {
  t.capture(Math, 'random', () => 0.5)
  const { publish, written, most } = publisher()
  const list = new RevocationList()
  for (let i = 0; i < 450; i++) list.add(entry(`user-${i}`))
  t.equal(await publish.addMissing(list, 7, 0, open), 450)
  t.equal(most(), 100, 'a part at a time')
  t.match(written[0], /"user-225"/, 'from a random place, as other instances do it too')
  t.equal(await publish.addMissing(list, 7, 0, open), 0)
  t.equal(new Set(written).size, 450)
  list.add({ ...entry('late'), moment: 9 })
  t.equal(await publish.addMissing(list, 8, 10, open), 0, 'what no longer counts is not stored again')
  t.equal(await publish.addMissing(list, 8, 0, AbortSignal.abort()), 0, 'nor for a connection that has ended')
  for (const failures of [100, 450]) {
    await t.rejects(publisher(failures).publish.addMissing(list, 9, 0, open), { message: 'the store is down' })
  }
})

t.test('a write that fails when the connection has ended is waited for: nothing else handles its error', async (t) => {
  t.capture(Math, 'random', () => 0)
  const end = new AbortController()
  const store: RevocationStore = {
    async publish () {
      end.abort()
      throw new Error('closed')
    },
    async * follow () {}
  }
  const list = new RevocationList()
  for (const id of ['alice', 'bob']) list.add(entry(id))
  await t.rejects(new Publisher(store, 60, 70, open).addMissing(list, 7, 0, end.signal), { message: 'closed' })
})

t.test('a store that throws instead of rejecting leaves no other error unhandled', async (t) => {
  t.capture(Math, 'random', () => 0)
  let calls = 0
  const publish = () => {
    if (++calls === 1) return Promise.reject(new Error('closed'))
    throw new Error('not connected')
  }
  const list = new RevocationList()
  for (const id of ['alice', 'bob']) list.add(entry(id))
  const store: RevocationStore = { publish, async * follow () {} }
  await t.rejects(new Publisher(store, 60, 70, open).addMissing(list, 7, 0, open), { message: 'not connected' })
  await new Promise((resolve) => setImmediate(resolve)) // an unhandled error fails this test
})

t.test('a reason has no password and no user name', async (t) => {
  const rows: Array<[error: unknown, reason: string]> = [
    [new Error('no redis://user:pa55@host:6379/0, nor rediss://:pa55@host'), 'no redis://…@host:6379/0, nor rediss://…@host'],
    [new Error('cannot connect to postgres://app:p@ss@w0rd@db:5432/x'), 'cannot connect to postgres://…@db:5432/x'],
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error("ERR unknown command 'HELLO', with args beginning with: '2' 'AUTH' 'app' 'pa55'"),
      "ERR unknown command 'HELLO'"],
    [new Error("NOPERM User svc-payments has no permissions to run the 'xread' command"),
      "NOPERM User … has no permissions to run the 'xread' command"],
    [Object.create(null), 'an error that is no text'],
    [null, 'null'], [undefined, 'undefined'], ['down', 'down'], [{}, '[object Object]']
  ]
  for (const [error, reason] of rows) t.equal(reasonOf(error), reason)
})
