import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest, RouteOptions } from 'fastify'
import { assertSoundRoute, assertSoundUrl, classify, readParam, type RouteAccess, type RouteFacts } from './access.js'
import { refuse } from '../contract/errors.js'
import { nameOf, type LateRoute } from './late-routes.js'
import type { AccessLevel, ScopedRoute } from '../contract/types.js'

/** The level of the route that a request was routed to. */
export type LevelReader = (request: FastifyRequest) => AccessLevel

/** A route of the scope as `onRoute` saw it. */
export interface SeenRoute {
  /** Fastify's own copy of the options, which `@fastify/swagger` reads again for each document. */
  readonly route: RouteOptions
  /** As `onRoute` was told; the options of the root of a prefix go on to its other spelling, with a slash or without. */
  readonly url: string
  /** What it was judged by. */
  facts: Readonly<RouteFacts>
  access: RouteAccess
}

type Config = Partial<Pick<RouteFacts, 'method' | 'access'>> & { url?: string, [entry: symbol]: SeenRoute | undefined }

/** The routes of one registration and their access levels. */
export class RouteTable {
  readonly seen: SeenRoute[] = []
  late: ReadonlyArray<ScopedRoute & LateRoute> = []
  readonly #param: string
  /** Under this key the entry of a route travels in its config, which Fastify copies. */
  readonly #entry = Symbol('fastify-user-scope.route')
  readonly #late = new WeakMap<object, RouteAccess>()

  constructor (param: string) {
    this.#param = param
  }

  /** For the `onRoute` hook: refuses what cannot be, and puts the level where a request finds it. */
  add (route: RouteOptions): void {
    const facts = factsOf(route)
    const entry = { route, url: route.url, facts, access: this.#judge(facts) }
    this.seen.push(entry)
    // The options are Fastify's shallow copy; the config in them is the host's own object, and may serve several routes.
    route.config = { ...route.config, [this.#entry]: entry } as NonNullable<RouteOptions['config']>
  }

  /** For the `onReady` hook: an `onRoute` hook that ran later may have stated a level, for the routes of another plugin say, or changed method and URL. */
  settle (late: readonly LateRoute[]): void {
    for (const entry of this.seen) {
      const facts = factsOf(entry.route)
      if (!isDeepStrictEqual(facts, entry.facts)) Object.assign(entry, { facts, access: this.#judge(facts) })
    }
    this.late = late.map((route) => ({ ...this.#describe(route.method, route.url, { ...classify(route, this.#param), source: 'late' }), constraints: route.constraints }))
  }

  /** Each method and URL that `onRoute` saw, those of one entry one by one. */
  places (): Array<SeenRoute & { method: string }> {
    return this.seen.flatMap((entry) => urlsOf(entry).flatMap((url) =>
      [entry.route.method].flat().map((method) => ({ ...entry, url, method }))))
  }

  /** `METHOD url` of the routes that `onRoute` saw. */
  names (): Set<string> {
    return new Set(this.places().map(nameOf))
  }

  list (): ScopedRoute[] {
    return [...this.late.map(({ constraints, ...route }) => route), ...this.places().map(({ method, url, access }) => this.#describe(method, url, access))]
  }

  #describe (method: string, url: string, { level, source }: Pick<ScopedRoute, 'source'> & { level: AccessLevel }): ScopedRoute {
    return { method, url, access: level, parameter: level === 'owner' ? this.#param : null, source }
  }

  readonly levelOf: LevelReader = (request) => {
    const config = request.routeOptions.config as Config
    const { level, source } = config[this.#entry]?.access ?? this.#classifyLate(config)
    // Belt and braces: wherever the router found the parameter although the URL did not show it, its owner alone is let in.
    return level === 'user' && source === 'default' && readParam(request, this.#param) !== undefined ? 'owner' : level
  }

  #judge (facts: RouteFacts): RouteAccess {
    assertSoundRoute(facts, this.#param)
    return classify(facts, this.#param)
  }

  /**
   * A route that `onRoute` did not see, or none at all: an unknown URL is answered 404, not 401, unless its handler states a level.
   * @throws Refusal where the URL would have stopped the boot, had it been seen
   */
  #classifyLate (config: Config): RouteAccess {
    const known = this.#late.get(config)
    if (known) return known
    const { url, method = '' } = config
    const access = statedAccess(config)
    const found: RouteAccess = url === undefined && access === undefined ? { level: 'public', source: 'default' } : classify({ url: url ?? '', method, access }, this.#param)
    if (url !== undefined && found.source === 'default') this.#assertSoundLate(url)
    this.#late.set(config, found)
    return found
  }

  #assertSoundLate (url: string): void {
    try {
      assertSoundUrl(url, undefined, this.#param, 'this route')
    } catch (error) {
      throw refuse('FORBIDDEN_USER_ACCESS', (error as Error).message)
    }
  }
}

/** A copy, as a hook may change a list of methods in place. */
const factsOf = ({ url, method, config }: RouteOptions): RouteFacts => ({ url, method: Array.isArray(method) ? [...method] : method, access: statedAccess(config) })

/** The root of a prefix is served with a slash and without, and a hook may have given a route another URL. */
const urlsOf = ({ url, route }: SeenRoute): string[] => route.url === `${url}/` ? [url, route.url] : [route.url]

/** Only what the host wrote into the config itself: something on Object.prototype must not open every route. */
function statedAccess (config: object | undefined): unknown {
  return config && Object.hasOwn(config, 'access') ? (config as { access?: unknown }).access : undefined
}

/** The longest of the levels, that of routes outside of every scope. */
const levelWidth = 'unguarded'.length

/**
 * A line for each URL and level, with its methods together, sorted by URL. Nothing in a line depends on the others: in the diff of a
 * snapshot stands a new route alone.
 */
export function printRoutes (routes: ReadonlyArray<Record<'method' | 'url' | 'access' | 'source', string>>): string {
  const rows = new Map<string, { access: string, methods: Set<string>, url: string, source: string }>()
  for (const { access, method, url, source } of routes) {
    const key = [url, access, source].join(' ')
    const row = rows.get(key) ?? { access, methods: new Set(), url, source }
    rows.set(key, row)
    row.methods.add(method)
  }
  return [...rows]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, { access, methods, url, source }]) => [access.padEnd(levelWidth), url, [...methods].sort().join(', '), source].join('  ').trimEnd() + '\n')
    .join('')
}
