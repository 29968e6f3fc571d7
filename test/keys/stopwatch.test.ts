import { mock } from 'node:test'
import t from 'tap'
import { clockShift, stopwatch } from '../../lib/keys/stopwatch.js'

t.test('the clock that is further ahead counts', async (t) => {
  const start = { wall: 1_800_000_000, steady: 50 }
  let { wall, steady } = start
  const clocks = [mock.method(Date, 'now', () => wall * 1000), mock.method(performance, 'now', () => steady * 1000)]
  t.teardown(() => { for (const clock of clocks) clock.mock.restore() })
  const [elapsed, shift] = [stopwatch(), clockShift()]
  t.same([elapsed(), shift()], [0, 0])
  const rows: Array<[what: string, wall: number, steady: number, elapsed: number, shift: number]> = [
    ['both go on', 10, 10, 10, 0],
    ['the machine was suspended', 3600, 10, 3600, 3590],
    ['the clock was set back', -3600, 10, 10, -3610],
    ['the clock was set forward', 86_400, 10, 86_400, 86_390],
    ['the clock was set back at once', -2, 0, 0, -2]
  ]
  for (const [what, byWall, bySteady, expected, byHand] of rows) {
    [wall, steady] = [start.wall + byWall, start.steady + bySteady]
    t.same([elapsed(), shift()], [expected, byHand], what)
  }
})
