import type { RequiredScopes } from '../contract/access.js'
import type { ScopedRoute } from '../contract/types.js'
import { isAnyOf, scopesIn } from './rule.js'

type Rule = Partial<Pick<ScopedRoute, 'scopes' | 'delegates' | 'unbound'>>
type Place = Pick<ScopedRoute, 'method' | 'url' | 'constraints'>
type Row = Place & Rule & { readonly access: string, readonly source: string }

/** The longest level: that of routes outside of every scope. */
const levelWidth = 'unguarded'.length

/**
 * Prints a line for each URL, constraint, level and rule, with all its methods, sorted by URL. No line depends on the
 * others, so a new route is a single new line in the diff of a snapshot.
 */
export function printRoutes (routes: readonly Row[]): string {
  const lines = new Map<string, Row & { methods: Set<string> }>()
  for (const route of routes) {
    const access = route.access + ruleText(route)
    const key = [route.url + constraintsText(route.constraints), access, route.source].join(' ')
    const line = lines.get(key) ?? { ...route, access, methods: new Set() }
    lines.set(key, line)
    line.methods.add(route.method)
  }
  return [...lines]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, { access, url, constraints, methods, source }]) => {
      const place = [url + constraintsText(constraints), [...methods].sort().join(', ')]
      return `${[access.padEnd(levelWidth), ...place, source].join('  ').trimEnd()}\n`
    })
    .join('')
}

/** ` + tasks:write, delegates: staff`, or nothing. */
function ruleText ({ scopes, delegates, unbound = [] }: Rule): string {
  const text = [scopes ? ` + ${namesOf(scopes)}` : '']
  if (delegates === true) text.push('delegates: mayActFor')
  else if (delegates) text.push(`delegates: ${namesOf(delegates.scopes)}${delegates.machines ? ' (machines too)' : ''}`)
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
