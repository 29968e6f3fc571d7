import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import userScope from '../../lib/index.js'
import type { ObjectMakers } from '../../lib/testing/objects.js'
import { issuer, none } from './isolation.js'

export interface Id { Params: { task_id: string } }
export interface Task { id: string, owner: string, isArchived: boolean, more?: object }

/** A host of tasks in tenants, and further routes. */
export async function tenantApp (t: Test, extra: (app: FastifyInstance, tasks: Task[]) => void) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { ...issuer.options, bind: { org_id: 'org' } })
  const tasks: Task[] = []
  app.post('/api/:user_id/tasks', async ({ user }) =>
    tasks[tasks.push({ id: randomUUID(), owner: user.id, isArchived: false }) - 1])
  app.get<Id>('/api/:user_id/orgs/:org_id/tasks/:task_id', async ({ user, params }, reply) =>
    tasks.find(({ id, owner }) => id === params.task_id && owner === user.id) ?? none(reply))
  app.patch<{ Body: { task_id: string } }>('/api/:user_id/tasks', {
    schema: { body: { type: 'object', properties: { task_id: { type: 'string' } } } }
  }, async ({ user, body }, reply) =>
    tasks.some(({ id, owner }) => id === body.task_id && owner === user.id) ? {} : none(reply))
  extra(app, tasks)
  return app
}

/** A host of tasks with UUIDs, or with numbers from `first` on, and further routes. */
export async function tasksApp (
  t: Test, extra: (app: FastifyInstance, tasks: Map<string, Task>) => void, first?: number
) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  const tasks = new Map<string, Task>()
  const own = (id: string, owner: string) => [...tasks.values()].find((each) => each.id === id && each.owner === owner)
  const show = ({ id, more }: Task) => ({ id: first ? Number(id) : id, title: 'Buy milk', ...more })
  app.post('/api/:user_id/tasks', async ({ user }) => {
    const id = first ? String(tasks.size + first) : randomUUID()
    const task: Task = { id, owner: user.id, isArchived: false }
    tasks.set(id, task)
    return show(task)
  })
  app.get('/api/:user_id/tasks', async ({ user }) =>
    [...tasks.values()].filter(({ owner, isArchived }) => owner === user.id && !isArchived).map(show))
  app.get<{ Params: { task_id: string } }>('/api/:user_id/tasks/:task_id', async ({ user, params }, reply) => {
    const task = own(params.task_id, user.id)
    return task ? show(task) : none(reply)
  })
  extra(app, tasks)
  return app
}

/** Makes a task of `tenantApp` or `tasksApp`. */
export const task: ObjectMakers = {
  task_id: async ({ inject, owner }) => (await inject({ method: 'POST', url: `/api/${owner}/tasks` })).json<Task>().id
}

export const oneTask = { objects: task, params: {} }

export interface Row { id: string, owner: string, list_id?: string, isRead?: boolean }

/** An app with these routes, which makes records of any kind by POST and shows them to their owner by GET. */
export async function rowsHost (t: Test, kinds: string[], routes: (app: FastifyInstance, rows: Row[]) => void) {
  const app = Fastify()
  t.teardown(() => app.close())
  const rows: Row[] = []
  await app.register(userScope, issuer.options)
  app.post('/:user_id/rows', async ({ user }) => rows[rows.push({ id: randomUUID(), owner: user.id }) - 1])
  const objects = Object.fromEntries(kinds.map((kind): [string, ObjectMakers[string]] => [kind, async (context) => {
    const { inject, owner } = context
    return (await inject({ method: 'POST', url: `/${owner}/rows` })).json<Row>().id
  }]))
  routes(app, rows)
  return { app, objects }
}
