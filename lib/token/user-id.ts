import type { ClaimRules } from '../options/settings.js'

/** U+0000 to U+001F and U+007F to U+009F. */
const controlCharacter = /[^ -~\u00a0-\uffff]/

/** Says why a value is not a user id; undefined if it is one. */
export function faultOfId (id: unknown): string | undefined {
  if (typeof id !== 'string') return 'is not a string'
  if (id.trim() === '') return 'is blank'
  return controlCharacter.test(id) ? 'has control characters' : undefined
}

/** Whether an id of an issuer without a prefix could be mistaken for an id of another issuer. */
export const isForeign = (id: string, { foreignPrefixes }: ClaimRules): boolean =>
  foreignPrefixes.some((prefix) => id.startsWith(prefix))
