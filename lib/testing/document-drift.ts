import { carriesBearer, isApiDocument, schemesOf, type ApiDocument, type Operation } from '../openapi/annotate.js'
import { constraintsText } from '../routes/print.js'
import { nameOf, type AnyApp, type AppRoute } from './app-routes.js'
import { orAllow, ScopeAssertionError, type Finding } from './findings.js'
import { fillUrl } from './route-requests.js'
import { readTask, type Settings } from './settings.js'

/** `params` and the options of type unknown are ignored: no request is made. */
export interface DocumentOptions extends Settings, Partial<Record<'issuer' | 'alice' | 'bob' | 'timeout', unknown>> {
  /** The OpenAPI document. Default: what `app.swagger()` returns. */
  document?: object
}

interface Place { readonly method: string, readonly url: string }

/** Says below which paths the API is served. */
interface Served extends ApiDocument {
  basePath?: string
  servers?: Array<{ url: string, variables?: Record<string, { default: string }> }> | null
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']

/**
 * Asserts that the OpenAPI document (3.0, 3.1 or Swagger 2) says of each operation what its route's level says: whether
 * a bearer token is needed, that 401 and 403 are among the responses, and the level itself where it has the mark; that
 * each operation is served; and that each route is in it (HEAD and OPTIONS need not be). No request is made.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every operation which differs from its route
 * @throws TypeError where there is no document
 */
export async function assertDocumentMatchesGuards (app: AnyApp, options: DocumentOptions = {}): Promise<void> {
  const known = ['document', 'issuer', 'alice', 'bob', 'timeout']
  const { routes, judged, isAllowed, inVain } = await readTask(app, options, known, 'assertDocumentMatchesGuards')
  const document: unknown = options.document ?? (app as unknown as { swagger?: () => unknown }).swagger?.()
  if (!isApiDocument(document)) {
    throw new TypeError('no OpenAPI document: register @fastify/swagger where the app that is given sees it, ' +
      'or give the option "document"')
  }
  const findings: Finding[] = []
  const report = ({ method, url }: Place, level: string, notes: string[]) => {
    if (notes.length > 0 && !isAllowed({ method, url })) findings.push({ method, url, level, notes, failures: [] })
  }
  const operations = new Map(Object.entries(document.paths).flatMap(([url, item]) =>
    Object.entries(item as Record<string, Operation>).filter(([field]) => methods.includes(field))
      .map(([field, operation]) => {
        const place = { method: field.toUpperCase(), url }
        return [keyOf(place), { place, operation }]
      })))
  const unserved = new Set(operations.values())
  const bases = basePaths(document)
  for (const route of routes) {
    const url = fillUrl(route.url, (name) => `{${name}}`)
    const cut = bases.reduce((rest, base) => rest.startsWith(base) ? rest.slice(base.length) : rest, url)
    const [found] = [url, cut].flatMap((each) => operations.get(keyOf({ method: route.method, url: each })) ?? [])
    if (found) unserved.delete(found)
    if (!judged.includes(route)) continue
    if (found) report(found.place, constraintsText(route.constraints).trim(), compare(found.operation, document, route))
    else if (!['HEAD', 'OPTIONS'].includes(route.method)) report(route, `(${route.access})`, [hidden])
  }
  for (const { place } of unserved) report(place, '', [gone])
  findings.push(...inVain())
  if (findings.length > 0) throw new ScopeAssertionError('are not what the document says', findings)
}

const hidden = `it is served, and the document does not have it: take schema.hide away${orAllow}`
const gone = `the document has it, and the app has no such route: remove it${orAllow}`

/** The root of a prefix is served with a slash and without, and is one operation. */
const keyOf = ({ method, url }: Place) => nameOf({ method, url: url.replace(/^\/|\/$|\?/g, '') })

/** What `stripBasePath` of `@fastify/swagger` cuts from the URLs of routes, one after the other. */
function basePaths ({ basePath = '', servers }: Served): string[] {
  const ofServers = (servers ?? []).map(({ url, variables = {} }) =>
    url.replace(/\{([^{}]+)\}/g, (text, name: string) => variables[name]?.default ?? text).replace(/^\w+:\/\/[^/]*/, ''))
  return [basePath, ...ofServers].filter((path) => path !== '/')
}

/** What the document must say of bearer tokens, and the responses that the guard gives. */
const demands: Record<AppRoute['access'], readonly [says: string, ...responses: string[]]> = {
  owner: ['guarded', '401', '403'],
  user: ['guarded', '401'],
  optional: ['guarded where a token comes', '401'],
  public: ['open'],
  unguarded: ['open']
}

/** What an operation has against its route. */
function compare (operation: Operation, document: ApiDocument, { access }: AppRoute): string[] {
  const [says, ...responses] = demands[access]
  const is = access === 'unguarded'
    ? `no registration of the plugin guards it: move it into the scope${orAllow}`
    : `the route's level is '${access}'`
  const schemes = schemesOf(document)
  const security = (operation.security ?? document.security ?? []).map((requirement) => Object.keys(requirement))
  const names = [...new Set(security.flat())]
  const isBearer = (name: string) => carriesBearer(schemes[name])
  const guarded = security.some((requirement) => requirement.length === 0) ? 'guarded where a token comes' : 'guarded'
  // Where the plugin asks for no token, the host may ask for anything else.
  const said = (says === 'open' ? names.filter(isBearer) : names).length === 0 ? 'open' : guarded
  const unknown = names.filter((name) => !Object.hasOwn(schemes, name))
  const isMet = security.some((requirement) => requirement.length > 0 && requirement.every(isBearer))
  const mark = operation['x-user-scope']
  const listed = Object.keys(operation.responses ?? {}).map((status) => status.toUpperCase())
  const unlisted = responses.filter((status) => ![status, '4XX', 'DEFAULT'].some((each) => listed.includes(each)))
  const notes = unknown.map((name) => `it names the security scheme "${name}", which the document does not define`)
  if (said !== says) notes.push(`the document says ${said}, and ${is}`)
  else if (said !== 'open' && !isMet && unknown.length === 0) {
    notes.push(`no security requirement of it is met by a bearer token alone: ${names.join(', ')}`)
  }
  if (mark !== undefined && mark !== access) notes.push(`its mark x-user-scope is '${String(mark)}', and ${is}`)
  return [...notes, ...unlisted.map((status) => `the document lists no ${status}, and the guard answers so`)]
}
