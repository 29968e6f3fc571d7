import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

const description = `Each user has their own tasks, and nobody else's. On this page, with **Try it out**:

1. \`POST /api/auth/sign-in/email\`: a demo user is filled in (or make an account with sign-up).
2. \`GET /api/auth/token\`: copy the \`token\` of the answer.
3. **Authorize**: paste it. The operations with a padlock take it from there.
4. \`GET /api/me\` tells your id; the id filled in for the tasks is Alice's. With another's it is 403.`

/** The document at `/docs/json`, the page at `/docs`. Before the routes, which it sees as they are declared. */
export async function docs (app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Todo API', version: '1.0.0', description },
      tags: [
        { name: 'sign in', description: 'For anybody, served by Better Auth' },
        { name: 'me', description: 'For any signed-in user' },
        { name: 'tasks', description: 'For their owner alone' },
        { name: 'health', description: 'For anybody' }
      ]
    }
  })
  await app.register(async (scope) => {
    // The routes of another plugin cannot state a level themselves.
    scope.addHook('onRoute', (route) => { route.config = { ...route.config, access: 'public' } })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { defaultModelsExpandDepth: -1 },
      // Without the bar for other documents.
      theme: { title: 'Todo API', css: [{ filename: 'todo.css', content: '.swagger-ui .topbar { display: none }' }] }
    })
  })
}
