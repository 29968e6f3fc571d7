import type { FastifyInstance, RouteOptions } from 'fastify'
import type { AccessLevel, ScopedRoute } from '../contract/types.js'
import { isWithin, routesOf } from '../routes/app-routes.js'
import { misspeltOwner } from '../routes/look-alikes.js'
import { printRoutes } from '../routes/print.js'
import { scopesOf, type Scope } from '../routes/scopes.js'
import { placesOf } from '../routes/table.js'
import { parametersOf } from '../routes/url.js'

export { constraintsText } from '../routes/print.js'

/** An app of any kind: with HTTP/2, its own logger or type provider. */
export type AnyApp = FastifyInstance<any, any, any, any, any>

/** Plain JavaScript may give a promise of one, or nothing. @throws TypeError */
export function assertApp (app: AnyApp): void {
  if (typeof (app as Partial<AnyApp> | undefined)?.inject !== 'function') {
    throw new TypeError('the first argument must be a Fastify app: await the function that builds it')
  }
}

/** A route of the app, whether a registration guards it or not. */
export interface AppRoute {
  readonly method: string
  /** As declared, prefix included. */
  readonly url: string
  /** `'unguarded'`: outside of every scope. */
  readonly access: AccessLevel | 'unguarded'
  /** `'none'`: outside of every scope. */
  readonly source: ScopedRoute['source'] | 'none'
  /** The owner's parameter in the URL, whatever the level; null where there is none. */
  readonly parameter: string | null
  /**
   * Says what is wrong with a parameter that looks like the owner's, or is one elsewhere, and is not here; null where
   * nothing is.
   */
  readonly lookAlike: string | null
  readonly constraints: Readonly<Record<string, unknown>>
  readonly schema: RouteOptions['schema']
  /** Null outside of every scope. */
  readonly scope: Scope | null
}

/** The root of a prefix is one route of two URLs, and Fastify tells now the one, now the other. */
export const isSameUrl = (a: string, b: string) => a.replace(/\/$/, '') === b.replace(/\/$/, '')

/** The GET route of a HEAD route: it answers the same and more. */
export const asGet = <R extends { method: string }>(route: R): R => route.method === 'HEAD' ? { ...route, method: 'GET' } : route

/** By which a route is named in options, messages and sets. */
export const nameOf = ({ method, url }: { method: string, url: string }): string => `${method} ${url}`

/**
 * Every route of an app that is ready: those of each registration of the plugin, and those outside of all of them.
 * @throws TypeError where the app was created before the test kit was loaded
 */
export function appRoutes (app: AnyApp): AppRoute[] {
  const declared = routesOf(app)
  if (declared === undefined) {
    throw new TypeError('the app was created before fastify-user-scope was loaded, so its routes are unknown: import it first')
  }
  const scopes = scopesOf(app)
  const params = [...new Set(scopes.map(({ param }) => param))]
  return declared.flatMap((route) => {
    const scope = scopes.find(({ context }) => isWithin(route.context, context)) ?? null
    const demand = scope && scope.table.judge(route.options)
    return placesOf(route).map((place) => ({
      ...place,
      access: demand?.level ?? 'unguarded' as const,
      source: demand?.source ?? 'none' as const,
      ...examine(place.url, scope ? [scope.param] : params, params.filter((name) => name !== scope?.param)),
      schema: route.options.schema,
      scope
    }))
  })
}

/**
 * All routes of an app as text for a snapshot: a line for each URL and level, sorted by URL, with the level `unguarded`
 * for what is outside of every scope. A new route that nobody guards shows up in the diff, as a line of its own.
 * @param app gets ready by it
 */
export async function routeTable (app: AnyApp): Promise<string> {
  assertApp(app)
  await app.ready()
  return printRoutes(appRoutes(app).map((route) => ({ ...route, source: route.source === 'none' ? '' : route.source })))
}

/** @param foreign the owners' parameters of other scopes */
function examine (url: string, params: readonly string[], foreign: readonly string[]): Pick<AppRoute, 'parameter' | 'lookAlike'> {
  const own = parametersOf(url)
  const has = (param: string) => own.some(({ name }) => name === param)
  const parameter = params.find(has) ?? null
  if (parameter !== null) return { parameter, lookAlike: null }
  const strayed = foreign.filter((param) => !params.includes(param)).find(has)
  if (strayed) return { parameter, lookAlike: `":${strayed}" is the owner's parameter of another scope` }
  for (const param of params) {
    const misspelt = misspeltOwner(own, param)
    if (misspelt) return { parameter, lookAlike: `":${misspelt}" looks like the owner's parameter ":${param}"` }
  }
  return { parameter, lookAlike: null }
}
