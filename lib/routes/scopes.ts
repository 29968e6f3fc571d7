import type { FastifyInstance } from 'fastify'
import { AlreadyRegisteredError } from '../contract/errors.js'
import { isWithin } from './app-routes.js'
import type { RouteTable } from './table.js'

/** One registration of the plugin. */
export interface Scope {
  /** The context that registered it: it and those inside it are guarded. */
  readonly context: FastifyInstance
  /** The option `userIdParam`. */
  readonly param: string
  /** Those of option `bind`. */
  readonly bound: readonly string[]
  readonly table: RouteTable
}

// By the server, which all contexts of an app share: what is in a child context cannot be found from the root
// otherwise.
const scopes = new WeakMap<object, Scope[]>()

/** The registrations in all contexts of an app. */
export const scopesOf = (app: FastifyInstance): readonly Scope[] => scopes.get(app.server) ?? []

/**
 * Remembers a registration as long as its server lives.
 * @throws AlreadyRegisteredError where one encloses the other, whichever came first
 */
export function addScope (scope: Scope): void {
  const others = scopesOf(scope.context)
  const overlaps = others.some(({ context }) => isWithin(scope.context, context) || isWithin(context, scope.context))
  // The decorator is also that of another copy of the package.
  if (overlaps || scope.context.hasDecorator('userScope')) {
    throw new AlreadyRegisteredError('the plugin is already registered in this context, in one around it or in one ' +
      'inside it. Register it once, or in sibling contexts')
  }
  scopes.set(scope.context.server, [...others, scope])
}
