import { mock } from 'node:test'
import t from 'tap'
import { never, now, since } from '../../lib/keys/moments.js'

t.test('the clock that says more counts', async (t) => {
  let [wall, steady] = [1_800_000_000, 50]
  const clocks = [mock.method(Date, 'now', () => wall * 1000), mock.method(performance, 'now', () => steady * 1000)]
  t.teardown(() => { for (const clock of clocks) clock.mock.restore() })
  const then = now()
  t.same(then, { wall, steady })
  const rows: Array<[what: string, wall: number, steady: number, elapsed: number]> = [
    ['both go on', 10, 10, 10],
    ['the machine was suspended', 3600, 10, 3600],
    ['the clock was set back', -3600, 10, 10],
    ['the clock was set forward', 86_400, 10, 86_400],
    ['the clock was set back at once', -2, 0, 0]
  ]
  for (const [what, byWall, bySteady, elapsed] of rows) {
    [wall, steady] = [then.wall + byWall, then.steady + bySteady]
    t.equal(since(then), elapsed, what)
  }
  t.equal(since(never), Infinity)
})
