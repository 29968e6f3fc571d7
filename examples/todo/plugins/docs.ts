import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'

const description = `Each user has their own tasks, and nobody else's. On this page, with **Try it out**:

1. \`POST /api/auth/sign-in/email\`: a demo user is filled in (or make an account with sign-up).
2. \`GET /api/auth/token\`: copy the token of **this** answer; that of sign-in belongs to the session.
3. **Authorize**: paste it. The operations with a padlock send it from then on, after a reload too.
4. \`GET /api/{user_id}/tasks\`: with Alice's id it is 200. Choose Bob's from the list: 403.

Sam, \`sam@example.com\`, is of the support team: he reads the tasks of all, and writes none but his own.`
const levels = {
  auth: 'For anybody',
  tasks: 'For their owner; the support team may read',
  organizations: 'For members',
  me: 'For any user',
  health: 'For anybody'
}
const tags = Object.entries(levels).map(([name, description]) => ({ name, description }))
const css = [{ filename: 'todo.css', content: '.swagger-ui .topbar { display: none }' }] // the bar for other documents

/** The document at `/docs/json`, the page at `/docs`. Registered before the routes, so that it sees all of them. */
export const docs = fp(async (app) => {
  const info = { title: 'Todo API', version: '1.0.0', description }
  await app.register(swagger, { openapi: { openapi: '3.1.0', info, tags } })
  await app.register(async (scope) => {
    // The routes of another plugin cannot state a level themselves.
    scope.addHook('onRoute', (route) => { route.config = { access: 'public', ...route.config } })
    const uiConfig = { defaultModelsExpandDepth: -1, persistAuthorization: true }
    await scope.register(swaggerUi, { routePrefix: '/docs', uiConfig, theme: { title: info.title, css } })
  })
})
