/** Seconds to wait for what the host gave: a store, or the answer of `mayActFor`. */
export const timeLimit = 5

/**
 * The callbacks of each signal. A signal searches all of its listeners whenever one is added or removed, which takes
 * seconds if 20,000 wait at once, so one listener serves all of them.
 */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

function waitersOf (signal: AbortSignal): Set<() => void> {
  const known = waiting.get(signal)
  if (known) return known
  const waiters = new Set<() => void>()
  waiting.set(signal, waiters)
  signal.addEventListener('abort', () => { for (const stop of waiters) stop() })
  return waiters
}

/**
 * Waits for work with a time limit.
 * @throws Error if it takes longer, or if the signal aborts before
 */
export async function within<T> (work: PromiseLike<T>, seconds: number, signal?: AbortSignal): Promise<T> {
  let fail!: (error: Error) => void
  const end = new Promise<never>((_resolve, reject) => { fail = reject })
  const stop = () => { fail(new Error('stopped')) }
  const timer = setTimeout(() => { fail(new Error(`no answer within ${Math.ceil(seconds)} s`)) }, seconds * 1000)
  const waiters = signal && waitersOf(signal)
  waiters?.add(stop)
  if (signal?.aborted) stop()
  try {
    return await Promise.race([work, end])
  } finally {
    clearTimeout(timer)
    waiters?.delete(stop)
  }
}
