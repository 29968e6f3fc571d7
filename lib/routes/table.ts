import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { InvalidRouteError } from '../contract/errors.js'
import { logLine } from '../contract/log.js'
import type { ScopedRoute } from '../contract/types.js'
import { comparesOwner, judgeRoute, servesOptionsOnly, statedAccess } from './access.js'
import type { Demand, RouteFacts, RouteSettings } from './access.js'
import { importFirst, isWithin, recordRoutes, routesOf, withCli, type DeclaredRoute } from './app-routes.js'
import { namesInUrl } from './bind.js'
import { readParam } from './owner.js'

export interface JudgedRoute extends DeclaredRoute { readonly demand: Demand }

/** The `config` that Fastify creates: one object per route. */
interface RouteConfig { readonly url?: string, readonly method?: string | readonly string[] }

const lostRule = 'a rule was stated in its config.access, and an onRoute hook took it away. Let the hook keep it, as ' +
  'in options.config = { ...options.config, … }'

/** Whether a hook removed what no default replaces: a rule, or the level of a route that would be public without it. */
const hasLostRule = ({ access, options: { config, method } }: DeclaredRoute) => statedAccess(config) === undefined &&
  (typeof access === 'object' || (servesOptionsOnly(method) && typeof access === 'string' && access !== 'public'))

const sharedConfig = 'an onRoute hook gives several routes one config, which at the end says what it wrote for the ' +
  'last. Let the hook make one for each, as in options.config = { ...options.config, … }'

function sharedConfigs (routes: readonly DeclaredRoute[]): ReadonlySet<unknown> {
  const seen = new Set<unknown>()
  const shared = new Set<unknown>()
  for (const { options: { config } } of routes) {
    if (config && seen.has(config)) shared.add(config)
    seen.add(config)
  }
  return shared
}

/** False for a HEAD route whose GET route, which declares it, is at fault too. */
const isOwnFault = ({ options: { method, url } }: JudgedRoute, _index: number, atFault: readonly JudgedRoute[]) =>
  method !== 'HEAD' || !atFault.some(({ options: other }) => other.method === 'GET' && other.url === url)

export class RouteTable {
  /** The context that registered the plugin. It and the contexts inside it are guarded. */
  readonly context: FastifyInstance
  readonly param: string
  readonly boundNames: readonly string[]
  readonly #settings: RouteSettings
  readonly #declared: readonly DeclaredRoute[]
  /**
   * By `METHOD url`. Null if routes with other constraints have the same name and different demands: then the config of
   * the request decides.
   */
  readonly #byName = new Map<string, Demand | null>()
  readonly #byConfig = new WeakMap<object, Demand>()
  /** The warnings about unknown routes that were already logged. */
  readonly #told = new Set<string>()

  constructor (context: FastifyInstance, settings: RouteSettings) {
    this.context = context
    this.param = settings.userIdParam
    this.boundNames = settings.bind.map(({ param }) => param)
    this.#settings = settings
    this.#declared = routesOf(context) ?? recordRoutes(context)
  }

  /** Returns the routes of the registration that are declared so far. */
  declared (): DeclaredRoute[] {
    return this.#declared.filter(({ context }) => isWithin(context, this.context))
  }

  routes (): JudgedRoute[] {
    let last: { url: string, demand: Demand } | undefined
    return this.declared().map((route) => {
      const { url, method, config } = route.options
      // Without a stated rule the URL decides, which is often the same for GET, HEAD and others.
      const isByUrl = statedAccess(config) === undefined && !servesOptionsOnly(method)
      const demand = isByUrl && last?.url === url ? last.demand : this.judge(route.options)
      if (isByUrl) last = { url, demand }
      // A spread takes longer.
      return { context: route.context, url: route.url, options: route.options, access: route.access, demand }
    })
  }

