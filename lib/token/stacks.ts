/**
 * Runs something that may throw without having a stack captured: of the errors of libraries nothing but the code is read, and their stacks
 * are what would make a flood of bad tokens dear. Where the host has frozen or deleted the limit, it is left alone.
 */
export function withoutStacks<T> (run: () => T): T {
  const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')
  if (!limit?.writable) return run()
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = limit.value as number
  }
}
