import type { FastifySchema } from 'fastify'
import { asGet, type AppRoute } from './app-routes.js'
import type { HeldRequest } from './held-requests.js'
import { assertKnownOptions } from './known-options.js'
import { nameOf } from './app-routes.js'
import { fillUrl } from './url.js'
import { sampleBody, type SampleBody } from './sample-body.js'
import { sampleText } from './sample-text.js'
import { NoSampleError, sampleValue, type Resolve } from './sample-value.js'
import { createResolve } from './schema-refs.js'
import type { UrlVariant } from './url-variants.js'

/** What the requests to a route have beside token and owner. Whatever is left out is made up from the route's schema, where it must be. */
export interface RequestParts {
  /** Values of other path parameters; `'*'` for the wildcard. */
  path?: Record<string, string>
  query?: Record<string, string | string[]>
  headers?: Record<string, string>
  body?: unknown
}

/** By `'METHOD url'` of the route as declared; under `'*'` what holds for every route, as far as one does not say otherwise. */
export type RequestParams = Record<string, RequestParts>

/** @throws TypeError where one has other parts than those of a request */
export function assertParams (params: RequestParams): void {
  for (const [name, parts] of Object.entries(params)) assertKnownOptions(parts, ['path', 'query', 'headers', 'body'], `params of ${name}`)
}

/** How to ask a route. */
export interface RouteRequests {
  /** A request with all that the route asks for. `owner` is encoded. */
  complete (owner: string, variant?: UrlVariant): HeldRequest
  /** One without query and body, for what must be refused before it is validated. */
  bare (owner: string): HeldRequest
  /** The complete one to a path, which is another route's perhaps. */
  to (path: string): HeldRequest
  /** The complete one with these values of path parameters, not encoded. */
  at (values: ReadonlyMap<string, string>): HeldRequest
  /** What could not be made up. */
  readonly missing: readonly string[]
}

/** What is sent with one of these Fastify does not read, and others refuse. */
const bodyless = new Set(['GET', 'HEAD', 'TRACE'])

export function requestsFor (route: AppRoute, params: RequestParams): RouteRequests {
  const given = join(params['*'] ?? {}, params[nameOf(route)] ?? params[nameOf(asGet(route))] ?? {})
  const schema = (route.schema ?? {}) as FastifySchema
  const missing: string[] = []
  const context = route.scope?.context

  function attempt<T> (make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      missing.push((error as NoSampleError).message)
      return undefined
    }
  }

  const required = (part: unknown, name: string): object =>
    attempt(() => sampleValue(part === undefined ? { type: 'object' } : part, createResolve(part, context), name) as object) ?? {}

  const resolve = createResolve(schema.params, context)

  function valueOf (name: string, pattern: string | null): string {
    const property = propertyOf(schema.params, name, resolve)
    const value = given.path?.[name] ?? attempt(() => {
      if (property !== undefined) return String(sampleValue(property, resolve, `params/${name}`))
      const text = pattern === null ? '1' : sampleText(pattern)
      if (text === undefined) throw new NoSampleError(`params/${name}: no value is made up for the pattern ${pattern}`)
      return text
    }) ?? '1'
    return name === '*' ? encodeURI(value) : encodeURIComponent(value)
  }

  const headers = { ...constraintHeaders(route.constraints), ...texts(omit(required(schema.headers, 'headers'), 'authorization')), ...given.headers }
  const query = new URLSearchParams(pairs({ ...required(schema.querystring, 'querystring'), ...given.query })).toString()
  const made = (): SampleBody => 'body' in given ? { body: given.body } : attempt(() => sampleBody(route, context, headers)) ?? {}
  const { body, contentType } = bodyless.has(route.method) ? {} as SampleBody : made()
  const values = new Map<string, string>()
  fillUrl(route.url, (name, pattern) => {
    if (name !== route.parameter) values.set(name, valueOf(name, pattern))
    return ''
  })
  const pathFor = (owner: string, { textOf, suffix = '' }: Partial<UrlVariant> = {}) => fillUrl(route.url, (name) => values.get(name) ?? owner, (text) => encodeURI(textOf?.(text) ?? text)) + suffix

  const to = (path: string): HeldRequest => ({
    method: route.method,
    url: path + (query && `?${query}`),
    headers: { ...headers, ...contentType !== undefined && { 'content-type': contentType } },
    ...body !== undefined && { body }
  })

  return {
    to,
    at: (given) => to(fillUrl(route.url, (name) => given.has(name) ? encodeURIComponent(String(given.get(name))) : String(values.get(name)), encodeURI)),
    complete: (owner, variant) => to(pathFor(owner, variant)),
    bare: (owner) => ({ method: route.method, url: pathFor(owner), headers }),
    missing
  }
}

const join = (all: RequestParts, own: RequestParts): RequestParts => ({
  ...all,
  ...own,
  path: { ...all.path, ...own.path },
  query: { ...all.query, ...own.query },
  headers: { ...all.headers, ...own.headers }
})

function propertyOf (schema: unknown, name: string, resolve: Resolve): unknown {
  const { $ref, properties } = (schema ?? {}) as { $ref?: string, properties?: Record<string, unknown> }
  return $ref === undefined ? properties?.[name] : propertyOf(resolve($ref), name, resolve)
}

/** Those of Fastify's own constraints; for others `params` has to say what to send. */
function constraintHeaders ({ host, version }: AppRoute['constraints']): Record<string, string> {
  return { ...typeof host === 'string' && { host }, ...typeof version === 'string' && { 'accept-version': version } }
}

const omit = (values: object, name: string) => Object.fromEntries(Object.entries(values).filter(([key]) => key.toLowerCase() !== name))

const texts = (values: object) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]))

const pairs = (values: object): Array<[string, string]> => Object.entries(values).flatMap(([key, value]) => [value].flat().map((each): [string, string] => [key, String(each)]))
