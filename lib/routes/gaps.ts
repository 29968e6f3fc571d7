import type { FastifyInstance } from 'fastify'
import { warnHost } from '../contract/log.js'
import { nearest } from '../options/nearest.js'
import { importFirst, rootOf, routesOf, withCli, type DeclaredRoute } from './app-routes.js'
import { servesOptionsOnly, statedAccess } from './access.js'
import { possibleOwner } from './look-alikes.js'
import { accessLevels, readRule, ruleMembers } from './rule.js'
import { placesOf, type JudgedRoute, type RouteTable } from './table.js'
import { parametersOf, positionOf } from './url.js'

const guardsNothing = 'fastify-user-scope: this registration guards no route that it knows. The hooks of a plugin ' +
  'reach its own context only, so the usual cause is a wrapper without fastify-plugin. Fix: export the wrapper as ' +
  'fp(wrapper) (an autohooks.js needs cascadeHooks: true), or register the plugin in the context of the routes'
const guardsLate = `. If its routes were declared before: ${importFirst}`
const guardsUnknown = 'fastify-user-scope: this app was created before the plugin was loaded, so routes outside of ' +
  `this registration are not known, and nobody warns of them. Fix: ${importFirst} ${withCli}`
const mayNameOwner = 'fastify-user-scope: any signed-in user can call these routes, although their URLs seem to ' +
  'name an owner, or have another parameter where others have one that is compared. Fix: rename the parameter, set ' +
  'the option userIdParam, or state the level in config.access'
const misplaced = 'fastify-user-scope: these routes state their access outside of config.access, where it is without ' +
  'effect. Fix: write config: { access: { level, scopes, … } }'
const undefinedAccess = 'fastify-user-scope: config.access of these routes is undefined, so their URLs decide. ' +
  'Fix: correct the name of the rule, or leave the key out'
const opened = 'fastify-user-scope: an onRoute hook opened these routes, although their URLs have the owner\'s ' +
  'parameter. Fix: put the hook into a context around the routes that it is for, or state the level on the routes'
const unguarded = 'fastify-user-scope: no registration guards these routes, although they state a level, or their ' +
  'URLs have the owner\'s parameter or a bound one. Fix: register the plugin in a context around them (a wrapper ' +
  'needs fastify-plugin, and an autohooks.js cascadeHooks: true), or state config.access: \'public\' on them if this ' +
  'is intended'
const boundInVain = 'fastify-user-scope: option "bind" compares nothing where its parameter has another name than in ' +
  'the URLs. Fix: correct or remove what no route has:'

/**
 * Warns at boot about probable mistakes: a registration that guards no route, routes that no registration guards,
 * parameters that may be the owner by another name, and rules outside of `config.access`.
 * @param routes the routes of this registration
 * @param all all registrations of the app
 */
export function warnOfGaps (table: RouteTable, routes: readonly JudgedRoute[], all: readonly RouteTable[]): void {
  const { context, param } = table
  const warn = (message: string, found: readonly DeclaredRoute[], noteOn?: (route: DeclaredRoute) => string) => {
    if (found.length === 0) return
    warnHost(context.log, message, found.map((route) => namesOf(route) + (noteOn?.(route) ?? '')))
  }
  const outside = routesOf(context)?.filter(isOutside)
  warnOfRegistration(table, routes, outside, all.length > 1)
  warn(mayNameOwner, findMaybeOwned(table, routes, all))
  warn(misplaced, routes.filter(findMisplaced), (route) => ` (${findMisplaced(route)})`)
  warn(undefinedAccess, routes.filter(hasUndefinedAccess))
  warn(opened, routes.filter((route) => isOpened(route) && hasParam(route, [param])))
  // Once per app, by its first registration.
  if (all[0]?.context !== context) return
  const params = all.flatMap(({ param, boundNames }) => [param, ...boundNames])
  const needsGuard = (route: DeclaredRoute) =>
    statesAccess(route) || (!isForPreflights(route) && hasParam(route, params))
  warn(unguarded, (outside ?? []).filter(needsGuard))
}

/**
 * @param outside undefined if the routes of the app are not known
 * @param hasOthers whether the app has other registrations
 */
