export interface UrlParameter {
  /** The name as the router reads it, which ends at a bracket, a hyphen, a dot or a slash. */
  readonly name: string
  /**
   * The name as a person reads it. For the router `:user-id` is a parameter `user` and the text `-id`, and `(:user_id)`
   * is a parameter `user_id)`.
   */
  readonly words: readonly string[]
  /** The URL before its colon. */
  readonly before: string
  /** Its regular expression; empty if it has none. */
  readonly pattern: string
  /** The URL after it. */
  readonly after: string
}

/** For the router only a whole segment is optional: in `/a-:user_id?` the question mark belongs to the name. */
const mayBeOptional = /\/(:[^/()]*)?$/

/** Returns the path parameters of a declared URL in order, without the wildcard. */
export function parametersOf (url: string): UrlParameter[] {
  const parameters: UrlParameter[] = []
  for (let i = url.indexOf(':'); i !== -1; i = url.indexOf(':', i + 1)) {
    if (url[i + 1] === ':') i++ // an escaped colon
    else {
      const [text, name] = /([^(\-./]*)[^(/]*/.exec(url.slice(i + 1)) as string[] as [string, string]
      const start = i + 1 + name.length
      const end = url[start] === '(' ? closingBracket(url, start) + 1 : start
      parameters.push({
        name: mayBeOptional.test(url.slice(0, i)) ? name.replace(/\?$/, '') : name,
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

/** Returns the position of a parameter: the URL before it, in which names do not matter. */
export const positionOf = ({ before }: UrlParameter): string => before.replace(/:[^/]+/g, ':')

/** Returns the index at which the regular expression of a parameter ends. */
export function closingBracket (url: string, start: number): number {
  let depth = 0
  for (let i = start; i < url.length; i++) {
    if (url[i] === '\\') i++
    else if (url[i] === '(') depth++
    else if (url[i] === ')' && --depth === 0) return i
  }
  return url.length
}
