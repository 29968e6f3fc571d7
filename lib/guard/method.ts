import type { FastifyRequest } from 'fastify'
import { isSafe } from '../options/rights.js'

/**
 * The method of a request as one of its route's. Middleware may have written another into `request.method`, as a header
 * of the client told it: where the route does not serve that one, it stands for one that changes something.
 */
export function methodOf ({ method, routeOptions }: FastifyRequest): string {
  const methods: string[] = [routeOptions.method].flat()
  return methods.includes(method) ? method : String(methods.find((each) => !isSafe(each)) ?? methods[0])
}
