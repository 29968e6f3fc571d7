import { isRegExp } from 'node:util/types'
import { Type, type TProperties } from '@sinclair/typebox'
import { faultOf, pick } from '../options/validate.js'
import { appRoutes, getNameOf, nameOf, type AnyApp, type AppRoute } from './app-routes.js'
import type { Finding } from './findings.js'
import type { RequestParams } from './route-requests.js'

/** `'METHOD url'` of a route as declared, or an expression that is tried on it. HEAD goes by the name of GET, too. */
export type RouteName = string | RegExp

/** What the assertions have in common. */
export interface Settings {
  /** What requests need besides what the assertion puts in, by `'METHOD url'` of the route, or `'*'`. */
  params?: RequestParams
  /** Routes that may be as they are. */
  allow?: readonly RouteName[]
  /** Routes to judge, where scopes of one app have different issuers: call it once for each. Default: all. */
  only?: (route: { method: string, url: string }) => boolean
}

/** What an assertion has to judge. */
export type Task = Awaited<ReturnType<typeof readTask>>

/** An option that is judged where it is used. */
const anything = Type.Optional(Type.Unknown({ opaque: true }))

/** Options of which no more is said than their names. */
export const named = (...names: string[]): TProperties => Object.fromEntries(names.map((name) => [name, anything]))

/**
 * What is known and undefined counts as left out.
 * @throws TypeError that names the option of the function `what`, and says what it must be
 */
export function assertOptions (properties: TProperties, options: unknown, what: string): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  const given = Object.entries(isObject ? { ...options, ...pick(options, properties) } : {})
  const stated = given.filter(([name, value]) => value !== undefined || !Object.hasOwn(properties, name))
  const schema = Type.Object(properties, { additionalProperties: false })
  const fault = faultOf(schema, isObject ? Object.fromEntries(stated) : options, what)
  if (fault !== undefined) throw new TypeError(fault)
}

const common = {
  params: Type.Optional(Type.Record(Type.String(), Type.Object(named('path', 'query', 'headers', 'body'), {
    additionalProperties: false, expects: 'an object: { path, query, headers, body }'
  }), { opaque: true, expects: 'an object: what requests need, by route' })),
  ...named('issuer', 'alice', 'bob', 'allow'),
  only: Type.Optional(Type.Function([], Type.Unknown(), { expects: 'a function: ({ method, url }) => boolean' }))
}

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
  const isAllowed = (route: Pick<AppRoute, 'method' | 'url'>): boolean => {
    const names = [nameOf(route), getNameOf(route)]
    const found = allow.filter((each) =>
      names.some((name) => typeof each === 'string' ? each === name : new RegExp(each).test(name)))
    for (const name of found) used.add(name)
    return found.length > 0
  }
  // Other calls judge these: what allows them counts as used.
  for (const route of routes) if (!judged.includes(route)) isAllowed(route)
  const about = (url: string, note: string): Finding => ({ method: '', url, level: '', notes: [note], failures: [] })
  /** What turned out to be needless, once all is judged. */
  const inVain = () => [
    ...Object.keys(params).filter((name) => name !== '*' && !routes.some((route) => nameOf(route) === name))
      .map((name) => about(name, 'params name it, and the app has no such route')),
    ...allow.filter((name) => !used.has(name)).map((name) => about(String(name), 'allow names it, and it needs no ' +
      'exception: it is sound, or does not exist. Fix: take it out'))
  ]
  return { params, routes, judged, isAllowed, inVain }
}
