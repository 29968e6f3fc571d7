import type { FastifyRequest, RouteOptions } from 'fastify'
import { assertSoundRoute, classify, type RouteAccess, type RouteFacts } from './access.js'
import type { LateRoute } from './late-routes.js'
import type { AccessLevel, ScopedRoute } from './types.js'

/** The level of the route that a request was routed to. */
export type LevelReader = (request: FastifyRequest) => AccessLevel

/** A route of the scope as `onRoute` saw it. */
export interface SeenRoute {
  /** Fastify's own copy of the options, which `@fastify/swagger` reads again for each document. */
  readonly route: RouteOptions
  access: RouteAccess
}

/** Under this key the entry of a route travels in its config, which Fastify copies. */
const kSeen = Symbol('fastify-user-scope.route')

type Config = Partial<RouteFacts> & { [kSeen]?: SeenRoute }

/** The routes of one registration and their access levels. */
export class RouteTable {
  readonly seen: SeenRoute[] = []
  late: readonly ScopedRoute[] = []
  readonly #param: string
  readonly #late = new WeakMap<object, RouteAccess>()

  constructor (param: string) {
    this.#param = param
  }

  /** For the `onRoute` hook: refuses what cannot be, and puts the level where a request finds it. */
  add (route: RouteOptions): void {
    const entry = { route, access: this.#judge(route) }
    this.seen.push(entry)
    // The options are Fastify's shallow copy; the config in them is the host's own object, and may serve several routes.
    route.config = { ...route.config, [kSeen]: entry } as NonNullable<RouteOptions['config']>
  }

  /** For the `onReady` hook: an `onRoute` hook that ran later may have stated a level, for the routes of another plugin say. */
  settle (late: readonly LateRoute[]): void {
    for (const entry of this.seen) entry.access = this.#judge(entry.route)
    this.late = late.map(({ method, url }) => ({ method, url, access: classify({ method, url }, this.#param).level, source: 'late' }))
  }

  list (): ScopedRoute[] {
    const seen = this.seen.flatMap(({ route: { method, url }, access: { level, source } }) =>
      [method].flat().map((method) => ({ method, url, access: level, source })))
    return [...this.late, ...seen]
  }

  readonly levelOf: LevelReader = (request) => {
    const config = request.routeOptions.config as Config
    const { level, source } = config[kSeen]?.access ?? this.#classifyLate(config)
    // Belt and braces: wherever the router found the parameter although the URL did not show it, its owner alone is let in.
    return level === 'user' && source === 'default' && this.#hasParam(request) ? 'owner' : level
  }

  #judge ({ url, method, config }: RouteOptions): RouteAccess {
    const facts = { url, method, access: config?.access }
    assertSoundRoute(facts, this.#param)
    return classify(facts, this.#param)
  }

  #hasParam ({ params }: FastifyRequest): boolean {
    return (params as Record<string, unknown> | null)?.[this.#param] !== undefined
  }

  /** A route that `onRoute` did not see, or none at all: an unknown URL is answered 404, not 401. */
  #classifyLate (config: Config): RouteAccess {
    const { url, method = [], access } = config
    if (url === undefined) return { level: 'public', source: 'default' }
    const known = this.#late.get(config)
    if (known) return known
    const found = classify({ url, method, access }, this.#param)
    this.#late.set(config, found)
    return found
  }
}
