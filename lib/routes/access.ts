import type { AccessLevel } from '../contract/types.js'
import { misspeltOwner } from './look-alikes.js'
import { parametersOf } from './url.js'

/**
 * What decides about the access to a route. Boot and run time get these facts from different places and judge them
 * alike.
 */
export interface RouteFacts {
  /** As declared, prefix included. Undefined: no route, so a 404. */
  readonly url: string | undefined
  readonly method: string | readonly string[]
  /** The route's `config`, as the host wrote it. */
  readonly config?: object | undefined
}

/** What a route demands of a request. */
export interface Demand {
  readonly level: AccessLevel
  /** Whether the host stated the level, or it follows from the URL. */
  readonly source: 'stated' | 'default'
  /**
   * Why the route's level is probably not what its author intended, and the fix; null where nothing is wrong. Stops the
   * boot.
   */
  readonly fault: string | null
}

const accessLevels: readonly AccessLevel[] = ['owner', 'user', 'optional', 'public']

/**
 * The one rule for every route. What is unknown is guarded: an invalid statement counts as none.
 * @param param the path parameter that holds the owner's id
 * @param requireStatedAccess the option of this name
 */
export function judgeRoute ({ url, method, config }: RouteFacts, param: string, requireStatedAccess = false): Demand {
  // A 404 handler is public: an unknown URL is answered 404 to everybody.
  if (url === undefined) return { level: 'public', source: 'default', fault: null }
  const stated = statedAccess(config)
  const parameters = parametersOf(url)
  const occurrences = parameters.filter(({ name }) => name === param).length
  const fault = faultOf()
  if (isLevel(stated)) return { level: stated, source: 'stated', fault }
  if (servesOptionsOnly(method)) return { level: 'public', source: 'default', fault }
  return { level: occurrences > 0 ? 'owner' : 'user', source: 'default', fault }

  function faultOf (): string | null {
    if (stated !== undefined && !isLevel(stated)) {
      return `config.access is ${describe(stated)}. Use one of: ${accessLevels.join(', ')}`
    }
    if (occurrences > 1) {
      return `the URL has the parameter ":${param}" twice, and the router keeps the last only. ` +
        "Rename all but the owner's"
    }
    if (stated === 'owner' && occurrences === 0) {
      return `config.access is 'owner', but the URL has no parameter ":${param}". Add it, or use 'user'`
    }
    if (stated !== undefined) return null
    const misspelt = occurrences === 0 ? misspeltOwner(parameters, param) : undefined
    if (misspelt === undefined) return requireStatedAccess ? unstatedFault() : null
    return `":${misspelt}" looks like the owner's parameter ":${param}", but is not: ` +
      `any signed-in user could call it. Rename it to ":${param}" (or set the option userIdParam), ` +
      'or state config.access'
  }

  function unstatedFault (): string | null {
    const other = parameters.find(({ name }) => name !== param)?.name
    if (other === undefined) return null
    return `":${other}" is compared with nothing, and option requireStatedAccess is set. State config.access`
  }
}

/** Only what the host wrote into the config itself: something on Object.prototype must not open every route. */
const statedAccess = (config: object | undefined): unknown =>
  config && Object.hasOwn(config, 'access') ? (config as { access?: unknown }).access : undefined

const isLevel = (value: unknown): value is AccessLevel => accessLevels.includes(value as AccessLevel)

const describe = (value: unknown) => typeof value === 'string' ? `'${value}'` : `of type ${typeof value}`

/**
 * `@fastify/cors` answers preflights by such a route; a browser sends no token with them (Fetch standard,
 * CORS-preflight fetch).
 */
const servesOptionsOnly = (method: string | readonly string[]) =>
  [method].flat().every((name) => name.toUpperCase() === 'OPTIONS')
