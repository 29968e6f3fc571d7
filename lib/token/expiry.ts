import { refuse, type Refusal } from '../contract/errors.js'
import type { VerifiedUser } from '../contract/types.js'
import type { ClaimRules } from '../options/settings.js'

/** Returns the refusal of a token that has expired since it was verified; null if it has not. */
export function findEnd (
  { claims: { exp, iat = 0 } }: VerifiedUser, { clockTolerance, maxTokenAge = Infinity }: ClaimRules
): Refusal | null {
  const isOver = Date.now() / 1000 >= Math.min(exp, iat + maxTokenAge) + clockTolerance
  return isOver ? refuse('TOKEN_EXPIRED', 'the token has expired since the request was admitted') : null
}
