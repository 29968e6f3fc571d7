import type { AppRoute } from './app-routes.js'
import { couldServe, matcherOf, paramsIn, segmentsOf, tidy, type RouterSettings, type UrlPart } from './url.js'

/** Where a route has its owner, with bob there. */
export interface Place {
  /** The URL of the route. */
  readonly url: string
  /** Bob's path on it, encoded. */
  readonly path: string
  /** The segments of his path up to his id, decoded. */
  readonly start: readonly string[]
}

export function placeOf ({ url, parameter }: AppRoute, path: string): Place {
  const depth = segmentsOf(url).findIndex((segment) => paramsOf(segment).some(({ name }) => name === parameter)) + 1
  return { url, path, start: path.split('/').slice(0, depth).map(decodeURIComponent) }
}

/** How a route that looks at no owner gets to be asked for what is bob's. */
export type WayIn =
  /** By a wildcard: with this path. */
  | { readonly path: string }
  /** By the parameter that stands where the owner does, and others before it: with these values, not encoded. */
  | { readonly values: ReadonlyMap<string, string>, readonly param: string }

/** Tells the ways that a route has into a place: any path below the owner may be his, whatever comes behind. */
export function waysInto (url: string, router: RouterSettings): (place: Place) => WayIn[] {
  const segments = segmentsOf(tidy(url, router)).map((parts) => ({ params: paramsOf(parts), matcher: matcherOf(parts, router, '.+?') }))
  const hasWildcard = paramsIn(url).includes('*')
  return ({ path, start }) => {
    const values = valuesIn(segments, start)
    const [param] = segments[start.length - 1]?.params ?? []
    if (values && param && param.name !== '*') return [{ values, param: param.name }]
    if (!hasWildcard) return []
    // Of wildcards that begin further up, as one for files at the root does, it is asked only what a route with an owner has there.
    const paths = values ? [path, [...start.map(encodeURIComponent), 'x'].join('/')] : [path]
    return paths.filter((each) => couldServe(url, each, router)).map((each) => ({ path: each }))
  }
}

type Param = Extract<UrlPart, { name: string }>
interface Segment { readonly params: readonly Param[], readonly matcher: RegExp }

/** What the parameters of a URL are for a path that begins so; null where it cannot. */
function valuesIn (segments: readonly Segment[], start: readonly string[]): Map<string, string> | null {
  const values = new Map<string, string>()
  for (const [index, text] of start.entries()) {
    const { params, matcher } = segments[index] ?? none
    const found = matcher.exec(text)
    if (!found) return null
    for (const [position, { name, pattern }] of params.entries()) {
      const value = String(found[position + 1])
      if (pattern !== null && !fits(pattern, value)) return null
      values.set(name, value)
    }
  }
  return values
}

const none: Segment = { params: [], matcher: /^$/ }

/** As the router does, which takes the whole value. */
const fits = (pattern: string, value: string) => new RegExp(`^(?:${pattern.replace(/^\^|\$$/g, '')})$`).test(value)

const paramsOf = (parts: readonly UrlPart[]) => parts.filter((part) => 'name' in part)
