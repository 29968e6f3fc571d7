import type { InjectOptions } from 'fastify'
import { parametersOf } from '../routes/url.js'
import type { AppRoute } from './app-routes.js'
import type { HeldAnswer } from './held-requests.js'
import { fillUrl, pathFor, requestTo, valueFor, type RequestParts } from './route-requests.js'

type Check = (answer: HeldAnswer) => boolean

/** A request to a route with an owner, and what must come of it. */
export interface Attempt { label: string, request: InjectOptions, expected: string, fits: Check }

/** The two ids, and tokens of alice's. */
export interface Tokens extends Record<'alice' | 'bob' | 'good' | 'forged', string> { expired?: string | undefined }

type Row = [label: string, token: string | undefined, path: string, expected: string, fits: Check]

export const outOfHers = "alice's token, a path out of hers"

/** Every way in that is tried: without a good token, to others' paths, to what is nearly alice's, and to her own. */
export function attemptsOn (route: AppRoute, parts: RequestParts, tokens: Tokens): Attempt[] {
  const { alice, bob, good, expired, forged } = tokens
  const { url, parameter, access } = route
  const isReached: Check = ({ reached }) => reached === route.options
  const unauthorized: Check = ({ status, reached }) => reached === null && status === 401
  // Hosts hide what is another's as if it did not exist. Without a guard, a 404 may only mean that there is no bob.
  const forbidden: Check = ({ status, reached }) =>
    reached === null && (status === 403 || (status === 404 && access === 'owner'))
  const refused: Check = ({ status, reached }) => reached === null && status >= 400 && status < 500
  // The router may take it for another route, or for none; what hooks of the host make of that is not judged here.
  const elsewhere: Check = (answer) => !isReached(answer)
  const admitted: Check = (answer) => {
    // A hook that answers in the handler's place, a cache say, has let her in, too.
    if (answer.reached === null) return answer.status >= 200 && answer.status < 400
    return access === 'unguarded' || (isReached(answer) && String(answer.params[String(parameter)]) === alice)
  }
  // What else keeps her from the handler is told once; a host may also refuse what comes twice, or too often.
  const notForbidden: Check = ({ status, notFound }) => status !== 401 && status !== 403 && !notFound
  const to = (owner: string, variant = url) => pathFor(route, owner, parts, variant)
  const capitals = url.replace(/^[^:*]+/, (text) => text.toUpperCase())
  const [hers, his] = [encodeURIComponent(alice), encodeURIComponent(bob)]
  const rows: Row[] = [
    ['no token', undefined, to(hers), '401', unauthorized],
    ['an expired token', expired, to(hers), '401', unauthorized],
    ['a forged token', forged, to(hers), '401', unauthorized],
    ["alice's token, bob's path", good, to(his), '403', forbidden],
    ["alice's token, bob's path, percent-encoded", good, to(percentEncode(bob)), '403', forbidden],
    ["alice's token, bob's path, with a trailing slash", good, to(his, `${url}/`), '403', elsewhere],
    ["alice's token, bob's path, in capitals", good, to(his, capitals), '403', elsewhere],
    ["alice's token, bob's path, with two slashes", good, to(his, `/${url}`), '403', elsewhere],
    ...pathsOutOf(route, alice, bob).map((path): Row => [outOfHers, good, path, '4xx', refused]),
    ...nearly(alice, bob).map((id): Row =>
      [`alice's token, path of ${JSON.stringify(id)}`, good, to(encodeURIComponent(id)), '4xx', refused]),
    ["alice's token, her own path", good, to(hers), 'its handler', admitted],
    ["alice's token, her own path, percent-encoded", good, to(percentEncode(alice)), 'its handler', notForbidden]
  ]
  const bare = { headers: parts.headers ?? {} }
  return rows.filter(([label, token]) => token !== undefined || label === 'no token')
    .map(([label, token, path, expected, fits]) =>
      ({ label, request: requestTo(route.method, path, expected === '401' ? bare : parts, token), expected, fits }))
}

/** Every byte, also of what needs no encoding. */
const percentEncode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&')

/** Dot segments behind alice's id, which lead to bob where something resolves them: an upstream, or the handler. */
function pathsOutOf (route: AppRoute, alice: string, bob: string): string[] {
  const { after = '' } = parametersOf(route.url).find(({ name }) => name === route.parameter) ?? {}
  const up = after.split('/').length - 1
  return ['..%2F', '%2E%2E%5C'].filter(() => after.endsWith('*')).map((step) => fillUrl(route.url, (name, pattern) => {
    if (name === '*') return step.repeat(up) + encodeURIComponent(bob)
    return valueFor(pattern, ...name === route.parameter ? [alice] : [])
  }))
}

/** Ids that a comparison after coercion, trimming, folding or normalisation takes for alice's. */
function nearly (alice: string, bob: string): string[] {
  const folded = alice === alice.toUpperCase() ? alice.toLowerCase() : alice.toUpperCase()
  const ids = [folded, `${alice} `, `${alice}/../${bob}`, ...Number.isInteger(Number(alice)) ? [`0${alice}`] : []]
  return ids.filter((id) => id !== alice && id !== bob)
}
