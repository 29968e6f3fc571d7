import { isApiDocument, schemesOf, type ApiDocument, type Operation } from '../openapi/dialects.js'
import { pathOf } from '../openapi/documents.js'
import { carriesBearer } from '../openapi/security.js'
import { constraintsText } from '../routes/print.js'
import { nameOf, type AnyApp, type AppRoute, type Place } from './app-routes.js'
import { orAllow } from './findings.js'
import { named, readTask, type Settings } from './settings.js'

/** `params`, and the options of type unknown, are ignored, because no request is made. */
export interface DocumentOptions extends Settings, Partial<Record<'issuer' | 'alice' | 'bob' | 'timeout', unknown>> {
  /** The OpenAPI document. Default: the result of `app.swagger()`. */
  document?: object
}

/** The methods whose operations a document must have. Operations of HEAD and OPTIONS are optional. */
const wanted = ['get', 'put', 'post', 'delete', 'patch', 'trace', 'query']
const absent = 'no OpenAPI document: register @fastify/swagger where the app that is given sees it, ' +
  'or give the document in option "document", as an object'
const hidden = 'it is served, and the document does not have it: take schema.hide away (with hideUntagged, give it ' +
  `a tag), or register @fastify/swagger before the route${orAllow}`
const gone = `the document has it, and the app has no such route: remove it${orAllow}`
const unguarded = 'no registration of the plugin guards it: move it into the guarded context, or ' +
  'state schema.security: [] if it is meant to be open'

/**
 * Asserts that the OpenAPI document (3.0, 3.1 or Swagger 2) agrees with the level of each route: whether a bearer token
 * is required, the responses 401 and 403, and the mark with the level, if it has one. Each operation must be served,
 * and each route must be in the document (HEAD and OPTIONS may be missing). No request is sent.
 * @param app is made ready
 * @throws ScopeAssertionError that names every operation that differs from its route
 * @throws TypeError if there is no document, or the app was created before the test kit was loaded
 */
export async function assertDocumentMatchesGuards (app: AnyApp, options: DocumentOptions = {}): Promise<void> {
  const task = await readTask(app, options, named('document', 'timeout'), 'assertDocumentMatchesGuards')
  const document: unknown = options.document ?? (app as unknown as { swagger?: () => unknown }).swagger?.()
  if (!isApiDocument(document)) throw new TypeError(absent)
  const tell = ({ method, url }: Place, level: string, notes: string[]) =>
    task.report({ method, url, level, notes, failures: [] })
  const operations = Object.entries(document.paths).flatMap(([url, item]) => Object.entries(item as object)
    .filter(([field]) => [...wanted, 'head', 'options'].includes(field))
    .map(([field, operation]: [string, Operation]) => ({ method: field.toUpperCase(), url, operation })))
  const operationsOf = (route: AppRoute) => {
    const url = pathOf(route.url)
    const at = (url: string) => operations.filter((each) => keyOf(each) === keyOf({ ...route, url }))
    const found = at(url)
    return found.length > 0 ? found : at(withoutBase(document, url))
  }
  for (const route of task.judged) {
    const all = operationsOf(route)
    // Two routes may differ in the slash at the end. Then each has the operation with its own spelling.
    const hasTwin = task.routes.some((each) => hasSlash(each) !== hasSlash(route) && keyOf(each) === keyOf(route))
    const own = hasTwin ? all.filter((each) => hasSlash(each) === hasSlash(route)) : all
    const found = own.length > 0 ? own : all
    const level = constraintsText(route.constraints).trim()
    for (const each of found) tell(each, level, compare(each.operation, document, route))
    const isWanted = wanted.includes(route.method.toLowerCase()) && !isWebSocket(route)
    if (found.length === 0 && isWanted) tell(route, `(${route.access})`, [hidden])
  }
  const served = new Set(task.routes.flatMap(operationsOf))
  for (const operation of operations) if (!served.has(operation)) tell(operation, '', [gone])
  task.conclude('are not what the document says')
}

const hasSlash = ({ url }: Place) => url.endsWith('/')

/** A document has no place for it, so `@fastify/websocket` hides it. */
const isWebSocket = ({ options }: AppRoute) => (options as { websocket?: boolean }).websocket === true

/** The root of a prefix is served with and without a slash, but is one operation. */
const keyOf = ({ method, url }: Place) => nameOf({ method, url: url.replace(/^\/|\/$|\?/g, '') })

interface Server { url: string, variables?: Record<string, { default?: string }> }

/** Removes the path of a server, like `stripBasePath` of `@fastify/swagger`. */
function withoutBase (document: ApiDocument, url: string): string {
  const { basePath = '', servers } = document as { basePath?: string, servers?: Server[] | null }
  const baseOf = ({ url, variables }: Server) =>
    url.replace(/\{(\w+)\}/g, (_text, name) => String(variables?.[name]?.default)).replace(/^\w+:\/\/[^/]*/, '')
  const bases = servers?.map(baseOf) ?? [basePath]
  return url.slice(bases.find((base) => base.length > 1 && url.startsWith(base))?.length)
}

const agree = 'Fix: let transforms keep what begins with "x-", leave option "openapi" on, take the document of the ' +
  `ready app, or correct what is written by hand${orAllow}`

const guardedIf = (isOptional: boolean) => isOptional ? 'guarded where a token comes' : 'guarded'

/** Returns the differences between an operation and its route. */
function compare (operation: Operation, document: ApiDocument, { access, scopes, bound }: AppRoute): string[] {
  const isOpen = access === 'public' || access === 'unguarded'
  const says = isOpen ? 'open' : guardedIf(access === 'optional')
  const forbids = access === 'owner' || scopes !== null || bound.length > 0
  const responses = [...isOpen ? [] : ['401'], ...forbids ? ['403'] : []]
  const is = access === 'unguarded' ? unguarded : `the route's level is '${access}'`
  const schemes = schemesOf(document)
  const security = (operation.security ?? document.security ?? []).map((requirement) => Object.keys(requirement))
  const others = security.filter((names) => !names.some((name) => carriesBearer(schemes[name])))
  // The host may require anything else together with a token, or instead of one if the plugin requires none.
  const names = others.flat().join(', ')
  const undeclared = others.flat().find((name) => !Object.hasOwn(schemes, name))
  const hint = undeclared === undefined ? '' : ` (its security schemes lack ${undeclared})`
  const open = isOpen || names === '' ? 'open' : `that ${names} will do, without a bearer token${hint}`
  const said = others.length < security.length ? guardedIf(others.length > 0) : open
  const { 'x-user-scope': mark = access } = operation
  const listed = Object.keys(operation.responses ?? {}).map((status) => status.toUpperCase())
  const unlisted = responses.filter((status) => ![status, '4XX', 'DEFAULT'].some((each) => listed.includes(each)))
  const differences = [
    ...said === says ? [] : [`the document says ${said}, and ${is}`],
    ...mark === access ? [] : [`its mark x-user-scope is '${String(mark)}', and ${is}`],
    ...unlisted.map((status) => `the document lists no ${status}, and the guard answers so`)
  ]
  return differences.length > 0 ? [...differences, agree] : []
}
