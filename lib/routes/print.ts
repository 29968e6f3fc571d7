import type { RequiredScopes } from '../contract/access.js'
import type { ScopedRoute } from '../contract/types.js'
import { isAnyOf, scopesIn } from './rule.js'

/** A route of a registration, or one that no registration guards, which has another level and no source. */
type Row = Omit<ScopedRoute, 'access' | 'source' | 'parameter'> & Record<'access' | 'source', string>

/** The longest level: that of routes that no registration guards. */
const levelWidth = 'unguarded'.length

/**
 * Prints a line for each URL, constraint, level and rule, with all its methods, sorted by URL. No line depends on the
 * others, so a new route is a single new line in the diff of a snapshot.
 */
export function printRoutes (routes: readonly Row[]): string {
  const lines = new Map<string, { access: string, place: string, methods: Set<string>, source: string }>()
  for (const route of routes) {
    const { source, method } = route
    const [place, access] = [route.url + constraintsText(route.constraints), route.access + ruleText(route)]
    const key = [place, access, source].join(' ')
    const line = lines.get(key) ?? { access, place, methods: new Set(), source }
    lines.set(key, line)
    line.methods.add(method)
  }
  return [...lines]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, { access, place, methods, source }]) =>
      `${[access.padEnd(levelWidth), place, [...methods].sort().join(', '), source].join('  ').trimEnd()}\n`)
    .join('')
}

/** ` + tasks:write, delegates: staff, bound: org_id`, or nothing. */
function ruleText ({ scopes, delegates, bound, unbound }: Row): string {
  const text = [scopes ? ` + ${namesOf(scopes)}` : '']
  if (delegates === true) text.push('delegates: mayActFor')
  else if (delegates) text.push(`delegates: ${namesOf(delegates.scopes)}${delegates.machines ? ' (machines too)' : ''}`)
  if (bound.length > 0) text.push(`bound: ${bound.join(' ')}`)
  if (unbound.length > 0) text.push(`unbound: ${unbound.join(' ')}`)
  return text.join(', ')
}

const namesOf = (scopes: RequiredScopes) => scopesIn(scopes).join(isAnyOf(scopes) ? ' | ' : ' ')

/** ` {"version":"1.0.0"}`, or nothing. */
export function constraintsText (constraints: ScopedRoute['constraints']): string {
  return Object.keys(constraints).length > 0 ? ` ${JSON.stringify(constraints, showPattern)}` : ''
}

/** The constraint `host` may be a regular expression, which JSON cannot express. */
const showPattern = (_key: string, value: unknown) => value instanceof RegExp ? String(value) : value