function warnOfRegistration (
  { context, boundNames }: RouteTable, routes: readonly JudgedRoute[], outside: readonly DeclaredRoute[] | undefined,
  hasOthers: boolean
): void {
  const { log } = context
  // A registration without routes is harmless if no route is left out: @fastify/autoload registers cascading hooks for
  // empty folders too. The route of @fastify/cors, `OPTIONS *`, does not count: it is often in the same wrapper, and so
  // are public routes to sign in. If others guard the rest, or may do so, it may have such routes alone on purpose.
  const mayBeOpen = hasOthers || outside === undefined
  const hasRoutes = routes.some((route) => mayBeOpen ? !isForPreflights(route) : route.demand.level !== 'public')
  const leavesOut = outside === undefined || !outside.every(isForPreflights)
  if (!hasRoutes && leavesOut) warnHost(log, guardsNothing + (outside ? '' : guardsLate))
  else if (outside === undefined && rootOf(context) !== context && isFirstTime(rootOf(context))) {
    warnHost(log, guardsUnknown)
  }
  const isInUrl = (param: string) => routesOf(context)?.some((route) => hasParam(route, [param])) ?? true
  const unused = boundNames.filter((param) => !isInUrl(param))
  if (unused.length > 0) warnHost(log, `${boundInVain} :${unused.join(', :')}`)
}

/** Apps of which it was said that their routes are not known. */
const told = new WeakSet<object>()

function isFirstTime (app: object): boolean {
  const isFirst = !told.has(app)
  told.add(app)
  return isFirst
}

/** Finds routes with a parameter that is not compared, and may be an owner's by its name or place. */
function findMaybeOwned (
  { param, boundNames }: RouteTable, routes: readonly JudgedRoute[], all: readonly RouteTable[]
): JudgedRoute[] {
  const owners = all.map(({ param }) => param)
  const comparedIn = ({ options, demand: { level, bound } }: JudgedRoute) => parametersOf(options.url)
    .filter(({ name }) => name === param ? level === 'owner' : bound.some((each) => each.param === name))
  const positions = new Set(routes.flatMap(comparedIn).map(positionOf))
  return routes.filter(({ options, demand: { level, source } }) => {
    if (source !== 'default' || level === 'public') return false
    const others = parametersOf(options.url).filter(({ name }) => ![param, ...boundNames].includes(name))
    if (others.some((each) => positions.has(positionOf(each)))) return true
    return level === 'user' && (others.some(({ name }) => owners.includes(name)) || possibleOwner(others) !== undefined)
  })
}

/** Whether no registration guards a route. Routes that state `'public'` are left out, because nobody forgot them. */
const isOutside = ({ context, options: { config } }: DeclaredRoute): boolean =>
  // Each registration has its decorator in the contexts that it guards, also that of a second copy of the package.
  typeof (context as Partial<FastifyInstance>).userScope?.routes !== 'function' &&
  readRule(statedAccess(config)).rule.level !== 'public'

const hasParam = ({ options: { url } }: DeclaredRoute, names: readonly string[]) =>
  parametersOf(url).some(({ name }) => names.includes(name))

const isForPreflights = ({ options: { method } }: DeclaredRoute) => servesOptionsOnly(method)

/** False for a value that cannot be a rule of this plugin: it may be another package's. */
function statesAccess ({ options: { config } }: DeclaredRoute): boolean {
  const access = statedAccess(config)
  return access !== undefined && readRule(access).fault === null
}

const hasUndefinedAccess = ({ options: { config } }: DeclaredRoute) =>
  config && Object.hasOwn(config, 'access') && config.access === undefined

/** Whether a hook opened a route with the owner's parameter, and requires no scopes instead. */
function isOpened ({ access, options: { method }, demand: { level, scopes } }: JudgedRoute): boolean {
  const { rule: { level: declared = servesOptionsOnly(method) ? 'public' : 'owner' } } = readRule(access)
  return accessLevels.indexOf(level) > accessLevels.indexOf(declared) && scopes === null
}

const withAccess = ['access', ...ruleMembers]

/**
 * Finds a rule or one of its members outside of `config.access`: beside the config, or in it by another name. A member
 * that is also in `config.access` is ignored, because a hook of the host may have copied it.
 */
function findMisplaced ({ options }: DeclaredRoute): string | undefined {
  const { config } = options
  const access = statedAccess(config)
  // If the level is stated, another "level" is the host's own.
  const members = typeof access === 'string' ? ruleMembers.filter((name) => name !== 'level') : ruleMembers
  const inRule = Object(access) as object
  const isStray = (place: object) => (name: string) => Object.hasOwn(place, name) && !Object.hasOwn(inRule, name)
  const beside = (access === undefined ? withAccess : members).find(isStray(options))
  if (beside !== undefined || !config) return beside
  const isAlike = (name: string) => access === undefined && name !== 'access' && nearest(name, ['access'])
  const inside = members.find(isStray(config)) ?? Object.keys(config).find(isAlike)
  return inside && `config.${inside}`
}

const namesOf = (route: DeclaredRoute) =>
  placesOf(route).map(({ method, url }) => `${method} ${url}`).join(', ')
