import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { statedAccess } from './access.js'
import { readRule } from './rule.js'

/** A route as declared, in any context of the app. */
export interface DeclaredRoute {
  readonly context: FastifyInstance
  /** As `onRoute` received it. The root of a prefix has a twin with a slash, which fires no `onRoute`. */
  readonly url: string
  /** Fastify's copy of the options. `onRoute` hooks of the host may change it until the app is ready. */
  readonly options: RouteOptions
  /** A copy of `config.access` at the declaration. */
  readonly access: unknown
}

// By the root context and not by the server, which several apps may share.
const recorded = new WeakMap<object, DeclaredRoute[]>()

// Fastify documents this channel for packages that must see an app before its first route (Reference, Hooks).
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance }
  recorded.set(fastify, recordRoutes(fastify))
})

/** The fix for routes that are not known. */
export const importFirst = 'import \'fastify-user-scope\' before the app is created'
export const withCli = '(with fastify-cli: at the top of its app file)'

/** Returns a context and those around it, the root last. Each inherits from the next; the root is a plain object. */
export function lineage (context: FastifyInstance): FastifyInstance[] {
  const parent = Object.getPrototypeOf(context) as FastifyInstance
  return Object.getPrototypeOf(parent) === null ? [context] : [context, ...lineage(parent)]
}

export const rootOf = (context: FastifyInstance): object => lineage(context).at(-1) as object

/** Returns every route of an app; undefined if the app was created before this file was loaded. */
export const routesOf = (app: FastifyInstance): readonly DeclaredRoute[] | undefined => recorded.get(rootOf(app))

/** Records the routes that are declared from now on, in this context and those inside it. */
export function recordRoutes (fastify: FastifyInstance): DeclaredRoute[] {
  const routes: DeclaredRoute[] = []
  fastify.addHook('onRoute', function (options) {
    // Copied, because the host may reuse and change its objects before Fastify's copy is judged.
    if (options.config) options.config = copyOf(options.config)
    if (Array.isArray(options.method)) options.method = [...options.method]
    const stated = statedAccess(options.config)
    const access = typeof stated === 'object' ? { ...stated } : stated
    routes.push({ context: this, url: options.url, options, access })
  })
  return routes
}

/** Copies a config, and in it the rule. Anything else may belong to another package and is not copied deeply. */
function copyOf (config: object): object {
  const access = statedAccess(config)
  const isRule = typeof access === 'object' && readRule(access).fault === null
  return isRule ? { ...config, access: structuredClone(access) } : { ...config }
}

/** Whether a context is the given one, or inside it: a child inherits from its parent. */
export const isWithin = (context: object, scope: object): boolean =>
  context === scope || Object.prototype.isPrototypeOf.call(scope, context)
