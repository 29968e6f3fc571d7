import { setMaxListeners } from 'node:events'

/** Seconds for which anything waits for a store. */
export const patience = 5

/**
 * What the work leads to.
 * @throws Error where it takes more than so many seconds, or the signal aborts before
 */
export async function within<T> (work: PromiseLike<T>, seconds: number, signal?: AbortSignal): Promise<T> {
  let fail!: (error: Error) => void
  const end = new Promise<never>((_resolve, reject) => { fail = reject })
  const onAbort = () => { fail(new Error('stopped')) }
  const timer = setTimeout(() => { fail(new Error(`no answer within ${seconds} s`)) }, seconds * 1000)
  if (signal) setMaxListeners(0, signal) // a thousand may wait at once
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted) onAbort()
  try {
    return await Promise.race([work, end])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/**
 * Why a store failed, for the log. Whatever it throws; and without passwords: what may stand in a URL before the host,
 * and the command that Redis quotes where it does not know it, which may be the one with the password.
 */
export function reasonOf (error: unknown): string {
  try {
    const { message, code } = Object(error) as { message?: unknown, code?: unknown }
    return String(message || (code ?? error)).replace(/\/\/[^@/\s]*@/g, '//…@').replace(/,? with args [^]*/, '')
  } catch {
    return 'an error that is no text'
  }
}
