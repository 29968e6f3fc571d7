/** A path parameter in the URL of a route. */
export interface UrlParameter {
  /** As the router reads it: it ends at a bracket, a hyphen, a dot or a slash. */
  readonly name: string
  /**
   * As a person reads it: to the router `:user-id` is a parameter `user` and the text `-id`, and `(:user_id)` is one
   * named `user_id)`.
   */
  readonly words: readonly string[]
  /** All of the URL before its colon. */
  readonly before: string
  /** Its regular expression; empty where it has none. */
  readonly pattern: string
  /** All of the URL behind it. */
  readonly after: string
}

/** The path parameters of a URL as declared, in their order; the wildcard is none. */
export function parametersOf (url: string): UrlParameter[] {
  const parameters: UrlParameter[] = []
  for (let i = url.indexOf(':'); i !== -1; i = url.indexOf(':', i + 1)) {
    if (url[i + 1] === ':') i++ // an escaped colon
    else {
      const rest = url.slice(i + 1)
      const [name] = rest.split(/[(\-./]/) as [string]
      const [text] = rest.split(/[(/]/) as [string]
      const start = i + 1 + name.length
      const end = url[start] === '(' ? closingBracket(url, start) + 1 : start
      parameters.push({
        name: name.replace(/\?$/, ''),
        words: text.split(/[^\w-]+/),
        before: url.slice(0, i),
        pattern: url.slice(start + 1, end - 1),
        after: url.slice(end)
      })
      i = end - 1
    }
  }
  return parameters
}

/** The index at which the regular expression of a parameter ends. */
export function closingBracket (url: string, start: number): number {
  let depth = 0
  for (let i = start; i < url.length; i++) {
    if (url[i] === '\\') i++
    else if (url[i] === '(') depth++
    else if (url[i] === ')' && --depth === 0) return i
  }
  return url.length
}
