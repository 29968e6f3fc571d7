import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { bearerAuth, build, handler, implicit, info } from '../support/openapi.js'
import { membersOf, optionsOf, read, securityOf, type Document } from '../support/openapi.js'
import { sameLength } from '../support/same-length.js'

t.test('each dialect gets security, responses and schemes', async (t) => {
  const routes = (app: FastifyInstance) => {
    app.get('/api/:user_id/tasks', handler)
    app.get('/api/me', handler)
    app.get('/search', { config: { access: 'optional' } }, handler)
    app.get('/health', { config: { access: 'public' } }, handler)
  }
  const marks = {
    'GET /api/{user_id}/tasks': 'owner', 'GET /api/me': 'user', 'GET /search': 'optional', 'GET /health': 'public'
  }
  const schema = {
    description: 'Why the request was refused',
    type: 'object',
    required: ['statusCode', 'code', 'error', 'message'],
    properties: {
      statusCode: { type: 'integer' },
      code: { type: 'string', description: 'Names the fault; stable, for programs' },
      error: { type: 'string', description: 'The text of the status code' },
      message: { type: 'string', description: 'For people' }
    }
  }
  const success = { 200: { description: 'Default Response' } }
  const description = 'The Bearer challenge of RFC 6750, section 3'
  const assertPaths = (t: Test, document: Document, body: object, field: object) => {
    const headers = { 'WWW-Authenticate': { ...field, description } }
    const unauthorized = { description: 'No valid token was sent', headers, ...body }
    const forbidden = { description: "The path is another user's", ...body }
    t.match(document.paths, sameLength({
      '/api/{user_id}/tasks': {
        get: { security: bearerAuth, responses: { ...success, 401: unauthorized, 403: forbidden } }
      },
      '/api/me': { get: { security: bearerAuth, responses: { ...success, 401: unauthorized } } },
      '/search': { get: { security: [{}, ...bearerAuth], responses: { ...success, 401: unauthorized } } }
    }))
    t.same(document.paths['/search']?.['get']?.security, [{}, ...bearerAuth])
    t.notOk(document.paths['/api/me']?.['get']?.responses['403'])
    t.same(document.paths['/health'], { get: { 'x-user-scope': 'public', responses: success } })
    t.same(membersOf(document, 'x-user-scope'), marks)
  }

  for (const name of ['OpenAPI 3.0', 'OpenAPI 3.1', 'OpenAPI 3.2']) {
    await t.test(name, async (t) => {
      const document = await read(t, await build(t, optionsOf(name), routes))
      t.same(document.components, {
        schemas: { UserScopeError: schema },
        securitySchemes: {
          bearerAuth: {
            type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The JWT of a signed-in user.'
          }
        }
      })
      const content = { 'application/json': { schema: { $ref: '#/components/schemas/UserScopeError' } } }
      assertPaths(t, document, { content }, { schema: { type: 'string' } })
    })
  }

  await t.test('Swagger 2.0', async (t) => {
    const document = await read(t, await build(t, optionsOf('Swagger 2.0'), routes))
    t.same(document['definitions'], { UserScopeError: schema })
    t.same(document['securityDefinitions'], {
      bearerAuth: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: 'The JWT of a signed-in user. Enter it as: Bearer <token>'
      }
    })
    assertPaths(t, document, { schema: { $ref: '#/definitions/UserScopeError' } }, { type: 'string' })
  })
})

t.test('components that the host declared are kept', async (t) => {
  const scheme = { type: 'oauth2', flows: { implicit } } as const
  const schema = { type: 'object', description: 'Our own' } as const
  const other = { type: 'string' } as const
  const routes = (app: FastifyInstance) => {
    app.get('/me', handler)
    app.get('/scoped', { schema: { security: [{ bearerAuth: ['read'] }] } }, handler)
  }

  const components = {
    securitySchemes: { bearerAuth: scheme },
    schemas: { UserScopeError: schema, Other: other },
    examples: { one: { value: 1 } }
  }
  const openapi = await read(t, await build(t, { openapi: { info, components } }, routes))
  t.same(openapi.components, components)
  t.same(securityOf(openapi), { 'GET /me': bearerAuth, 'GET /scoped': [{ bearerAuth: ['read'] }] })

  const key = { type: 'apiKey', in: 'header', name: 'X-Token' } as const
  const swagger2 = await read(t, await build(t, {
    swagger: { info, securityDefinitions: { bearerAuth: key }, definitions: { UserScopeError: schema, Other: other } }
  }, routes))
  t.same(swagger2['securityDefinitions'], { bearerAuth: key })
  t.same(swagger2['definitions'], { UserScopeError: schema, Other: other })
  t.same(securityOf(swagger2), { 'GET /me': bearerAuth, 'GET /scoped': [{ bearerAuth: ['read'] }] })
})
