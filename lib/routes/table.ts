import type { FastifyInstance, FastifyRequest } from 'fastify'
import { InvalidRouteError } from '../contract/errors.js'
import type { ScopedRoute } from '../contract/types.js'
import { judgeRoute, type Demand, type RouteFacts } from './access.js'
import { isWithin, recordRoutes, routesOf, type DeclaredRoute } from './app-routes.js'
import { readParam } from './owner.js'

/** A route of the scope and what it demands. */
export interface JudgedRoute extends DeclaredRoute { readonly demand: Demand }

/** What Fastify makes of a route's `config`: one object per route. */
interface RouteConfig { readonly url?: string, readonly method?: string | readonly string[] }

/** The routes of one registration, and what each demands. */
export class RouteTable {
  readonly #context: FastifyInstance
  readonly #param: string
  readonly #declared: readonly DeclaredRoute[]
  /** Null: routes of one name (other constraints) demand different things. */
  readonly #byName = new Map<string, Demand | null>()
  readonly #byConfig = new WeakMap<object, Demand>()

  /** @param param the path parameter that holds the owner's id */
  constructor (context: FastifyInstance, param: string) {
    this.#context = context
    this.#param = param
    this.#declared = routesOf(context) ?? recordRoutes(context)
  }

  /** The routes of the scope, as they are declared by now. */
  routes (): JudgedRoute[] {
    return this.#declared
      .filter(({ context }) => isWithin(context, this.#context))
      .map((route) => ({ ...route, demand: judgeRoute(route.options, this.#param) }))
  }

  /**
   * Judges every route, for the `onReady` hook: `onRoute` hooks of the host may have changed level, method and URL
   * until then.
   * @throws InvalidRouteError
   */
  settle (): readonly JudgedRoute[] {
    const routes = this.routes()
    for (const { url, options, demand } of routes) {
      if (demand.fault) {
        throw new InvalidRouteError(`route ${[options.method].flat().join(', ')} ${options.url}: ${demand.fault}`)
      }
      const name = nameOf({ url, method: options.method })
      const other = this.#byName.get(name)
      this.#byName.set(name, other === undefined || other?.level === demand.level ? demand : null)
    }
    return routes
  }

  /** What the route of a request demands. At boot and here one rule decides; what the boot decided stands. */
  demandOf (request: FastifyRequest): Demand {
    const config = request.routeOptions.config as RouteConfig
    let demand = this.#byConfig.get(config)
    if (demand === undefined) {
      demand = this.#judge(config)
      this.#byConfig.set(config, demand)
    }
    // Wherever the router found the parameter although the URL did not show it, only its owner is let in.
    const isByUrl = demand.level === 'user' && demand.source === 'default'
    return isByUrl && readParam(request, this.#param) !== undefined ? { ...demand, level: 'owner' } : demand
  }

  #judge (config: RouteConfig): Demand {
    const { url, method = [] } = config
    const name = nameOf({ url, method })
    const known = this.#byName.get(name)
    if (known) return known
    const demand = judgeRoute({ url, method, config }, this.#param)
    if (known === undefined && url !== undefined) {
      this.#context.log.warn({ route: name, access: demand.level, reason: demand.fault },
        'fastify-user-scope: this route was declared before the plugin was loaded; it is guarded all the same. ' +
        'Fix: import the plugin before the app is created')
    }
    return demand
  }

  list (): ScopedRoute[] {
    return this.routes().flatMap((route) => placesOf(route).map(({ method, url, constraints }) => ({
      method,
      url,
      access: route.demand.level,
      parameter: route.demand.level === 'owner' ? this.#param : null,
      source: route.demand.source,
      constraints
    })))
  }
}

const nameOf = ({ url, method }: Pick<RouteFacts, 'url' | 'method'>) => `${String(method)} ${url}`

/** Where a route is served: by each of its methods, and the root of a prefix with a trailing slash and without. */
export function placesOf ({ url, options }: DeclaredRoute): Array<Pick<ScopedRoute, 'method' | 'url' | 'constraints'>> {
  const urls = options.url === `${url}/` ? [url, options.url] : [options.url]
  return urls.flatMap((each) => [options.method].flat().map((method) =>
    ({ method, url: each, constraints: options.constraints ?? {} })))
}
