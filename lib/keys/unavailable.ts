import { refuse, type Refusal } from '../contract/errors.js'

/**
 * What is answered if the keys of an issuer cannot be had: 503 `KEYS_UNAVAILABLE` with `Retry-After`, never a 401 and
 * never a pass. The client reads "Token verification is temporarily unavailable", and the log has the reason. (At boot
 * it is a KeysUnreachableError.)
 * @param pause seconds until they can be fetched again
 */
export const keysUnavailable = (issuer: string, reason: string, pause: number): Refusal =>
  refuse('KEYS_UNAVAILABLE', `the keys of the issuer "${issuer}" are unavailable (${reason})`, {
    retryAfter: Math.max(1, Math.ceil(pause))
  })
