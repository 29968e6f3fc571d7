import { refuse, type RefusalCode } from '../contract/errors.js'
import type { ClaimRules } from '../options/settings.js'
import { own, type Json } from './claim-rules.js'

/** U+0000 to U+001F and U+007F to U+009F. */
const controlCharacter = /[^ -~\u00a0-\uffff]/

const asText = '. Fix: write it as a text, as in String(id)'

/** Says why a value is not a user id; undefined if it is one. */
export function faultOfId (id: unknown): string | undefined {
  if (typeof id !== 'string') return 'is not a string'
  if (id.trim() === '') return 'is blank'
  return controlCharacter.test(id) ? 'has control characters' : undefined
}

/**
 * Returns an id after the issuer's prefix.
 * @param from names its claim in reasons
 * @throws Refusal with this code if it is no id, and `INVALID_CLAIMS` if it could be an id of another issuer
 */
export function prefixedId (id: unknown, from: string, code: RefusalCode, rules: ClaimRules): string {
  const fault = faultOfId(id)
  if (fault !== undefined) throw refuse(code, `${from} ${fault}${typeof id === 'number' ? asText : ''}`)
  const text = id as string
  if (rules.foreignPrefixes.some((prefix) => text.startsWith(prefix))) {
    throw refuse('INVALID_CLAIMS', `${from} begins with the idPrefix of another issuer`)
  }
  return rules.idPrefix + text
}

/** Reads own properties only. If `uid` is malformed, `sub` is not tried, so that it cannot count in its place. */
export function readUserId (payload: Json, rules: ClaimRules): string {
  const claim = rules.userIdClaim ?? (Object.hasOwn(payload, 'uid') ? 'uid' : 'sub')
  const id = own(payload, claim)
  if (id !== undefined) return prefixedId(id, `claim "${claim}"`, 'MISSING_UID_CLAIM', rules)
  const other = ['userId', 'user_id', 'id'].find((name) => own(payload, name) !== undefined)
  throw refuse('MISSING_UID_CLAIM', `no claim "${claim}": option "userIdClaim" says which one has the user's id` +
    (other === undefined ? '' : ` (the token has "${other}")`))
}
