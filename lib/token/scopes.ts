import { own, type Json } from './claim-rules.js'

const none: readonly string[] = Object.freeze([])

/**
 * The scopes of a token: a string with spaces between them (RFC 8693 §4.2), or a list of strings. There is no second
 * choice for a claim that is there and malformed.
 * @param claim undefined: `scope` where the token has it, else `scp`
 */
export function readScopes (payload: Json,
  claim = Object.hasOwn(payload, 'scope') ? 'scope' : 'scp'): readonly string[] {
  const value = own(payload, claim)
  const names = typeof value === 'string' ? value.split(' ') : value
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return none
  return names.filter((name) => name !== '')
}
