import type { AccessLevel, RequiredScopes } from '../contract/access.js'
import { isSafe } from '../options/rights.js'
import { defaultSchemeName, type OpenApiSettings } from '../options/settings.js'
import type { Demand } from '../routes/access.js'
import { namesInUrl } from '../routes/bind.js'
import { isLevel } from '../routes/rule.js'
import { dialectOf, isObject, schemesOf } from './dialects.js'
import type { ApiDocument, Components, Operation, Schemes } from './dialects.js'
import { carriesBearer, isOfOAuth, withScopes, withBearer } from './security.js'

/** The place of an operation, with its method in capitals. */
export type Place = readonly [method: string, path: string]

export type Marks = Record<`x-${string}`, unknown>

/** Returns the marks for the schema of a route, which become marks of its operation in each document. */
export function marksOf ({ level, scopes, bound }: Demand, { schemeName }: OpenApiSettings): Marks {
  const names = namesInUrl(bound)
  return {
    'x-user-scope': level,
    // The name distinguishes registrations that share a document.
    ...schemeName !== defaultSchemeName && { 'x-user-scope-scheme': schemeName },
    // A copy, because a `transform` of the host may change it, and the guard uses the original.
    ...scopes && { 'x-user-scope-scopes': structuredClone(scopes) },
    ...names.length > 0 && { 'x-user-scope-bound': names }
  }
}

/** An annotated document, with the operations that have a mark of this registration, and those without any. */
export interface Annotated {
  readonly document: ApiDocument
  readonly marked: readonly Place[]
  readonly unmarked: readonly Place[]
}

/** Annotated operations, with `readOnlyActors`: registrations that share a scheme need not repeat each other's work. */
const finished = new WeakMap<object, boolean>()

/**
 * Returns a copy of the document that says what is guarded. What the host wrote is kept. The given document is not
 * changed, because parts of it are the host's own options.
 * @param heads marks of HEAD operations by their `operationId`
 */
export function annotate (
  original: ApiDocument, settings: OpenApiSettings, heads: ReadonlyMap<unknown, Marks>
): Annotated {
  const { schemeName, description, readOnlyActors } = settings
  const dialect = dialectOf(original)
  const ours = { [schemeName]: dialect.scheme(description) }
  const schemes: Schemes = { ...ours, ...schemesOf(original) }
  const isWithNames = /^3\.[1-9]/.test(String(original.openapi)) // schemes of any type may have names of scopes
  const takesScopes = (name: string) => carriesBearer(schemes[name]) && (isWithNames || isOfOAuth(schemes[name]?.type))
  const headers = { 'WWW-Authenticate': dialect.header }
  const marked: Place[] = []
  const unmarked: Place[] = []
  let isGuarded = false
  let isSchemeNamed = false

  const secure = (operation: Operation, level: AccessLevel, method: string): Operation => {
    const required = withBearer(operation.security ?? original.security ?? [], schemeName, schemes)
    const security = level === 'optional' ? operation.security ?? [{}, ...required] : required
    const { 'x-user-scope-scopes': scopes = null, 'x-user-scope-bound': bound, ...rest } = operation
    const responses = operation.responses ?? {}
    const body = bodyOf(responses, dialect.body)
    const unauthorized = { description: 'No valid token was sent', headers, ...body }
    const reason = forbiddenBecause(operation, readOnlyActors && !isSafe(method))
    const forbidden = { description: reason, ...scopes !== null && { headers }, ...body }
    const added = { 401: unauthorized, ...reason !== '' && { 403: forbidden } }
    // Copies, because YAML writes an alias for a repeated object, and its readers refuse documents with many.
    const secured = {
      ...rest,
      ...bound !== undefined && { 'x-user-scope-bound': structuredClone(bound) },
      ...withScopes(security, scopes as RequiredScopes | null, takesScopes),
      responses: addResponses(responses, mapValues(added, (response) => structuredClone(response)))
    }
    finished.set(secured, readOnlyActors)
    return secured
  }
  const annotateItem = (item: Record<string, unknown>, path: string): object => mapValues(item, (value, field) => {
    // Text and `null` stay as they are, and so do lists and extensions of a path item, which have no mark.
    if (!isObject(value)) return value
    if (field === 'additionalOperations') return annotateItem(value, path)
    const operation: Operation = field === 'head' ? { ...heads.get(value['operationId']), ...value } : value
    const { 'x-user-scope': level, 'x-user-scope-scheme': scheme = defaultSchemeName } = operation
    const method = field.toUpperCase()
    if (!isLevel(level)) {
      unmarked.push([method, path])
      return value
    }
    if (scheme !== schemeName) return value
    marked.push([method, path])
    const inherits = original.security?.length && !operation.security
    if (level === 'public') return inherits ? { ...operation, security: [] } : operation
    const secured: Operation = finished.get(value) === readOnlyActors ? value : secure(operation, level, method)
    isGuarded = true
    isSchemeNamed ||= Boolean(secured.security?.some((requirement) => Object.hasOwn(requirement, schemeName)))
    return secured
  })
  const paths = mapValues(original.paths, (item, path) => isObject(item) ? annotateItem(item, path) : item)
  const components = isGuarded ? dialect.components(original, isSchemeNamed ? ours : {}) : {}
  return { document: { ...original, paths, ...components }, marked, unmarked }
}

/** Says why the guard may answer with 403; empty if it never does. */
function forbiddenBecause (operation: Operation, refusesActors: boolean): string {
  const { 'x-user-scope': level, 'x-user-scope-bound': bound, 'x-user-scope-scopes': scopes = null } = operation
  const reasons = [
    level === 'owner' && "the path is another user's",
    bound !== undefined && "a parameter of the path is not the user's",
    refusesActors && 'the token has an actor, who may only read',
    scopes !== null && 'the token lacks the required scopes'
  ]
  return reasons.filter(Boolean).join(', or ').replace(/./, (first) => first.toUpperCase())
}

/**
 * Returns the body of a refusal. Fastify serializes it by the host's schema for `default`, if the route has one for
 * JSON.
 */
function bodyOf ({ default: written }: Components, ours: object): object {
  if (!isObject(written) || '$ref' in written) return ours
  const { content } = written
  if (isObject(content) && !['application/json', '*/*'].some((type) => type in content)) return ours
  return Object.fromEntries(Object.entries(written).filter(([member]) => Object.hasOwn(ours, member)))
}

/** Adds responses, unless the host wrote one for the status or for 4XX, which says more about this operation. */
const addResponses = (written: Components, ours: Components): Components =>
  Object.hasOwn(written, '4XX') ? written : { ...ours, ...written }

/** Returns the object itself if no value changes. */
function mapValues<T, R> (object: Record<string, T>, map: (value: T, key: string) => R): Record<string, T | R> {
  const entries = Object.entries(object).map(([key, value]) => [key, map(value, key)] as const)
  return entries.every(([key, value]) => value === object[key]) ? object : Object.fromEntries(entries)
}
