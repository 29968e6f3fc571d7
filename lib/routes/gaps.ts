import type { FastifyInstance } from 'fastify'
import { isWithin, routesOf } from './app-routes.js'
import { possibleOwner } from './look-alikes.js'
import type { Scope } from './scopes.js'
import { placesOf, type JudgedRoute } from './table.js'
import { parametersOf } from './url.js'

/**
 * Warns, at boot, of what the host probably did not intend: a registration that guards nothing, routes that no registration guards,
 * and parameters that may be the owner's by another name.
 * @param routes of this scope
 * @param scopes all of the app
 */
export function warnOfGaps ({ context: { log }, context }: Scope, routes: readonly JudgedRoute[], scopes: readonly Scope[]): void {
  if (routes.length === 0) {
    log.warn('fastify-user-scope: this registration guards no route. The hooks of a plugin reach its own context only, so the usual ' +
      'cause is a wrapper without fastify-plugin. Fix: export the wrapper as fp(wrapper) (an autohooks.js needs cascadeHooks: true), ' +
      'or register the plugin in the context of the routes')
  }
  const possible = routes.filter(({ options, demand }) => demand.level === 'user' && demand.source === 'default' &&
    possibleOwner(parametersOf(options.url)))
  if (possible.length > 0) {
    log.warn({ routes: possible.map(describe) }, 'fastify-user-scope: any signed-in user can call these routes, although their URLs ' +
      'seem to name an owner. Fix: state config.access, or set the option userIdParam')
  }
  // Each app once, by the registration that came first.
  if (scopes[0]?.context === context) warnOfUnguarded(context, scopes)
}

function warnOfUnguarded (context: FastifyInstance, scopes: readonly Scope[]): void {
  const params = new Set(scopes.map(({ param }) => param))
  const unguarded = (routesOf(context) ?? []).filter((route) => {
    const isStated = Object.hasOwn(route.options.config ?? {}, 'access')
    const hasOwner = parametersOf(route.options.url).some(({ name }) => params.has(name))
    return hasOwner && !isStated && !scopes.some((scope) => isWithin(route.context, scope.context))
  })
  if (unguarded.length === 0) return
  context.log.warn({ routes: unguarded.map(describe) }, 'fastify-user-scope: no registration guards these routes, although their URLs ' +
    'have the owner\'s parameter. Fix: register the plugin in a context around them (a wrapper needs fastify-plugin), ' +
    'or state config.access: \'public\' on them if this is intended')
}

const describe = (route: Pick<JudgedRoute, 'context' | 'url' | 'options'>) =>
  placesOf(route).map(({ method, url }) => `${method} ${url}`).join(', ')
