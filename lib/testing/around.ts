import type { FastifyInstance, HTTPMethods } from 'fastify'
import { isSameUrl, type AppRoute } from './app-routes.js'
import { describeAnswer, type Finding } from './findings.js'
import { withToken, type HeldAnswer, type HeldRequest, type HeldRequests } from './held-requests.js'
import { describeRoute, hostHints, mend, unfinished } from './hints.js'
import { waysInto, type Place, type WayIn } from './places.js'
import type { RouteRequests } from './route-requests.js'
import type { Selection } from './route-selection.js'
import { routerSettings } from './url-variants.js'

/** What is asked around the places of owners. */
export interface Surroundings {
  readonly places: readonly Place[]
  /** The names of the owners' parameters. */
  readonly owners: ReadonlySet<string>
  /** Alice's token. */
  readonly token: string
  readonly allowed: Selection
  readonly held: HeldRequests
}

/**
 * Whether a route that looks at no owner serves what stands below one: by a wildcard, or by a parameter of another name
 * where the owner stands.
 */
export async function findAround (app: FastifyInstance, route: AppRoute, requests: RouteRequests, { places, owners, token, allowed, held }: Surroundings): Promise<Finding | null> {
  const ways = waysInto(route.url, routerSettings(app))
  const asked = new Set<string>()
  for (const place of places) {
    for (const way of ways(place)) {
      const bare = 'path' in way ? requests.to(way.path) : requests.at(way.values)
      if (asked.has(bare.url) || isOwners(app, route, bare, owners)) continue
      asked.add(bare.url)
      if (allowed.has(route)) return null
      const request = withToken(token, bare)
      const answer = await held.send(request)
      const isServed = answer.reached !== null && isSameUrl(answer.reached, route.url)
      if (!isServed && isElsewhere(answer, way)) continue
      const failure = { label: "alice's token, bob's path", expected: '403', answer: describeAnswer(answer, route.url), request }
      const note = isServed ? describeWay(way, place) : `it may serve paths of ${place.url} too, ${unfinished(route, requests.missing)}${mend}`
      return { ...describeRoute(route), notes: [note, ...hostHints([failure])], failures: [failure] }
    }
  }
  return null
}

/** Whether the router gives it to a route with an owner, which is judged by itself. */
function isOwners (app: FastifyInstance, { method, constraints }: AppRoute, { url }: HeldRequest, owners: ReadonlySet<string>): boolean {
  const { params = {} } = app.findRoute({ method: method as HTTPMethods, url: url.replace(/\?.*$/s, ''), constraints }) ?? {}
  return Object.keys(params).some((name) => owners.has(name))
}

/**
 * Whether another route serves this path, or this one lets alice in nowhere, or asks for an id of another form than
 * bob's.
 */
function isElsewhere ({ status, reached, says }: HeldAnswer, way: WayIn): boolean {
  return reached !== null || status === 401 || status === 403 || (status >= 300 && status < 400) ||
    (status === 400 && 'param' in way && says.includes(`params/${way.param} `))
}

const describeWay = (way: WayIn, { url }: Place) => 'path' in way
  ? `it serves paths of ${url} too, and does not look at the owner there: declare its routes one by one${mend}`
  : `its ":${way.param}" stands where ${url} has its owner, and is compared with nobody's id: rename it${mend}`
