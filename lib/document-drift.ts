import type { FastifyInstance } from 'fastify'
import { appRoutes, constraintsText, type AnyApp, type AppRoute } from './app-routes.js'
import { ScopeAssertionError, describeAnswer, type Finding } from './findings.js'
import { holdRequests, type HeldAnswer, type HeldRequest, type HeldRequests } from './held-requests.js'
import { basePaths, isApiDocument, type ApiDocument, type Operation } from './openapi.js'
import { readPeople, type People, type Tokens } from './people.js'
import { requestsFor, type RequestParams, type RouteRequests } from './route-requests.js'
import { Selection, type RouteName } from './route-selection.js'
import { fillUrl } from './route-url.js'
import { authorize } from './test-tokens.js'

/** What `assertDocumentMatchesGuards` does beside its two users. */
export interface DocumentSettings {
  /** The OpenAPI document. Default: what `app.swagger()` returns. */
  document?: object
  /** Path parameters and headers of requests, by `'METHOD url'` of the route, or `'*'`. Default: made up from the schemas. */
  params?: RequestParams
  /** Routes that are served and need not stand in the document, and operations that need not be served: those of the docs page, say. */
  allow?: readonly RouteName[]
  /** Milliseconds for an answer. Default 5000. */
  timeout?: number
}

export type DocumentOptions = DocumentSettings & People

/** An operation of the document, under the method and the path that it has there. */
interface Documented { readonly method: string, readonly url: string, readonly operation: Operation }

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'])

/**
 * Asserts that the OpenAPI document (3.0, 3.1 or Swagger 2) says of each operation what the server does: whether a token is needed, and
 * that 401 and 403 are among the responses where they are given; that each operation is served; and that each route is in the document
 * (HEAD and OPTIONS need not be). No handler runs.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every operation which the document and the server see differently
 * @throws TypeError where there is no document, or alice and bob are one
 */
export async function assertDocumentMatchesGuards (app: AnyApp, options: DocumentOptions): Promise<void> {
  const { params = {}, allow = [], timeout = 5000 } = options
  const tokens = await readPeople(options)
  const held = await holdRequests(app, timeout)
  try {
    const document = readDocument(app, options.document)
    const allowed = new Selection(allow)
    const routes = appRoutes(app)
    const operations = [...operationsOf(document)]
    const routesOf = matcher(document, routes)
    const served = new Set<AppRoute>()
    const findings: Finding[] = []
    for (const each of operations) {
      const found = routesOf(each)
      if (found.length === 0 && !allowed.has(each)) findings.push(about(each, ['the document has it, and the app has no such route: mend it, or allow: [{names}]']))
      for (const route of found) {
        served.add(route)
        const finding = await compare(each, document, route, requestsFor(route, params), tokens, held)
        if (finding && !allowed.has(route)) findings.push(finding)
      }
    }
    for (const route of routes) {
      // The root of a prefix is served with a slash and without, and is one operation.
      const isKnown = routesOf({ method: route.method, url: documented(route.url) }).some((each) => served.has(each)) || route.method === 'OPTIONS' || route.method === 'HEAD' || allowed.has(route)
      if (!isKnown) findings.push(about(route, ['it is served, and the document does not have it: take schema.hide away, or allow: [{names}]'], `(${route.access})`))
    }
    findings.push(...allowed.unused().map((name) => about({ url: String(name) }, ['allow names it, and the document and the app agree on it, or do not have it'])))
    if (findings.length > 0) throw new ScopeAssertionError('are not what the document says', findings)
  } finally {
    held.release()
  }
}

function readDocument (app: FastifyInstance, given: unknown): ApiDocument {
  const { swagger } = app as unknown as { swagger?: () => unknown }
  const document = given ?? swagger?.call(app)
  if (!isApiDocument(document)) throw new TypeError('no OpenAPI document: register @fastify/swagger where the app that is given sees it, or give the option "document"')
  return document
}

function * operationsOf ({ paths }: ApiDocument): Iterable<Documented> {
  for (const [url, item] of Object.entries(paths)) {
    for (const [field, operation] of Object.entries(item as object)) {
      if (methods.has(field)) yield { method: field.toUpperCase(), url, operation: operation as Operation }
    }
  }
}

