import { Type } from '@sinclair/typebox'
import type { Settings } from './options.js'
import type { AccessLevel } from './types.js'

/** The parts of an OpenAPI 3 or Swagger 2 document that this file reads or writes. */
export interface ApiDocument {
  openapi?: string
  swagger?: string
  basePath?: string
  servers?: Array<{ url: string, variables?: Record<string, { default: string }> }>
  security?: SecurityRequirement[]
  paths?: Record<string, PathItem>
  components?: { schemas?: Components, securitySchemes?: Components }
  definitions?: Components
  securityDefinitions?: Components
}

type Components = Record<string, object>
type SecurityRequirement = Record<string, string[]>
type PathItem = Record<string, Operation>
interface Operation { security?: SecurityRequirement[], responses?: Record<string, object>, [extension: `x-${string}`]: unknown }

/** How the operations of one registration are known. */
export interface Scope {
  /** Holds the access level of an operation; taken out of the document. */
  readonly mark: `x-${string}`
  /** The level by URL, for operations that have no mark; undefined where the route is not of this scope. */
  readonly levelOf: (method: string, path: string) => AccessLevel | undefined
}

const errorName = 'UserScopeError'
const errorSchema = Type.Object({
  statusCode: Type.Integer(),
  code: Type.String({ description: 'Names the fault; stable, for programs' }),
  error: Type.String({ description: 'The text of the status code' }),
  message: Type.String({ description: 'For people' })
}, { description: 'Why the request was refused' })

const challengeDescription = 'The Bearer challenge of RFC 6750, section 3'

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'])

/** What differs between the two generations of the format. */
const dialects = {
  openapi: {
    ref: `#/components/schemas/${errorName}`,
    scheme: (description: string) => ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description }),
    response: (description: string, schema: object, headers?: object) => ({
      description, ...headers && { headers }, content: { 'application/json': { schema } }
    }),
    header: { schema: { type: 'string' }, description: challengeDescription },
    withComponents: (document: ApiDocument, schemas: Components, securitySchemes: Components): ApiDocument => ({
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
    withComponents: (document: ApiDocument, schemas: Components, securitySchemes: Components): ApiDocument => ({
      ...document,
      definitions: { ...schemas, ...document.definitions },
      securityDefinitions: { ...securitySchemes, ...document.securityDefinitions }
    })
  }
}

export function isApiDocument (value: unknown): value is ApiDocument {
  if (typeof value !== 'object' || value === null) return false
  const { openapi, swagger, paths } = value as ApiDocument
  return typeof (openapi ?? swagger) === 'string' && typeof paths === 'object'
}

/**
 * A copy of the document that says what is guarded. What the host wrote, in components as in responses, is kept; nothing of the
 * given document is changed, as parts of it are the host's own options.
 */
export function annotate (document: ApiDocument, { schemeName, description }: Exclude<Settings['openapi'], false>, { mark, levelOf }: Scope): ApiDocument {
  const dialect = document.swagger === undefined ? dialects.openapi : dialects.swagger
  const $ref = { $ref: dialect.ref }
  const unauthorized = dialect.response('No valid token was sent', $ref, { 'WWW-Authenticate': dialect.header })
  const forbidden = dialect.response("The path is another user's", $ref)
  let isGuarded = false

  const secure = (operation: Operation, security: SecurityRequirement[], responses: Record<string, object>): Operation => {
    isGuarded = true
    return { ...operation, security, responses: addResponses(operation.responses, responses) }
  }
  const required = ({ security = [] }: Operation) => withBearer(security, schemeName, document)
  const byLevel: Record<AccessLevel, (operation: Operation) => Operation> = {
    owner: (operation) => secure(operation, required(operation), { 401: unauthorized, 403: forbidden }),
    user: (operation) => secure(operation, required(operation), { 401: unauthorized }),
    optional: (operation) => secure(operation, operation.security ?? [{}, ...required(operation)], { 401: unauthorized }),
    public: (operation) => document.security?.length && !operation.security ? { ...operation, security: [] } : operation
  }
  const bases = basePaths(document)
  const levelByUrl = (method: string, path: string) => bases.map((base) => levelOf(method.toUpperCase(), base + path)).find(Boolean)
  const paths = mapValues(document.paths ?? {}, (item, path) => mapValues(item, (written, method) => {
    if (!methods.has(method)) return written
    const { [mark]: marked, ...operation } = written
    const level = marked as AccessLevel | undefined ?? levelByUrl(method, path)
    return level ? byLevel[level](operation) : operation
  }))
  if (!isGuarded) return { ...document, paths }
  return dialect.withComponents({ ...document, paths }, { [errorName]: errorSchema }, { [schemeName]: dialect.scheme(description) })
}

/**
 * The bearer token is needed beside what the host requires. A scheme of the host's that travels in the Authorization header too
 * (`oauth2`, for the login of a docs page, say) is another description of the same token.
 */
function withBearer (security: SecurityRequirement[], schemeName: string, document: ApiDocument): SecurityRequirement[] {
  const schemes: Components = document.components?.securitySchemes ?? document.securityDefinitions ?? {}
  const isBearer = (name: string) => name === schemeName || sentAsAuthorization.has((schemes[name] as { type?: string } | undefined)?.type)
  if (security.length === 0) return [{ [schemeName]: [] }]
  return security.map((requirement) => Object.keys(requirement).some(isBearer) ? requirement : { ...requirement, [schemeName]: [] })
}

const sentAsAuthorization = new Set<string | undefined>(['http', 'oauth2', 'openIdConnect'])

/** A response for the status, or for all of 4XX, that the host wrote says more about this operation than ours would. */
function addResponses (written: Record<string, object> = {}, ours: Record<string, object>): Record<string, object> {
  return Object.keys(written).some((status) => status.toUpperCase() === '4XX') ? written : { ...ours, ...written }
}

/** What `stripBasePath` may have cut from the URLs of the routes. */
function basePaths ({ basePath, servers = [] }: ApiDocument): string[] {
  const ofServers = servers.map(({ url, variables }) => {
    const filled = url.replace(/\{([^{}]+)\}/g, (text, name: string) => variables?.[name]?.default ?? text)
    return URL.canParse(filled, 'http://localhost') ? new URL(filled, 'http://localhost').pathname : ''
  })
  return [...new Set(['', basePath ?? '', ...ofServers])]
}

function mapValues<T> (object: Record<string, T>, map: (value: T, key: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]))
}
