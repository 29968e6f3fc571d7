import { attemptsOn } from './attempts.js'
import { appRoutes, constraintsText, isSameUrl, nameOf, type AnyApp, type AppRoute } from './app-routes.js'
import { ScopeAssertionError, describeAnswer, type Failure, type Finding } from './findings.js'
import { holdRequests, type HeldAnswer, type HeldRequests } from './held-requests.js'
import { readPeople, type People, type Tokens } from './people.js'
import { requestsFor, type RequestParams } from './route-requests.js'
import { Selection, type RouteName } from './route-selection.js'
import { couldServe } from './route-url.js'
import { scopesOf } from './scopes.js'
import { authorize } from './test-tokens.js'
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
    // What is allowed in another scope is for the call that judges that.
    for (const route of routes) if (!only(route)) allowed.has(route)
    if (!judged.some(({ parameter }) => parameter !== null)) throw new TypeError('no route has an owner in its URL: there is nothing to try')
    const owned = judged.filter((route) => route.parameter !== null && !isPreflight(route) && !allowed.has(route))
    const others = judged.filter((route) => route.parameter === null && route.method !== 'OPTIONS')
    const places = placesOf(owned, params, tokens)
    const router = routerSettings(app)
    const variants = variantsOf(router)
    const findings = [
      ...await inTurn(owned, (route) => judge(route, params, variants, tokens, held)),
      ...others.filter((route) => isLookAlike(route) && !allowed.has(route)).map(lookAlike),
      ...await inTurn(others, (route) => findAround(route, params, places.filter(({ path }) => couldServe(route.url, path, router) && !allowed.has(route)), tokens, held)),
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

async function judge (route: AppRoute, params: RequestParams, variants: readonly UrlVariant[], tokens: Tokens, held: HeldRequests): Promise<Finding | null> {
  const requests = requestsFor(route, params)
  const notes = levelNotes(route)
  const failures: Failure[] = []
  for (const { label, expected, request, fits } of attemptsOn(route, requests, tokens, variants)) {
    const answer = await held.send(request)
    if (fits(answer)) continue
    failures.push({ label, expected, answer: describeAnswer(answer, route.url), request })
    // A host that does not answer would not answer the others either, and each costs its time.
    if (answer.status === 0) break
  }
  notes.push(...hostHints(failures).length > 0 ? hostHints(failures) : hints(route, requests.missing, failures))
  return failures.length + notes.length > 0 ? { ...describeRoute(route), notes, failures } : null
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
  const kept = failures.filter(({ expected }) => expected === 'its handler')
  if (kept.length === 0) return []
  return kept.every(({ answer }) => /^40[13]\b/.test(answer))
    ? ['alice is kept from her own path: does a hook change the id, or need more than her token?']
    : [unfinished(route, missing)]
}

function unfinished (route: AppRoute, missing: readonly string[]): string {
  const cause = missing.length > 0 ? ` (${missing.join('; ')})` : constraintsText(route.constraints)
  return `not tried to the end${cause}: give what the request needs, params: { {name}: { path, query, headers, body } }`
}

/** What to do where the host is too slow, or has had enough. */
function hostHints (failures: readonly Failure[]): string[] {
  return [
    ...failures.some(({ answer }) => answer.startsWith('none:')) ? ['not tried to the end: does a hook wait for what is not there in tests? "timeout" gives it longer'] : [],
    ...failures.some(({ answer }) => answer.startsWith('429')) ? ['not tried to the end: a rate limit of the host, which tests should raise'] : []
  ]
}

const isLookAlike = ({ lookAlike }: AppRoute) => lookAlike !== null

const lookAlike = (route: AppRoute): Finding => ({
  ...describeRoute(route),
  notes: [`${route.lookAlike}, and is compared with nobody's id: rename it${mend}`],
  failures: []
})

/** The URL of routes with an owner, and bob's path there. */
interface Place { readonly url: string, readonly path: string, readonly methods: Set<string> }

function placesOf (owned: readonly AppRoute[], params: RequestParams, { bob }: Tokens): Place[] {
  const places = new Map<string, Place>()
  for (const route of owned) {
    const { url, methods } = places.get(route.url) ?? { ...route, methods: new Set() }
    places.set(url, { url, path: requestsFor(route, params).bare(encodeURIComponent(bob)).url, methods: methods.add(route.method) })
  }
  return [...places.values()]
}

/** Whether a route that looks at no owner answers under the path of one that does: a wildcard, or a parameter of another name. */
async function findAround (route: AppRoute, params: RequestParams, places: readonly Place[], { good }: Tokens, held: HeldRequests): Promise<Finding | null> {
  const { to, missing } = requestsFor(route, params)
  for (const { url, path, methods } of places) {
    const bare = to(path)
    const request = { ...bare, headers: { ...bare.headers, ...authorize(good) } }
    const answer = await held.send(request)
    const isServed = answer.reached !== null && isSameUrl(answer.reached, route.url)
    if (!isServed && isElsewhere(answer, methods.has(route.method))) continue
    const note = isServed
      ? `it serves paths of ${url} too, and does not look at the owner there: declare its routes one by one${mend}`
      : `it may serve paths of ${url} too, ${unfinished(route, missing)}${mend}`
    const failure = { label: "alice's token, bob's path", expected: '403', answer: describeAnswer(answer, route.url), request }
    return { ...describeRoute(route), notes: [note, ...hostHints([failure])], failures: [failure] }
  }
  return null
}

/**
 * Whether another route, or none, serves this path, or this one asks for a parameter of another form.
 * @param hasOwner whether a route with an owner has this method there, whose 403 a host may show as 404
 */
function isElsewhere ({ status, reached, notFound, says }: HeldAnswer, hasOwner: boolean): boolean {
  return reached !== null || notFound || status === 401 || status === 403 || (status === 404 && hasOwner) ||
    (status >= 300 && status < 400) || (status === 400 && /\bparams[/ ]/.test(says))
}

/** A route that serves OPTIONS alone, as `@fastify/cors` makes it, is asked before there is a token. */
const isPreflight = ({ method, access, source }: AppRoute) => method === 'OPTIONS' && access === 'public' && source === 'default'

function unknownNames (routes: readonly AppRoute[], params: RequestParams, allowed: Selection): Finding[] {
  const names = new Set(['*', ...routes.map(nameOf)])
  return [
    ...Object.keys(params).filter((name) => !names.has(name)).map((name) => ({ methods: [], url: name, level: '', notes: ['params name it, and the app has no such route'], failures: [] })),
    ...allowed.unused().map((name) => ({ methods: [], url: String(name), level: '', notes: ['allow names it, and it needs no leave: no such route, or none with an owner'], failures: [] }))
  ]
}

const describeRoute = ({ method, url, access, source, constraints }: AppRoute) =>
  ({ methods: [method], url, level: `(${access}${source === 'none' ? '' : `, ${source}`})${constraintsText(constraints)}` })
