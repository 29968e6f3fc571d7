/**
 * Runs a function without capturing the stacks of its errors, of which only the code is read: stacks would make a flood
 * of bad tokens expensive. If the host has frozen or deleted the limit, it stays as it is.
 */
export function withoutStacks<T> (run: () => T): T {
  const { stackTraceLimit } = Error
  const isOff = Object.hasOwn(Error, 'stackTraceLimit') && Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return run()
  } finally {
    if (isOff) Error.stackTraceLimit = stackTraceLimit
  }
}
