import type { FastifyRequest } from 'fastify'
import { InvalidRouteError } from '../contract/errors.js'
import type { AccessLevel } from '../contract/types.js'

export const accessLevels: readonly AccessLevel[] = ['owner', 'user', 'optional', 'public']

/** The part of a route that decides about its access. */
export interface RouteFacts {
  /** The URL as declared, prefix included. */
  readonly url: string
  readonly method: string | readonly string[]
  /** `config.access` as the host wrote it. */
  readonly access?: unknown
}

export interface RouteAccess {
  readonly level: AccessLevel
  /** Whether the host stated the level, or it follows from the URL. */
  readonly source: 'stated' | 'default'
}

/**
 * The access level of a route. An invalid statement counts as none, so that what is unknown is guarded.
 * @param param the path parameter that holds the owner's id
 */
export function classify ({ url, method, access }: RouteFacts, param: string): RouteAccess {
  if (isLevel(access)) return { level: access, source: 'stated' }
  if (servesOptionsOnly(method)) return { level: 'public', source: 'default' }
  return { level: hasParam(url, param) ? 'owner' : 'user', source: 'default' }
}

/**
 * What would make a route's level mean something else than its author thinks.
 * @throws InvalidRouteError that names the route, the reason and the mend
 */
export function assertSoundRoute ({ url, method, access }: RouteFacts, param: string): void {
  const route = `route ${[method].flat().join(', ')} ${url}`
  if (access !== undefined && !isLevel(access)) {
    throw new InvalidRouteError(`${route}: config.access is ${describe(access)}. Use one of: ${accessLevels.join(', ')}`)
  }
  assertSoundUrl(url, access, param, route)
}

/** The part of the check that needs the URL only. */
export function assertSoundUrl (url: string, access: AccessLevel | undefined, param: string, route: string): void {
  const params = paramsOf(url)
  const occurrences = params.filter(({ name }) => name === param).length
  if (occurrences > 1) {
    throw new InvalidRouteError(`${route} has the parameter ":${param}" twice, and the router keeps the last only. Rename all but the owner's`)
  }
  if (access === 'owner' && occurrences === 0) {
    throw new InvalidRouteError(`${route}: config.access is 'owner', but the URL has no parameter ":${param}". Add it, or use 'user'`)
  }
  if (access !== undefined || occurrences > 0) return
  const lookAlike = params.flatMap(({ words }) => words).find((word) => looksLike(word, param))
  if (lookAlike) {
    throw new InvalidRouteError(`${route}: ":${lookAlike}" looks like the owner's parameter ":${param}", but is not: any signed-in user could call it. Rename it, set the option userIdParam, or state config.access`)
  }
}

/**
 * The one comparison that the plugin exists for: the decoded path parameter and the user's id, string to string, without
 * coercion, trimming, case folding or Unicode normalisation. A parameter that was left out or is empty never matches.
 */
export function isOwnId (param: unknown, id: string): boolean {
  return typeof param === 'string' && param !== '' && param === id
}

/** The same after schema validation, which may have made a number of the string that was compared. */
export function isStillOwnId (param: unknown, id: string): boolean {
  return isOwnId(typeof param === 'number' || typeof param === 'bigint' ? String(param) : param, id)
}

/** The path parameter as it stands now: a hook of the host may have replaced all of them, or taken them away. */
export function readParam ({ params }: FastifyRequest, name: string): unknown {
  return (params as Record<string, unknown> | null)?.[name]
}

const isLevel = (value: unknown): value is AccessLevel => accessLevels.includes(value as AccessLevel)

const describe = (value: unknown) => typeof value === 'string' ? `'${value}'` : `of type ${typeof value}`

/** `@fastify/cors` answers preflights by such a route; a browser sends no token with them (Fetch standard, CORS-preflight fetch). */
const servesOptionsOnly = (method: string | readonly string[]) => [method].flat().every((name) => name.toUpperCase() === 'OPTIONS')

const hasParam = (url: string, param: string) => paramsOf(url).some(({ name }) => name === param)

/**
 * The parameters of a URL. `name` is what the router reads: up to a bracket, a hyphen, a dot or a slash. `words` are what a person
 * reads: `:user-id` is a parameter `user` and the text `-id` to the router, and `(:user_id)` a parameter `user_id)`.
 */
function paramsOf (url: string): Array<{ name: string, words: string[] }> {
  const params = []
  for (let i = url.indexOf(':'); i !== -1; i = url.indexOf(':', i + 1)) {
    if (url[i + 1] === ':') i++ // a colon in the text of the URL
    else {
      const rest = url.slice(i + 1)
      const [name] = rest.split(/[(\-./]/, 1) as [string]
      const [text] = rest.split(/[(/]/, 1) as [string]
      params.push({ name: name.replace(/\?$/, ''), words: text.split(/[^\w-]+/) })
      i += name.length
      if (url[i + 1] === '(') i = closingBracket(url, i + 1)
    }
  }
  return params
}

/** Where the regular expression of a parameter ends. */
export function closingBracket (url: string, start: number): number {
  let depth = 0
  for (let i = start; i < url.length; i++) {
    if (url[i] === '\\') i++
    else if (url[i] === '(') depth++
    else if (url[i] === ')' && --depth === 0) return i
  }
  return url.length
}

function looksLike (name: string, param: string): boolean {
  const [a, b] = [squeeze(name), squeeze(param)]
  return a === b || a === initials(param) || (Math.min(a.length, b.length) > 4 && isOneEditApart(a, b))
}

const squeeze = (name: string) => name.toLowerCase().replace(/[^a-z\d]/g, '')

/** `user_id` and `userId` → `uid`: the first letters of the words, and the last word whole. */
function initials (name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase().split('_')
  return words.slice(0, -1).map((word) => word.charAt(0)).join('') + String(words.at(-1))
}

/** One letter more, less or other: `usr_id`, `users_id`, `user_ld`. */
function isOneEditApart (a: string, b: string): boolean {
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  const restA = a.slice(start)
  const restB = b.slice(start)
  return restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1)
}
