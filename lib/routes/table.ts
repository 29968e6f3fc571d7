import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { InvalidRouteError } from '../contract/errors.js'
import { logLine } from '../contract/log.js'
import type { ScopedRoute } from '../contract/types.js'
import type { Settings } from '../options/settings.js'
import { isOwners, judgeRoute, type Demand, type RouteFacts } from './access.js'
import { importFirst, isWithin, recordRoutes, routesOf, withCli, type DeclaredRoute } from './app-routes.js'
import { readParam } from './owner.js'

/** A route of the scope and what it demands. */
export interface JudgedRoute extends DeclaredRoute { readonly demand: Demand }

/** What Fastify makes of a route's `config`: one object per route. */
interface RouteConfig { readonly url?: string, readonly method?: string | readonly string[] }

type RouteSettings = Pick<Settings, 'userIdParam' | 'requireStatedAccess' | 'bind' | 'mayActFor'>

/** The routes of one registration, and what each demands. */
export class RouteTable {
  /** The context that registered the plugin: it and those inside it are guarded. */
  readonly context: FastifyInstance
  /** The option `userIdParam`. */
  readonly param: string
  /** The parameters of option `bind`. */
  readonly bound: readonly string[]
  readonly #settings: RouteSettings
  readonly #declared: readonly DeclaredRoute[]
  /** Whether no route can have been declared unseen. */
  readonly #seesAll: boolean
  /** Null: routes of one name (other constraints) demand different things. */
  readonly #byName = new Map<string, Demand | null>()
  readonly #byConfig = new WeakMap<object, Demand>()
  /** What was said of routes that were declared unseen. */
  readonly #told = new Set<string>()

  constructor (context: FastifyInstance, settings: RouteSettings) {
    this.context = context
    this.param = settings.userIdParam
    this.bound = settings.bind.map(({ param }) => param)
    this.#settings = settings
    const all = routesOf(context)
    this.#declared = all ?? recordRoutes(context)
    this.#seesAll = all !== undefined
  }

  /** The routes of the scope, as they are declared by now. */
  declared (): DeclaredRoute[] {
    return this.#declared.filter(({ context }) => isWithin(context, this.context))
  }

  /** The same with what each demands. */
  routes (): JudgedRoute[] {
    return this.declared().map((route) => ({ ...route, demand: this.judge(route.options) }))
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
      this.#byName.set(name, other === undefined || isDeepStrictEqual(other, demand) ? demand : null)
    }
    return routes
  }

  /** What the route of a request demands. At boot and here one rule decides; what the boot decided stands. */
  demandOf (request: FastifyRequest): Demand {
    const config = request.routeOptions.config as RouteConfig
    let demand = this.#byConfig.get(config)
    if (demand === undefined) {
      demand = this.#judgeConfig(config)
      this.#byConfig.set(config, demand)
    }
    if (demand.level === 'public') return demand.source === 'default' ? this.#judgeMethod(demand, request) : demand
    if (demand.level !== 'user' || !isOwners(demand, readParam(request, this.param))) return demand
    return { ...demand, level: 'owner' }
  }

  /** What is public as it serves OPTIONS alone: its list of methods is the host's, and may have changed. */
  #judgeMethod (demand: Demand, { method, routeOptions: { url, config } }: FastifyRequest): Demand {
    return method === 'OPTIONS' || url === undefined ? demand : this.judge({ url, method, config })
  }

  /** By the options of the registration. */
  judge (facts: RouteFacts): Demand {
    return judgeRoute(facts, this.param, this.#settings.requireStatedAccess, this.#settings)
  }

  #judgeConfig (config: RouteConfig): Demand {
    const { url, method = [] } = config
    const name = nameOf({ url, method })
    const known = this.#byName.get(name)
    // One that was declared unseen may have this name, too, and other constraints.
    if (known && this.#seesAll) return known
    const demand = this.judge({ url, method, config })
    if (known === undefined && url !== undefined) {
      this.#tellOfUnseen({ route: name, access: demand.level, reason: demand.fault })
    }
    return demand
  }

  #tellOfUnseen (line: object): void {
    const text = JSON.stringify(line) // that of a prefix's root is the same with its slash and without
    if (this.#told.has(text)) return
    this.#told.add(text)
    logLine(this.context.log, 'warn', line, 'fastify-user-scope: this route was declared before the plugin was ' +
      `loaded, and is judged as all others are. Fix: ${importFirst} ${withCli}`)
  }

  list (): ScopedRoute[] {
    return this.routes().flatMap((route) => placesOf(route).map((place) => {
      const { level, source, scopes, delegates, bound, unbound } = route.demand
      return {
        ...{ ...place, access: level, source, scopes, delegates, unbound },
        parameter: level === 'owner' ? this.param : null,
        bound: bound.filter(({ isInUrl }) => isInUrl).map(({ param }) => param)
      }
    }))
  }
}

const nameOf = ({ url, method }: Pick<RouteFacts, 'url' | 'method'>) => `${String(method)} ${url}`

/** Where a route is served: by each of its methods, and the root of a prefix with a trailing slash and without. */
export function placesOf ({ url, options }: DeclaredRoute): Array<Pick<ScopedRoute, 'method' | 'url' | 'constraints'>> {
  const urls = options.url === `${url}/` ? [url, options.url] : [options.url]
  return urls.flatMap((each) => [options.method].flat().map((method) =>
    ({ method, url: each, constraints: options.constraints ?? {} })))
}
