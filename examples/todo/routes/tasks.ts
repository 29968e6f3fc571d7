import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { getOwnerId } from 'fastify-user-scope'
import type { ExpressionBuilder } from 'kysely'
import type { Tables } from '../plugins/database.js'
import { TaskNotFoundError } from '../plugins/errors.js'
import { databaseFault, fault, name, orNull, Task, text } from '../schemas.js'

const title = name('Buy milk', 200)
const description = Type.Optional(orNull(text('Two bottles', 1000)))
const NewTask = Type.Object({ title, description })
const TaskEdit = Type.Object({ title, description, completed: Type.Boolean({ default: false }) })
const maximum = 2_147_483_647 // the column holds no more
const oldestFirst = { description: 'Tasks, oldest first. `next` is `after` of the next page, null on the last' }
const Page = Type.Object({ tasks: Type.Array(Task), next: orNull(Type.Integer()) }, oldestFirst)
const after = Type.Integer({ minimum: 0, maximum, default: 0, description: '`next` of the page before' })
const limit = Type.Integer({ minimum: 1, maximum: 100, default: 20 })
const PageQuery = Type.Partial(Type.Object({ after, limit }))

const unfit = { 400: fault('A parameter or the body does not fit'), 503: databaseFault }
const unknown = { ...unfit, 404: fault("There is no such task, or it is another user's") }
const refusals = "401: no token, or one that is not valid. 403: the path is another user's."
const owner = { config: { access: 'owner' } } as const // stated, because `:task_id` is compared with nothing
const support = { config: { access: { level: 'owner', delegates: { scopes: ['support'] } } } } as const // may read, too
const route = <T extends object>(summary: string, schema: T) =>
  ({ ...owner, schema: { tags: ['tasks'], summary, description: refusals, ...schema } })

/** The guard compares the path. A task's id does not tell its owner, so every query also filters by the owner. */
const own = (request: FastifyRequest<{ Params: { task_id: number } }>) =>
  (task: ExpressionBuilder<Tables, 'task'>) => task.and({ user_id: getOwnerId(request), id: request.params.task_id })
const missing = () => new TaskNotFoundError() // or another user's: ids cannot be probed

/** Registered under a prefix with `:user_id`, so only the owner can call these routes. */
export const tasks: FastifyPluginAsyncTypebox = async (app) => {
  const { db, demo } = app
  const examples = demo && { 'x-examples': { Alice: { value: demo.alice }, Bob: { value: demo.bob } } }
  const params = Type.Object({ user_id: Type.String({ description: 'Your id: `GET /api/me` tells it', ...examples }) })
  const taskId = Type.Integer({ minimum: 1, maximum, examples: [1] })
  const one = { params: Type.Object({ ...params.properties, task_id: taskId }), response: { 200: Task, ...unknown } }
  const update = (request: Parameters<typeof own>[0], values: object) => db.updateTable('task')
    .set({ ...values, updated_at: new Date() }).where(own(request)).returningAll().executeTakeFirstOrThrow(missing)

  const list = route('List tasks, page by page', { params, querystring: PageQuery, response: { 200: Page, ...unfit } })
  app.get('', { ...list, ...support }, async (request) => {
    const { after = 0, limit = 20 } = request.query
    // By key and not by offset, so that pages do not shift when a task is deleted.
    const rows = await db.selectFrom('task').selectAll()
      .where('user_id', '=', getOwnerId(request)).where('id', '>', after).orderBy('id').limit(limit + 1).execute()
    return { tasks: rows.slice(0, limit), next: rows.length > limit ? rows[limit - 1]?.id ?? null : null }
  })

  const create = route('Create a task', { params, body: NewTask, response: { 201: Task, ...unfit } })
  app.post('', create, async (request, reply) => {
    const { title, description = null } = request.body
    const task = db.insertInto('task').values({ user_id: getOwnerId(request), title, description }).returningAll()
    return reply.code(201).send(await task.executeTakeFirstOrThrow())
  })

  app.get('/:task_id', { ...route('Read a task', one), ...support }, async (request) =>
    db.selectFrom('task').selectAll().where(own(request)).executeTakeFirstOrThrow(missing))

  app.put('/:task_id', route('Update a task', { ...one, body: TaskEdit }), async (request) => {
    const { title, description = null, completed } = request.body // what is left out is cleared
    return update(request, { title, description, completed })
  })

  const complete = route('Complete a task', one)
  app.patch('/:task_id/complete', complete, async (request) => update(request, { completed: true }))

  const gone = { 204: Type.Null({ description: 'It is gone' }), ...unknown }
  app.delete('/:task_id', route('Delete a task', { ...one, response: gone }), async (request, reply) => {
    await db.deleteFrom('task').where(own(request)).returning('id').executeTakeFirstOrThrow(missing)
    return reply.code(204).send(null)
  })
}
