import { appRoutes, assertApp, type AnyApp, type AppRoute } from './app-routes.js'
import { findAround, type Surroundings } from './around.js'
import { attemptsOn } from './attempts.js'
import { ScopeAssertionError, describeAnswer, type Failure, type Finding } from './findings.js'
import { holdRequests, type HeldRequests } from './held-requests.js'
import { describeRoute, hints, hostHints, mend, tokenNotTaken } from './hints.js'
import { assertKnownOptions } from './known-options.js'
import { nameOf } from './app-routes.js'
import { readPeople, type People, type Tokens } from './people.js'
import { placeOf, type Place } from './places.js'
import { assertParams, requestsFor, type RequestParams, type RouteRequests } from './route-requests.js'
import { Selection, type RouteName } from './route-selection.js'
import { scopesOf } from '../routes/scopes.js'
import { routerSettings, variantsOf, type UrlVariant } from './url-variants.js'

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

/**
 * Asserts that each route with the owner in its URL is the owner's alone: every route of the app, in whatever context, is asked
 * without a token, with an expired and a forged one (401), with alice's token on bob's path, plain, percent-encoded and as the router
 * takes it besides (403), on paths that are nearly hers (refused), and on her own, which must get to the handler.
 *
 * No handler runs, not even for her own path; hooks of the host do.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every route which lets others in, or could not be tried
 * @throws TypeError where alice and bob are one, no route takes her token, the plugin is not registered, or no route has an owner
 */
export async function assertOwnership (app: AnyApp, options: OwnershipOptions): Promise<void> {
  assertApp(app)
  assertKnownOptions(options, ['issuer', 'alice', 'bob', 'params', 'allow', 'only', 'timeout'], 'assertOwnership')
  const { params = {}, allow = [], only = () => true, timeout = 5000 } = options
  assertParams(params)
  const tokens = await readPeople(options)
  const held = await holdRequests(app, timeout)
  try {
    if (scopesOf(app).length === 0) throw new TypeError('the plugin is not registered in this app, or it is another copy of the package than the test imports')
    const allowed = new Selection(allow)
    const routes = appRoutes(app)
    const judged = allowed.narrow(routes, only)
    if (!judged.some(({ parameter }) => parameter !== null)) throw new TypeError('no route has an owner in its URL: there is nothing to try')
    const owned = judged.filter((route) => route.parameter !== null && !isPreflight(route) && !allowed.has(route))
      .map((route) => ({ route, requests: requestsFor(route, params) }))
    const others = judged.filter((route) => route.parameter === null && route.method !== 'OPTIONS')
    const variants = variantsOf(routerSettings(app))
    const judgements = await inTurn(owned, ({ route, requests }) => judge(route, requests, variants, tokens, held))
    // The fault of the test, and not of each route.
    const [first] = judgements
    if (first && judgements.length === owned.length && judgements.every(isNotTaken)) throw new TypeError(`${tokenNotTaken} (${first.failures.at(-1)?.answer})`)
    const surroundings: Surroundings = { places: placesOf(owned, tokens), owners: new Set(routes.flatMap(({ parameter }) => parameter ?? [])), token: tokens.good, allowed, held }
    const findings = [
      ...judgements,
      ...await inTurn(others, async (route) => route.lookAlike === null ? await findAround(app, route, requestsFor(route, params), surroundings) : allowed.has(route) ? null : lookAlike(route)),
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

async function judge (route: AppRoute, requests: RouteRequests, variants: readonly UrlVariant[], tokens: Tokens, held: HeldRequests): Promise<Finding | null> {
  const failures: Failure[] = []
  for (const { label, expected, request, fits } of attemptsOn(route, requests, tokens, variants)) {
    const answer = await held.send(request)
    if (fits(answer)) continue
    failures.push({ label, expected, answer: describeAnswer(answer, route.url), request })
    // A host that does not answer would not answer the others either, and each costs its time.
    if (answer.status === 0) break
  }
  const ofHost = hostHints(failures)
  const notes = [...levelNotes(route), ...ofHost.length > 0 ? ofHost : hints(route, requests.missing, failures)]
  return failures.length + notes.length > 0 ? { ...describeRoute(route), notes, failures } : null
}

function levelNotes (route: AppRoute): string[] {
  const { access, parameter, scope } = route
  if (access === 'owner') return []
  if (!scope) return [`no guard of the plugin covers it, though its URL has the owner's ":${parameter}": move it into the scope${mend}`]
  return [`its level is '${access}', though its URL has the owner's ":${parameter}": leave config.access out${mend}`]
}

const isNotTaken = ({ notes }: Finding) => notes.includes(tokenNotTaken)

/** One for each URL. */
const placesOf = (owned: ReadonlyArray<{ route: AppRoute, requests: RouteRequests }>, { bob }: Tokens): Place[] =>
  [...new Map(owned.map(({ route, requests }) => [route.url, placeOf(route, requests.bare(encodeURIComponent(bob)).url)])).values()]

const lookAlike = (route: AppRoute): Finding => ({
  ...describeRoute(route),
  notes: [`${route.lookAlike}, and is compared with nobody's id: rename it${mend}`],
  failures: []
})

/** A route that serves OPTIONS alone, as `@fastify/cors` makes it, is asked before there is a token. */
const isPreflight = ({ method, access, source }: AppRoute) => method === 'OPTIONS' && access === 'public' && source === 'default'

function unknownNames (routes: readonly AppRoute[], params: RequestParams, allowed: Selection): Finding[] {
  const names = new Set(['*', ...routes.map(nameOf)])
  return [
    ...Object.keys(params).filter((name) => !names.has(name)).map((name) => ({ methods: [], url: name, level: '', notes: ['params name it, and the app has no such route'], failures: [] })),
    ...allowed.unused().map((name) => ({ methods: [], url: String(name), level: '', notes: ['allow names it, and it needs no leave: no such route, or none with an owner'], failures: [] }))
  ]
}
