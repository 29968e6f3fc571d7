import type { RequiredScopes } from '../contract/access.js'
import { isAnyOf } from '../routes/rule.js'
import type { Operation, Schemes, SecurityRequirement, SecurityScheme } from './dialects.js'

/**
 * Requires the bearer token together with what the host requires. A scheme of the host that carries the same token
 * (such as `oauth2`, for the login of a docs page) counts as the token.
 */
export function withBearer (security: SecurityRequirement[], schemeName: string, schemes: Schemes) {
  const isBearer = (name: string) => carriesBearer(schemes[name])
  if (security.length === 0) return [{ [schemeName]: [] }]
  const joined = security.map((requirement) =>
    Object.keys(requirement).some(isBearer) ? requirement : { [schemeName]: [], ...requirement })
  // Without this, the requirement "a key or nothing" would appear twice.
  return [...new Map(joined.map((requirement) => [JSON.stringify(requirement), requirement])).values()]
}

/**
 * Adds the scopes of a route to the requirements of its operation. Each scope of `anyOf` is a requirement of its own.
 * `x-required-scopes` has the scopes if a requirement cannot name them.
 * @param takesScopes whether this dialect allows a requirement of a scheme to name scopes
 */
export function withScopes (
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

/** In Swagger 2 a bearer token is an API key in the header. OAuth 2 and OpenID Connect end in a bearer token too. */
export function carriesBearer ({ type, scheme, name, in: place }: SecurityScheme = {}): boolean {
  if (type === 'http') return String(scheme).toLowerCase() === 'bearer'
  if (type === 'apiKey') return place === 'header' && String(name).toLowerCase() === 'authorization'
  return isOfOAuth(type)
}

export const isOfOAuth = (type: unknown) => type === 'oauth2' || type === 'openIdConnect'
