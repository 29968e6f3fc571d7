import { parametersOf } from '../routes/url.js'
import type { AppRoute, OwnedRoute } from './app-routes.js'
import { findingOf, orAllow, unfinished } from './findings.js'
import type { Send } from './held-requests.js'
import { namesOf, tokensFor, type Known, type People } from './people.js'
import { fillUrl, partsFor, pathFor, requestTo, valueFor } from './route-requests.js'
import type { Task } from './settings.js'

/**
 * Reports routes without an owner in their URL (`others`) that serve paths of owners. It asks the router: the path of a
 * route begins with an owner's, up to bob's id, and goes on as its own URL does.
 */
export async function findAround (
  owned: OwnedRoute[], others: AppRoute[], { params, report }: Task, known: Known, people: People, send: Send
): Promise<void> {
  const scopes = others.flatMap((route) => namesOf(route.scopes))
  const bound = [...owned, ...others].flatMap((route) => route.bound)
  const { bob, good, tenants } = await tokensFor({ scopes, delegates: null, bound }, known, people)
  const places = owned.map((route) => {
    const depth = depthOf(route.parameter.before)
    const path = pathFor(route, encodeURIComponent(bob), partsFor(route, params, tenants.hers))
    return { url: route.url, path, depth, start: path.split('/', depth).join('/') }
  })
  for (const route of others.filter(({ faults }) => faults.length === 0)) {
    const parts = partsFor(route, params, tenants.hers)
    // A wildcard goes on for another segment, where it may serve what no route of the owner does.
    const segments = fillUrl(route.url, (name, pattern) =>
      valueFor(pattern, parts.path[name] ?? bob) + (name === '*' ? '/1' : '')).split(/\/+/)
    // The router may ignore the case, and double slashes.
    const fixed = looseOf(route.url.replace(/[:*].*/, ''))
    // Only `params` could satisfy such a constraint.
    const isUnasked = Object.values(route.constraints).some((value) => typeof value !== 'string') &&
      Object.keys(parts.headers).length === 0
    const pathIn = ({ path, depth, start }: Omit<typeof places[number], 'url'>) =>
      depthOf(route.url) < depth ? path : [start, ...segments.slice(depth)].join('/')
    const near = places.filter(({ start }) => looseOf(start).startsWith(fixed))
    for (const [target, { url, depth, start }] of new Map(near.map((place) => [pathIn(place), place]))) {
      const { reached, invalidParam } = await send(requestTo(route.method, target, parts, good))
      const isReached = reached === route.options
      const param = parametersOf(route.url).find(({ before }) => depthOf(before) === depth)?.name
      // Its ids have another form than bob's.
      if (isReached && param && invalidParam === `/${param}`) continue
      if (!isReached && !(isUnasked && segments.slice(0, depth).join('/') === start)) continue
      const serves = param
        ? `its ":${param}" stands where ${url} has its owner, and is compared with nobody's id: rename it`
        : `it serves paths of ${url} too, and does not look at the owner there: declare its routes one by one`
      const failure = { label: "alice's token, bob's path", expected: '403', answer: 'its handler', url: target }
      const note = isReached ? serves : `it may serve paths of ${url} too, ${unfinished}`
      report(findingOf(route, [note + orAllow], isReached ? [failure] : []))
      break
    }
  }
}

const looseOf = (path: string) => path.replace(/\/+/g, '/').toLowerCase()

/** Counts the segments of a URL, whose regular expressions may have slashes. */
const depthOf = (url: string) => fillUrl(url, () => 'x').split(/\/+/).length
