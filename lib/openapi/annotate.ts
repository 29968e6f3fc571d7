import { Type } from '@sinclair/typebox'
import type { AccessLevel, RequiredScopes } from '../contract/access.js'
import { isSafe } from '../options/rights.js'
import { defaultSchemeName, type OpenApiSettings } from '../options/settings.js'
import type { Demand } from '../routes/access.js'
import { namesInUrl } from '../routes/bind.js'
import { isLevel } from '../routes/rule.js'
import { requireScopes } from './required-scopes.js'

/** The parts of an OpenAPI 3 or Swagger 2 document that this plugin reads or writes. */
export interface ApiDocument {
  openapi?: string
  swagger?: string
  security?: SecurityRequirement[] | null
  paths: Record<string, unknown>
  components?: { schemas?: Components, securitySchemes?: Schemes }
  definitions?: Components
  securityDefinitions?: Schemes
}

export interface Operation {
  security?: SecurityRequirement[] | null
  responses?: Components | null
  [extension: `x-${string}`]: unknown
}

export type SecurityRequirement = Record<string, string[]>
interface SecurityScheme { type?: string, scheme?: string, name?: string, in?: string }
type Schemes = Record<string, SecurityScheme>
type Components = Record<string, object>

/** The place of an operation, with its method in capitals. */
export type Place = readonly [method: string, path: string]

const errorName = 'UserScopeError'
const errorSchema = Type.Object({
  statusCode: Type.Integer(),
  code: Type.String({ description: 'Names the fault; stable, for programs' }),
  error: Type.String({ description: 'The text of the status code' }),
  message: Type.String({ description: 'For people' })
}, { description: 'Why the request was refused' })

const challenge = 'The Bearer challenge of RFC 6750, section 3'

const dialects = {
  openapi: {
    body: { content: { 'application/json': { schema: { $ref: `#/components/schemas/${errorName}` } } } },
    header: { schema: { type: 'string' }, description: challenge },
    scheme: (description: string) => ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description }),
    components: ({ components }: ApiDocument, schemas: Components, schemes: Schemes): Partial<ApiDocument> => ({
      components: {
        ...components,
        schemas: { ...schemas, ...components?.schemas },
        securitySchemes: { ...schemes, ...components?.securitySchemes }
      }
    })
  },
  swagger: {
    body: { schema: { $ref: `#/definitions/${errorName}` } },
    header: { type: 'string', description: challenge },
    // Swagger 2 has no bearer scheme.
    scheme: (description: string) => ({
      type: 'apiKey', in: 'header', name: 'Authorization', description: `${description} Enter it as: Bearer <token>`
    }),
    components: (document: ApiDocument, schemas: Components, schemes: Schemes): Partial<ApiDocument> => ({
      definitions: { ...schemas, ...document.definitions },
      securityDefinitions: { ...schemes, ...document.securityDefinitions }
    })
  }
}

