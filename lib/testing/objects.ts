import { inspect } from 'node:util'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { parametersOf } from '../routes/url.js'
import type { AnyApp, AppRoute } from './app-routes.js'
import { broken, limited, notes, ofIssuer } from './findings.js'
import { answerText, injectWithin } from './held-requests.js'
import type { Ids, MadeIds, ObjectId } from './ids.js'
import { hasBody, partsFor, pathFor, requestTo, type RequestParams, type WholeParts } from './route-requests.js'

/** Creates a record for the owner and returns its id; undefined is refused. */
export type ObjectMaker = (context: {
  /** `app.inject` with the owner's token. */
  inject: Owner['inject']
  /** The owner's id, as in the path. */
  owner: string
  /** The ids of the owner's records that were created before, in the order of `objects`: a task may need its list. */
  ids: MadeIds
}) => ObjectId | undefined | Promise<ObjectId | undefined>

/** The functions, by the names of their ids in paths, queries and bodies. */
export type ObjectMakers = Record<string, ObjectMaker>

const withoutBody = 'inject() has lost the body of the answer, as it does with @fastify/express and app.use(). Fix: ' +
  'build the app without it for this test'

const described = (id: unknown): string => {
  if (Array.isArray(id)) return 'a list, where one id is enough: where the app takes a list, it is put into one'
  return id instanceof Object ? 'an object' : inspect(id)
}

/** A user, and the objects that were created for them. */
export class Owner {
  ids: MadeIds = {}
  /** The ids of other objects that were created. */
  others: readonly MadeIds[] = []
  /** All ids that were made, as text. */
  readonly made = new Set<string>()

  constructor (readonly app: AnyApp, readonly id: string, readonly token: string, readonly makers: ObjectMakers) {}

  #last = 'it awaited no request'
  /** What may have ended the session: the last write that was not refused. */
  #lastWrite = ''

  readonly inject = async (request: InjectOptions | string): Promise<LightMyRequestResponse> => {
    const options = typeof request === 'string' ? { url: request } : request
    const headers = { ...options.headers, authorization: `Bearer ${this.token}` }
    const fail = (says: string) => {
      throw new TypeError(`${options.method ?? 'GET'} ${String(options.url)}: ${says}`)
    }
    const response = await injectWithin(this.app, { ...options, headers }).catch(({ message }: Error) =>
      fail(`${message}. Fix: allow the route where it never ends, as an event stream`))
    const { body, raw: { req: { method = '', url } }, headers: { 'content-length': length = 0 }, statusCode } = response
    if (body === '' && Number(length) > 0 && method !== 'HEAD' && statusCode !== 304) fail(withoutBody)
    if (statusCode === 429) fail(`${limited}, or allow the route`)
    if (statusCode < 400 && hasBody(method)) this.#lastWrite = `${method} ${url}`
    const refusal = this.#lastWrite ? `does ${this.#lastWrite} end the session? Fix: allow its route` : ofIssuer
    const cause = new Map([[401, refusal], [500, broken]]).get(statusCode)
    this.#last = `its last request was answered ${answerText(response)}${cause ? `: ${cause}` : ''}`
    return response
  }

  /** @throws TypeError if a maker fails, or returns no id */
  async make (): Promise<void> {
    this.ids = {}
    for (const [name, maker] of Object.entries(this.makers)) {
      const made = async (): Promise<unknown> => maker({ inject: this.inject, owner: this.id, ids: this.ids })
      const id = await made().catch((cause: unknown) => {
        throw new TypeError(`objects.${name} failed for "${this.id}": ${String(cause)} (${this.#last})`, { cause })
      })
      if (id === '' || Number.isNaN(id) || (typeof id !== 'string' && typeof id !== 'number')) {
        throw new TypeError(`objects.${name} must return the id of what it made for "${this.id}", ` +
          `and returned ${described(id)} (${this.#last})`)
      }
      this.ids = { ...this.ids, [name]: id }
      this.made.add(String(id))
    }
  }
}

/** How to send ids of objects to a route. */
export type Plan = Readonly<ReturnType<typeof planWith>>

/** A JSON Schema, or one of zod, which wraps what is optional, nullable or has a default. */
interface Member { type?: unknown, def?: { innerType?: Member } }
type Schemas = Record<string, Partial<Record<'properties' | 'shape', Record<string, Member>>> | undefined>

const isArray = ({ type, def: { innerType } = {} }: Member): boolean =>
  innerType ? isArray(innerType) : [type].flat().includes('array')

/** `short` is without the ids that only the schema has, because a route may ignore a filter without its id. */
export type FullPlan = Plan & { readonly short?: Plan }

/** Whether a route is about the user who calls it. */
export const isMine = ({ url }: AppRoute): boolean => /\/me(\/|$)/.test(url)

/**
 * A path parameter, or a member of query or body, is an id if it has the name of a maker.
 * @param isList whether it is known that the route shows a list without an id
 */
