import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { databaseFault, fault, name, text } from './schemas.js'
import type { TaskStore } from './task-store.js'

const title = name({ maxLength: 200, examples: ['Buy milk'] })
const description = Type.Optional(Type.Union([text({ maxLength: 1000, examples: ['Two bottles'] }), Type.Null()]))

const NewTask = Type.Object({ title, description })
const TaskEdit = Type.Object({ title, description, completed: Type.Boolean({ default: false }) })
const Task = Type.Object({
  id: Type.Integer(),
  title: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  completed: Type.Boolean(),
  created_at: Type.String({ format: 'date-time' }),
  updated_at: Type.String({ format: 'date-time' })
}, { description: 'The task' })

// What the column holds at most: the database would refuse more, and the client get a 500.
const TaskId = { minimum: 1, maximum: 2_147_483_647 }
const Page = Type.Object({
  tasks: Type.Array(Task),
  next: Type.Union([Type.Integer(), Type.Null()], { description: '`after` of the next page; null on the last' })
}, { description: 'A page of tasks, oldest first' })

const unfit = { 400: fault('A parameter or the body does not fit'), 503: databaseFault }
const unknown = { ...unfit, 404: fault('There is no such task, or it is another user\'s') }

interface TaskRoutes {
  store: TaskStore
  /** A user's id, for Try it out. */
  example: string
}

/** To be registered under a prefix that has the parameter `:user_id`: that makes each route the owner's alone. */
export const tasks: FastifyPluginAsyncTypebox<TaskRoutes> = async (app, { store, example }) => {
  const OfUser = Type.Object({ user_id: Type.String({ description: 'Your id: `GET /api/me` tells it', examples: [example] }) })
  const OneTask = Type.Object({ ...OfUser.properties, task_id: Type.Integer({ ...TaskId, examples: [1] }) })
  const PageQuery = Type.Object({
    after: Type.Optional(Type.Integer({ minimum: 0, maximum: TaskId.maximum, default: 0, description: '`next` of the page before' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 }))
  })
  const shared = { tags: ['tasks'], description: '401: no token, or one that is not valid. 403: the token is good, but the path is another user\'s.' }

  app.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.get('', {
    schema: { ...shared, summary: 'List tasks, page by page', params: OfUser, querystring: PageQuery, response: { 200: Page, ...unfit } }
  }, async ({ user, query: { after = 0, limit = 20 } }) => store.page(user.id, { after, limit }))

  app.post('', {
    schema: { ...shared, summary: 'Create a task', params: OfUser, body: NewTask, response: { 201: Task, ...unfit } }
  }, async ({ user, body }, reply) => reply.code(201).send(await store.create(user.id, body)))

  app.get('/:task_id', {
    schema: { ...shared, summary: 'Read a task', params: OneTask, response: { 200: Task, ...unknown } }
  }, async ({ user, params }) => store.get(user.id, params.task_id))

  app.put('/:task_id', {
    schema: { ...shared, summary: 'Update a task', params: OneTask, body: TaskEdit, response: { 200: Task, ...unknown } }
  }, async ({ user, params, body }) => store.replace(user.id, params.task_id, body))

  app.patch('/:task_id/complete', {
    schema: { ...shared, summary: 'Complete a task', params: OneTask, response: { 200: Task, ...unknown } }
  }, async ({ user, params }) => store.complete(user.id, params.task_id))

  app.delete('/:task_id', {
    schema: { ...shared, summary: 'Delete a task', params: OneTask, response: { 204: Type.Null({ description: 'It is gone' }), ...unknown } }
  }, async ({ user, params }, reply) => {
    await store.delete(user.id, params.task_id)
    return reply.code(204).send(null)
  })
}
