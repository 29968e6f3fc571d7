import type { FastifyInstance, FastifySchema } from 'fastify'
import { contentTypeOf } from './request-body.js'
import { NoSampleError, sampleValue } from './sample-value.js'
import { createResolve } from './schema-refs.js'

/** A body that was made up; none where the route asks for none. */
export interface SampleBody {
  readonly body?: unknown
  /** Undefined where the headers have one, or it is plain JSON. */
  readonly contentType?: string
}

/**
 * A body that the schema of a route accepts.
 * @param headers of the request
 * @throws NoSampleError
 */
export function sampleBody ({ method, schema }: { method: string, schema: FastifySchema | undefined }, context: FastifyInstance | undefined, headers: object): SampleBody {
  if (schema?.body === undefined) return method === 'QUERY' ? { body: {} } : {} // one of these has a body in any case (RFC 10008, section 2)
  const { schema: root, type = 'application/json' } = jsonSchemaOf(schema.body)
  const value = sampleValue(root, createResolve(root, context), 'body')
  const stated = contentTypeOf(headers)
  const contentType = stated ?? (isKindOfJson(type) ? type : undefined)
  // Beside a content type it would be sent as it is.
  const body = typeof value === 'string' && isJson(contentType) ? JSON.stringify(value) : value
  return { body, ...stated === undefined && contentType !== undefined && { contentType: String(contentType) } }
}

/** A body may have a schema for each content type; JSON is sent, under another name only where that alone is known. */
function jsonSchemaOf (body: unknown): { schema: unknown, type?: string } {
  const { content } = body as { content?: Record<string, { schema?: unknown }> }
  if (!content) return { schema: body }
  const types = Object.keys(content)
  const type = types.find(isPlainJson) ?? types.find(isKindOfJson) ?? types.find((type) => type === '*/*')
  if (type === undefined) throw new NoSampleError(`body: none is made up for ${types.join(', ')}`)
  return { schema: content[type]?.schema, type }
}

const mediaType = (type: unknown) => String(type).split(';', 1)[0]?.trim().toLowerCase()

const isPlainJson = (type: unknown) => mediaType(type) === 'application/json'

/** RFC 6839 §3.1. */
const isKindOfJson = (type: unknown) => mediaType(type)?.endsWith('+json') === true

const isJson = (type: unknown) => isPlainJson(type) || isKindOfJson(type)
