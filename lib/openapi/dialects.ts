import { Type } from '@sinclair/typebox'

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
export interface SecurityScheme { type?: string, scheme?: string, name?: string, in?: string }
export type Schemes = Record<string, SecurityScheme>
export type Components = Record<string, object>

const errorName = 'UserScopeError'
const errorSchema = Type.Object({
  statusCode: Type.Integer(),
  code: Type.String({ description: 'Names the fault; stable, for programs' }),
  error: Type.String({ description: 'The text of the status code' }),
  message: Type.String({ description: 'For people' })
}, { description: 'Why the request was refused' })

/** A copy, because it becomes a part of the host's document. */
const errorSchemas = (): Components => ({ [errorName]: structuredClone(errorSchema) })

const challenge = 'The Bearer challenge of RFC 6750, section 3'

const dialects = {
  openapi: {
    body: { content: { 'application/json': { schema: { $ref: `#/components/schemas/${errorName}` } } } },
    header: { schema: { type: 'string' }, description: challenge },
    scheme: (description: string) => ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description }),
    components: ({ components }: ApiDocument, schemes: Schemes): Partial<ApiDocument> => ({
      components: {
        ...components,
        schemas: { ...errorSchemas(), ...components?.schemas },
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
    components: (document: ApiDocument, schemes: Schemes): Partial<ApiDocument> => ({
      definitions: { ...errorSchemas(), ...document.definitions },
      securityDefinitions: { ...schemes, ...document.securityDefinitions }
    })
  }
}

export const dialectOf = ({ swagger }: ApiDocument) => swagger === undefined ? dialects.openapi : dialects.swagger

export const schemesOf = ({ components, securityDefinitions }: ApiDocument): Schemes =>
  ({ ...components?.securitySchemes, ...securityDefinitions })

export const isApiDocument = (value: unknown): value is ApiDocument =>
  isObject(value) && typeof (value['openapi'] ?? value['swagger']) === 'string' && isObject(value['paths'])

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
