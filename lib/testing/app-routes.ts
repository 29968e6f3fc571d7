import type { FastifyInstance, HTTPMethods, RouteOptions } from 'fastify'
import { assertSoundUrl } from '../routes/access.js'
import { placesOf, readRoutes, type LateRoute, type PrintedRoute } from '../routes/late-routes.js'
import { printRoutes } from '../routes/table.js'
import { paramsIn } from '../routes/url.js'
import { scopesOf, type ScopeRecord } from '../routes/scopes.js'
import type { AccessLevel, ScopedRoute } from '../contract/types.js'

/** An app of any kind: with HTTP/2, its own logger or type provider. */

export type AnyApp = FastifyInstance<any, any, any, any, any>

/** Plain JavaScript may give a promise of one, or nothing. @throws TypeError */
export function assertApp (app: AnyApp): void {
  if (typeof (app as Partial<AnyApp> | undefined)?.inject !== 'function') throw new TypeError('the first argument must be a Fastify app: await the function that builds it')
}

/** A route of the app, whoever guards it. */
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
  /** Says what is wrong with a parameter that looks like the owner's, or is one elsewhere, and is not here; null where nothing is. */
  readonly lookAlike: string | null
  readonly constraints: Readonly<Record<string, unknown>>
  /** Undefined where the route has none, or it cannot be known: outside of every scope. */
  readonly schema: RouteOptions['schema']
  /** Null outside of every scope. */
  readonly scope: ScopeRecord | null
}

/** The root of a prefix is one route of two URLs, and Fastify tells now the one, now the other. */
export const isSameUrl = (a: string, b: string) => a.replace(/\/$/, '') === b.replace(/\/$/, '')

/** The route beside a HEAD route, which answers the same and more. */
export const asGet = <R extends { method: string }>(route: R): R => route.method === 'HEAD' ? { ...route, method: 'GET' } : route

/**
 * Every route of an app that is ready: those of each registration of the plugin, and those outside of all of them.
 * @throws Error where Fastify cannot show the latter
 */
export function appRoutes (app: AnyApp): AppRoute[] {
  const scopes = scopesOf(app.server)
  return [...scopes.flatMap((scope) => routesOf(app, scope, scopes)), ...outsideOf(app, scopes)]
}

/**
 * All routes of an app as text for a snapshot: a line for each URL and level, sorted by URL, with the level `unguarded` for what is
 * outside of every scope. A new route that nobody guards shows up in the diff, as a line of its own.
 * @param app gets ready by it
 * @throws Error where Fastify cannot show the routes outside: with a `buildPrettyMeta` of the host's own
 */
export async function routeTable (app: AnyApp): Promise<string> {
  assertApp(app)
  await app.ready()
  return printRoutes(appRoutes(app).map((route) => ({
    ...route, url: route.url + constraintsText(route.constraints), source: route.source === 'none' ? '' : route.source
  })))
}

export const constraintsText = (constraints: AppRoute['constraints']) => Object.keys(constraints).length > 0 ? ` ${JSON.stringify(constraints, showPattern)}` : ''

/** As the router prints it. */
const showPattern = (_key: string, value: unknown) => value instanceof RegExp ? String(value) : value

function routesOf (app: FastifyInstance, scope: ScopeRecord, scopes: readonly ScopeRecord[]): AppRoute[] {
  const { table, param } = scope
  const foreign = paramsOf(scopes).filter((name) => name !== param)
  const seen = table.places().map(({ method, url, route: { constraints = {}, schema }, access: { level, source } }) =>
    ({ ...examine(url, [param], foreign), method, access: level, source, constraints, schema, scope }))
  const late = table.late.map((route) => ({ ...read(app, route, [param], foreign), access: route.access, source: route.source, schema: undefined, scope }))
  return [...seen, ...late]
}

const paramsOf = (scopes: readonly ScopeRecord[]) => [...new Set(scopes.map(({ param }) => param))]

function outsideOf (app: FastifyInstance, scopes: readonly ScopeRecord[]): AppRoute[] {
  const params = paramsOf(scopes)
  return printed(app, scopes)
    .filter(({ hooks }) => !scopes.some(({ guard }) => hooks.includes(`"${guard}()"`)))
    .flatMap(placesOf)
    .map((route): AppRoute => ({ ...read(app, route, params), access: 'unguarded', source: 'none', schema: undefined, scope: null }))
}

/** A route of which only what the router prints is known. */
function read (app: FastifyInstance, { method, url, constraints: text }: LateRoute, params: readonly string[], foreign: readonly string[] = []): Pick<AppRoute, 'method' | 'constraints'> & Examined {
  const constraints = text ? JSON.parse(text) as Record<string, unknown> : {}
  return { method, constraints, ...examine(readUrl(app, { method, url, constraints }, params), params, foreign) }
}

/**
 * The URL as declared. Two routes that name a parameter differently share a node of the router, which prints both names:
 * `/:user_id|:id/tasks`.
 */
function readUrl (app: FastifyInstance, { method, url, constraints }: Pick<AppRoute, 'method' | 'url' | 'constraints'>, params: readonly string[]): string {
  const segments = url.split('/').map(readingsOf)
  const first = segments.map(([reading]) => reading).join('/')
  // Asked with the names for values, the router tells by what names it has them, in their order; not where an expression does not fit its own name.
  let names = Object.keys(app.findRoute({ method: method as HTTPMethods, url: first, constraints })?.params ?? {})
  const isTold = names.length === paramsIn(first).length
  return segments.map((readings) => {
    // Where it does not, the reading that has the owner.
    const reading = readings.find((each) => isTold ? startsWith(names, paramsIn(each)) : paramsIn(each).some((name) => params.includes(name))) ?? readings[0]
    names = names.slice(paramsIn(reading).length)
    return reading
  }).join('/')
}

function readingsOf (segment: string): [string, ...string[]] {
  const [first, ...others] = segment.split(/\|(?=:)/) as [string, ...string[]]
  const [text] = first.split(':', 1) as [string]
  return [first, ...others.map((name) => text + name)]
}

const startsWith = (names: readonly string[], start: readonly string[]) => start.every((name, index) => names[index] === name)

type Examined = Pick<AppRoute, 'url' | 'parameter' | 'lookAlike'>

/** @param foreign the owners' parameters of other scopes */
function examine (url: string, params: readonly string[], foreign: readonly string[]): Examined {
  const own = paramsIn(url)
  const parameter = params.find((param) => own.includes(param)) ?? null
  if (parameter !== null) return { url, parameter, lookAlike: null }
  const strayed = foreign.find((param) => own.includes(param))
  const lookAlike = strayed ? `":${strayed}" is the owner's parameter of another scope` : params.map((param) => lookAlikeIn(url, param)).find(Boolean) ?? null
  return { url, parameter, lookAlike }
}

function lookAlikeIn (url: string, param: string): string | null {
  try {
    assertSoundUrl(url, undefined, param, '')
    return null
  } catch (error) {
    return (error as Error).message.replace(/^.*?(":[^"]*" looks like [^,]*).*$/, '$1')
  }
}

function printed (app: FastifyInstance, scopes: readonly ScopeRecord[]): PrintedRoute[] {
  const routes = readRoutes(app.printRoutes({ includeHooks: true }))
  const guarded = scopes.some(({ table }) => table.seen.length > 0)
  if (guarded && !routes.some(({ hooks }) => hooks.includes('"userScope#'))) {
    throw new Error('the routes outside of the plugin cannot be told from those inside, as printRoutes shows no hooks: leave the router option buildPrettyMeta out in tests')
  }
  return routes
}
