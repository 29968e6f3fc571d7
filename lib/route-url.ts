import { closingBracket } from './access.js'

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

/** Whether the route could serve a path, were it the only one. */
export function couldServe (url: string, path: string, { caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes }: RouterSettings): boolean {
  const normalize = (text: string) => {
    const single = ignoreDuplicateSlashes ? text.replace(/\/{2,}/g, '/') : text
    return ignoreTrailingSlash ? single.replace(/(?<=.)\/$/, '') : single
  }
  const pattern = parseUrl(normalize(url)).map((part) => {
    if ('text' in part) return part.text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
    return part.name === '*' ? '.*' : '[^/]+'
  })
  return new RegExp(`^${pattern.join('')}$`, caseSensitive ? 's' : 'si').test(normalize(path))
}
