import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'
import { mock } from 'node:test'
import t from 'tap'
import { refuse } from '../../lib/contract/errors.js'
import type { VerifiedUser } from '../../lib/index.js'
import { Watches } from '../../lib/revocations/watches.js'

mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })

const userOf = (id: string): VerifiedUser => ({ id, issuer: 'secret', scopes: [], actor: null, claims: { exp: 0 } })

/** Watches of users, who are out once their id is in `out`. */
function setUp () {
  const out = new Set<string>()
  let asked = 0
  const watches = new Watches(({ id }) => {
    asked++
    return out.has(id) ? refuse('TOKEN_REVOKED', id) : null
  })
  const open = (id: string, connection = new EventEmitter()) => {
    return { connection, signal: watches.open(userOf(id), connection) }
  }
  return { out, watches, open, asked: () => asked }
}

t.test('a signal aborts within a second, for its user alone', async (t) => {
  const { out, watches, open, asked } = setUp()
  const injected = Object.assign(new EventEmitter(), { req: {} }) // as older versions of light-my-request make it
  const [alice, bob] = [open('alice'), open('bob', injected)]
  out.add('alice')
  const before = asked()
  mock.timers.tick(999)
  t.equal(alice.signal.aborted, false)
  mock.timers.tick(1)
  t.equal(asked() - before, 2, 'one timer looks at both')
  t.same([alice.signal.aborted, bob.signal.aborted], [true, false])
  t.match(alice.signal.reason, { code: 'TOKEN_REVOKED', statusCode: 401 })
  t.equal(watches.size, 1)
})

t.test('a response that waits behind another is forgotten when its socket is destroyed', async (t) => {
  const { watches } = setUp()
  // Node emits no `close` for it.
  const connection = Object.assign(new EventEmitter(), { destroyed: false, req: { socket: { destroyed: false } } })
  const signal = watches.open(userOf('alice'), connection as unknown as Parameters<Watches['open']>[1])
  mock.timers.tick(1000)
  t.equal(watches.size, 1)
  connection.req.socket.destroyed = true
  mock.timers.tick(1000)
  t.equal(watches.size, 0)
  t.match(signal.reason, { name: 'AbortError' }, 'nothing else would end what it has opened')
  t.equal(connection.listenerCount('close'), 0)
})

t.test('many entries at once cause one early check', async (t) => {
  const { out, watches, open, asked } = setUp()
  const { signal } = open('alice')
  const { connection } = open('carol')
  const before = asked()
  for (let i = 0; i < 1000; i++) watches.lookSoon()
  mock.timers.tick(19)
  out.add('alice')
  t.equal(signal.aborted, false)
  mock.timers.tick(1)
  t.equal(signal.aborted, true)
  t.equal(asked() - before, 2)
  watches.lookSoon()
  connection.emit('close')
  mock.timers.tick(2000)
  t.equal(asked() - before, 2, 'nothing is open any more')
  const later = open('bob')
  out.add('bob')
  watches.lookSoon()
  mock.timers.tick(20)
  t.equal(later.signal.aborted, true, 'later entries cause another')
})

t.test('an entry that comes while signals abort causes another check', async (t) => {
  const { out, watches, open } = setUp()
  const [bob, alice] = [open('bob'), open('alice')]
  alice.signal.addEventListener('abort', () => {
    out.add('bob')
    watches.lookSoon()
  })
  out.add('alice')
  watches.lookSoon()
  mock.timers.tick(20)
  t.equal(bob.signal.aborted, false)
  mock.timers.tick(20)
  t.equal(bob.signal.aborted, true)
})

t.test('only an early check keeps the process alive, so that a test without a server sees the signal', async (t) => {
  mock.timers.reset()
  t.teardown(() => { mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }) })
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const others = timers()
  const { watches, open } = setUp()
  const { connection } = open('alice')
  t.equal(timers(), others)
  watches.lookSoon()
  t.equal(timers(), others + 1)
  connection.emit('close')
})

t.test('a token that has already expired aborts after the signal was returned', async (t) => {
  const { out, open } = setUp()
  out.add('alice')
  const { signal } = open('alice')
  t.equal(signal.aborted, false)
  let heard = 0
  signal.addEventListener('abort', () => { heard++ })
  mock.timers.tick(20)
  t.equal(heard, 1)
})

t.test('a connection that closes is forgotten', async (t) => {
  const { out, watches, open, asked } = setUp()
  const { connection, signal } = open('alice')
  open('bob').connection.emit('close')
  t.equal(watches.size, 1)
  const stopped = mock.method(globalThis, 'clearInterval')
  connection.emit('close')
  t.equal(stopped.mock.callCount(), 1, 'its timer would keep the app in memory')
  stopped.mock.restore()
  t.equal(watches.size, 0)
  out.add('alice')
  const before = asked()
  mock.timers.tick(5000)
  t.equal(signal.aborted, false)
  t.equal(asked(), before, 'nobody looks')
  const later = open('carol')
  out.add('carol')
  mock.timers.tick(1000)
  t.equal(later.signal.aborted, true, 'later ones are watched')
})

t.test('a connection keeps no listeners of signals that have aborted', async (t) => {
  const { out, watches, open } = setUp()
  const { connection } = open('alice')
  connection.on('close', () => {}) // the host's
  out.add('alice')
  for (let n = 0; n < 5; n++) {
    mock.timers.tick(1000)
    t.equal(watches.size, 0)
    t.equal(connection.listenerCount('close'), 1)
    watches.open(userOf('alice'), connection)
    t.equal(connection.listenerCount('close'), 2)
  }
})

t.test('other connections are still watched when one closes', async (t) => {
  const { out, open } = setUp()
  const [alice, bob] = [open('alice'), open('bob')]
  bob.connection.emit('close')
  out.add('alice')
  mock.timers.tick(1000)
  t.equal(alice.signal.aborted, true)
})

t.test('if the client has already left, the signal aborts next and is not watched', async (t) => {
  const { watches } = setUp()
  const gone = Object.assign(new EventEmitter(), { destroyed: true })
  const user = { id: 'alice', issuer: 'secret', scopes: [], actor: null, claims: { exp: 0 } }
  for (const connection of [gone, Object.assign(new EventEmitter(), { stream: gone })]) {
    const signal = watches.open(user, connection)
    t.same([signal.aborted, watches.size], [false, 0])
    await once(signal, 'abort')
    t.match(signal.reason, { name: 'AbortError' })
  }
})

t.test('a listener runs in the async context of its own request', async (t) => {
  const { out, watches, open } = setUp()
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  for (const id of ['alice', 'bob', 'carl']) {
    storage.run(`request of ${id}`, () => {
      open(id).signal.addEventListener('abort', () => { seen.push(storage.getStore()) })
    })
  }
  out.add('bob')
  mock.timers.tick(1000)
  out.add('carl')
  storage.run('request of an admin', () => { watches.lookSoon() })
  mock.timers.tick(20)
  t.same(seen, ['request of bob', 'request of carl'])
})

t.test('many may listen, without a warning of a leak', async (t) => {
  const { signal } = setUp().open('alice')
  const warnings: string[] = []
  const onWarning = ({ name }: Error) => { warnings.push(name) }
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  for (let i = 0; i < 20; i++) signal.addEventListener('abort', () => {})
  await new Promise(setImmediate)
  t.same(warnings, [])
})
