import { own, type Json } from './claim-rules.js'

const none: readonly string[] = Object.freeze([])

/**
 * Reads the scopes of a token: a string that is split at spaces (RFC 8693 §4.2), or a list of strings. If the claim is
 * malformed, there are none: no other claim is tried.
 * @param claim by default `scope` if the token has it, else `scp`
 */
export function readScopes (payload: Json,
  claim = Object.hasOwn(payload, 'scope') ? 'scope' : 'scp'): readonly string[] {
  const value = own(payload, claim)
  const names = typeof value === 'string' ? value.split(' ') : value
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return none
  return names.filter((name) => name !== '')
}
