import type { FastifyInstance } from 'fastify'
import { appRoutes, constraintsText, isSameUrl, nameOf, type AnyApp, type AppRoute } from './app-routes.js'
import { ScopeAssertionError, describeAnswer, type Failure, type Finding } from './findings.js'
import { holdRequests, type HeldAnswer, type HeldRequest, type HeldRequests } from './held-requests.js'
import { readPeople, type People, type Tokens } from './people.js'
import { requestsFor, type RequestParams, type RouteRequests } from './route-requests.js'
import { Selection, type RouteName } from './route-selection.js'
import { couldServe } from './route-url.js'
import { scopesOf } from './scopes.js'
import { authorize } from './test-tokens.js'
import { variantsOf } from './url-variants.js'

/** What `assertOwnership` does beside its two users. */
export interface OwnershipSettings {
  /** What requests need beside token and owner, by `'METHOD url'` of the route, or `'*'`. Default: made up from the schemas. */
  params?: RequestParams
  /** Routes that others may call although the owner is in their URL, or might seem to be: they are not judged. */
  allow?: readonly RouteName[]
  /** Routes to judge, where scopes of one app have different issuers: call it once for each. Default: all. */
  only?: (route: { method: string, url: string }) => boolean
  /** Milliseconds for an answer. Default 5000. */
  timeout?: number
}

export type OwnershipOptions = OwnershipSettings & People

interface Attempt {
  readonly label: string
  readonly expected: string
  readonly request: HeldRequest
  fits (answer: HeldAnswer): boolean
}

/**
 * Asserts that each route with the owner in its URL is the owner's alone: every route of the app, in whatever context, is asked
 * without a token, with an expired and a forged one (401), with alice's token on bob's path, plain, percent-encoded and as the router
 * takes it besides (403), on paths that are nearly hers (refused), and on her own, which must get to the handler.
 *
 * No handler runs, not even for her own path; hooks of the host do.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every route which lets others in, or could not be tried
 * @throws TypeError where alice and bob are one, the plugin is not registered, or no route has an owner
 */
export async function assertOwnership (app: AnyApp, options: OwnershipOptions): Promise<void> {
  const { params = {}, allow = [], only = () => true, timeout = 5000 } = options
  const tokens = await readPeople(options)
  const held = await holdRequests(app, timeout)
  try {
    if (scopesOf(app.server).length === 0) throw new TypeError('the plugin is not registered in this app, or it is another copy of the package than the test imports')
    const allowed = new Selection(allow)
    const routes = appRoutes(app)
    const judged = routes.filter(only)
    if (!judged.some(({ parameter }) => parameter !== null)) throw new TypeError('no route has an owner in its URL: there is nothing to try')
    const owned = judged.filter((route) => route.parameter !== null && !allowed.has(route))
    const others = judged.filter((route) => route.parameter === null && !isPreflight(route))
    const paths = new Map(owned.map((route) => [route.url, requestsFor(route, params).bare(encodeURIComponent(tokens.bob)).url]))
    const findings = [
      ...await inTurn(owned, (route) => judge(app, route, params, tokens, held)),
      ...others.filter((route) => isLookAlike(route) && !allowed.has(route)).map(lookAlike),
      ...await inTurn(others, (route) => findAround(route, paths, tokens, held, allowed)),
      ...unknownNames(routes, params, allowed)
    ]
    if (findings.length > 0) throw new ScopeAssertionError('let others in, or could not be tried', findings)
  } finally {
    held.release()
  }
}

/** One after the other, so that what a host counts or locks for each user is not met by a crowd. */
async function inTurn<T> (items: readonly T[], find: (item: T) => Promise<Finding | null>): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const item of items) {
    const finding = await find(item)
    if (finding) findings.push(finding)
  }
  return findings
}

async function judge (app: FastifyInstance, route: AppRoute, params: RequestParams, tokens: Tokens, held: HeldRequests): Promise<Finding | null> {
  const requests = requestsFor(route, params)
  const notes = levelNotes(route)
  const failures: Failure[] = []
  for (const { label, expected, request, fits } of attemptsOn(app, route, requests, tokens)) {
    const answer = await held.send(request)
    if (fits(answer)) continue
    failures.push({ label, expected, answer: describeAnswer(answer, route.url), request })
  }
  if (failures.some(({ expected }) => expected === 'its handler')) notes.push(...hints(route, requests.missing, failures))
  return failures.length + notes.length > 0 ? { ...describeRoute(route), notes, failures } : null
}

