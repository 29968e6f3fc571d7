import { isSameUrl, type AppRoute } from './app-routes.js'
import { withToken, type HeldAnswer, type HeldRequest } from './held-requests.js'
import type { Tokens } from './people.js'
import type { RouteRequests } from './route-requests.js'
import type { UrlVariant } from './url-variants.js'

/** A request to a route with an owner, and what must come of it. */
export interface Attempt {
  readonly label: string
  readonly expected: string
  readonly request: HeldRequest
  fits (answer: HeldAnswer): boolean
}

/**
 * Every way in that is tried: that without a token, what others hold, and what is nearly alice's own. The last ones
 * must let her in.
 */
export function attemptsOn (route: AppRoute, { bare, complete }: RouteRequests, tokens: Tokens, variants: readonly UrlVariant[]): Attempt[] {
  const [alice, bob] = [tokens.alice, tokens.bob].map(encodeURIComponent) as [string, string]
  const refuses = (...[status, ...others]: [number, ...number[]]) =>
    ({ expected: String(status), fits: (answer: HeldAnswer) => [status, ...others].includes(answer.status) && answer.reached === null })
  // Hosts hide what is another's as if it were not there. Where no guard of the plugin is known to be asked, a 404 may
  // as well mean that there is no bob.
  const forbids = refuses(403, ...route.access === 'owner' ? [404] : [])
  // A hook that answers in the handler's place, a cache say, has let her in as well.
  const admits = {
    expected: 'its handler',
    fits: ({ status, reached, params }: HeldAnswer) => {
      if (reached === null) return status >= 200 && status < 400
      return route.scope === null || (isSameUrl(reached, route.url) && String(params[String(route.parameter)]) === tokens.alice)
    }
  }
  // What keeps her from the handler otherwise is told once; a host may also refuse what comes twice, or too often.
  const isNotForbidden = { expected: 'its handler', fits: ({ status, notFound }: HeldAnswer) => status !== 401 && status !== 403 && !notFound }
  // The router may take it for another route, or for none, and whatever hooks of the host make of that is not judged
  // here.
  const isNotReached = { expected: '403', fits: ({ reached }: HeldAnswer) => reached === null || !isSameUrl(reached, route.url) }
  const anyRefusal = { expected: '4xx', fits: ({ status, reached }: HeldAnswer) => reached === null && status >= 400 && status < 500 }
  return [
    { label: 'no token', request: bare(alice), ...refuses(401) },
    ...tokens.expired === undefined ? [] : [{ label: 'an expired token', request: withToken(tokens.expired, bare(alice)), ...refuses(401) }],
    { label: 'a forged token', request: withToken(tokens.forged, bare(alice)), ...refuses(401) },
    { label: "alice's token, bob's path", request: withToken(tokens.good, complete(bob)), ...forbids },
    { label: "alice's token, bob's path, percent-encoded", request: withToken(tokens.good, complete(percentEncode(tokens.bob))), ...forbids },
    ...variants.map((variant) => ({ label: `alice's token, bob's path, ${variant.label}`, request: withToken(tokens.good, complete(bob, variant)), ...isNotReached })),
    ...nearly(tokens).map((id) => ({ label: `alice's token, path of ${JSON.stringify(id)}`, request: withToken(tokens.good, complete(encodeURIComponent(id))), ...anyRefusal })),
    { label: "alice's token, her own path", request: withToken(tokens.good, complete(alice)), ...admits },
    { label: "alice's token, her own path, percent-encoded", request: withToken(tokens.good, complete(percentEncode(tokens.alice))), ...isNotForbidden }
  ]
}

/** Every byte, also of what needs no encoding. */
const percentEncode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&')

/** Ids that a comparison after coercion, trimming or folding takes for alice's. */
function nearly ({ alice, bob }: Tokens): string[] {
  const folded = alice === alice.toUpperCase() ? alice.toLowerCase() : alice.toUpperCase()
  return [folded, `${alice} `, ...Number.isInteger(Number(alice)) ? [`0${alice}`] : []].filter((id) => id !== alice && id !== bob)
}
