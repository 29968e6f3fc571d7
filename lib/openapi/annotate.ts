import { Type } from '@sinclair/typebox'
import type { Settings } from '../options/settings.js'
import type { AccessLevel } from '../contract/types.js'

/** The parts of an OpenAPI 3 or Swagger 2 document that this file reads or writes. */
export interface ApiDocument {
  openapi?: string
  swagger?: string
  basePath?: string
  servers?: Array<{ url: string, variables?: Record<string, { default: string }> }> | null
  security?: SecurityRequirement[] | null
  paths: Record<string, unknown>
  components?: { schemas?: Components, securitySchemes?: Record<string, SecurityScheme> }
  definitions?: Components
  securityDefinitions?: Record<string, SecurityScheme>
}

type Components = Record<string, object>
export type SecurityRequirement = Record<string, string[]>
interface SecurityScheme { type?: string, scheme?: string, name?: string }
export interface Operation { security?: SecurityRequirement[] | null, responses?: Record<string, object> | null, [extension: `x-${string}`]: unknown }

/** How the operations of one registration are known. */
export interface Scope {
  /** Holds the access level of an operation; taken out of the document. */
  readonly mark: `x-${string}`
  /** For operations that have no mark. */
  readonly routes: ReadonlyArray<{ readonly method: string, readonly url: string, readonly level: AccessLevel }>
  /** The URL of a route as documents write it. */
  readonly format: (url: string) => string
}

const errorName = 'UserScopeError'
const errorSchema = Type.Object({
  statusCode: Type.Integer(),
  code: Type.String({ description: 'Names the fault; stable, for programs' }),
  error: Type.String({ description: 'The text of the status code' }),
  message: Type.String({ description: 'For people' })
}, { description: 'Why the request was refused' })

const challengeDescription = 'The Bearer challenge of RFC 6750, section 3'

/** What differs between the two generations of the format. */
const dialects = {
  openapi: {
    ref: `#/components/schemas/${errorName}`,
    scheme: (description: string) => ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description }),
    response: (description: string, schema: object, headers?: object) => ({
      description, ...headers && { headers }, content: { 'application/json': { schema } }
    }),
    header: { schema: { type: 'string' }, description: challengeDescription },
    withComponents: (document: ApiDocument, schemas: Components, securitySchemes: Record<string, SecurityScheme>): ApiDocument => ({
      ...document,
      components: {
        ...document.components,
        schemas: { ...schemas, ...document.components?.schemas },
        securitySchemes: { ...securitySchemes, ...document.components?.securitySchemes }
      }
    })
  },
  swagger: {
    ref: `#/definitions/${errorName}`,
    // Swagger 2 knows no bearer scheme.
    scheme: (description: string) => ({ type: 'apiKey', in: 'header', name: 'Authorization', description: `${description} Enter it as: Bearer <token>` }),
    response: (description: string, schema: object, headers?: object) => ({ description, ...headers && { headers }, schema }),
    header: { type: 'string', description: challengeDescription },
    withComponents: (document: ApiDocument, schemas: Components, securitySchemes: Record<string, SecurityScheme>): ApiDocument => ({
      ...document,
      definitions: { ...schemas, ...document.definitions },
      securityDefinitions: { ...securitySchemes, ...document.securityDefinitions }
    })
  }
}

export function isApiDocument (value: unknown): value is ApiDocument {
  return isObject(value) && typeof (value.openapi ?? value.swagger) === 'string' && isObject(value.paths)
}

/**
 * A copy of the document that says what is guarded. What the host wrote, in components as in responses, is kept; nothing of the
 * given document is changed, as parts of it are the host's own options.
 */
