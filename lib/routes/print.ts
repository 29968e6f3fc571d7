import type { ScopedRoute } from '../contract/types.js'

type Row = Pick<ScopedRoute, 'method' | 'url' | 'constraints'> & { readonly access: string, readonly source: string }

/** The longest of the levels, that of routes outside of every scope. */
const levelWidth = 'unguarded'.length

/**
 * A line for each URL, constraint and level, with its methods together, sorted by URL. No line depends on the others:
 * in the diff of a snapshot a new route is a new line and nothing else.
 */
export function printRoutes (routes: readonly Row[]): string {
  const lines = new Map<string, Row & { methods: Set<string> }>()
  for (const route of routes) {
    const key = [route.url + constraintsText(route.constraints), route.access, route.source].join(' ')
    const line = lines.get(key) ?? { ...route, methods: new Set() }
    lines.set(key, line)
    line.methods.add(route.method)
  }
  return [...lines]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, { access, url, constraints, methods, source }]) => {
      const place = url + constraintsText(constraints)
      const cells = [access.padEnd(levelWidth), place, [...methods].sort().join(', '), source]
      return `${cells.join('  ').trimEnd()}\n`
    })
    .join('')
}

/** ` {"version":"1.0.0"}`, or nothing. */
export function constraintsText (constraints: ScopedRoute['constraints']): string {
  return Object.keys(constraints).length > 0 ? ` ${JSON.stringify(constraints, showPattern)}` : ''
}

/** `host` may be a regular expression, which JSON has no form for. */
const showPattern = (_key: string, value: unknown) => value instanceof RegExp ? String(value) : value
