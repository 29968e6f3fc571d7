import type { LightMyRequestResponse } from 'fastify'
import { parametersOf } from '../routes/url.js'
import type { AppRoute } from './app-routes.js'
import type { ObjectMakers, Owner } from './objects.js'
import { hasBody, partsFor, pathFor, requestTo, type RequestParams, type WholeParts } from './route-requests.js'

/** How to ask a route for objects. */
export interface Plan {
  readonly route: AppRoute
  readonly parts: WholeParts
  /** Where the ids of objects stand in `parts`. */
  readonly places: ReadonlyArray<{ name: string, part: 'path' | 'query' | 'body', isList: boolean }>
  /** Path parameters that nobody makes. */
  readonly unknown: readonly string[]
}

type Members = Record<string, { type?: unknown }>
/** Of JSON Schema, or of an object of zod. */
type Schemas = Record<string, { properties?: Members, shape?: Members } | undefined>

/** An id stands wherever a path parameter, or a member of query or body, has the name of a kind of objects. */
export function planFor (route: AppRoute, params: RequestParams, objects: ObjectMakers): Plan {
  const isMade = (name: string) => Object.hasOwn(objects, name)
  const given = partsFor(route, params)
  const { body, querystring, query = querystring } = (route.options.schema ?? {}) as Schemas
  const inSchema = (schema: Schemas[string]) => {
    const members = Object.entries(schema?.properties ?? schema?.shape ?? {}).filter(([name]) => isMade(name))
    return Object.fromEntries(members.map(([name, { type }]) => [name, [type].flat().includes('array') ? [] : '']))
  }
  const inUrl = [...parametersOf(route.url).map(({ name }) => name), ...route.url.endsWith('*') ? ['*'] : []]
    .filter((name) => name !== route.parameter?.name)
  const fields = hasBody(route.method) ? inSchema(body) : {}
  const isForm = typeof given.body === 'string'
  const parts = {
    ...given,
    path: { ...given.path, ...Object.fromEntries(inUrl.filter(isMade).map((name) => [name, ''])) },
    query: { ...inSchema(query), ...given.query },
    body: isForm || Object.keys(fields).length === 0 ? given.body : { ...fields, ...Object(given.body) as object }
  }
  const places: Array<Plan['places'][number]> = []
  for (const part of ['path', 'query', 'body'] as const) {
    JSON.stringify(parts[part], (name, value: unknown) => {
      if (isMade(name)) places.push({ name, part, isList: Array.isArray(value) })
      return value
    })
  }
  return { route, parts, places, unknown: inUrl.filter((name) => parts.path[name] === undefined) }
}

export const isRead = ({ method }: Pick<AppRoute, 'method'>) => ['GET', 'HEAD'].includes(method)

/**
 * Asks a route as somebody, with these ids in their places.
 * @param ids by name, or by part and name as in `'body.task_id'`, which goes before
 */
export async function ask (
  { route, parts, places }: Plan, who: Owner, ids: Readonly<Record<string, unknown>>
): Promise<LightMyRequestResponse> {
  const filled = { ...parts }
  // A body without places may be no JSON.
  for (const { part } of places) {
    filled[part] = JSON.parse(JSON.stringify(filled[part]), (name, value: unknown) => {
      const key = [`${part}.${name}`, name].find((each) => Object.hasOwn(ids, each))
      if (key === undefined) return value
      return Array.isArray(value) ? [ids[key]].flat() : ids[key]
    })
  }
  return await who.inject(requestTo(route.method, pathFor(route, encodeURIComponent(who.id), filled), filled))
}
