import type { DelegateQuestion } from '../contract/access.js'
import { isRefusal, refuse, type Refusal } from '../contract/errors.js'
import { cut } from '../contract/quote.js'
import type { Demand } from '../routes/access.js'
import type { Verified } from '../token/verifier.js'

export interface Judgement {
  /** Null if the request was admitted. */
  readonly refusal: Refusal | null
  /** Null if no token was verified. */
  readonly verified: Verified | null
  /** What the route demands; null if no token was verified, or it is revoked. */
  readonly demand: Demand | null
  /** The owner's id, which the path must still have before the handler runs; null if none is compared. */
  readonly owner: string | null
  /** Bound parameters and their values, which must not change either. Left out if none is compared. */
  readonly boundValues?: ReadonlyMap<string, string>
  /** What a delegate of the owner was admitted for; undefined for all others. */
  readonly delegated?: Delegated | undefined
  /** Whether the token was found in the cache. */
  readonly cached: boolean
}

/** What a delegate came for, and what `mayActFor` was asked about. */
export type Delegated = Readonly<Pick<DelegateQuestion, 'method' | 'params'>>

/** A public route: no token was read. */
export const unread: Judgement = { refusal: null, verified: null, demand: null, owner: null, cached: false }
/** An optional route without a token. Another object than `unread`, which is not published. */
export const anonymous: Judgement = { ...unread }

export const refused = (refusal: Refusal): Judgement => ({ ...unread, refusal })

/** Turns any error into a refusal, so that none becomes a 500. */
export function refusedBy (error: unknown): Judgement {
  return refused(isRefusal(error) ? error : refuse('INVALID_CLAIMS', `a check failed unexpectedly${placeOf(error)}`))
}

/** Says where an unknown error was thrown. Its message may quote a token, so it is left out. */
function placeOf (error: unknown): string {
  try {
    const { message, stack } = error as Error & { stack: string }
    const [frame] = /^ +at .*/m.exec(stack.slice(stack.indexOf(message) + message.length)) as RegExpExecArray
    return ` (${cut(frame.trim())})`
  } catch {
    return '' // no error with a stack, or its getters throw
  }
}

/** Not `instanceof Promise`: a host may replace that class, but async functions return promises of the original. */
export const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

/** Calls `next` with a value: at once and without a promise, unless the value is a promise. */
export const andThen = <T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> =>
  isThenable(value) ? value.then(next) : next(value)
