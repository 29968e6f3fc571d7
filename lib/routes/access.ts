import type { AccessLevel } from '../contract/access.js'
import { misspeltBound, misspeltOwner } from './look-alikes.js'
import { conditionsOf, faultOfRule, noConditions, readRule, type Conditions, type Rights } from './rule.js'
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
export interface Demand extends Conditions {
  readonly level: AccessLevel
  /** Whether the host stated the level, or it follows from the URL. */
  readonly source: 'stated' | 'default'
  /**
   * Why the route's level or rule is probably not what its author intended, and the fix; null where nothing is wrong.
   * Stops the boot, and no request is let in.
   */
  readonly fault: string | null
}

const noRights: Rights = { bind: [], mayActFor: undefined }

/**
 * The one rule for every route. Of an invalid `config.access` the fault is told, and the URL's default level holds.
 * @param param the path parameter that holds the owner's id
 * @param requireStatedAccess the option of this name
 */
export function judgeRoute (
  { url, method, config }: RouteFacts, param: string, requireStatedAccess = false, rights = noRights
): Demand {
  // A 404 handler is public: an unknown URL is answered 404 to everybody.
  if (url === undefined) return { level: 'public', source: 'default', fault: null, ...noConditions }
  const { rule, fault: unreadable } = readRule(statedAccess(config))
  const parameters = parametersOf(url)
  const names = parameters.map(({ name }) => name)
  const compared = [param, ...rights.bind.map((each) => each.param)]
  const byParameter = names.includes(param) ? 'owner' : 'user'
  const level = rule.level ?? (servesOptionsOnly(method) ? 'public' : byParameter)
  const source = rule.level === undefined ? 'default' : 'stated'
  const fault = unreadable ?? faultOfUrl() ?? faultOfRule(rule, level, parameters, rights) ?? faultOfDefault()
  return { level, source, fault, ...fault === null ? conditionsOf(rule, level, parameters, rights) : noConditions }

  function faultOfUrl (): string | null {
    const twice = compared.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
    if (twice !== undefined) {
      return `the URL has the parameter ":${twice}" twice, and the router keeps the last only. ` +
        'Rename all but the one that is compared'
    }
    if (rule.level !== 'owner' || names.includes(param)) return null
    return `config.access is 'owner', but the URL has no parameter ":${param}". Add it, or use 'user'`
  }

  /** Of a level that nobody stated. */
  function faultOfDefault (): string | null {
    if (rule.level !== undefined || level === 'public') return null
    const others = parameters.filter(({ name }) => !compared.includes(name))
    const misspelt = names.includes(param) ? undefined : misspeltOwner(others, param)
    if (misspelt !== undefined) {
      // Of ":user_id::verb", the router takes all for one name.
      const read = misspelt === param ? others.find(({ words }) => words.includes(misspelt))?.name : misspelt
      return `":${read}" looks like the owner's parameter ":${param}", but is not: any signed-in user could ` +
        `call it. Rename it to ":${param}" (or set the option userIdParam), or state config.access`
    }
    for (const { param: name } of rights.bind) {
      const alike = names.includes(name) ? undefined : misspeltBound(others, name)
      if (alike !== undefined) {
        return `":${alike}" looks like ":${name}" of option "bind", but is not: it is compared with nothing. ` +
          `Rename it to ":${name}", or state the level in config.access`
      }
    }
    const [uncompared = rule.unbound?.[0]] = others.map(({ name }) => name)
    if (!requireStatedAccess || uncompared === undefined) return null
    return `":${uncompared}" is compared with nothing, and option requireStatedAccess is set. ` +
      'State the level in config.access'
  }
}

/**
 * Whether only the owner is let in. Also where the URL as judged does not show the parameter: an `onRoute` hook of the
 * host may change the URL that the router gets and not the one in the config, and another hook may add parameters.
 * @param param the owner's path parameter, as the router found it
 */
export const isOwners = ({ level, source }: Demand, param: unknown): boolean =>
  level === 'owner' || (level === 'user' && source === 'default' && param !== undefined)

/** Only what the host wrote into the config itself: something on Object.prototype must not open every route. */
export const statedAccess = (config: object | undefined): unknown =>
  config && Object.hasOwn(config, 'access') ? (config as { access?: unknown }).access : undefined

/**
 * `@fastify/cors` answers preflights by such a route; a browser sends no token with them (Fetch standard,
 * CORS-preflight fetch).
 */
export const servesOptionsOnly = (method: string | readonly string[]) =>
  method.length > 0 && [method].flat().every((name) => name.toUpperCase() === 'OPTIONS')
