import { getEventListeners } from 'node:events'
import { mock } from 'node:test'
import t from 'tap'
import { timeLimit, within } from '../../lib/contract/within.js'
import { sameLength } from '../support/same-length.js'

mock.timers.enable({ apis: ['setTimeout'] })
const never = new Promise<never>(() => {})

t.test('work that ends in time resolves', async (t) => {
  const { signal } = new AbortController()
  t.equal(await within(Promise.resolve('done'), 5, signal), 'done')
  t.equal(await within(Promise.resolve('done'), 5), 'done', 'without a signal')
  await t.rejects(within(Promise.reject(new Error('failed')), 5, signal), { message: 'failed' })
  await Promise.all(Array.from({ length: 100 }, () => within(Promise.resolve(), 5, signal)))
  t.equal(getEventListeners(signal, 'abort').length, 1, 'one listener for all, ever')
  const [removed, cleared] = [mock.method(Set.prototype, 'delete'), mock.method(globalThis, 'clearTimeout')]
  await within(Promise.resolve(), 5, signal)
  t.same([removed, cleared].map(({ mock }) => mock.callCount()), [1, 1], 'nothing else stays')
  for (const { mock } of [removed, cleared]) mock.restore()
})

t.test('work that takes too long rejects', async (t) => {
  const { signal } = new AbortController()
  const waiting = within(never, timeLimit, signal)
  mock.timers.tick(4999)
  await new Promise(setImmediate) // else it could not have rejected yet
  t.equal(await Promise.race([waiting, 'waiting']), 'waiting')
  mock.timers.tick(1)
  await t.rejects(waiting, { message: 'no answer within 5 s' })
  const rest = within(never, 4.9999844, signal)
  mock.timers.tick(5000)
  await t.rejects(rest, { message: 'no answer within 5 s' })
})

t.test('work rejects when the signal aborts', async (t) => {
  const stop = new AbortController()
  const waiting = Promise.allSettled(Array.from({ length: 100 }, () => within(never, 5, stop.signal)))
  stop.abort()
  t.match(await waiting, sameLength(Array(100).fill({ reason: { message: 'stopped' } })))
  await t.rejects(within(never, 5, stop.signal), { message: 'stopped' })
})
