import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { annotate, marksOf } from './annotate.js'
import type { Annotated, Marks, Place } from './annotate.js'
import { isApiDocument, type ApiDocument } from './dialects.js'
import { InvalidOptionError } from '../contract/errors.js'
import { warnHost } from '../contract/log.js'
import type { OpenApiSettings } from '../options/settings.js'
import { lineage, routesOf, type DeclaredRoute } from '../routes/app-routes.js'
import type { JudgedRoute } from '../routes/table.js'
import { parametersOf } from '../routes/url.js'

/** The decorator of `@fastify/swagger`. */
type Swagger = (options?: { yaml?: boolean } | null, ...rest: unknown[]) => unknown

/**
 * Annotates every OpenAPI document with routes of the registration: in JSON, in YAML and on the docs page. Called by
 * the `onReady` hook: then every `@fastify/swagger` is registered, and routes are compiled, so additions to their
 * schemas only reach documents.
 * @throws InvalidOptionError if a stated decorator is missing
 */
export async function annotateDocuments (
  scope: FastifyInstance, settings: OpenApiSettings, routes: readonly JudgedRoute[]
): Promise<void> {
  const declaring = new Set([scope, ...routes.map(({ context }) => context)])
  const contexts = new Set([...declaring].flatMap(lineage))
  const places = findDecorators(contexts, settings)
  if (places.length === 0) return
  const { stringify } = await import('yaml') // apps without documents do not load it
  // `@fastify/swagger` copies a HEAD route with an `operationId`, and adds "-head" to that, before it can be marked.
  const heads = new Map<unknown, Marks>()
  for (const { options, demand } of routes) {
    const marks = marksOf(demand, settings)
    const { operationId } = (options.schema ?? {}) as { operationId?: string }
    if (options.method === 'HEAD' && operationId !== undefined) heads.set(`${operationId}-head`, marks)
    options.schema = { ...options.schema, ...marks }
  }
  for (const { context, name, original } of places) {
    const swagger = wrap(original, (document) => {
      const annotated = annotate(document, settings, heads)
      warnOfLostMarks(context, routes, annotated, scope.log)
      return annotated.document
    }, stringify)
    Object.assign(context, { [name]: swagger })
  }
}

/** Finds the decorators, each with the context that owns it. */
function findDecorators (contexts: ReadonlySet<FastifyInstance>, { decorators }: OpenApiSettings) {
  return (decorators ?? ['swagger']).flatMap((name) => {
    const valueOf = (context: FastifyInstance): unknown => Object.getOwnPropertyDescriptor(context, name)?.value
    const owners = [...contexts].filter((context) => typeof valueOf(context) === 'function')
    if (decorators && owners.length === 0) {
      throw new InvalidOptionError(`option "openapi.decorator": no function "${name}" decorates this context, one ` +
        'around it, or one inside it that has routes. Fix: give the name that @fastify/swagger has in its own ' +
        'option "decorator" (by default "swagger"), and register it in one of these contexts')
    }
    return owners.map((context) => ({ context, name, original: valueOf(context) as Swagger }))
  })
}

function wrap (
  original: Swagger, annotated: (document: ApiDocument) => ApiDocument, toYaml: (document: ApiDocument) => string
): Swagger {
  // Like the original, it returns the same object as long as nothing changes.
  const results = new WeakMap<ApiDocument, { document: ApiDocument, yaml?: string }>()
  return function swagger (this: unknown, ...args) {
    const isYaml = Boolean(args[0]?.yaml)
    // YAML is made of the object too, because a `transform` of the host may not allow a second run.
    const source = Reflect.apply(original, this, isYaml ? [] : args)
    if (!isApiDocument(source)) return isYaml ? Reflect.apply(original, this, args) : source
    const result = results.get(source) ?? { document: annotated(source) }
    results.set(source, result)
    if (!isYaml) return result.document
    result.yaml ??= toYaml(result.document)
    return result.yaml
  }
}

/**
 * Warns about routes whose operation has lost its mark. Only here are URLs compared, to name the routes. An operation
 * belongs to the route with its path. If no route has its path, a `transform` or `stripBasePath` has changed it. Then
 * it belongs to a route with the same end, unless there are as many marked operations with that end as routes.
 */
function warnOfLostMarks (
  app: FastifyInstance, routes: readonly JudgedRoute[], { marked, unmarked }: Annotated, log: FastifyBaseLogger
) {
  const places = unmarked.map(([method, path]): Place => [method, withoutMark(path)])
  const names = new Set(places.map((place) => place.join(' ')))
  // The routes of an app that was created before this package was loaded are not known, so nothing counts as moved.
  const known = routesOf(app)?.flatMap(operationsOf)
  const stayed = new Set(known?.map(({ place }) => place.join(' ')))
  const moved = known ? places.filter((place) => !stayed.has(place.join(' '))) : []
  const declared = routes.flatMap(operationsOf)
  const lost = declared.filter(({ place: [method, path] }) => {
    const isAlike = ([each, other]: Place) => each === method && (other.endsWith(path) || path.endsWith(other))
    const hasLost = () => marked.filter(isAlike).length < declared.filter(({ place }) => isAlike(place)).length
    return names.has(`${method} ${path}`) || (moved.some(isAlike) && hasLost())
  }).map(({ name }) => name)
  if (lost.length === 0) return
  warnHost(log, 'fastify-user-scope: the OpenAPI document has these routes without their "x-user-scope" and ' +
    'does not say how they are guarded. Fix: keep what begins with "x-" in transform and transformObject, state ' +
    'x-user-scope in operations that are written by hand, and read the document only after the app is ready', lost)
}

const operationsOf = ({ options: { method, url } }: Pick<DeclaredRoute, 'options'>) => [method].flat().map((each) =>
  ({ name: `${each} ${url}`, place: [each, withoutMark(pathOf(url))] as Place }))

/** `@fastify/swagger` leaves the question mark of an optional parameter in the path. */
const withoutMark = (path: string): string => path.replaceAll('?', '')

/** Converts the URL of a route to the path of a document, like `@fastify/swagger`: `/a/{id}`. */
export function pathOf (url: string): string {
  const [first] = parametersOf(url)
  const literal = (raw: string) => raw.replaceAll('::', ':').replace('*', '{*}')
  if (!first) return literal(url)
  // For the router, `:a~b` and `:a,:b` are each one parameter.
  const name = first.name.replace(/^\w*|:(\w+)/g, (all, word = all) => `{${word}}`)
  return literal(first.before + name) + pathOf(first.after)
}
