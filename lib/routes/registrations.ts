import type { FastifyInstance } from 'fastify'
import { AlreadyRegisteredError } from '../contract/errors.js'
import { isWithin, rootOf } from './app-routes.js'
import type { RouteTable } from './table.js'

// By the root of the app: what is in a child context cannot be found from there otherwise.
const registrations = new WeakMap<object, RouteTable[]>()

/** The registrations in all contexts of an app, each by its table. */
export const registrationsOf = (app: FastifyInstance): readonly RouteTable[] => registrations.get(rootOf(app)) ?? []

/**
 * Remembers a registration as long as its app lives.
 * @throws AlreadyRegisteredError where one encloses the other, whichever came first
 */
export function addRegistration (table: RouteTable): void {
  const { context } = table
  const others = registrationsOf(context)
  const overlaps = others.some((other) => isWithin(context, other.context) || isWithin(other.context, context))
  // The decorator is also that of another copy of the package.
  if (overlaps || context.hasDecorator('userScope')) {
    throw new AlreadyRegisteredError('the plugin is already registered in this context, in one around it or in one ' +
      'inside it (or another has the decorator "userScope" there). Register it once, or in sibling contexts')
  }
  registrations.set(rootOf(context), [...others, table])
}
