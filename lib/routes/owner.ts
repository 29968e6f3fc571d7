import type { FastifyRequest } from 'fastify'

/**
 * The comparison that the plugin exists for: the decoded path parameter and the user's id, string to string, without
 * coercion, trimming, case folding or Unicode normalization. A missing or empty parameter never matches.
 */
export function isSame (param: unknown, id: string): boolean {
  return typeof param === 'string' && param !== '' && param === id
}

/** The same after schema validation, which may have converted the parameter to a number. */
export function isStillSame (param: unknown, id: string): boolean {
  return isSame(typeof param === 'number' || typeof param === 'bigint' ? String(param) : param, id)
}

/** Reads the current path parameter. A hook of the host may have replaced or removed all of them. */
export function readParam ({ params }: FastifyRequest, name: string): unknown {
  return (params as Record<string, unknown> | null)?.[name]
}