/** The routes of an operation, of several versions perhaps: their URL as documents write it, whole, or as `stripBasePath` leaves it. */
function matcher (document: ApiDocument, routes: readonly AppRoute[]): (place: Pick<Documented, 'method' | 'url'>) => AppRoute[] {
  const strip = (url: string) => basePaths(document).reduce((rest, base) => rest.startsWith(base) ? rest.slice(base.length) : rest, url)
  const key = (method: string, path: string) => `${method} ${path.replace(/^\/|\/$|\?/g, '')}`
  const whole = new Map<string, AppRoute[]>()
  const stripped = new Map<string, AppRoute[]>()
  for (const route of routes) {
    const url = documented(route.url)
    append(whole, key(route.method, url), route)
    append(stripped, key(route.method, strip(url)), route)
  }
  return ({ method, url }) => whole.get(key(method, url)) ?? stripped.get(key(method, url)) ?? []
}

const append = <V>(lists: Map<string, V[]>, key: string, value: V) => lists.set(key, [...lists.get(key) ?? [], value])

const documented = (url: string) => fillUrl(url, (name) => `{${name}}`)

interface Check {
  readonly who: string
  readonly request: HeldRequest
  /** Whether it must be refused; undefined where the document does not say. */
  readonly isRefused: boolean | undefined
  /** By what. Default: 401 and 403. */
  readonly refusals?: readonly number[]
}

async function compare (each: Documented, document: ApiDocument, route: AppRoute, { bare }: RouteRequests, tokens: Tokens, held: HeldRequests): Promise<Finding | null> {
  const { operation: { security = document.security, responses } } = each
  const says = describeSecurity(security ?? [])
  const listed = Object.keys(responses ?? {}).map((status) => status.toUpperCase())
  const as = (token: string, owner: string) => ({ ...bare(encodeURIComponent(owner)), headers: { ...bare('').headers, ...authorize(token) } })
  const checks: Check[] = [{ who: 'without a token', request: bare(encodeURIComponent(tokens.alice)), isRefused: says === 'guarded' }]
  if (says !== 'open') checks.push({ who: 'with a forged token', request: as(tokens.forged, tokens.alice), isRefused: true })
  // A 403 that is listed where no owner is looked at has reasons of the host's own.
  if (says === 'guarded' && route.parameter !== null) {
    // Hosts hide what is another's as if it were not there; that the guard is asked is known.
    const refusals = route.access === 'owner' ? [401, 403, 404] : [401, 403]
    checks.push({ who: "of alice to bob's path", request: as(tokens.good, tokens.bob), isRefused: listed.includes('403') || undefined, refusals })
  }

  const notes: string[] = []
  let repeat: HeldRequest | undefined
  for (const { who, request, isRefused, refusals = [401, 403] } of checks) {
    const answer = await held.send(request)
    const wasRefused = answer.reached === null && refusals.includes(answer.status)
    if (isRefused !== undefined && isRefused !== wasRefused) notes.push(`the document says ${says}, and a request ${who} ${outcome(answer, route)}`)
    else if (wasRefused && answer.status !== 404 && ![String(answer.status), '4XX', 'DEFAULT'].some((status) => listed.includes(status))) {
      notes.push(`the document lists no ${answer.status}, and a request ${who} ${outcome(answer, route)}`)
    } else continue
    repeat ??= request
  }
  return notes.length > 0 ? about(each, notes, constraintsText(route.constraints).trim(), repeat) : null
}

function describeSecurity (security: readonly object[]): 'open' | 'guarded' | 'guarded where a token comes' {
  if (security.length === 0) return 'open'
  return security.some((requirement) => Object.keys(requirement).length === 0) ? 'guarded where a token comes' : 'guarded'
}

const outcome = (answer: HeldAnswer, { url }: AppRoute) => answer.reached === null ? `is answered ${describeAnswer(answer, url)}` : `goes on to ${describeAnswer(answer, url)}`

const about = ({ method, url }: { method?: string, url: string }, notes: string[], level = '', request?: HeldRequest): Finding =>
  ({ methods: method === undefined ? [] : [method], url, level, notes, failures: [], ...request && { request } })
