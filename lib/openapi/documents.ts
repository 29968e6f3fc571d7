import type { FastifyInstance } from 'fastify'
import { annotate, isApiDocument, type ApiDocument, type Scope } from './annotate.js'
import type { Settings } from '../options/settings.js'
import type { RouteOptions } from 'fastify'
import type { AccessLevel } from '../contract/types.js'

type Scheme = Exclude<Settings['openapi'], false>
type Decorators = Record<string, unknown>
/** The decorator of `@fastify/swagger`. */
type Swagger = (options?: { yaml?: boolean }, ...rest: unknown[]) => unknown

/**
 * Has every OpenAPI document that the given contexts can produce say what is guarded: in JSON, in YAML and in the docs page. For the
 * `onReady` hook, when `@fastify/swagger` stands wherever the host put it, and routes are compiled, so that what is added to
 * their schemas reaches documents only.
 */
export async function annotateDocuments (contexts: Iterable<FastifyInstance>, scheme: Scheme, routes: ReadonlyArray<{ options: RouteOptions, level: AccessLevel }>): Promise<void> {
  const places = [...contexts].filter((context) => context.hasPlugin('@fastify/swagger')).flatMap((context) => findSwagger(context as unknown as Decorators))
  if (places.length === 0) return
  const { formatParamUrl } = await import('@fastify/swagger')
  const { stringify } = await import('yaml')
  const scope = describeScope(routes, formatParamUrl)
  for (const [context, name] of places) {
    context[name] = wrap(context[name] as Swagger, (document) => annotate(document, scheme, scope), stringify)
  }
}

/** All contexts whose decorators `context` can see, itself first. */
export function * lineage (context: FastifyInstance): Iterable<FastifyInstance> {
  for (let each = context; each !== Object.prototype as unknown; each = Object.getPrototypeOf(each) as FastifyInstance) yield each
}

/**
 * The host may have given the decorator any name, and nothing tells which: it is the function of one parameter that reads its option
 * `yaml`. Fastify's own `after` and `close`, and other decorators of the host, must stay what they are.
 */
function findSwagger (context: Decorators): Array<[context: Decorators, name: string]> {
  return Object.entries(Object.getOwnPropertyDescriptors(context))
    .filter(([, { value }]: [string, { value?: unknown }]) =>
      typeof value === 'function' && value.length === 1 && ['', 'swagger'].includes(value.name) && isSwagger(Function.prototype.toString.call(value)))
    .map(([name]) => [context, name])
}

/** By what its text names: the option, and where the result is kept; one that wraps it, as below, names the same. */
const isSwagger = (text: string) => /\byaml\b/.test(text) && /\.(string|swaggerString|forYaml)\b/.test(text)

function wrap (original: Swagger, annotated: (document: ApiDocument) => ApiDocument, stringify: typeof import('yaml').stringify): Swagger {
  // The original returns one object as long as nothing changes; so does this.
  const results = new WeakMap<ApiDocument, { document: ApiDocument, forYaml?: string }>()
  function resultFor (source: ApiDocument) {
    const known = results.get(source)
    if (known) return known
    const result = { document: annotated(source) }
    results.set(source, result)
    return result
  }

  return function swagger (this: unknown, options, ...rest: unknown[]) {
    // A decorator that only looks like it is called with what its host knows, and not twice.
    if (rest.length > 0 || !isSwaggerCall(options)) return Reflect.apply(original, this, [options, ...rest])
    // Once for both forms, as a host's `transform` may not bear being run again.
    const source = original.call(this)
    if (!isApiDocument(source)) return original.call(this, options)
    const result: { document: ApiDocument, forYaml?: string } = resultFor(source)
    if (!options?.yaml) return result.document
    result.forYaml ??= stringify(result.document, { strict: false })
    return result.forYaml
  }
}

const isSwaggerCall = (options: unknown) => options === undefined || options === null ||
  (typeof options === 'object' && Object.keys(options).every((key) => key === 'yaml'))

/** An operation's route is known by a mark, or by its URL where a `transform` of the host dropped the mark. */
function describeScope (declared: ReadonlyArray<{ options: RouteOptions, level: AccessLevel }>, format: Scope['format']): Scope {
  const mark = 'x-user-scope'
  const routes = declared.flatMap(({ options, level }) => [options.method].flat().map((method) => ({ method, url: options.url, level })))
  for (const { options, level } of declared) if (options.schema) options.schema = { ...options.schema, [mark]: level } as object
  return { mark, routes, format }
}
