import { isRegExp } from 'node:util/types'
import { Type, type TProperties } from '@sinclair/typebox'
import { faultOf } from '../options/validate.js'
import { appRoutes, getNameOf, nameOf, type AnyApp, type Place } from './app-routes.js'
import { ScopeAssertionError, type Finding } from './findings.js'
import type { RequestParams } from './route-requests.js'

/** `'METHOD url'` of a route as declared, or a regular expression for it. The name of GET also covers HEAD. */
export type RouteName = string | RegExp

/** Options of all assertions. */
export interface Settings {
  /** What requests need, by `'METHOD url'` of the route, or `'*'` for all. */
  params?: RequestParams
  /** Routes that may fail the assertion. */
  allow?: readonly RouteName[]
  /** Selects routes. If parts of an app have different issuers, call the assertion for each. Default: all routes. */
  only?: (route: { method: string, url: string }) => boolean
}

/** The input of an assertion. */
export type Task = Awaited<ReturnType<typeof readTask>>

/** Options of which only the name is checked here. */
export const named = (...names: string[]): TProperties =>
  Object.fromEntries(names.map((name) => [name, Type.Optional(Type.Unknown())]))

/**
 * Checks options. A known option that is undefined counts as left out.
 * @throws TypeError that names the option of the function `what` and says what it must be
 */
export function assertOptions (properties: TProperties, options: unknown, what: string, hint = ''): void {
  const fault = faultOf(Type.Object(properties, { additionalProperties: false, opaque: true }), options, what)
  if (fault !== undefined) throw new TypeError(fault + hint)
}

/** Checks the options of a token: claims there would be lost. The index of `users.map(issuer.token)` is allowed. */
export function assertTokenOptions (names: string[], options: unknown): void {
  if (typeof options !== 'object') return
  assertOptions(named(...names), options, 'token(user, options)', ' (claims belong to the user: { id, … })')
}

const values = Type.Optional(Type.Object({}, { expects: 'an object: values by name' }))
const parts = Type.Object({ path: values, query: values, headers: values, ...named('body') }, {
  additionalProperties: false, expects: 'an object: { path, query, headers, body }'
})
const common = {
  params: Type.Optional(Type.Record(Type.String(), parts, { expects: 'an object: what requests need, by route' })),
  ...named('issuer', 'alice', 'bob', 'allow'),
  only: Type.Optional(Type.Function([], Type.Unknown(), { expects: 'a function: ({ method, url }) => boolean' }))
}

const absent = "params name it, and the app has no such route. A name has its method: 'GET /api/…'"
const sound = 'allow names it, and it needs no exception: it is sound, or does not exist. Fix: remove it, or write ' +
  "its method, too: 'GET /api/…'"

/** @param known the options of this assertion alone @throws TypeError where an option is unknown or wrong */
export async function readTask (app: AnyApp, options: Settings, known: TProperties, what: string) {
  assertOptions({ ...known, ...common }, options, what)
  const { params = {}, allow = [], only = () => true } = options
  // `new RegExp(undefined)` would allow every route.
  if (!Array.isArray(allow) || !allow.every((name) => typeof name === 'string' || isRegExp(name))) {
    throw new TypeError("option \"allow\" must be a list of routes: allow: ['GET /users/:user_id', /^GET \\/docs/]")
  }
  const routes = await appRoutes(app)
  const judged = routes.filter(only)
  const used = new Set<RouteName>()
  const isAllowed = (route: Place): boolean => {
    const names = [nameOf(route), getNameOf(route)]
    const found = allow.filter((each) =>
      names.some((name) => typeof each === 'string' ? each === name : new RegExp(each).test(name)))
    for (const name of found) used.add(name)
    return found.length > 0
  }
  // Other calls judge these routes, so entries that allow them count as used.
  for (const route of routes) if (!judged.includes(route)) isAllowed(route)
  const findings: Finding[] = []
  /** Keeps a finding, unless nothing is wrong. Returns false if the route is allowed. */
  const report = (finding: Finding): boolean =>
    finding.notes.length + finding.failures.length === 0 || (!isAllowed(finding) && findings.push(finding) > 0)
  /** Ends the assertion. @throws ScopeAssertionError if something was found, or if an option names a route in vain */
  const conclude = (fault: string): void => {
    const unknown = Object.keys(params).filter((name) => name !== '*' && !routes.some((each) => nameOf(each) === name))
    const needless = allow.filter((name) => !used.has(name))
    for (const [urls, note] of [[unknown, absent], [needless, sound]] as const) {
      findings.push(...urls.map((url) => ({ method: '', url: String(url), level: '', notes: [note], failures: [] })))
    }
    if (findings.length > 0) throw new ScopeAssertionError(fault, findings)
  }
  return { params, routes, judged, findings, isAllowed, report, conclude }
}
