import type { InjectOptions } from 'fastify'
import { parametersOf } from '../routes/url.js'
import type { AppRoute } from './app-routes.js'
import type { HeldAnswer } from './held-requests.js'
import { fillUrl, pathFor, requestTo, valueFor, type RequestParts } from './route-requests.js'

/** What must come of a request. `validate`: validation goes on, so that it must not answer in the guard's place. */
interface Expectation { readonly expected: string, readonly validate?: true, fits (answer: HeldAnswer): boolean }

/** A request to a route with an owner. */
export interface Attempt extends Expectation { readonly label: string, readonly request: InjectOptions }

/** The two ids, and tokens of alice's. */
export interface Tokens extends Record<'alice' | 'bob' | 'good' | 'forged', string> { expired?: string | undefined }

type Row = [label: string, expectation: Expectation, path: string, token?: string | undefined]

export const outOfHers = "alice's token, a path out of hers"

/** Every way in that is tried: without a good token, to others' paths, to what is nearly alice's, and to her own. */
export function attemptsOn (route: AppRoute, parts: RequestParts, tokens: Tokens): Attempt[] {
  const { alice, bob, good, expired, forged } = tokens
  const { url, parameter, access } = route
  const isReached = ({ reached }: HeldAnswer) => reached === route.options
  const refused = (expected: string, fits: (status: number) => boolean): Expectation =>
    ({ expected, fits: ({ status, reached }) => reached === null && fits(status) })
  const unauthorized = { ...refused('401', (status) => status === 401), validate: true as const }
  // Hosts hide what is another's as if it did not exist. Without a guard, a 404 may only mean that there is no bob.
  const forbidden = refused('403', (status) => status === 403 || (status === 404 && access === 'owner'))
  const refusedAnyhow = refused('4xx', (status) => status >= 400 && status < 500)
  // The router may take it for another route, or for none; what hooks of the host make of that is not judged here.
  const notReached: Expectation = { expected: '403', fits: (answer) => !isReached(answer) }
  const admitted: Expectation = {
    expected: 'its handler',
    fits (answer) {
      // A hook that answers in the handler's place, a cache say, has let her in, too.
      if (answer.reached === null) return answer.status >= 200 && answer.status < 400
      return access === 'unguarded' || (isReached(answer) && String(answer.params[String(parameter)]) === alice)
    }
  }
  // What else keeps her from the handler is told once; a host may also refuse what comes twice, or too often.
  const notForbidden: Expectation =
    { ...admitted, fits: ({ status, notFound }) => status !== 401 && status !== 403 && !notFound }
  const to = (owner: string, variant = url) => pathFor(route, owner, parts, variant)
  const capitals = url.replace(/^[^:*]+/, (text) => text.toUpperCase())
  const [hers, his] = [encodeURIComponent(alice), encodeURIComponent(bob)]
  const rows: Row[] = [
    ['no token', unauthorized, to(hers)],
    ...expired === undefined ? [] : [['an expired token', unauthorized, to(hers), expired] satisfies Row],
    ['a forged token', unauthorized, to(hers), forged],
    ["alice's token, bob's path", forbidden, to(his), good],
    ["alice's token, bob's path, percent-encoded", forbidden, to(percentEncode(bob)), good],
    ["alice's token, bob's path, with a trailing slash", notReached, to(his, `${url}/`), good],
    ["alice's token, bob's path, in capitals", notReached, to(his, capitals), good],
    ["alice's token, bob's path, with two slashes", notReached, to(his, `/${url}`), good],
    ...pathsOutOf(route, alice, bob).map((path): Row => [outOfHers, refusedAnyhow, path, good]),
    ...nearly(alice, bob).map((id): Row =>
      [`alice's token, path of ${JSON.stringify(id)}`, refusedAnyhow, to(encodeURIComponent(id)), good]),
    ["alice's token, her own path", admitted, to(hers), good],
    ["alice's token, her own path, percent-encoded", notForbidden, to(percentEncode(alice)), good]
  ]
  const bare = { headers: parts.headers ?? {} }
  return rows.map(([label, way, path, token]) =>
    ({ label, ...way, request: requestTo(route.method, path, way.validate ? bare : parts, token) }))
}

/** Every byte, also of what needs no encoding. */
const percentEncode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&')

/** Dot segments behind alice's id, which lead to bob for whoever resolves them: an upstream, or the handler. */
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
