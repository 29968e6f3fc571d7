/**
 * Starts a stopwatch that returns the elapsed seconds, by the longer time of two clocks: the wall clock may be set
 * back, and the monotonic clock may stop while the machine is suspended. So keys never look younger than they are.
 */
export function stopwatch (): () => number {
  const [wall, monotonic] = [Date.now(), performance.now()]
  return () => Math.max(Date.now() - wall, performance.now() - monotonic) / 1000
}
