import type { FastifyInstance } from 'fastify'
import type { Resolve } from './sample-value.js'

interface Definitions { $defs?: Record<string, { $id?: string }>, definitions?: Record<string, { $id?: string }> }

/**
 * What the references of a schema name: parts of its own, and the schemas that the server shares, by their ids.
 * @param root the schema
 */
export function createResolve (root: unknown, context: Pick<FastifyInstance, 'getSchemas'> | undefined): Resolve {
  // The same object each time: a schema that comes back inside itself is told by it.
  const shared = new Map<string, unknown>()
  const byId = (id: string): unknown => {
    const { $defs, definitions } = (root ?? {}) as Definitions
    const own = Object.values({ ...$defs, ...definitions }).find(({ $id }) => $id === id)
    if (own) return own
    if (!shared.has(id)) shared.set(id, withId(context?.getSchemas()[id], id))
    return shared.get(id)
  }
  return (ref) => {
    const [id = '', pointer = ''] = ref.split('#')
    return partOf(id === '' ? root : byId(id), pointer)
  }
}

/** References of a shared schema to its own parts go by its id, as they are read beside those of others. */
function withId (schema: unknown, id: string): unknown {
  const absolute = (key: string, value: unknown) => key === '$ref' && typeof value === 'string' && value.startsWith('#') ? id + value : value
  return schema && JSON.parse(JSON.stringify(schema, absolute))
}

/** By a JSON pointer in a URL (RFC 6901 §6). */
function partOf (schema: unknown, pointer: string): unknown {
  const [start, ...keys] = decodeURIComponent(pointer).split('/')
  if (start !== '') return undefined
  return keys.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], schema)
}