export function annotate (document: ApiDocument, { schemeName, description }: Exclude<Settings['openapi'], false>, scope: Scope): ApiDocument {
  const dialect = document.swagger === undefined ? dialects.openapi : dialects.swagger
  const unauthorized = dialect.response('No valid token was sent', { $ref: dialect.ref }, { 'WWW-Authenticate': dialect.header })
  const forbidden = dialect.response("The path is another user's", { $ref: dialect.ref })
  let isGuarded = false

  const secure = (operation: Operation, security: SecurityRequirement[], responses: Record<string, object>): Operation => {
    isGuarded = true
    // A copy for each operation: YAML writes an alias for each further use of an object, and its readers refuse a document with many.
    return { ...operation, security, responses: addResponses(operation.responses ?? {}, structuredClone(responses)) }
  }
  const required = ({ security }: Operation) => withBearer(security ?? document.security ?? [], schemeName, document)
  const byLevel: Record<AccessLevel, (operation: Operation) => Operation> = {
    owner: (operation) => secure(operation, required(operation), { 401: unauthorized, 403: forbidden }),
    user: (operation) => secure(operation, required(operation), { 401: unauthorized }),
    optional: (operation) => secure(operation, operation.security ?? [{}, ...required(operation)], { 401: unauthorized }),
    public: (operation) => document.security?.length && !operation.security ? { ...operation, security: [] } : operation
  }
  const levelOf = findLevels(document, scope)
  const annotateItem = (item: Record<string, unknown>, path: string): object => mapValues(item, (value, field) => {
    // Texts and `null`; of the lists and extensions in a path item no route is found.
    if (!isObject(value)) return value
    if (field === 'additionalOperations') return annotateItem(value, path)
    const { [scope.mark]: _, ...operation } = value
    const level = levelOf(item, field, path)
    return level ? byLevel[level](operation) : value
  })
  const paths = mapValues(document.paths, (item, path) => isObject(item) ? annotateItem(item, path) : item)
  if (!isGuarded) return { ...document, paths }
  return dialect.withComponents({ ...document, paths }, { [errorName]: structuredClone(errorSchema) }, { [schemeName]: dialect.scheme(description) })
}

/**
 * The bearer token is needed beside what the host requires. A scheme of the host's that carries the same token (`oauth2`, for the
 * login of a docs page, say) is another description of it.
 */
function withBearer (security: SecurityRequirement[], schemeName: string, document: ApiDocument): SecurityRequirement[] {
  const schemes = schemesOf(document)
  const isBearer = (name: string) => carriesBearer(schemes[name])
  if (security.length === 0) return [{ [schemeName]: [] }]
  return security.map((requirement) => Object.keys(requirement).some(isBearer) ? requirement : { [schemeName]: [], ...requirement })
}

export const schemesOf = ({ components, securityDefinitions }: ApiDocument): Record<string, SecurityScheme> => ({ ...components?.securitySchemes, ...securityDefinitions })

/** In Swagger 2 a bearer token is a key in the header; the flows of OAuth 2 and OpenID Connect get one. */
export function carriesBearer ({ type, scheme, name }: SecurityScheme = {}): boolean {
  if (type === 'http') return String(scheme).toLowerCase() === 'bearer'
  if (type === 'apiKey') return String(name).toLowerCase() === 'authorization'
  return type === 'oauth2' || type === 'openIdConnect'
}

/** A response for the status, or for all of 4XX, that the host wrote says more about this operation than ours would. */
function addResponses (written: Record<string, object>, ours: Record<string, object>): Record<string, object> {
  return Object.keys(written).some((status) => status.toUpperCase() === '4XX') ? written : { ...ours, ...written }
}

type FindLevel = (item: Record<string, unknown>, field: string, path: string) => AccessLevel | undefined

/**
 * The level of an operation: by its mark, or by its URL, whole or as `stripBasePath` left it. A HEAD route that has an `operationId` is
 * copied by `@fastify/swagger` before it could be marked; its level is that of the GET route beside it.
 */
function findLevels (document: ApiDocument, { mark, routes, format }: Scope): FindLevel {
  const bases = basePaths(document)
  const strip = (url: string) => bases.reduce((rest, base) => rest.startsWith(base) ? rest.slice(base.length) : rest, url)
  // Whether a path that was cut begins with a slash depends on the base path, and on the dialect.
  const key = (method: string, path: string) => `${method} ${path.replace(/^\//, '')}`
  const cut = routes.filter(({ url }) => !Object.hasOwn(document.paths, format(url)))
  const byUrl = new Map(cut.map(({ method, url, level }) => [key(method, format(strip(url))), level]))
  for (const { method, url, level } of routes) byUrl.set(key(method, format(url)), level)
  const marked = (operation: unknown) => (operation as Operation | undefined)?.[mark] as AccessLevel | undefined
  return (item, field, path) =>
    marked(item[field]) ?? byUrl.get(key(field.toUpperCase(), path)) ?? (field === 'head' ? marked(item['get']) : undefined)
}

/** What `stripBasePath` cuts from the URLs of routes, one after the other. */
export function basePaths ({ basePath = '', servers }: ApiDocument): string[] {
  const ofServers = (servers ?? []).map(({ url, variables }) => {
    const filled = url.replace(/\{([^{}]+)\}/g, (text, name: string) => variables?.[name]?.default ?? text)
    return URL.canParse(filled) ? new URL(filled).pathname : filled
  })
  return [basePath, ...ofServers].filter((path) => path !== '/')
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function mapValues<T, R> (object: Record<string, T>, map: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]))
}
