import { carriesBearer, isApiDocument, schemesOf, type ApiDocument, type Operation } from '../openapi/annotate.js'
import { constraintsText } from '../routes/print.js'
import type { AnyApp, AppRoute } from './app-routes.js'
import { orAllow, ScopeAssertionError, type Finding } from './findings.js'
import { fillUrl } from './route-requests.js'
import { readTask, type Settings } from './settings.js'

export interface DocumentOptions extends Settings {
  /** The OpenAPI document. Default: what `app.swagger()` returns. */
  document?: object
  /** Ignored, as are `params` and the next ones: no request is made. */
  issuer?: unknown
  alice?: unknown
  bob?: unknown
  timeout?: unknown
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']

/**
 * Asserts that the OpenAPI document (3.0, 3.1 or Swagger 2) says of each operation what its route's level says: whether a bearer token
 * is needed, that 401 and 403 are among the responses, and the level itself where the operation has the mark; that each operation is
 * served; and that each route is in the document (HEAD and OPTIONS need not be). No request is made.
 * @param app gets ready by it
 * @throws ScopeAssertionError that names every operation which differs from its route
 * @throws TypeError where there is no document
 */
export async function assertDocumentMatchesGuards (app: AnyApp, options: DocumentOptions = {}): Promise<void> {
  const task = await readTask(app, options, ['document', 'issuer', 'alice', 'bob', 'timeout'], 'assertDocumentMatchesGuards')
  const document: unknown = options.document ?? (app as unknown as { swagger?: () => unknown }).swagger?.()
  if (!isApiDocument(document)) throw new TypeError('no OpenAPI document: register @fastify/swagger where the app that is given sees it, or give the option "document"')
  const findings: Finding[] = []
  const report = (place: { method: string, url: string }, level: string, notes: readonly string[]) => {
    if (notes.length > 0 && !task.isAllowed(place)) findings.push({ methods: [place.method], url: place.url, level, notes, failures: [] })
  }
  const bases = basePaths(document)
  const keyed = task.routes.map((route) => {
    const url = fillUrl(route.url, (name) => `{${name}}`)
    const stripped = bases.reduce((rest, base) => rest.startsWith(base) ? rest.slice(base.length) : rest, url)
    return { route, key: keyOf(route.method, url), cut: keyOf(route.method, stripped) }
  })
  const judged = new Set(task.judged)
  const served = new Set<string>()
  for (const [url, item] of Object.entries(document.paths) as Array<[string, Record<string, Operation>]>) {
    for (const [field, operation] of Object.entries(item).filter(([name]) => methods.includes(name))) {
      const place = { method: field.toUpperCase(), url }
      const wanted = keyOf(place.method, url)
      const whole = keyed.filter(({ key }) => key === wanted)
      const found = whole.length > 0 ? whole : keyed.filter(({ cut }) => cut === wanted)
      if (found.length === 0) report(place, '', [`the document has it, and the app has no such route: remove it${orAllow}`])
      for (const { route, key } of found) {
        served.add(key)
        if (judged.has(route)) report(place, constraintsText(route.constraints).trim(), compare(operation, document, route))
      }
    }
  }
  const absent = keyed.filter(({ route, key }) => judged.has(route) && !served.has(key) && !['OPTIONS', 'HEAD'].includes(route.method))
  for (const { route } of absent) report(route, `(${route.access})`, [`it is served, and the document does not have it: take schema.hide away${orAllow}`])
  findings.push(...task.unused())
  if (findings.length > 0) throw new ScopeAssertionError('are not what the document says', findings)
}

/** The root of a prefix is served with a slash and without, and is one operation. */
const keyOf = (method: string, path: string) => `${method} ${path.replace(/^\/|\/$|\?/g, '')}`

/** What `stripBasePath` cuts from the URLs of routes, one after the other. */
function basePaths ({ basePath = '', servers }: ApiDocument): string[] {
  const ofServers = (servers ?? []).map(({ url, variables }) => {
    const filled = url.replace(/\{([^{}]+)\}/g, (text, name: string) => variables?.[name]?.default ?? text)
    return URL.canParse(filled) ? new URL(filled).pathname : filled
  })
  return [basePath, ...ofServers].filter((path) => path !== '/')
}

type Says = 'open' | 'guarded' | 'guarded where a token comes'

/** What the document must say of bearer tokens, and the responses that the guard gives. */
const demands: Record<AppRoute['access'], { readonly says: Says, readonly responses: readonly string[] }> = {
  owner: { says: 'guarded', responses: ['401', '403'] },
  user: { says: 'guarded', responses: ['401'] },
  optional: { says: 'guarded where a token comes', responses: ['401'] },
  public: { says: 'open', responses: [] },
  unguarded: { says: 'open', responses: [] }
}

/** What an operation has against its route. */
function compare (operation: Operation, document: ApiDocument, { access }: AppRoute): string[] {
  const { says, responses } = demands[access]
  const is = access === 'unguarded' ? `no registration of the plugin guards it: move it into the scope${orAllow}` : `the route's level is '${access}'`
  const schemes = schemesOf(document)
  const security = (operation.security ?? document.security ?? []).map((requirement) => Object.keys(requirement))
  const names = [...new Set(security.flat())]
  const isBearer = (name: string) => carriesBearer(schemes[name])
  // Where the plugin asks for no token, the host may ask for anything else.
  const asked = says === 'open' ? names.filter(isBearer) : names
  const guarded = security.some((requirement) => requirement.length === 0) ? 'guarded where a token comes' : 'guarded'
  const said = asked.length === 0 ? 'open' : guarded
  const unknown = names.filter((name) => !Object.hasOwn(schemes, name))
  const isMet = names.length === 0 || security.some((requirement) => requirement.length > 0 && requirement.every(isBearer))
  const mark = operation['x-user-scope']
  const listed = Object.keys(operation.responses ?? {}).map((status) => status.toUpperCase())
  const unlisted = responses.filter((status) => ![status, '4XX', 'DEFAULT'].some((each) => listed.includes(each)))
  return [
    ...said === says ? [] : [`the document says ${said}, and ${is}`],
    ...mark === undefined || mark === access ? [] : [`its mark x-user-scope is '${String(mark)}', and ${is}`],
    ...unknown.map((name) => `it names the security scheme "${name}", which the document does not define`),
    ...says === 'open' || isMet || unknown.length > 0 ? [] : [`no security requirement of it is met by a bearer token alone: ${names.join(', ')}`],
    ...unlisted.map((status) => `the document lists no ${status}, and the guard answers so`)
  ]
}
