import type { FastifyRequest } from 'fastify'

/**
 * The one comparison that the plugin exists for: the decoded path parameter and the user's id, string to string,
 * without coercion, trimming, case folding or Unicode normalisation. A parameter that was left out or is empty never
 * matches.
 */
export function isSame (param: unknown, id: string): boolean {
  return typeof param === 'string' && param !== '' && param === id
}

/** The same after schema validation, which may have made a number of the string that was compared. */
export function isStillSame (param: unknown, id: string): boolean {
  return isSame(typeof param === 'number' || typeof param === 'bigint' ? String(param) : param, id)
}

/** The path parameter as it is now: a hook of the host may have replaced all of them, or removed them. */
export function readParam ({ params }: FastifyRequest, name: string): unknown {
  return (params as Record<string, unknown> | null)?.[name]
}
