import type { AppRoute } from './app-routes.js'
import type { HeldAnswer } from './held-requests.js'
import { pathFor, requestTo, type WholeParts } from './route-requests.js'
import type { Tokens } from './people.js'

type Check = (answer: HeldAnswer) => boolean

/** A request to a route, and the expected answer. Without a token it is left out, unless none is what it tries. */
type Row = [label: string, token: string | undefined, path: string, expected: string, fits: Check]

export const noToken = 'no token'
export const nearId = "alice's token, path of"
export const outOfHers = "alice's token, a path out of hers"
export const asDelegate = "a delegate's token, alice's path"

/** Lists the requests to try: without a valid token, to others' paths, to paths almost alice's, and to her own. */
export function attemptsOn (route: AppRoute, parts: WholeParts, tokens: Tokens) {
  const { alice, bob, good, stranger, poor, delegate, expired, forged, tenants } = tokens
  const { url, parameter, access, bound } = route
  const unauthorized: Check = ({ status, reached }) => reached === null && status === 401
  // A host may hide another user's path with a 404. If nothing is compared, a 404 may just mean that there is no bob.
  const mayHide = access === 'owner' || bound.length > 0
  const forbidden: Check = ({ status, reached }) => reached === null && (status === 403 || (status === 404 && mayHide))
  const refused: Check = ({ status, reached }) => reached === null && status >= 400 && status < 500
  // The router may find another route, or none. Its answer is not judged here.
  const elsewhere: Check = ({ reached }) => reached !== route.options
  const admitted: Check = ({ reached, status, params }) => {
    // A hook may answer in the handler's place, such as a cache.
    if (reached === null) return status >= 200 && status < 400
    const isHers = parameter === null || String(params[parameter.name]) === alice
    return access === 'unguarded' || (reached === route.options && isHers)
  }
  // Other refusals are reported for the plain path. A host may also refuse a request that comes twice or too often.
  const notForbidden: Check = ({ status, notFound }) => status !== 401 && status !== 403 && !notFound
  const to = (owner: string, variant = url, others = {}) =>
    pathFor(route, owner, { path: { ...parts.path, ...others } }, variant)
  const capitals = url.replace(/[^:*]+/, (text) => text.toUpperCase())
  const [hers, his] = [encodeURIComponent(alice), encodeURIComponent(bob)]
  // Dot segments after her id lead to bob's path if something resolves them, such as an upstream or the handler.
  const after = parameter?.after ?? ''
  const steps = after.endsWith('*') ? ['..%2F', '%2E%2E%5C'] : []
  const up = after.split('/').length - 1
  const intruder = parameter === null ? undefined : stranger
  const rows: Row[] = [
    [noToken, undefined, to(hers), '401', unauthorized],
    ['an expired token', expired, to(hers), '401', unauthorized],
    ['a forged token', forged, to(hers), '401', unauthorized],
    ["alice's token, bob's path", intruder, to(his), '403', forbidden],
    ["alice's token, bob's path, percent-encoded", intruder, to(percentEncode(bob)), '403', forbidden],
    ["alice's token, bob's path, with a trailing slash", intruder, to(his, `${url}/`), '403', elsewhere],
    ["alice's token, bob's path, in capitals", intruder, to(his, capitals), '403', elsewhere],
    ["alice's token, bob's path, with two slashes", intruder, to(his, `/${url}`), '403', elsewhere],
    ...steps.map((step): Row =>
      [outOfHers, intruder, to(hers, url.slice(0, -1)) + step.repeat(up) + his, '4xx', refused]),
    ...nearly(alice, bob).map((id): Row =>
      [`${nearId} ${JSON.stringify(id)}`, intruder, to(encodeURIComponent(id)), '4xx', refused]),
    ...Object.entries(tenants.others).map(([name, value]): Row =>
      [`alice's token, bob's ${name}`, good, to(hers, url, { [name]: value }), '403', forbidden]),
    ["alice's token without the scopes", poor, to(hers), '403', forbidden],
    ["alice's token, her own path", good, to(hers), 'its handler', admitted],
    ["alice's token, her own path, percent-encoded", good, to(percentEncode(alice)), 'its handler', notForbidden],
    [asDelegate, delegate, to(hers, url, tenants.his), 'its handler', admitted]
  ]
  const bare = { headers: parts.headers }
  return rows.filter(([label, token]) => token !== undefined || label === noToken)
    .map(([label, token, path, expected, fits]) =>
      ({ label, request: requestTo(route.method, path, expected === '401' ? bare : parts, token), expected, fits }))
}

/** Encodes every byte, even if it needs no encoding. */
const percentEncode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&')

/** Returns ids that equal alice's after coercion, trimming, case folding or normalization. */
function nearly (alice: string, bob: string): string[] {
  const ids = [alice.toUpperCase(), alice.toLowerCase(), `${alice} `, `${alice}/../${bob}`]
  if (Number.isInteger(Number(alice))) ids.push(`0${alice}`)
  return ids.filter((id) => id !== alice && id !== bob)
}
