import createError from '@fastify/error'
import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox'

const title = Type.String({ minLength: 1, maxLength: 200 })
const description = Type.Optional(Type.String({ maxLength: 1000 }))

const NewTask = Type.Object({ title, description })
const TaskEdit = Type.Object({ title, description, completed: Type.Boolean({ default: false }) })
const Task = Type.Object({
  id: Type.Integer(),
  title,
  description,
  completed: Type.Boolean(),
  created_at: Type.String({ format: 'date-time' }),
  updated_at: Type.String({ format: 'date-time' })
})
type StoredTask = Static<typeof Task>

const Fault = Type.Object({ statusCode: Type.Integer(), code: Type.String(), error: Type.String(), message: Type.String() })

const OfUser = Type.Object({ user_id: Type.String() })
const OneTask = Type.Object({ user_id: Type.String(), task_id: Type.Integer({ minimum: 1 }) })

// Another user's task is answered like one that does not exist, so that ids cannot be probed.
const TaskNotFoundError = createError('TASK_NOT_FOUND', 'Task not found', 404)

/**
 * Tasks in memory. Every query takes the owner, and sees no task of anybody else's: the guard checks the path, and the id of a task
 * says nothing about whose it is.
 */
export class TaskStore {
  readonly #rows = new Map<number, { owner: string, task: StoredTask }>()
  #lastId = 0

  list (owner: string): StoredTask[] {
    return [...this.#rows.values()].filter((row) => row.owner === owner).map(({ task }) => task)
  }

  /** @throws TaskNotFoundError */
  get (owner: string, id: number): StoredTask {
    const row = this.#rows.get(id)
    if (row?.owner !== owner) throw new TaskNotFoundError()
    return row.task
  }

  create (owner: string, fields: Static<typeof NewTask>): StoredTask {
    const now = new Date().toISOString()
    const task = { id: ++this.#lastId, ...fields, completed: false, created_at: now, updated_at: now }
    this.#rows.set(task.id, { owner, task })
    return task
  }

  /** @throws TaskNotFoundError */
  replace (owner: string, id: number, fields: Static<typeof TaskEdit>): StoredTask {
    const task = { id, ...fields, created_at: this.get(owner, id).created_at, updated_at: new Date().toISOString() }
    this.#rows.set(id, { owner, task })
    return task
  }

  /** @throws TaskNotFoundError */
  complete (owner: string, id: number): StoredTask {
    return this.replace(owner, id, { ...this.get(owner, id), completed: true })
  }

  /** @throws TaskNotFoundError */
  delete (owner: string, id: number): void {
    this.get(owner, id)
    this.#rows.delete(id)
  }
}

/** To be registered under a prefix that has the parameter `:user_id`: that makes each route the owner's alone. */
export const tasks: FastifyPluginAsyncTypebox<{ store: TaskStore }> = async (app, { store }) => {
  const tags = ['tasks']

  app.get('', {
    schema: { tags, summary: 'List tasks', params: OfUser, response: { 200: Type.Array(Task) } }
  }, async ({ user }) => store.list(user.id))

  app.post('', {
    schema: { tags, summary: 'Create a task', params: OfUser, body: NewTask, response: { 201: Task, 400: Fault } }
  }, async ({ user, body }, reply) => reply.code(201).send(store.create(user.id, body)))

  app.get('/:task_id', {
    schema: { tags, summary: 'Read a task', params: OneTask, response: { 200: Task, 404: Fault } }
  }, async ({ user, params }) => store.get(user.id, params.task_id))

  app.put('/:task_id', {
    schema: { tags, summary: 'Update a task', params: OneTask, body: TaskEdit, response: { 200: Task, 400: Fault, 404: Fault } }
  }, async ({ user, params, body }) => store.replace(user.id, params.task_id, body))

  app.patch('/:task_id/complete', {
    schema: { tags, summary: 'Complete a task', params: OneTask, response: { 200: Task, 404: Fault } }
  }, async ({ user, params }) => store.complete(user.id, params.task_id))

  app.delete('/:task_id', {
    schema: { tags, summary: 'Delete a task', params: OneTask, response: { 204: Type.Null(), 404: Fault } }
  }, async ({ user, params }, reply) => {
    store.delete(user.id, params.task_id)
    return reply.code(204).send(null)
  })
}