function attemptsOn (app: FastifyInstance, route: AppRoute, { bare, complete }: RouteRequests, tokens: Tokens): Attempt[] {
  const [alice, bob] = [tokens.alice, tokens.bob].map(encodeURIComponent) as [string, string]
  const as = (token: string, request: HeldRequest) => ({ ...request, headers: { ...request.headers, ...authorize(token) } })
  const refuses = (status: number) => ({ expected: String(status), fits: (answer: HeldAnswer) => answer.status === status && answer.reached === null })
  // A hook that answers in the handler's place, a cache say, has let her in as well.
  const admits = { expected: 'its handler', fits: ({ status, reached }: HeldAnswer) => reached === null ? status >= 200 && status < 400 : route.scope === null || isSameUrl(reached, route.url) }
  // The router may take it for another route, or for none, and whatever hooks of the host make of that is not judged here.
  const isNotReached = { expected: '403', fits: ({ reached }: HeldAnswer) => reached === null || !isSameUrl(reached, route.url) }
  const anyRefusal = { expected: '4xx', fits: ({ status, reached }: HeldAnswer) => reached === null && status >= 400 && status < 500 }
  return [
    { label: 'no token', request: bare(alice), ...refuses(401) },
    ...tokens.expired === undefined ? [] : [{ label: 'an expired token', request: as(tokens.expired, bare(alice)), ...refuses(401) }],
    { label: 'a forged token', request: as(tokens.forged, bare(alice)), ...refuses(401) },
    { label: "alice's token, bob's path", request: as(tokens.good, complete(bob)), ...refuses(403) },
    { label: "alice's token, bob's path, percent-encoded", request: as(tokens.good, complete(percentEncode(tokens.bob))), ...refuses(403) },
    ...variantsOf(app).map((variant) => ({ label: `alice's token, bob's path, ${variant.label}`, request: as(tokens.good, complete(bob, variant)), ...isNotReached })),
    ...nearly(tokens).map((id) => ({ label: `alice's token, path of ${JSON.stringify(id)}`, request: as(tokens.good, complete(encodeURIComponent(id))), ...anyRefusal })),
    { label: "alice's token, her own path", request: as(tokens.good, complete(alice)), ...admits },
    { label: "alice's token, her own path, percent-encoded", request: as(tokens.good, complete(percentEncode(tokens.alice))), ...admits }
  ]
}

/** Every byte, also of what needs no encoding. */
const percentEncode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&')

/** Ids that a comparison after coercion, trimming or folding takes for alice's. */
function nearly ({ alice, bob }: Tokens): string[] {
  const folded = alice === alice.toUpperCase() ? alice.toLowerCase() : alice.toUpperCase()
  return [folded, `${alice} `, ...Number.isInteger(Number(alice)) ? [`0${alice}`] : []].filter((id) => id !== alice && id !== bob)
}

function levelNotes (route: AppRoute): string[] {
  const { access, parameter, scope, source } = route
  // Of a late one the level is a guess.
  if (access === 'owner' || source === 'late') return []
  if (!scope) return [`no guard of the plugin covers it, though its URL has the owner's ":${parameter}": move it into the scope${mend}`]
  return [`its level is '${access}', though its URL has the owner's ":${parameter}": leave config.access out${mend}`]
}

const mend = ', or allow: [{names}]'

/** What to do where alice did not get in. */
function hints (route: AppRoute, missing: readonly string[], failures: readonly Failure[]): string[] {
  const refused = failures.every(({ expected, answer }) => expected !== 'its handler' || /^40[13]\b/.test(answer))
  const cause = missing.length > 0 ? ` (${missing.join('; ')})` : constraintsText(route.constraints)
  return refused
    ? ['alice is kept from her own path: does a hook change the id, or need more than her token?']
    : [`not tried to the end${cause}: give what the request needs, params: { {name}: { path, query, headers, body } }`]
}

const isLookAlike = ({ lookAlike }: AppRoute) => lookAlike !== null

const lookAlike = (route: AppRoute): Finding => ({
  ...describeRoute(route),
  notes: [`${route.lookAlike}, and is compared with nobody's id: rename it${mend}`],
  failures: []
})

/** Whether a route that looks at no owner answers under the path of one that does: a wildcard, or a parameter of another name. */
async function findAround (route: AppRoute, paths: ReadonlyMap<string, string>, { good }: Tokens, held: HeldRequests, allowed: Selection): Promise<Finding | null> {
  for (const [url, path] of paths) {
    if (!couldServe(route.url, path) || allowed.has(route)) continue
    const request: HeldRequest = { method: route.method, url: path, headers: authorize(good) }
    const answer = await held.send(request)
    if (answer.reached === null || !isSameUrl(answer.reached, route.url)) continue
    return {
      ...describeRoute(route),
      notes: [`it serves paths of ${url} too, and does not look at the owner there: declare its routes one by one${mend}`],
      failures: [{ label: "alice's token, bob's path", expected: '403', answer: describeAnswer(answer, route.url), request }]
    }
  }
  return null
}

/** A route that serves OPTIONS alone, as `@fastify/cors` makes it, is asked before there is a token. */
const isPreflight = ({ method }: AppRoute) => method === 'OPTIONS'

function unknownNames (routes: readonly AppRoute[], params: RequestParams, allowed: Selection): Finding[] {
  const names = new Set(['*', ...routes.map(nameOf)])
  return [
    ...Object.keys(params).filter((name) => !names.has(name)).map((name) => ({ methods: [], url: name, level: '', notes: ['params name it, and the app has no such route'], failures: [] })),
    ...allowed.unused().map((name) => ({ methods: [], url: String(name), level: '', notes: ['allow names it, and it needs no leave: no such route, or none with an owner'], failures: [] }))
  ]
}

const describeRoute = ({ method, url, access, source, constraints }: AppRoute) =>
  ({ methods: [method], url, level: `(${access}${source === 'none' ? '' : `, ${source}`})${constraintsText(constraints)}` })
