import { mock } from 'node:test'
import t from 'tap'
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
