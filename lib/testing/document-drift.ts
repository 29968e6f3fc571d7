import type { FastifyInstance } from 'fastify'
import { appRoutes, assertApp, constraintsText, type AnyApp, type AppRoute } from './app-routes.js'
import { basePaths } from './base-paths.js'
import { compare, type Documented } from './document-checks.js'
import { ScopeAssertionError, type Finding } from './findings.js'
import { holdRequests, type HeldRequest } from './held-requests.js'
import { isApiDocument, type ApiDocument, type Operation } from '../openapi/annotate.js'
import { assertKnownOptions } from './known-options.js'
import { readPeople, type People } from './people.js'
import { assertParams, requestsFor, type RequestParams } from './route-requests.js'
import { Selection, type RouteName } from './route-selection.js'
import { fillUrl } from './url.js'

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
  /** Routes to compare, where scopes of one app have different issuers: call it once for each. Default: all. */
  only?: (route: { method: string, url: string }) => boolean
}

export type DocumentOptions = DocumentSettings & People

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'])

/**
 * Asserts that the OpenAPI document (3.0, 3.1 or Swagger 2) says of each operation what the server does: whether a token is needed, and
 * that 401 and 403 are among the responses where they are given; that each operation is served; and that each route is in the document
 * (HEAD and OPTIONS need not be). Of a guarded operation it has to ask for a bearer token, and alice's own has to be taken. No handler runs.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every operation which the document and the server see differently
 * @throws TypeError where there is no document, or alice and bob are one
 */
export async function assertDocumentMatchesGuards (app: AnyApp, options: DocumentOptions): Promise<void> {
  assertApp(app)
  assertKnownOptions(options, ['issuer', 'alice', 'bob', 'document', 'params', 'allow', 'only', 'timeout'], 'assertDocumentMatchesGuards')
  const { params = {}, allow = [], timeout = 5000, only = () => true } = options
  assertParams(params)
  const tokens = await readPeople(options)
  const held = await holdRequests(app, timeout)
  try {
    const document = readDocument(app, options.document)
    const allowed = new Selection(allow)
    const routes = appRoutes(app)
    const judged = new Set(allowed.narrow(routes, only))
    const operations = [...operationsOf(document)]
    const routesOf = matcher(document, routes)
    const served = new Set<AppRoute>()
    const findings: Finding[] = []
    for (const each of operations) {
      const found = routesOf(each)
      if (found.length === 0 && !allowed.has(each)) findings.push(about(each, ['the document has it, and the app has no such route: mend it, or allow: [{names}]']))
      for (const route of found) {
        served.add(route)
        if (!judged.has(route)) continue
        const { notes, repeat } = await compare(each, document, route, requestsFor(route, params), tokens, held)
        if (notes.length > 0 && !allowed.has(route)) findings.push(about(each, notes, constraintsText(route.constraints).trim(), repeat))
      }
    }
    for (const route of judged) {
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

const about = ({ method, url }: { method?: string, url: string }, notes: readonly string[], level = '', request?: HeldRequest): Finding =>
  ({ methods: method === undefined ? [] : [method], url, level, notes, failures: [], ...request && { request } })