export const isApiDocument = (value: unknown): value is ApiDocument =>
  isObject(value) && typeof (value['openapi'] ?? value['swagger']) === 'string' && isObject(value['paths'])

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
  const dialect = original.swagger === undefined ? dialects.openapi : dialects.swagger
  const ours = { [schemeName]: dialect.scheme(description) }
  const schemes: Schemes = { ...ours, ...schemesOf(original) }
  const headers = { 'WWW-Authenticate': dialect.header }
  const unauthorized = { description: 'No valid token was sent', headers, ...dialect.body }
  const marked: Place[] = []
  const unmarked: Place[] = []
  let isGuarded = false
  let isSchemeNamed = false

  const secure = (operation: Operation, level: AccessLevel, method: string): Operation => {
    const required = withBearer(operation.security ?? original.security ?? [], schemeName, schemes)
    const security = level === 'optional' ? operation.security ?? [{}, ...required] : required
    const { 'x-user-scope-scopes': scopes = null, 'x-user-scope-bound': bound, ...rest } = operation
    const reasons = [
      level === 'owner' && "the path is another user's",
      bound !== undefined && "a parameter of the path is not the user's",
      readOnlyActors && !isSafe(method.toUpperCase()) && 'the token has an actor, who may only read',
      scopes !== null && 'the token lacks the required scopes'
    ].filter(Boolean)
    const reason = reasons.join(', or ').replace(/./, (first) => first.toUpperCase())
    const forbidden = { description: reason, ...scopes !== null && { headers }, ...dialect.body }
    const added = { 401: unauthorized, ...reasons.length > 0 && { 403: forbidden } }
    // Copies, because YAML writes an alias for a repeated object, and its readers refuse documents with many.
    const secured = {
      ...rest,
      ...bound !== undefined && { 'x-user-scope-bound': structuredClone(bound) },
      ...requireScopes(security, scopes as RequiredScopes | null, takesScopes),
      responses: addResponses(operation.responses ?? {}, mapValues(added, (response) => structuredClone(response)))
    }
    finished.set(secured, readOnlyActors)
    return secured
  }
  const isWithNames = /^3\.[1-9]/.test(String(original.openapi)) // schemes of any type may have names of scopes
  const takesScopes = (name: string) => carriesBearer(schemes[name]) && (isWithNames || isOfOAuth(schemes[name]?.type))
  const annotateItem = (item: Record<string, unknown>, path: string): object => mapValues(item, (value, field) => {
    // Text and `null` stay as they are, and so do lists and extensions of a path item, which have no mark.
    if (!isObject(value)) return value
    if (field === 'additionalOperations') return annotateItem(value, path)
    const operation: Operation = field === 'head' ? { ...heads.get(value['operationId']), ...value } : value
    const { 'x-user-scope': level, 'x-user-scope-scheme': scheme = defaultSchemeName } = operation
    if (!isLevel(level)) unmarked.push([field.toUpperCase(), path])
    if (!isLevel(level) || scheme !== schemeName) return value
    marked.push([field.toUpperCase(), path])
    const inherits = original.security?.length && !operation.security
    if (level === 'public') return inherits ? { ...operation, security: [] } : operation
    const secured: Operation = finished.get(value) === readOnlyActors ? value : secure(operation, level, field)
    isGuarded = true
    isSchemeNamed ||= Boolean(secured.security?.some((requirement) => Object.hasOwn(requirement, schemeName)))
    return secured
  })
  const paths = mapValues(original.paths, (item, path) => isObject(item) ? annotateItem(item, path) : item)
  const schemas = { [errorName]: structuredClone(errorSchema) }
  const components = isGuarded ? dialect.components(original, schemas, isSchemeNamed ? ours : {}) : {}
  return { document: { ...original, paths, ...components }, marked, unmarked }
}

/**
 * Requires the bearer token together with what the host requires. A scheme of the host that carries the same token
 * (such as `oauth2`, for the login of a docs page) counts as the token.
 */
function withBearer (security: SecurityRequirement[], schemeName: string, schemes: Schemes) {
  const isBearer = (name: string) => carriesBearer(schemes[name])
  if (security.length === 0) return [{ [schemeName]: [] }]
  const joined = security.map((requirement) =>
    Object.keys(requirement).some(isBearer) ? requirement : { [schemeName]: [], ...requirement })
  // Without this, the requirement "a key or nothing" would appear twice.
  return [...new Map(joined.map((requirement) => [JSON.stringify(requirement), requirement])).values()]
}

const isOfOAuth = (type: unknown) => type === 'oauth2' || type === 'openIdConnect'
export const schemesOf = ({ components, securityDefinitions }: ApiDocument): Schemes =>
  ({ ...components?.securitySchemes, ...securityDefinitions })

/** In Swagger 2 a bearer token is an API key in the header. OAuth 2 and OpenID Connect end in a bearer token too. */
export function carriesBearer ({ type, scheme, name, in: place }: SecurityScheme = {}): boolean {
  if (type === 'http') return String(scheme).toLowerCase() === 'bearer'
  if (type === 'apiKey') return place === 'header' && String(name).toLowerCase() === 'authorization'
  return isOfOAuth(type)
}

/** Adds responses, unless the host wrote one for the status or for 4XX, which says more about this operation. */
const addResponses = (written: Components, ours: Components): Components =>
  Object.hasOwn(written, '4XX') ? written : { ...ours, ...written }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Returns the object itself if no value changes. */
function mapValues<T, R> (object: Record<string, T>, map: (value: T, key: string) => R): Record<string, T | R> {
  const entries = Object.entries(object).map(([key, value]) => [key, map(value, key)] as const)
  return entries.every(([key, value]) => value === object[key]) ? object : Object.fromEntries(entries)
}
