import type { FastifyInstance, RouteOptions } from 'fastify'
import type { AccessLevel, ScopedRoute } from '../contract/types.js'
import { judgeRoute } from '../routes/access.js'
import { isWithin, routesOf } from '../routes/app-routes.js'
import { misspeltOwner } from '../routes/look-alikes.js'
import { printRoutes } from '../routes/print.js'
import { scopesOf, type Scope } from '../routes/scopes.js'
import { placesOf } from '../routes/table.js'
import { parametersOf } from '../routes/url.js'
import { createdBefore } from './held-requests.js'

/** An app of any kind: with HTTP/2, its own logger or type provider. */
export type AnyApp = FastifyInstance<any, any, any, any, any>

/** A route of the app, whether a registration guards it or not. */
export interface AppRoute {
  readonly method: string
  /** As declared, prefix included. */
  readonly url: string
  /** `'unguarded'`: outside of every scope. */
  readonly access: AccessLevel | 'unguarded'
  readonly source: ScopedRoute['source'] | ''
  /** The owner's parameter in the URL, whatever the level; null where there is none. */
  readonly parameter: string | null
  /** What is wrong with a parameter that looks like the owner's, or is one elsewhere, and is not here; null where nothing is. */
  readonly lookAlike: string | null
  readonly constraints: Readonly<Record<string, unknown>>
  /** Tells whether this is the route that a request reached. */
  readonly options: RouteOptions
}

/** The GET route of a HEAD route: it answers the same and more. */
export const asGet = <R extends { method: string }>(route: R): R => route.method === 'HEAD' ? { ...route, method: 'GET' } : route

/** By which a route is named in options, messages and sets. */
export const nameOf = ({ method, url }: { method: string, url: string }): string => `${method} ${url}`

/**
 * Every route of an app, which gets ready by it: those of each registration of the plugin, and those outside of all of them.
 * @throws TypeError where it is no app, or was created before the test kit was loaded
 */
export async function appRoutes (app: AnyApp): Promise<AppRoute[]> {
  // Plain JavaScript may give a promise of one, or nothing.
  if (typeof (app as Partial<AnyApp> | undefined)?.inject !== 'function') {
    throw new TypeError('the first argument must be a Fastify app: await the function that builds it')
  }
  await app.ready()
  const declared = routesOf(app)
  if (declared === undefined) throw createdBefore()
  const scopes = scopesOf(app)
  const scoped = declared.map((route) => ({ route, param: paramIn(route.context, scopes) }))
  const params = [...new Set([...scopes, ...scoped].flatMap(({ param }) => param ?? []))]
  return scoped.flatMap(({ route, param }) => {
    const demand = param === null ? { level: 'unguarded' as const, source: '' as const } : judgeRoute(route.options, param)
    return placesOf(route).map((place) => ({
      ...place,
      access: demand.level,
      source: demand.source,
      ...examine(place.url, param === null ? params : [param], params),
      options: route.options
    }))
  })
}

/** The owner's parameter in a context, or null where nothing guards it. A second copy of the package shows by its decorator only. */
function paramIn (context: FastifyInstance, scopes: readonly Scope[]): string | null {
  const own = scopes.find((scope) => isWithin(context, scope.context))
  if (own) return own.param
  if (!context.hasDecorator('userScope')) return null
  return context.userScope.routes().find(({ parameter }) => parameter !== null)?.parameter ?? 'user_id'
}

/** @param all the owners' parameters of all scopes */
function examine (url: string, params: readonly string[], all: readonly string[]): Pick<AppRoute, 'parameter' | 'lookAlike'> {
  const own = parametersOf(url)
  const has = (param: string) => own.some(({ name }) => name === param)
  const parameter = params.find(has) ?? null
  if (parameter !== null) return { parameter, lookAlike: null }
  const [lookAlike = null] = [
    ...all.filter(has).map((param) => `":${param}" is the owner's parameter of another scope`),
    ...params.map((param) => ({ param, misspelt: misspeltOwner(own, param) })).filter(({ misspelt }) => misspelt !== undefined)
      .map(({ param, misspelt }) => `":${misspelt}" looks like the owner's parameter ":${param}"`)
  ]
  return { parameter, lookAlike }
}

/**
 * All routes of an app as text for a snapshot: a line for each URL and level, sorted by URL, with the level `unguarded` for what is
 * outside of every scope. A new route that nobody guards shows up in the diff, as a line of its own.
 * @param app gets ready by it
 */
export const routeTable = async (app: AnyApp): Promise<string> => printRoutes(await appRoutes(app))