  /**
   * Judges every route. Called by the `onReady` hook, because until then `onRoute` hooks of the host may change level,
   * method and URL.
   * @throws InvalidRouteError that names all routes at fault, a line for each
   */
  settle (): readonly JudgedRoute[] {
    const routes = this.routes()
    const shared = sharedConfigs(this.#declared)
    const faultOf = (route: JudgedRoute): string | null => {
      if (hasLostRule(route)) return lostRule
      return shared.has(route.options.config) ? sharedConfig : route.demand.fault
    }
    const faultLine = (route: JudgedRoute) =>
      `route ${[route.options.method].flat().join(', ')} ${route.options.url}: ${faultOf(route)}`
    const atFault = routes.filter(faultOf)
    if (atFault.length > 0) throw new InvalidRouteError(atFault.filter(isOwnFault).map(faultLine).join('\n'))
    for (const route of routes) {
      const { url, options: { method, url: declared }, demand } = route
      // They differ for the root of a prefix: before Fastify 5.12.1, requests with the slash have it in their config.
      for (const each of [url, declared]) {
        const name = nameOf({ url: each, method })
        const other = this.#byName.get(name)
        this.#byName.set(name, other === undefined || isDeepStrictEqual(other, demand) ? demand : null)
      }
    }
    return routes
  }

  /** Returns the demand of a request's route: that of the boot, unless the request shows a stricter one. */
  demandOf (request: FastifyRequest): Demand {
    const { url, config } = request.routeOptions as { url?: string, config: RouteConfig }
    let demand = this.#byConfig.get(config)
    if (demand === undefined) {
      demand = this.#judgeConfig(config)
      this.#byConfig.set(config, demand)
    }
    // It may be public because it only serves OPTIONS. Its list of methods is the host's and may have changed.
    const isByMethod = demand.level === 'public' && demand.source === 'default' && request.method !== 'OPTIONS'
    if (isByMethod) return this.judge({ url, method: request.method, config })
    if (demand.level !== 'user' || !comparesOwner(demand, readParam(request, this.param))) return demand
    return { ...demand, level: 'owner' }
  }

  judge (facts: RouteFacts): Demand {
    return judgeRoute(facts, this.#settings)
  }

  #judgeConfig (config: RouteConfig): Demand {
    const { url, method = [] } = config
    const name = nameOf({ url, method })
    const known = this.#byName.get(name)
    // In an app whose routes are not all known, one may have the same name and other constraints.
    if (known && routesOf(this.context)) return known
    const demand = this.judge({ url, method, config })
    if (known === undefined && url !== undefined) {
      this.#tellOfUnseen({ route: name, access: demand.level, reason: demand.fault })
    }
    return demand
  }

  #tellOfUnseen (line: { route: string, [field: string]: unknown }): void {
    const text = JSON.stringify(line) // the same for the root of a prefix, with its slash and without
    if (this.#told.has(text)) return
    this.#told.add(text)
    logLine(this.context.log, 'warn', line, `fastify-user-scope: ${line.route} was declared before the plugin was ` +
      `loaded, and is judged as all others are. Fix: ${importFirst} ${withCli}`)
  }

  list (): ScopedRoute[] {
    return this.routes().flatMap((route) => placesOf(route).map((place) => {
      const { level: access, source, bound, unbound, ...demand } = route.demand
      const { scopes, delegates } = structuredClone(demand) // with prototypes, as hosts expect
      const parameter = access === 'owner' ? this.param : null
      return { ...place, access, parameter, source, scopes, delegates, bound: namesInUrl(bound), unbound }
    }))
  }
}

const nameOf = ({ url, method }: Pick<RouteFacts, 'url' | 'method'>) => `${String(method)} ${url}`

/** Whether a route is the root of a prefix, which is served with a trailing slash and without. */
const isPrefixRoot = ({ url, options }: DeclaredRoute) => options.url === `${url}/`

/** Returns a place for each method of a route, and for each URL of the root of a prefix. */
export function placesOf (route: DeclaredRoute): Array<Pick<ScopedRoute, 'method' | 'url' | 'constraints'>> {
  const { url, options } = route
  const urls = isPrefixRoot(route) ? [url, options.url] : [options.url]
  return urls.flatMap((each) => [options.method].flat().map((method) =>
    ({ method, url: each, constraints: options.constraints ?? {} })))
}
