import type { RouteOptions } from 'fastify'
import { constraintsText } from '../routes/print.js'
import { getNameOf, nameOf, type AppRoute } from './app-routes.js'
import type { HeldAnswer } from './held-requests.js'

/** A request that was not answered as it must be: who asked for what, and its path. */
export type Failure = Readonly<Record<'label' | 'expected' | 'answer' | 'url', string>>

/** What is wrong with a route. */
export interface Finding {
  /** None where an option named it. */
  readonly methods: readonly string[]
  readonly url: string
  /** Its level and constraints. */
  readonly level: string
  /** `{names}` stands for its names as options take them, `{name}` for the first. */
  readonly notes: readonly string[]
  readonly failures: readonly Failure[]
}

/** The end of a note on what a host may intend. */
export const orAllow = ', or allow: [{names}]'

export const unfinished = ({ constraints }: AppRoute): string =>
  `not tried to the end${constraintsText(constraints)}: ` +
  'give what the request needs, params: { {name}: { path, query, headers, body } }'

export function findingOf (route: AppRoute, notes: string[], failures: Failure[] = []): Finding {
  const { method, url, access, source, constraints } = route
  const level = `(${access}${source && `, ${source}`})${constraintsText(constraints)}`
  return { methods: [method], url, level, notes, failures }
}

/** Thrown by the assertions of `fastify-user-scope/testing`. Its message names each route at fault, and what it did. */
export class ScopeAssertionError extends Error {
  override readonly name = 'ScopeAssertionError'
  readonly code = 'ERR_ASSERTION'
  /** `METHOD url` of each route at fault. */
  readonly routes: readonly string[]

  /** @param fault what the routes do */
  constructor (fault: string, findings: readonly Finding[]) {
    const routes = findings.flatMap(({ methods, url }) =>
      methods.length === 0 ? url : methods.map((method) => nameOf({ method, url })))
    super([`Routes that ${fault}: ${routes.length}`, ...join(findings).map(print)].join('\n\n'))
    this.routes = routes
  }
}

/** Joins methods of which the same is to be said; of answers the status is compared, as HEAD has no text. */
function join (findings: readonly Finding[]): Finding[] {
  const joined = new Map<string, Finding>()
  for (const finding of findings) {
    const { methods, failures, ...rest } = finding
    const key = JSON.stringify([rest, failures.map(({ label, answer }) => [label, answer.split(' ', 1)])])
    joined.set(key, { ...finding, ...joined.get(key), methods: [...joined.get(key)?.methods ?? [], ...methods] })
  }
  return [...joined.values()]
}

function print ({ methods, url, level, notes, failures }: Finding): string {
  const names = [...new Set(methods.map((method) => `'${getNameOf({ method, url })}'`))]
  const fill = (note: string) => note.replace('{names}', () => names.join(', ')).replace('{name}', () => `${names[0]}`)
  const rows = failures.map((failure) => [failure.label, failure.expected, failure.answer, failure.url])
  const table = rows.length > 0 ? [['request', 'expected', 'answer', 'path'], ...rows] : []
  const widthOf = (column: number) => Math.max(...table.map((row) => String(row[column]).length))
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widthOf(column))).join('  ').trimEnd())
  const head = [methods.join(', '), url, level].filter(Boolean).join(' ')
  return [head, ...notes.map(fill), ...lines].join('\n  ')
}

/** @param route the route that was asked */
export function describeAnswer ({ status, reached, notFound, says }: HeldAnswer, route: RouteOptions): string {
  if (reached !== null) return reached === route ? 'its handler' : `the handler of ${reached.url}`
  return notFound ? '404, no route' : [status || 'none:', says].filter(Boolean).join(' ')
}
