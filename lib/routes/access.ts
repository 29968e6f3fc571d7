import type { AccessLevel } from '../contract/access.js'
import type { Settings } from '../options/settings.js'
import { misspeltBound, misspeltOwner } from './look-alikes.js'
import { conditionsOf, faultOfRule, noConditions, readRule, type Conditions, type RuleSettings } from './rule.js'
import { parametersOf } from './url.js'

/**
 * The facts that decide who may call a route. At boot they come from `onRoute`, at run time from
 * `request.routeOptions.config`.
 */
export interface RouteFacts {
  /** As declared, prefix included. Undefined for a 404. */
  readonly url: string | undefined
  readonly method: string | readonly string[]
  /** The `config` of the route, as the host wrote it. */
  readonly config?: object | undefined
}

export interface Demand extends Conditions {
  readonly level: AccessLevel
  /** `'stated'` in `config.access`; else from the URL, or from the method if the route only serves OPTIONS. */
  readonly source: 'stated' | 'default'
  /**
   * Why the level or rule is probably not what its author intended, and the fix; null if nothing is wrong. A fault
   * stops the boot; of a route that was not known at boot, it refuses every request.
   */
  readonly fault: string | null
}

export type RouteSettings = RuleSettings & Pick<Settings, 'userIdParam' | 'requireStatedAccess'>

/**
 * Decides the level of a route from its declaration. For an invalid `config.access` the result has the fault and the
 * default level. `RouteTable.demandOf` (table.ts) may be stricter with a request.
 */
export function judgeRoute ({ url, method, config }: RouteFacts, settings: RouteSettings): Demand {
  // A 404 handler is public: everybody may learn that a URL is unknown.
  if (url === undefined) return { level: 'public', source: 'default', fault: null, ...noConditions }
  const { rule, fault: unreadable } = readRule(statedAccess(config))
  const { userIdParam: param, requireStatedAccess, bind } = settings
  const parameters = parametersOf(url)
  const names = parameters.map(({ name }) => name)
  const compared = [param, ...bind.map((each) => each.param)]
  const literal = compared.find((name) => url.includes(`{${name}}`))
  const byParameter = names.includes(param) ? 'owner' : 'user'
  const level = rule.level ?? (servesOptionsOnly(method) ? 'public' : byParameter)
  const source = rule.level === undefined ? 'default' : 'stated'
  const fault = unreadable ?? faultOfUrl() ?? faultOfDefault() ?? faultOfRule(rule, level, names, settings)
  return { level, source, fault, ...fault === null ? conditionsOf(rule, level, names, settings) : noConditions }

  function faultOfUrl (): string | null {
    const twice = compared.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
    if (twice !== undefined) {
      return `the URL has the parameter ":${twice}" twice, and the router keeps the last only. ` +
        'Rename all but the one that is compared'
    }
    if (rule.level !== 'owner' || names.includes(param)) return null
    return `config.access is 'owner', but the URL has no parameter ":${param}". Add it, or rename the one with the ` +
      "owner's id (or set the option userIdParam). Level 'user' would admit any signed-in user"
  }

  /** Finds a fault that only matters if no level is stated. */
  function faultOfDefault (): string | null {
    if (rule.level !== undefined || level === 'public') return null
    if (literal !== undefined) {
      return `"{${literal}}" is plain text for the router. Write ":${literal}", or state the level in config.access`
    }
    const others = parameters.filter(({ name }) => !compared.includes(name))
    const misspelt = names.includes(param) ? undefined : misspeltOwner(others, param)
    if (misspelt !== undefined) {
      // The message has the name as the router reads it: all of `:user_id::verb`, in which a person reads `user_id`.
      const read = misspelt === param ? others.find(({ words }) => words.includes(misspelt))?.name : misspelt
      return `":${read}" looks like the owner's parameter ":${param}", but is not: any signed-in user could ` +
        `call it. Rename it to ":${param}" (or set the option userIdParam), or state the level in config.access`
    }
    for (const { param: name } of bind) {
      const alike = names.includes(name) ? undefined : misspeltBound(others, name)
      if (alike !== undefined) {
        return `":${alike}" looks like ":${name}" of option "bind", but is not: it is compared with nothing. ` +
          `Rename it to ":${name}" (or correct the option), or state the level in config.access`
      }
    }
    const uncompared = others[0]?.name ?? rule.unbound?.find((name) => names.includes(name))
    if (!requireStatedAccess || uncompared === undefined) return null
    return `":${uncompared}" is compared with nothing, and option requireStatedAccess is set. ` +
      `State the level in config.access, such as '${level}', which is its default (for a route of another plugin, in ` +
      'an onRoute hook around it)'
  }
}

/**
 * Whether the owner's parameter is compared. Also true if the router found one that the judged URL lacks: an `onRoute`
 * hook of the host may change the URL for the router, while the `url` of the config stays as it was.
 * @param param the owner's path parameter, as the router found it
 */
export const comparesOwner = ({ level, source }: Demand, param: unknown): boolean =>
  level === 'owner' || (level === 'user' && source === 'default' && param !== undefined)

/** Reads own properties only: a member of Object.prototype must not open every route. */
export const statedAccess = (config: object | undefined): unknown =>
  config && Object.hasOwn(config, 'access') ? (config as { access?: unknown }).access : undefined

/** `@fastify/cors` answers preflights with such a route. Browsers send no token with them (Fetch standard). */
export const servesOptionsOnly = (method: string | readonly string[]): boolean =>
  typeof method === 'string' ? method.toUpperCase() === 'OPTIONS' : method.length > 0 && method.every(servesOptionsOnly)
