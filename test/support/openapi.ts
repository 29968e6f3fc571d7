import Fastify, { type FastifyInstance } from 'fastify'
import swagger, { type SwaggerOptions } from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { Test } from 'tap'
import { parse } from 'yaml'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import { secret } from './host.js'

export interface Operation { security?: object[], responses: Record<string, object>, [field: string]: unknown }
export interface Document {
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: object, securitySchemes?: object }
  [field: string]: unknown
}

export const info = { title: 'Tasks', version: '1.0.0' }
export const dialects: Record<string, SwaggerOptions> = {
  'OpenAPI 3.0': { openapi: { info } },
  'OpenAPI 3.1': { openapi: { openapi: '3.1.0', info } },
  'OpenAPI 3.2': { openapi: { openapi: '3.2.0', info } },
  'Swagger 2.0': { swagger: { info } }
}
export const optionsOf = (name: string) => dialects[name] as SwaggerOptions
export const bearerAuth = [{ bearerAuth: [] }]

const validator = new Validator()

export const handler = async () => ({})

/** A host with a document: `@fastify/swagger`, then the plugin, then the routes. */
export async function build (
  t: Test, options: SwaggerOptions, routes: (app: FastifyInstance) => unknown, scope: UserScopeOptions = {}
): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(swagger, options)
  await app.register(userScope, { secret, ...scope })
  await routes(app)
  await app.ready()
  return app
}

/** The document as its readers get it, which must be valid and the same in YAML. */
export async function read (t: Test, app: FastifyInstance): Promise<Document> {
  const json = JSON.stringify(app.swagger())
  const document = JSON.parse(json) as Document
  t.notMatch(json, /userScope/)
  t.same(parse(app.swagger({ yaml: true })), document, 'YAML and JSON are the same document')
  const validity = await validator.validate(JSON.parse(json) as Record<string, unknown>)
  t.match(validity, { valid: true }, 'the document is valid')
  return document
}

export const operations = ({ paths }: Document) => Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) =>
    ({ name: `${method.toUpperCase()} ${path}`, method, path, operation })))

export const membersOf = (document: Document, member: string) =>
  Object.fromEntries(operations(document).map(({ name, operation }) => [name, operation[member]]))
export const securityOf = (document: Document) => membersOf(document, 'security')

export const implicit = { authorizationUrl: 'https://login.example', scopes: { read: 'Read' } } as const
