import type { AppRoute } from './app-routes.js'
import { couldServe, matcherOf, paramsIn, segmentsOf, tidy, type RouterSettings, type UrlPart } from './route-url.js'

/** Where a route has its owner, with bob there. */
export interface Place {
  /** The URL of the route. */
  readonly url: string
  /** Bob's path on it, encoded. */
  readonly path: string
  /** The number of segments up to his id. */
  readonly depth: number
}

export function placeOf ({ url, parameter }: AppRoute, path: string): Place {
  return { url, path, depth: segmentsOf(url).findIndex((segment) => namesIn(segment).includes(String(parameter))) + 1 }
}

/** How a route that looks at no owner gets to be asked for what is bob's. */
export type WayIn =
  /** By a wildcard: with this path. */
  | { readonly path: string }
  /** By the parameter that stands where the owner does, and others before it: with these values, not encoded. */
  | { readonly values: ReadonlyMap<string, string>, readonly param: string }

/** The ways that a route has into a place: any path below the owner may be his, whatever comes behind. */
export function waysInto (url: string, { path, depth }: Place, router: RouterSettings): WayIn[] {
  const start = path.split('/').slice(0, depth)
  const segments = segmentsOf(tidy(url, router))
  const values = valuesIn(segments, start.map(decodeURIComponent), router)
  const [param] = namesIn(segments[depth - 1] ?? [])
  if (values && param !== undefined && param !== '*') return [{ values, param }]
  if (!paramsIn(url).includes('*')) return []
  // Of wildcards that begin further up, as one for files at the root does, it is asked only what a route with an owner has there.
  const paths = values ? [path, [...start, 'x'].join('/')] : [path]
  return paths.filter((each) => couldServe(url, decodeURI(each), router)).map((each) => ({ path: each }))
}

/** What the parameters of a URL are for a path that begins so; null where it cannot. */
function valuesIn (segments: readonly UrlPart[][], start: readonly string[], router: RouterSettings): Map<string, string> | null {
  const values = new Map<string, string>()
  for (const [index, text] of start.entries()) {
    const segment = segments[index] ?? []
    const found = matcherOf(segment, router, '.+?').exec(text)
    if (!found) return null
    for (const [position, { name, pattern }] of segment.filter((part) => 'name' in part).entries()) {
      const value = String(found[position + 1])
      if (pattern !== null && !fits(pattern, value)) return null
      values.set(name, value)
    }
  }
  return values
}

/** As the router does, which takes the whole value. */
const fits = (pattern: string, value: string) => new RegExp(`^(?:${pattern.replace(/^\^|\$$/g, '')})$`).test(value)

const namesIn = (segment: readonly UrlPart[]) => segment.flatMap((part) => 'name' in part ? [part.name] : [])
