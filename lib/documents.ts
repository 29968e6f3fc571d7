import type { FastifyInstance } from 'fastify'
import { annotate, isApiDocument, type ApiDocument, type Scope } from './openapi.js'
import type { Settings } from './options.js'
import type { RouteTable } from './route-table.js'
import type { AccessLevel } from './types.js'

type Scheme = Exclude<Settings['openapi'], false>
type Decorators = Record<string, unknown>
/** The decorator of `@fastify/swagger`. */
type Swagger = (options?: { yaml?: boolean }) => unknown

/**
 * Has every OpenAPI document that the given contexts can produce say what is guarded: in JSON, in YAML and in the docs page. For the
 * `onReady` hook, when `@fastify/swagger` stands wherever the host put it, and routes are compiled, so that what is added to
 * their schemas reaches documents only.
 */
export async function annotateDocuments (contexts: Iterable<FastifyInstance>, scheme: Scheme, id: string, table: RouteTable): Promise<void> {
  const places = [...contexts].flatMap((context) => findSwagger(context as unknown as Decorators))
  if (places.length === 0) return
  const { formatParamUrl } = await import('@fastify/swagger')
  const { stringify } = await import('yaml')
  const scope = describeScope(id, table, formatParamUrl)
  for (const [context, name] of places) {
    context[name] = wrap(context[name] as Swagger, (document) => annotate(document, scheme, scope), stringify)
  }
}

/** All contexts whose decorators `context` can see, itself first. */
export function * lineage (context: FastifyInstance): Iterable<FastifyInstance> {
  for (let each = context; each !== Object.prototype as unknown; each = Object.getPrototypeOf(each) as FastifyInstance) yield each
}

/**
 * The host may have given the decorator any name, and nothing tells which. `@fastify/swagger` makes it a function of one parameter,
 * nameless or named `swagger`; one that is something else is passed through untouched, as it returns no document.
 */
function findSwagger (context: Decorators): Array<[context: Decorators, name: string]> {
  return Object.keys(context)
    .filter((name) => {
      const value = Object.getOwnPropertyDescriptor(context, name)?.value as unknown
      return typeof value === 'function' && value.length === 1 && ['', 'swagger'].includes(value.name)
    })
    .map((name) => [context, name])
}

function wrap (original: Swagger, annotated: (document: ApiDocument) => ApiDocument, stringify: typeof import('yaml').stringify): Swagger {
  // The original returns one object as long as nothing changes; so does this.
  const results = new WeakMap<ApiDocument, { document: ApiDocument, yaml?: string }>()
  function resultFor (source: ApiDocument) {
    const known = results.get(source)
    if (known) return known
    const result = { document: annotated(source) }
    results.set(source, result)
    return result
  }

  return function swagger (this: unknown, options) {
    const returned = original.call(this, options)
    const source = options?.yaml && typeof returned === 'string' ? original.call(this) : returned
    if (!isApiDocument(source)) return returned
    const result: { document: ApiDocument, yaml?: string } = resultFor(source)
    if (!options?.yaml) return result.document
    result.yaml ??= stringify(result.document, { strict: false })
    return result.yaml
  }
}

/** An operation's route is known by a mark, or by its URL where a `transform` of the host dropped the mark. */
function describeScope (id: string, { seen, late }: RouteTable, formatParamUrl: (url: string) => string): Scope {
  const mark = `x-${id}` as const
  const levels = new Map<string, AccessLevel>()
  const note = (method: string, url: string, level: AccessLevel) => levels.set(`${method} ${formatParamUrl(url)}`, level)
  for (const { method, url, access: level } of late) note(method, url, level)
  for (const { route, access: { level } } of seen) {
    for (const method of [route.method].flat()) note(method, route.url, level)
    // A route without schema stays one: a host's `transform` may tell by that what to hide.
    if (route.schema) route.schema = { ...route.schema, [mark]: level }
  }
  return { mark, levelOf: (method, path) => levels.get(`${method} ${path}`) }
}
