import { isRegExp } from 'node:util/types'
import { appRoutes, asGet, nameOf, type AnyApp, type AppRoute } from './app-routes.js'
import type { Finding } from './findings.js'
import { assertKnownOptions } from './known-options.js'
import { assertParams, type RequestParams } from './route-requests.js'

/** `'METHOD url'` of a route as declared, or an expression that is tried on it. That of a GET route holds for its HEAD route too. */
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
export interface Task {
  readonly params: RequestParams
  readonly routes: readonly AppRoute[]
  /** Those that `only` has left. */
  readonly judged: readonly AppRoute[]
  readonly isAllowed: (route: { method: string, url: string }) => boolean
  /** What options name in vain, once all is judged: what need not be allowed any more should not stay allowed. */
  readonly unused: () => Finding[]
}

/** @throws TypeError where an option is unknown, or not of its kind */
export async function readTask (app: AnyApp, options: Settings, known: readonly string[], what: string): Promise<Task> {
  assertKnownOptions(options, [...known, 'params', 'allow', 'only'], what)
  const { params = {}, allow = [], only = () => true } = options
  assertParams(params)
  // An expression made of what is neither would allow every route.
  if (!Array.isArray(allow) || !allow.every((name) => typeof name === 'string' || isRegExp(name))) {
    throw new TypeError("option \"allow\" must be a list of routes: allow: ['GET /users/:user_id', /^GET \\/docs/]")
  }
  const routes = await appRoutes(app)
  const used = new Set<RouteName>()
  const isAllowed: Task['isAllowed'] = (route) => {
    const names = [nameOf(route), nameOf(asGet(route))]
    const found = allow.filter((each) => names.some((name) => typeof each === 'string' ? each === name : new RegExp(each).test(name)))
    for (const name of found) used.add(name)
    return found.length > 0
  }
  const inVain = (url: string, note: string): Finding => ({ methods: [], url, level: '', notes: [note], failures: [] })
  return {
    params,
    routes,
    // What is allowed of the others is for the call that judges those, and counts as used.
    judged: routes.filter((route) => only(route) || (isAllowed(route) && false)),
    isAllowed,
    unused: () => [
      ...Object.keys(params).filter((name) => name !== '*' && !routes.some((route) => nameOf(route) === name))
        .map((name) => inVain(name, 'params name it, and the app has no such route')),
      ...allow.filter((name) => !used.has(name)).map((name) => inVain(String(name), 'allow names it, and it needs no leave: nothing is wrong with it, or it does not exist'))
    ]
  }
}
