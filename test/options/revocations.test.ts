import t from 'tap'
import type { RevocationStore, UserScopeOptions } from '../../lib/index.js'
import { readOptions } from '../../lib/options/settings.js'
import { secret } from '../support/host.js'

const read = (revocations: unknown) =>
  readOptions({ secret, revocations } as UserScopeOptions, {}).revocations

class Store implements RevocationStore {
  async publish () {}
  async * follow () {}
}

t.test('revocations are off by default, and have defaults when on', async (t) => {
  t.equal(readOptions({ secret }, {}).revocations, null)
  const usual = { store: null, keepFor: 2_592_000, maxStale: 60, whenDown: 'refuse' }
  t.same([read(true), read({})], [usual, usual])
  t.same(read({ keepFor: 60 }), { ...usual, keepFor: 60 })
  const store = new Store()
  t.equal(read(store)?.store, store)
  t.equal(read({ store, keepFor: 60 })?.store, store)
  t.match(read({ ...store, publish: store.publish, follow: store.follow, maxStale: 5, whenDown: 'serve' }), {
    keepFor: 2_592_000, maxStale: 5, whenDown: 'serve'
  })
  t.match(read(Object.assign(new Store(), { whenDown: 'refuse' })), { maxStale: 60, whenDown: 'refuse' })
  class Options { store = store; keepFor = 60 }
  t.match(read(new Options()), { store, keepFor: 60 })
  const unconnected = Object.assign(new Store(), { client: undefined })
  t.equal(read({ store: unconnected })?.store, unconnected, "what a host's own store holds is its own affair")
  t.ok(Object.isFrozen(read(true)))
})

t.test('optional members of a store may be undefined, as fields of a class are', async (t) => {
  const store = Object.assign(new Store(), { maxStale: undefined, whenDown: undefined })
  for (const revocations of [store, { store }]) {
    t.match(read(revocations), { maxStale: 60, whenDown: 'refuse' })
  }
})

t.test('wrong revocation options stop the boot', async (t) => {
  const store = new Store()
  const aStore = /option "revocations.store" must be a store, with the functions publish and follow/
  const rows: Array<[revocations: unknown, message: string | RegExp]> = [
    [false, 'fastify-user-scope: option "revocations" must be left out, or be true, a store such as ' +
      'redisRevocations(), or an object with store and keepFor'],
    [null, /option "revocations" must be left out, or be true/],
    [undefined, /option "revocations" is undefined/],
    ['redis://localhost', /option "revocations" must be left out, or be true/],
    [{ keepfor: 5 }, /unknown option "revocations.keepfor". Did you mean "keepFor"\?/],
    [{ backchannelLogout: {} }, /unknown option "revocations.backchannelLogout"/],
    [{ maxStale: 5 }, 'fastify-user-scope: unknown option "revocations.maxStale". Use one of: store, keepFor; others ' +
      'belong to the store, as in redisRevocations({ url, … })'],
    [{ keepFor: 0 }, /option "revocations.keepFor" must be a number of seconds from 1 to 315576000 \(ten years\)/],
    [{ keepFor: undefined }, /option "revocations.keepFor" is undefined/],
    [{ store: 'redis' }, /option "revocations.store" must be a store/],
    [{ store: {} }, aStore],
    [{ store: { publish: () => {} } }, aStore],
    [{ follow: () => {} }, aStore],
    [{ publish: () => {} }, aStore],
    [
      { store: Object.assign(new Store(), { maxStale: 0 }) },
      /option "revocations.store.maxStale" must be a number of seconds from 1 to 86400/
    ],
    [Object.assign(store, { whenDown: 'never' }), /option "revocations.store.whenDown" must be "refuse" or "serve"/]
  ]
  for (const [revocations, message] of rows) {
    t.throws(() => read(revocations), { code: 'FST_USER_SCOPE_INVALID_OPTION', message }, String(message))
  }
})
