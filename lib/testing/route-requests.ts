import type { InjectOptions } from 'fastify'
import { parametersOf } from '../routes/url.js'
import { getNameOf, nameOf, type AppRoute } from './app-routes.js'

/** The parts of a request besides token and owner. */
export interface RequestParts {
  /** Values of other path parameters; `'*'` for the wildcard. Default: `'1'`, or what fits a regular expression. */
  path?: Record<string, string>
  query?: Record<string, string | string[]>
  headers?: Record<string, string>
  /** A payload as for `app.inject`: an object is sent as JSON. */
  body?: unknown
}

export type WholeParts = RequestParts & Required<Pick<RequestParts, 'path' | 'query' | 'headers'>>

/** By `'METHOD url'` of the route as declared, or `'*'` for all routes. The entry of a route takes precedence. */
export type RequestParams = Record<string, RequestParts>

/** Returns the given parts for a route, with the headers for Fastify's constraints. `made` has path parameters. */
export function partsFor (route: AppRoute, params: RequestParams, made = {}): WholeParts {
  const { '*': all = {}, [getNameOf(route)]: ofGet = {}, [nameOf(route)]: own = ofGet } = params
  const { host, version } = route.constraints
  const stated = Object.entries({ host, 'accept-version': version }).filter(([, value]) => typeof value === 'string')
  const headers = { ...Object.fromEntries(stated) as Record<string, string>, ...all.headers, ...own.headers }
  return { ...all, ...own, path: { ...made, ...all.path, ...own.path }, query: { ...all.query, ...own.query }, headers }
}

export const hasBody = (method: string): boolean => !['GET', 'HEAD', 'TRACE'].includes(method)

/** @param path encoded */
export function requestTo (method: string, path: string, parts: RequestParts, token?: string): InjectOptions {
  const headers = { ...parts.headers, ...token !== undefined && { authorization: `Bearer ${token}` } }
  // A QUERY request without a body is refused before its route's hooks run (RFC 10008 §2).
  const body = hasBody(method) && { payload: method === 'QUERY' ? parts.body ?? {} : parts.body }
  return { method, url: path, headers, query: parts.query ?? {}, ...body } as InjectOptions
}

/** Returns a path of a route, with an encoded value for each parameter and the wildcard. */
export function fillUrl (url: string, valueOf: (name: string, pattern: string) => string): string {
  const [first] = parametersOf(url)
  // For the router `::` is a colon.
  const literal = (raw: string) => raw.replaceAll('::', ':').replaceAll('%', '%25').replace('*', () => valueOf('*', ''))
  if (!first) return literal(url)
  return literal(first.before) + valueOf(first.name, first.pattern) + fillUrl(first.after, valueOf)
}

const samples = ['1', 'a', '2026-01-01', '00000000-0000-4000-8000-000000000000']

/** Returns the first value that fits the regular expression of a parameter, encoded. */
export const valueFor = (pattern: string, ...values: string[]): string =>
  encodeURIComponent([...values, ...samples].find((value) => new RegExp(pattern).test(value)) ?? '1')

/** Returns the path of a route for an encoded owner, with given or made-up values for the other parameters. */
export const pathFor = (route: AppRoute, owner: string, { path = {} }: RequestParts, url = route.url): string =>
  fillUrl(url, (name, pattern) => {
    if (name === route.parameter?.name) return owner
    const given = path[name]
    if (given === undefined) return valueFor(pattern)
    return name === '*' ? encodeURI(given) : encodeURIComponent(given)
  })
