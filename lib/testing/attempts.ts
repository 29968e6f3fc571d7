import type { AppRoute } from './app-routes.js'
import type { HeldAnswer, KitRequest } from './held-requests.js'
import type { Tokens } from './people.js'
import { fillUrl, pathFor, requestTo, valueFor, type RequestParts } from './route-requests.js'

/** A request to a route with an owner, and what must come of it. */
export interface Attempt {
  readonly label: string
  readonly request: KitRequest
  readonly expected: string
  readonly validate?: boolean
  fits (answer: HeldAnswer): boolean
}

export const itsHandler = 'its handler'
export const outOfHers = "alice's token, a path out of hers"

/** Every way in that is tried: without a good token, to others' paths, to paths that are nearly alice's. The last ones must let her in. */
export function attemptsOn (route: AppRoute, parts: RequestParts, { alice, bob, good, expired, forged }: Tokens): Attempt[] {
  const { method, url } = route
  const to = (owner: string, variant = url) => requestTo(method, pathFor(route, owner, parts, variant), parts, good)
  const bare = (token?: string) => requestTo(method, pathFor(route, hers, parts), { headers: parts.headers ?? {} }, token)
  const [hers, his] = [encodeURIComponent(alice), encodeURIComponent(bob)]
  const isReached = ({ reached }: HeldAnswer) => reached === route.options
  const refused = (...statuses: [number, ...number[]]) =>
    ({ expected: String(statuses[0]), fits: ({ status, reached }: HeldAnswer) => reached === null && statuses.includes(status) })
  // Before the body is read, so validation must not answer in the guard's place.
  const unauthorized = { ...refused(401), validate: true }
  // Hosts hide what is another's as if it did not exist. Where no guard of the plugin is known, a 404 may only mean that there is no bob.
  const forbidden = refused(403, ...route.access === 'owner' ? [404] : [])
  const refusedAnyhow = { expected: '4xx', fits: ({ status, reached }: HeldAnswer) => reached === null && status >= 400 && status < 500 }
  // The router may take it for another route, or for none; what hooks of the host make of that is not judged here.
  const notReached = { expected: '403', fits: (answer: HeldAnswer) => !isReached(answer) }
  const admitted = (answer: HeldAnswer) => {
    // A hook that answers in the handler's place, a cache say, has let her in, too.
    if (answer.reached === null) return answer.status >= 200 && answer.status < 400
    return route.access === 'unguarded' || (isReached(answer) && String(answer.params[String(route.parameter)]) === alice)
  }
  // What else keeps her from the handler is told once; a host may also refuse what comes twice, or too often.
  const notForbidden = ({ status, notFound }: HeldAnswer) => status !== 401 && status !== 403 && !notFound
  const own = "alice's token, her own path"
  const others = "alice's token, bob's path"
  return [
    { label: 'no token', request: bare(), ...unauthorized },
    ...expired === undefined ? [] : [{ label: 'an expired token', request: bare(expired), ...unauthorized }],
    { label: 'a forged token', request: bare(forged), ...unauthorized },
    { label: others, request: to(his), ...forbidden },
    { label: `${others}, percent-encoded`, request: to(percentEncode(bob)), ...forbidden },
    { label: `${others}, with a trailing slash`, request: to(his, `${url}/`), ...notReached },
    { label: `${others}, in capitals`, request: to(his, url.replace(/^[^:*]+/, (text) => text.toUpperCase())), ...notReached },
    { label: `${others}, with two slashes`, request: to(his, `/${url}`), ...notReached },
    ...pathsOutOf(route, alice, bob).map((path) =>
      ({ label: outOfHers, request: requestTo(method, path, parts, good), ...refusedAnyhow })),
    ...nearly(alice, bob).map((id) =>
      ({ label: `alice's token, path of ${JSON.stringify(id)}`, request: to(encodeURIComponent(id)), ...refusedAnyhow })),
    { label: own, request: to(hers), expected: itsHandler, fits: admitted },
    { label: `${own}, percent-encoded`, request: to(percentEncode(alice)), expected: itsHandler, fits: notForbidden }
  ]
}

/** Every byte, also of what needs no encoding. */
const percentEncode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&')

/** Dot segments behind alice's id, which lead to bob where somebody resolves them: an upstream, or `new URL()` in the handler. */
function pathsOutOf ({ url, parameter }: AppRoute, alice: string, bob: string): string[] {
  const [, rest = ''] = url.split(`:${parameter}`)
  const up = rest.split('/').length - 1
  return !rest.endsWith('*') ? [] : ['..%2F', '%2E%2E%5C'].map((step) => fillUrl(url, (name, pattern) =>
    name === '*' ? step.repeat(up) + encodeURIComponent(bob) : valueFor(pattern, ...name === parameter ? [alice] : [])))
}

/** Ids that a comparison after coercion, trimming, folding or normalisation takes for alice's. */
function nearly (alice: string, bob: string): string[] {
  const folded = alice === alice.toUpperCase() ? alice.toLowerCase() : alice.toUpperCase()
  const ids = [folded, `${alice} `, `${alice}/../${bob}`, ...Number.isInteger(Number(alice)) ? [`0${alice}`] : []]
  return ids.filter((id) => id !== alice && id !== bob)
}
