import type { FastifyInstance } from 'fastify'
import { isWithin, routesOf } from '../routes/app-routes.js'
import { namesInUrl } from '../routes/bind.js'
import { misspeltBound, misspeltOwner } from '../routes/look-alikes.js'
import { printRoutes } from '../routes/print.js'
import { noConditions } from '../routes/rule.js'
import { registrationsOf } from '../routes/registrations.js'
import { placesOf, RouteTable } from '../routes/table.js'
import { parametersOf, positionOf, type UrlParameter } from '../routes/url.js'
import { createdBefore } from './held-requests.js'

/** An app of any kind: with HTTP/2, its own logger or type provider. */
export type AnyApp = FastifyInstance<any, any, any, any, any>

/** A route of the app. If no registration guards it, `access` is `'unguarded'`. */
export type AppRoute = Awaited<ReturnType<typeof appRoutes>>[number]

export type OwnedRoute = AppRoute & { readonly parameter: UrlParameter }

/** What names a route. */
export type Place = Pick<AppRoute, 'method' | 'url'>

export const nameOf = ({ method, url }: Place): string => `${method} ${url}`

/** A HEAD route goes by the name of its GET route, which answers the same and more. */
export const getNameOf = ({ method, url }: Place): string => nameOf({ method: method === 'HEAD' ? 'GET' : method, url })

/**
 * Makes an app ready and returns all of its routes, inside of registrations of the plugin and outside.
 * @throws TypeError if it is not an app, or was created before the test kit was loaded
 */
export async function appRoutes (app: AnyApp) {
  if (typeof (app as Partial<AnyApp> | undefined)?.inject !== 'function') throw new TypeError(noApp)
  await app.ready()
  const declared = routesOf(app)
  if (declared === undefined) throw new TypeError(createdBefore)
  const guarded = declared.map((route) => ({ route, guard: guardOf(route.context) }))
  const guards = [...registrationsOf(app), ...guarded.map(({ guard }) => guard)]
  const owners = [...new Set(guards.flatMap(({ param }) => param ?? []))]
  const bindings = [...new Set(guards.flatMap(({ boundNames }) => boundNames))]
  const routes = guarded.flatMap(({ route, guard }) => placesOf(route).map((place) => {
    const parameters = parametersOf(place.url)
    const ownersHere = guard.param === null ? owners : [guard.param]
    // The owner's in the URL, whatever the level.
    const parameter = parameters.find(({ name }) => ownersHere.includes(name)) ?? null
    const { level: access, source, scopes, delegates, bound: all, unbound } = guard.judge(route.options)
    const bound = all.filter(({ isInUrl }) => isInUrl)
    const compared = namesInUrl(all)
    const judged = [...compared, ...unbound, ...parameter ? [parameter.name] : []]
    const rest = parameters.filter(({ name }) => !judged.includes(name))
    const loose = bindings.filter((name) => !judged.includes(name)).flatMap((name) => misspeltBound(rest, name) ?? [])
    const named = parameter
      ? faultsOfLevel(parameter.name, access)
      : lookAlikesIn(parameters.filter(({ name }) => !compared.includes(name)), owners)
    // The faults that are known before anything is sent.
    const faults = [...loose.map((name) => looseText(name, access, bindings)), ...named]
    return { ...place, access, source, scopes, delegates, bound, unbound, parameter, faults, options: route.options }
  }))
  const boundIn = ({ url, bound }: typeof routes[number]) =>
    parametersOf(url).filter(({ name }) => bound.some(({ param }) => param === name))
  const positions = new Map(routes.flatMap(boundIn).map((each) => [positionOf(each), each.name]))
  for (const route of routes.filter(({ access }) => access === 'user' || access === 'owner')) {
    const compared = [route.parameter, ...boundIn(route)].map((each) => each?.name)
    for (const parameter of parametersOf(route.url)) {
      const { name } = parameter
      const other = positions.get(positionOf(parameter)) ?? name
      if (other !== name && !compared.includes(name)) route.faults.push(strayText(name, other))
    }
  }
  return routes
}

const noApp = 'the first argument must be a Fastify app: await the function that builds it'
const moveIn = 'move it into the guarded context (a function around the registration needs fastify-plugin)'
const outside = { level: 'unguarded', source: '', ...noConditions } as const

function looseText (name: string, level: string, bindings: readonly string[]): string {
  const fault = `":${name}" is, or looks like, a parameter of option "bind", and is compared with no claim here`
  if (level === 'public' || level === 'optional') return `${fault}, because the level is '${level}': state 'user'`
  return `${fault}: ${bindings.includes(name) ? 'bind it here too' : 'rename it'}`
}

const strayText = (name: string, other: string) =>
  `":${name}" stands where other routes have ":${other}" of option "bind", and is compared with no claim: rename it`

/** Finds the registration that guards a context. A second copy of the plugin is only known by its decorator. */
function guardOf (context: FastifyInstance) {
  const own = registrationsOf(context).find((scope) => isWithin(context, scope.context))
  if (own) return own
  if (!context.hasDecorator('userScope')) return { param: null, boundNames: [], judge: () => outside }
  const routes = context.userScope.routes()
  const userIdParam = routes.find(({ parameter }) => parameter !== null)?.parameter ?? 'user_id'
  const bound = new Set(routes.flatMap((route) => [...route.bound, ...route.unbound]))
  // It does not know the claims, which mostly have the name of the parameter. `mayActFor` is never called here.
  const bind = [...bound].map((param) => ({ param, path: [param] }))
  return new RouteTable(context, { userIdParam, requireStatedAccess: false, bind, mayActFor: Array.isArray })
}

/** Returns the fault of a level that does not compare the owner in the URL. */
function faultsOfLevel (name: string, level: string): string[] {
  const has = `though its URL has the owner's ":${name}"`
  if (level === 'unguarded') return [`no guard of the plugin covers it, ${has}: ${moveIn}`]
  return level === 'owner' ? [] : [`its level is '${level}', ${has}: state 'owner' (staff come in by its delegates)`]
}

/** Returns the fault of a parameter that looks like the owner's, or is the owner's in another registration. */
function lookAlikesIn (parameters: readonly UrlParameter[], owners: readonly string[]): string[] {
  const [[word, name] = []] = owners.map((each) => [misspeltOwner(parameters, each), each]).filter(([word]) => word)
  if (word === undefined) return []
  const is = word === name ? "is the owner's parameter elsewhere" : `looks like the owner's parameter ":${name}"`
  return [`":${word}" ${is}, and is compared with nobody's id: rename it`]
}

/**
 * Returns all routes of an app as text for a snapshot: a line for each URL and level, sorted by URL. Routes that no
 * registration guards have the level `unguarded`.
 * @param app is made ready
 * @throws TypeError if it is not an app, or was created before the test kit was loaded
 */
export const routeTable = async (app: AnyApp): Promise<string> => printRoutes((await appRoutes(app)).map((route) =>
  ({ ...route, bound: namesInUrl(route.bound) })))
