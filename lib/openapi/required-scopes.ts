import type { RequiredScopes } from '../contract/access.js'
import { isAnyOf } from '../routes/rule.js'
import type { Operation, SecurityRequirement } from './annotate.js'

/**
 * Adds the scopes of a route to the requirements of its operation. Each scope of `anyOf` is a requirement of its own.
 * `x-required-scopes` has the scopes if a requirement cannot name them.
 * @param takesScopes whether this dialect allows a requirement of a scheme to name scopes
 */
export function requireScopes (
  security: SecurityRequirement[], scopes: RequiredScopes | null, takesScopes: (scheme: string) => boolean
): Operation {
  if (scopes === null) return { security }
  const alternatives = isAnyOf(scopes) ? scopes.anyOf.map((name) => [name]) : [scopes]
  const canSay = (requirement: SecurityRequirement) => Object.keys(requirement).some(takesScopes)
  const withNames = (requirement: SecurityRequirement, names: readonly string[]) => Object.fromEntries(
    Object.entries(requirement).map(([scheme, written]) =>
      [scheme, takesScopes(scheme) ? [...new Set([...written, ...names])] : written]))
  const all = security.flatMap((requirement) =>
    canSay(requirement) ? alternatives.map((names) => withNames(requirement, names)) : [requirement])
  return security.every(canSay) ? { security: all } : { security: all, 'x-required-scopes': structuredClone(scopes) }
}
