import { refuse } from '../contract/errors.js'
import type { Actor } from '../contract/types.js'
import type { ClaimRules } from '../options/settings.js'
import { own, type Json } from './claim-rules.js'
import { prefixedId } from './user-id.js'

/**
 * Reads who holds a token that was issued for somebody else (RFC 8693 §4.1): the current actor is outermost, earlier
 * ones are nested inside. A malformed actor is refused, because nobody could be held accountable for its requests.
 */
export function readActor (payload: Json, rules: ClaimRules): Actor | null {
  if (!Object.hasOwn(payload, 'act')) return null
  if (rules.refusesActors) throw refuse('INVALID_CLAIMS', 'claim "act" is not allowed (option "impersonation")')
  const chain: string[] = []
  for (let holder = payload; Object.hasOwn(holder, 'act'); holder = holder['act'] as Json) {
    const sub = own(Object(holder['act']) as Json, 'sub') // undefined if `act` is not an object
    chain.push(prefixedId(sub, 'claim "sub" of the actor (claim "act")', 'INVALID_CLAIMS', rules))
  }
  return { id: chain[0] as string, chain }
}
