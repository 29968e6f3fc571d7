import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import type { ObjectMaker } from '../../lib/testing/index.js'

export interface List { id: string, user_id: string, name: string }
export interface Task {
  id: string,
  user_id: string,
  list_id: string,
  parent_id: string | null,
  title: string,
  done: boolean
}
export interface Comment { id: string, user_id: string, task_id: string, text: string }

/** In memory, and asked as a database is: by columns. */
export class Store {
  readonly lists: List[] = []
  readonly tasks: Task[] = []
  readonly comments: Comment[] = []

  add<T extends { id: string }> (rows: T[], row: Omit<T, 'id'>): T {
    const added = { ...row, id: randomUUID() } as T
    rows.push(added)
    return added
  }

  where<T extends object> (rows: readonly T[], columns: Partial<T>): T[] {
    return rows.filter((row) => Object.entries(columns).every(([name, value]) => row[name as keyof T] === value))
  }

  remove<T extends object> (rows: T[], columns: Partial<T>): number {
    const found = this.where(rows, columns)
    for (const row of found) rows.splice(rows.indexOf(row), 1)
    return found.length
  }
}

const text = { type: 'string', minLength: 1 }
const id = { type: 'string', format: 'uuid' }
const object = (properties: Record<string, object>, required = Object.keys(properties)) =>
  ({ type: 'object', required, properties, additionalProperties: false })

class NotFoundError extends Error {
  readonly statusCode = 404
  readonly code = 'NOT_FOUND'
}

const found = <T>(row: T | undefined): T => {
  if (row === undefined) throw new NotFoundError('there is no such object')
  return row
}

interface Request {
  Params: { task_id: string, list_id: string },
  Querystring: { list_id?: string },
  Body: Partial<Task & { name: string, text: string, task_ids: string[] }>
}

/** The routes of a sound app. What a request may touch is looked for by id and owner, always. */
export function todoRoutes (app: FastifyInstance, store: Store): void {
  const listOf = (user: string, id: string) => found(store.where(store.lists, { id, user_id: user })[0])
  const taskOf = (user: string, id: string) => found(store.where(store.tasks, { id, user_id: user })[0])
  const one = '/api/:user_id/tasks/:task_id'

  app.get('/health', { config: { access: 'public' } }, async () => ({ ok: true }))
  app.get('/api/:user_id/lists', async ({ user }) => store.where(store.lists, { user_id: user.id }))
  app.post<Request>('/api/:user_id/lists', { schema: { body: object({ name: text }) } },
    async ({ user, body }, reply) =>
      reply.code(201).send(store.add(store.lists, { user_id: user.id, name: String(body.name) })))
  app.get<Request>('/api/:user_id/lists/:list_id', async ({ user, params }) => listOf(user.id, params.list_id))
  app.delete<Request>('/api/:user_id/lists/:list_id', async ({ user, params }, reply) => {
    store.remove(store.lists, listOf(user.id, params.list_id))
    return reply.code(204).send()
  })
  app.get<Request>('/api/:user_id/lists/:list_id/tasks', async ({ user, params }) =>
    store.where(store.tasks, { user_id: user.id, list_id: listOf(user.id, params.list_id).id }))
  app.get<Request>('/api/:user_id/lists/:list_id/tasks/:task_id', async ({ user, params }) => {
    const { id: listId } = listOf(user.id, params.list_id)
    return found(store.where(store.tasks, { user_id: user.id, list_id: listId, id: params.task_id })[0])
  })
  app.get<Request>('/api/:user_id/tasks', { schema: { querystring: object({ list_id: id }, []) } },
    async ({ user, query }) =>
      store.where(store.tasks, { user_id: user.id, ...query.list_id !== undefined && { list_id: query.list_id } }))
  app.post<Request>('/api/:user_id/tasks', {
    schema: { body: object({ title: text, list_id: id, parent_id: id }, ['title', 'list_id']) }
  }, async ({ user, body }, reply) => {
    const { id: listId } = listOf(user.id, String(body.list_id))
    const parentId = body.parent_id ? taskOf(user.id, body.parent_id).id : null
    return reply.code(201).send(store.add(store.tasks,
      { user_id: user.id, list_id: listId, parent_id: parentId, title: String(body.title), done: false }))
  })
  app.post<Request>('/api/:user_id/tasks/delete',
    { schema: { body: object({ task_ids: { type: 'array', items: id } }) } }, async ({ user, body }) => {
      const counts = body.task_ids?.map((each) => store.remove(store.tasks, { id: each, user_id: user.id })) ?? []
      return { deleted: counts.reduce((sum, count) => sum + count, 0) }
    })
  app.post<Request>('/api/:user_id/tasks/find',
    { schema: { body: object({ task_ids: { type: 'array', items: id } }) } }, async ({ user, body }) => ({
      tasks: body.task_ids?.flatMap((id) => store.where(store.tasks, { id, user_id: user.id })),
      unknown: body.task_ids?.filter((id) => store.where(store.tasks, { id, user_id: user.id }).length === 0)
    }))
  app.delete('/api/:user_id/tasks', async ({ user }, reply) => {
    store.remove(store.tasks, { user_id: user.id })
    return reply.code(204).send()
  })
  app.get<Request>(one, async ({ user, params }) => taskOf(user.id, params.task_id))
  app.put<Request>(one, { schema: { body: object({ title: text, done: { type: 'boolean' } }) } },
    async ({ user, params, body }) =>
      Object.assign(taskOf(user.id, params.task_id), body))
  app.post<Request>(`${one}/complete`, async ({ user, params }) =>
    Object.assign(taskOf(user.id, params.task_id), { done: true }))
  app.delete<Request>(one, async ({ user, params }, reply) => {
    store.remove(store.tasks, taskOf(user.id, params.task_id))
    return reply.code(204).send()
  })
  app.get<Request>(`${one}/comments`, async ({ user, params }) =>
    store.where(store.comments, { user_id: user.id, task_id: taskOf(user.id, params.task_id).id }))
  app.post<Request>(`${one}/comments`, { schema: { body: object({ text }) } }, async ({ user, params, body }, reply) =>
    reply.code(201).send(store.add(store.comments,
      { user_id: user.id, task_id: taskOf(user.id, params.task_id).id, text: String(body.text) })))
}

export async function buildTodo (options: UserScopeOptions, routes: (app: FastifyInstance, store: Store) => unknown =
todoRoutes): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(userScope, options)
  await routes(app, new Store())
  return app
}

/** Makes a list, and a task in it. */
export const todoObjects = {
  list_id: async ({ inject, owner }) => {
    const response =
      await inject({
        method: 'POST',
        url: `/api/${encodeURIComponent(owner)}/lists`,
        payload: { name: `the list of ${owner}` }
      })
    return response.json<List>().id
  },
  task_id: async ({ inject, owner, ids }) => {
    const response =
      await inject({
        method: 'POST',
        url: `/api/${encodeURIComponent(owner)}/tasks`,
        payload: { title: `the task of ${owner}`, list_id: ids.list_id }
      })
    return response.json<Task>().id
  }
} satisfies Record<string, ObjectMaker>

/** The same id by its other names. */
export const sameAs = (name: string): ObjectMaker => ({ ids }) => ids[name] as string

/** The bodies that the routes above want. */
export const todoParams = {
  'POST /api/:user_id/lists': { body: { name: 'a list' } },
  'POST /api/:user_id/tasks': { body: { title: 'a task' } },
  'PUT /api/:user_id/tasks/:task_id': { body: { title: 'another title', done: true } },
  'POST /api/:user_id/tasks/:task_id/comments': { body: { text: 'a comment' } }
}
