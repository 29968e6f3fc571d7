/**
 * Runs a function without capturing the stacks of its errors, of which only the code is read: stacks would make a flood
 * of bad tokens expensive. If the host has frozen or deleted the limit, it stays as it is.
 */
export function withoutStacks<T> (run: () => T): T {
  const { stackTraceLimit } = Error
  if (!Object.hasOwn(Error, 'stackTraceLimit')) return run()
  try {
    Error.stackTraceLimit = 0
  } catch {
    return run()
  }
  try {
    return run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
