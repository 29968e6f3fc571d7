import { closingBracket } from '../routes/url.js'

/** A piece of a route's URL. `name` is that of a parameter, `'*'` for the wildcard. */
export type UrlPart = { readonly text: string } | { readonly name: string, readonly pattern: string | null }

/** The URL of a route, as the router reads it: `::` is a colon, a parameter ends at a bracket, a hyphen, a dot or a slash. */
export function parseUrl (url: string): UrlPart[] {
  const parts: UrlPart[] = []
  let text = ''
  const push = (part: UrlPart) => {
    if (text) parts.push({ text })
    parts.push(part)
    text = ''
  }
  for (let i = 0; i < url.length; i++) {
    if (url.startsWith('::', i)) {
      text += ':'
      i++
    } else if (url[i] === '*') push({ name: '*', pattern: null })
    else if (url[i] === ':') {
      const [name] = url.slice(i + 1).split(/[(\-./]/, 1) as [string]
      i += name.length
      const end = url[i + 1] === '(' ? closingBracket(url, i + 1) : i
      push({ name: name.replace(/\?$/, ''), pattern: end === i ? null : url.slice(i + 2, end) })
      i = end
    } else text += url[i]
  }
  if (text) parts.push({ text })
  return parts
}

export const paramsIn = (url: string): string[] => parseUrl(url).flatMap((part) => 'name' in part ? [part.name] : [])

/** A path that the route serves. `valueOf` gives what stands for a parameter, encoded. */
export function fillUrl (url: string, valueOf: (name: string, pattern: string | null) => string, textOf = (text: string) => text): string {
  return parseUrl(url).map((part) => 'text' in part ? textOf(part.text) : valueOf(part.name, part.pattern)).join('')
}

/** How the router of an app reads paths. */
export interface RouterSettings { readonly caseSensitive: boolean, readonly ignoreTrailingSlash: boolean, readonly ignoreDuplicateSlashes: boolean }

/** A URL or a path in the one of its spellings that stands for all which the router takes for the same. */
export function tidy (url: string, { ignoreTrailingSlash, ignoreDuplicateSlashes }: RouterSettings): string {
  const single = ignoreDuplicateSlashes ? url.replace(/\/{2,}/g, '/') : url
  return ignoreTrailingSlash ? single.replace(/(?<=.)\/$/, '') : single
}

/** Matches the parts of a URL, with a group for each parameter, and `value` in it. */
export function matcherOf (parts: readonly UrlPart[], { caseSensitive }: RouterSettings, value = '[^/]+?'): RegExp {
  const pattern = parts.map((part) => {
    if ('text' in part) return part.text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
    return part.name === '*' ? '(.*)' : `(${value})`
  })
  return new RegExp(`^${pattern.join('')}$`, caseSensitive ? 's' : 'si')
}

/** Whether the route could serve a path, encoded as it is in a request, were it the only one. */
export function couldServe (url: string, path: string, router: RouterSettings): boolean {
  return matcherOf(parseUrl(tidy(url, router)), router).test(tidy(decodeURI(path), router))
}

/** The parts of a URL by its segments, which a slash inside an expression does not end. */
export function segmentsOf (url: string): UrlPart[][] {
  const segments: UrlPart[][] = [[]]
  for (const part of parseUrl(url)) {
    const [first, ...others] = 'text' in part ? part.text.split('/').map((text) => ({ text })) : [part]
    segments.at(-1)?.push(first as UrlPart)
    segments.push(...others.map((each) => [each]))
  }
  return segments
}
