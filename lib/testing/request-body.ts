import type { HeldRequest } from './held-requests.js'

/** A body as it is sent. */
export interface WireBody {
  /** Undefined where there is none. */
  readonly payload?: string | object
  /** Undefined where the request's own headers say it, or nobody does. */
  readonly contentType?: string
}

/** JSON, unless the request says of what type a text is, or it is bytes or a stream. */
export function wireBody ({ headers = {}, body }: HeldRequest): WireBody {
  if (body === undefined) return {}
  const isTyped = contentTypeOf(headers) !== undefined
  if (isRaw(body) || (typeof body === 'string' && isTyped)) return { payload: body }
  return { payload: JSON.stringify(body), ...!isTyped && { contentType: 'application/json' } }
}

export const contentTypeOf = (headers: object): unknown => Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]

/** What has a form of its own, or is read as it comes. */
function isRaw (body: unknown): body is object {
  return Buffer.isBuffer(body) || body instanceof FormData || typeof (body as { resume?: unknown } | null)?.resume === 'function'
}
