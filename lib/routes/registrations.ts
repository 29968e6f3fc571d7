import type { FastifyInstance } from 'fastify'
import { AlreadyRegisteredError } from '../contract/errors.js'
import { isWithin, rootOf } from './app-routes.js'
import type { RouteTable } from './table.js'

// By the root of the app, which does not know its child contexts.
const registrations = new WeakMap<object, RouteTable[]>()

export const registrationsOf = (app: FastifyInstance): readonly RouteTable[] => registrations.get(rootOf(app)) ?? []

/**
 * Remembers a registration for the life of its app.
 * @throws AlreadyRegisteredError if one registration encloses another, whichever came first
 */
export function addRegistration (table: RouteTable): void {
  const { context } = table
  const others = registrationsOf(context)
  const overlaps = others.some((other) => isWithin(context, other.context) || isWithin(other.context, context))
  // Another copy of the package has this decorator too.
  const contexts = [context, ...table.declared().map((route) => route.context)]
  if (overlaps || contexts.some((each) => each.hasDecorator('userScope'))) {
    throw new AlreadyRegisteredError('the plugin is already registered in this context, in one around it or in one ' +
      'inside it (or another has the decorator "userScope" there). Register it once, or in sibling contexts, and ' +
      'rename a decorator "userScope" of your own')
  }
  registrations.set(rootOf(context), [...others, table])
}
