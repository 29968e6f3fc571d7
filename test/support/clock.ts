import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { atEnd } from './room.js'

let start: number | null = null
t.beforeEach(() => { if (start !== null) mock.timers.setTime(start * 1000) })

/**
 * Stops the clock for a file of tests, each of which begins at this second since 1970.
 * @returns what sets the clock so many seconds later
 */
export function stopClock (second: number, further: Array<'setTimeout' | 'setInterval'> = []): (later: number) => void {
  mock.timers.enable({ apis: ['Date', ...further], now: second * 1000 })
  start = second
  atEnd(() => { start = null })
  return (later) => { mock.timers.setTime((second + later) * 1000) }
}

/**
 * Stops both clocks for a test: no time passes on a busy machine, either.
 * @returns what sets them so many seconds after now, and what lets them go on before the test ends
 */
export function holdClocks (t: Test) {
  let passed = 0
  const held = [Date, performance].map((clock) => {
    const start = clock.now()
    return t.capture(clock, 'now', () => start + passed * 1000)
  })
  return {
    pass: (seconds: number) => { passed = seconds },
    release: () => { for (const { restore } of held) restore() }
  }
}
