/**
 * Starts a stopwatch. It tells the seconds since then by the clock that says more: the wall clock may be set back, and
 * the monotonic clock may stand still while the machine is suspended. So neither makes keys look younger than they are.
 */
export function stopwatch (): () => number {
  const [wall, monotonic] = [Date.now(), performance.now()]
  return () => Math.max(Date.now() - wall, performance.now() - monotonic) / 1000
}
