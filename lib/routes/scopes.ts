import type { FastifyInstance } from 'fastify'
import type { RouteTable } from './table.js'

/** One registration of the plugin, for the test kit. */
export interface ScopeRecord {
  /** The context that registered it. */
  readonly context: FastifyInstance
  /** The option `userIdParam`. */
  readonly param: string
  /** The name of its guard in `printRoutes`. */
  readonly guard: string
  readonly table: RouteTable
}

// By the server, which all contexts of an app share: what stands in a child context cannot be found from the root otherwise.
const records = new WeakMap<object, ScopeRecord[]>()

/** For the plugin: remembers a registration as long as its server lives. */
export function recordScope (scope: ScopeRecord): void {
  const { server } = scope.context
  records.set(server, [...scopesOf(server), scope])
}

/** The registrations in all contexts of the app that has this server. */
export const scopesOf = (server: object): readonly ScopeRecord[] => records.get(server) ?? []
