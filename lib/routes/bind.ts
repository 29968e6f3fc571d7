import type { Binding } from '../options/rights.js'

export interface BoundParam extends Binding {
  /** Whether the declared URL shows it. The router may find one that it does not show. */
  readonly isInUrl: boolean
}

export const namesInUrl = (bound: readonly BoundParam[]): string[] =>
  bound.filter(({ isInUrl }) => isInUrl).map(({ param }) => param)

/**
 * Whether the path parameter equals the claim, or one of its list: string to string, like the owner's id. A missing or
 * empty one never fits.
 */
export function fitsClaim (param: unknown, claims: unknown, path: readonly string[]): boolean {
  if (typeof param !== 'string' || param === '') return false
  const claim = claimAt(claims, path)
  return Array.isArray(claim) ? claim.includes(param) : claim === param
}

export const claimAt = (claims: unknown, path: readonly string[]): unknown => path.reduce(memberOf, claims)

/** Reads own members of JSON objects only: no member of a prototype, and no entry or length of a list. */
function memberOf (value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}
