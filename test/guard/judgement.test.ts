import t from 'tap'
import { detailsOf, refuse } from '../../lib/contract/errors.js'
import { anonymous, isThenable, refused, refusedBy, unread } from '../../lib/guard/judgement.js'

t.test('a refusal is kept as it is', async (t) => {
  const refusal = refuse('TOKEN_EXPIRED', 'x')
  t.same(refusedBy(refusal), refused(refusal))
  t.equal(refusedBy(refusal).refusal, refusal)
})

t.test('any other error becomes a refusal, which tells the log its place and not its message', async (t) => {
  const nasty = {
    get name () { throw new Error('with payload text') },
    get stack () { throw new Error('with payload text') },
    toString () { throw new Error('with payload text') }
  }
  const failed = /^a check failed unexpectedly$/
  const rows: Array<[thrown: unknown, reason: RegExp]> = [
    [new TypeError('payload\n    at payload text'), /^a check failed unexpectedly \(at [^\n]+:\d+:\d+\)+$/],
    [null, failed], [undefined, failed], ['payload text', failed], [nasty, failed], [{ stack: 'payload text' }, failed]
  ]
  for (const [thrown, reason] of rows) {
    const { refusal, ...rest } = refusedBy(thrown)
    t.match(refusal, { statusCode: 401, code: 'INVALID_CLAIMS' })
    t.match(refusal && detailsOf(refusal).reason, reason)
    t.notMatch(refusal && detailsOf(refusal).reason, /payload/)
    t.same(rest, { verified: null, demand: null, owner: null, cached: false })
  }
})

t.test('a public route and an anonymous request are distinguished', async (t) => {
  t.same(unread, anonymous)
  t.not(unread, anonymous)
})

t.test('a promise is recognized even if the host has replaced the class', async (t) => {
  const { Promise: original } = globalThis
  t.teardown(() => { globalThis.Promise = original })
  globalThis.Promise = class Other {} as unknown as PromiseConstructor
  const [pending, ...others] = [(async () => unread)(), unread, null].map(isThenable)
  globalThis.Promise = original
  t.same([pending, others], [true, [false, false]])
})
