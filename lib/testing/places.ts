import { parametersOf } from '../routes/url.js'
import type { AppRoute, OwnedRoute } from './app-routes.js'
import { findingOf, giveParts, orAllow } from './findings.js'
import type { Send } from './held-requests.js'
import { literally } from './ids.js'
import { namesOf, tokensFor, type Known, type People } from './people.js'
import { fillUrl, partsFor, pathFor, requestTo, valueFor } from './route-requests.js'
import type { Task } from './settings.js'

/**
 * Reports routes without an owner in their URL (`others`) that serve paths of owners. It asks the router: every URL is
 * filled with bob's id. If that is an owner's path or below one, alice's token is sent to it, with each method.
 */
export async function findAround (
  owned: OwnedRoute[], others: AppRoute[], { params, report }: Task, known: Known, people: People, send: Send
): Promise<void> {
  const scopes = others.flatMap((route) => namesOf(route.scopes))
  const bound = [...owned, ...others].flatMap((route) => route.bound)
  const { bob, good, tenants } = await tokensFor({ scopes, delegates: null, bound }, known, people)
  const partsOf = (route: AppRoute) => partsFor(route, params, tenants.hers)
  const places = owned.map((route) => {
    const { before } = route.parameter
    const path = pathFor(route, encodeURIComponent(bob), partsOf(route))
    const start = path.split('/', fillUrl(before, () => 'x').split('/').length).join('/')
    // The router may ignore case and repeated slashes.
    const form = new RegExp(`^${start.split(/\/+/).map(literally).join('/+')}(?=/|$)`, 'i')
    return { url: route.url, path, depth: depthOf(before), start, form }
  })
  const placeOf = (path: string) => places.find(({ start }) => `${path}/`.startsWith(`${start}/`))
  /** With bob's id for all parameters, and once more with the given values. */
  const pathsTo = (route: AppRoute) => [{}, partsOf(route).path].map((given: Record<string, string>) =>
    fillUrl(route.url, (name, pattern) => valueFor(pattern, given[name] ?? bob)))
  const ways = new Map([...owned, ...others].map((route) => {
    // Only the query for all routes: with the query of each route, the number of requests would be quadratic.
    const parts = { ...partsOf(route), query: params['*']?.query ?? {} }
    return [JSON.stringify([route.method, parts.headers]), { method: route.method, parts }]
  }))
  // Each route is reported once.
  const open = new Set(others.filter(({ faults }) => faults.length === 0))
  const paths = new Map([...places.map(({ path }) => path), ...others.flatMap(pathsTo)].flatMap((path) => {
    const place = placeOf(path) ?? places.find(({ form }) => form.test(path))
    // Spelt like the owner's path. A router that does not ignore the difference finds no other route there.
    return place ? [[path.replace(place.form, () => place.start), place]] : []
  }))
  for (const [path, place] of paths) {
    for (const { method, parts } of ways.values()) {
      const answer = await send(requestTo(method, path, parts, good))
      // The root of a prefix is two routes, with its slash and without.
      const [route, ...twins] = [...open].filter((each) => each.options === answer.reached && each.method === method)
      const param = route && parametersOf(route.url).find(({ before }) => depthOf(before) === place.depth)?.name
      // The route's ids may have another form than bob's.
      if (!route || answer.invalidParam === `/${param}`) continue
      const note = param
        ? `its ":${param}" stands where ${place.url} has its owner, and is compared with nobody's id: rename it`
        : `it serves paths of ${place.url} too, and does not look at the owner there: declare its routes one by one`
      const failure = { label: "alice's token, bob's path", expected: '403', answer: 'its handler', url: path }
      report(findingOf(route, [note + orAllow], [failure]))
      for (const each of [route, ...twins]) open.delete(each)
    }
  }
  for (const route of open) {
    // Only `params` could satisfy such a constraint: a regular expression, or one of the host's own.
    const isMissed = Object.keys(route.constraints).length > 0 && Object.keys(partsOf(route).headers).length === 0
    const place = pathsTo(route).map(placeOf).find(Boolean)
    if (!place || !isMissed) continue
    report(findingOf(route, [`it may serve paths of ${place.url} too, and was not tried: ${giveParts}${orAllow}`]))
  }
}

/** Counts the segments of a URL, whose regular expressions may have slashes. */
const depthOf = (url: string) => fillUrl(url, () => 'x').split(/\/+/).length