export function planFor (route: AppRoute, params: RequestParams, objects: ObjectMakers, isList = false): FullPlan {
  const isMade = (name: string) => Object.hasOwn(objects, name)
  // The body of "*" is not for routes without one. No request of theirs would have its ids.
  const { body: _body, ...all } = params['*'] ?? {}
  const given = partsFor(route, hasBody(route.method) ? params : { ...params, '*': all })
  const { body, querystring, query = querystring } = (route.options.schema ?? {}) as Schemas
  const inSchema = (schema: Schemas[string]) => {
    const members = Object.entries(schema?.properties ?? schema?.shape ?? {}).filter(([name]) => isMade(name))
    return Object.fromEntries(members.map(([name, member]) => [name, isArray(member) ? [] : '']))
  }
  const inUrl = [...parametersOf(route.url).map(({ name }) => name), ...route.url.endsWith('*') ? ['*'] : []]
    .filter((name) => name !== route.parameter?.name)
  const fields = hasBody(route.method) && typeof given.body !== 'string' ? inSchema(body) : {}
  const made = Object.fromEntries(inUrl.filter(isMade).map((name) => [name, '']))
  const path = Object.fromEntries(Object.entries({ ...given.path, ...made }).filter(([name]) => inUrl.includes(name)))
  const bodyWith = (more: object) =>
    Object.keys(fields).length === 0 ? given.body : { ...more, ...Object(given.body) as object }
  const own = { ...given, path, body: bodyWith({}) }
  const whole = { ...own, query: { ...inSchema(query), ...given.query }, body: bodyWith(fields) }
  const plan = planWith(route, whole, inUrl, isMade)
  const short = planWith(route, own, inUrl, isMade)
  // Not a write on a route of `me`: without its ids, it may end her session.
  const isReadOfHers = route.method === 'GET' && (isMine(route) || isList)
  const mayGoWithout = route.parameter !== null || short.kinds.length > 0 || isReadOfHers
  return mayGoWithout && short.places.length < plan.places.length ? { ...plan, short } : plan
}

function planWith (route: AppRoute, parts: WholeParts, inUrl: string[], isMade: (name: string) => boolean) {
  /** The places of ids in `parts`. */
  const places: Array<{ name: string, part: 'path' | 'query' | 'body', isList: boolean, isInList: boolean }> = []
  const inLists = new Map<unknown, boolean>()
  for (const part of ['path', 'query', 'body'] as const) {
    JSON.stringify(parts[part], function (this: unknown, name, value: unknown) {
      const isInList = Array.isArray(this) || inLists.get(this) === true
      inLists.set(value, isInList)
      if (isMade(name)) places.push({ name, part, isList: Array.isArray(value), isInList })
      return value
    })
  }
  /** The names of these ids. */
  const kinds = [...new Set(places.map(({ name }) => name))]
  /** Path parameters without a maker and without a given value. */
  const unknown = inUrl.filter((name) => parts.path[name] === undefined)
  return { route, parts, places, kinds, unknown, isRead: ['GET', 'HEAD'].includes(route.method) }
}

/**
 * How to fix a route that lets others reach an object.
 * @param holder the name of an id that is not an object's: it is the owner, or their tenant
 */
export function repairOf ({ route: { access, parameter, bound: [tenant] }, kinds }: Plan, holder?: string): string {
  if (holder !== undefined) return `Fix: compare "${holder}" with the token, or take it from there`
  const columns = tenant && !parameter ? [`.where('${tenant.param}', '=', request.params.${tenant.param})`] : []
  // A tenant that is given is that of both.
  const isTold = tenant && !parameter && kinds.includes(tenant.param)
  // `getOwnerId` throws on a route for all users, whatever its URL has.
  const id = access === 'user' ? 'request.user.id' : 'getOwnerId(request)'
  if (!isTold) columns.push(`.where('user_id', '=', ${id})`)
  return `Fix: look for the object by its owner, too, as in ${columns.join('')}`
}

/** A route that reads without an owner in its URL may be for all. */
export const orSeen = ({ isRead, route }: Plan): string => isRead && route.parameter === null ? notes.seen : ''

/**
 * Sends a request to a route as a user.
 * @param others ids instead of the user's own, by name
 * @param only the part in which they stand. Default: all
 */
export async function ask ({ route, parts, places }: Plan, who: Owner, others: Ids = {}, only?: string) {
  const filled = { ...parts }
  // A body without places may not be JSON.
  for (const { part } of places) {
    const ids: Ids = { ...who.ids, ...only === undefined || only === part ? others : {} }
    filled[part] = JSON.parse(JSON.stringify(filled[part]), (name, value: unknown) => {
      if (!Object.hasOwn(ids, name)) return value
      return Array.isArray(value) ? [ids[name]].flat() : ids[name]
    })
  }
  return await who.inject(requestTo(route.method, pathFor(route, encodeURIComponent(who.id), filled), filled))
}
