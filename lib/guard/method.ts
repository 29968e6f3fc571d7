import type { FastifyRequest } from 'fastify'
import { isSafe } from '../options/rights.js'

/**
 * Returns the method of a request. Middleware may have overwritten `request.method` with a header of the client, such
 * as `X-HTTP-Method-Override`. If the route does not serve that method, one of the route's is returned, preferably one
 * that changes something.
 */
export function methodOf ({ method, routeOptions }: FastifyRequest): string {
  const methods: string[] = [routeOptions.method].flat()
  return methods.includes(method) ? method : String(methods.find((each) => !isSafe(each)) ?? methods[0])
}
