/**
 * Starts a stopwatch that returns the elapsed seconds, by the longer time of two clocks: the wall clock may be set
 * back, and the monotonic clock may stop while the machine is suspended. So keys never look younger than they are.
 */
export function stopwatch (): () => number {
  const [wall, monotonic] = [Date.now(), performance.now()]
  return () => Math.max(Date.now() - wall, performance.now() - monotonic) / 1000
}

/** Returns a function for the seconds by which the wall clock was set since: forward if positive. */
export function clockShift (): () => number {
  const difference = () => (Date.now() - performance.now()) / 1000
  const start = difference()
  return () => difference() - start
}
