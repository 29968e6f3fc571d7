import { mock } from 'node:test'
import t from 'tap'
import { stopwatch } from '../../lib/keys/stopwatch.js'

t.test('the clock that is further ahead counts', async (t) => {
  const start = { wall: 1_800_000_000, steady: 50 }
  let { wall, steady } = start
  const clocks = [mock.method(Date, 'now', () => wall * 1000), mock.method(performance, 'now', () => steady * 1000)]
  t.teardown(() => { for (const clock of clocks) clock.mock.restore() })
  const elapsed = stopwatch()
  t.equal(elapsed(), 0)
  const rows: Array<[what: string, wall: number, steady: number, elapsed: number]> = [
    ['both go on', 10, 10, 10],
    ['the machine was suspended', 3600, 10, 3600],
    ['the clock was set back', -3600, 10, 10],
    ['the clock was set forward', 86_400, 10, 86_400],
    ['the clock was set back at once', -2, 0, 0]
  ]
  for (const [what, byWall, bySteady, expected] of rows) {
    [wall, steady] = [start.wall + byWall, start.steady + bySteady]
    t.equal(elapsed(), expected, what)
  }
})
