import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import type { ObjectId } from '../../lib/testing/ids.js'
import type { ObjectMakers } from '../../lib/testing/objects.js'
import { host, issuer, none, one, say, type Handler, type Host } from '../support/isolation.js'
import { buildTodo, todoParams, todoRoutes, type Store } from '../support/todo.js'

t.test('answers that always change are compared by status', async (t) => {
  let requests = 0
  const routes = (hidden: number) => host(t, {
    [`GET ${one}`]: ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id })
      if (task?.user_id === user.id) return task
      return reply.code(task ? hidden : 404).send({ code: 'NO', request: requests++ })
    }
  })
  t.equal(await say(await routes(404)), '')
  t.match(await say(await routes(410)), 'as for none: 404 NO  410 NO')
})

t.test('records that always change cannot be compared', async (t) => {
  const views = new Map<string, number>()
  const app = await host(t, {
    [`GET ${one}`]: ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id, user_id: user.id })
      if (!task) return none(reply)
      views.set(task.id, (views.get(task.id) ?? 0) + 1)
      return { ...task, views: views.get(task.id), at: new Date() }
    }
  })
  t.equal(await say(app, {}, true), '')
})

t.test('a clock that ticks between two reads is not a change', async (t) => {
  let seconds = 0
  const app = await host(t, {
    [`GET ${one}`]: ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id, user_id: user.id })
      return task ? { ...task, at: seconds + Math.floor(performance.now() / 1000) } : none(reply)
    },
    [`PUT ${one}`]: ({ params, user, body }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id, user_id: user.id })
      if (!task) seconds ||= 1
      return task ? Object.assign(task, body) : none(reply)
    }
  })
  t.equal(await say(app, {}, true), '')
  t.equal(seconds, 1)
})

t.test('a number that alice has changed is found beside such a clock', async (t) => {
  const priorities = new Map<string, number>()
  const app = await host(t, {
    [`GET ${one}`]: ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id, user_id: user.id })
      const at = Math.floor(performance.now() / 1000)
      return task ? { ...task, at, priority: priorities.get(task.id) ?? 1 } : none(reply)
    },
    [`PUT ${one}`]: ({ params, user, body }, reply, { where, tasks }) => {
      priorities.set(params.task_id, (priorities.get(params.task_id) ?? 1) + 5)
      const [task] = where(tasks, { id: params.task_id, user_id: user.id })
      return task ? Object.assign(task, body) : none(reply)
    }
  })
  t.match(await say(app, {}, true), "alice's token, bob's task_id: what bob reads then  as before  changed")
})

t.test("tasks of bob's list are found in an answer that always changes", async (t) => {
  const app = await buildTodo(issuer.options, (app, store) => {
    todoRoutes(app, store)
    app.get<{ Querystring: { list_id: string } }>('/api/:user_id/found', {
      schema: { querystring: { type: 'object', properties: { list_id: { type: 'string' } } } }
    }, async ({ query }) => ({ at: performance.now(), items: store.where(store.tasks, query) }))
  })
  t.teardown(() => app.close())
  t.match(await say(app), "alice's token, bob's list_id  as for none: 200  200  /api/alice/found?list_id=")
})

t.test('a list whose links have ids of others is reported', async (t) => {
  for (const linkOf of [
    (id: string, owner: string) => ({ href: `/api/${owner}/tasks/${id}` }), (id: string) => `urn:uuid:${id}`,
    (id: string) => `${id}.pdf`
  ]) {
    const app = await host(t, {
      'GET /api/:user_id/tasks': (_request, _reply, { tasks }) => tasks.map((task) => linkOf(task.id, task.user_id))
    })
    t.match(await say(app), "alice's token, her own  nothing of bob's  200 with bob's task_id")
  }
})

t.test('a write without an id that alice may not use is reported as not tried', async (t) => {
  const app = await buildTodo(issuer.options, (app, store) => {
    todoRoutes(app, store)
    const remove = async () => { store.tasks.length = 0 }
    app.post('/api/:user_id/purge', { config: { access: { scopes: ['purge'] } } }, remove)
    app.put('/api/:user_id/settings', { schema: { body: { type: 'object', required: ['name'] } } }, async () => ({}))
    app.get('/api/:user_id/plan', async (_request, reply) => none(reply))
    app.delete('/api/:user_id/old', { config: { access: { scopes: ['purge'] } } }, remove)
  })
  t.teardown(() => app.close())
  const says = await say(app)
  t.match(says, "alice's token, her own  2xx  403 INSUFFICIENT_SCOPE  /api/alice/purge")
  t.match(says, "alice's token, her own  2xx  403 INSUFFICIENT_SCOPE  /api/alice/old")
  t.match(says, "alice's token, her own  2xx  404 NOT_FOUND  /api/alice/plan")
  t.notMatch(says, '/settings', 'it may need a body that nobody gave')
  t.match(await say(app, { alice: { id: 'alice', scope: 'purge' }, bob: { id: 'bob', scope: 'purge' } } as object),
    "alice's token, her own: what bob reads then  as before  changed")
})

t.test('a logout and a closed account come last', async (t) => {
  const app = await buildTodo(issuer.options, (app, store) => {
    todoRoutes(app, store)
    let isOut = false
    let isClosed = false
    app.addHook('preHandler', async ({ user }, reply) => {
      if (user?.id !== 'alice') return
      if (isOut) await reply.code(401).send({})
      if (isClosed) await reply.code(403).send({})
    })
    app.post('/api/:user_id/logout', async () => { isOut = true })
    app.delete('/api/:user_id', async () => { isClosed = true })
    app.delete('/api/:user_id/notifications', async () => ({}))
  })
  t.teardown(() => app.close())
  t.equal(await say(app, { allow: ['POST /api/:user_id/logout'] }), '', 'the shorter path goes last')
  const again = await buildTodo(issuer.options, (app, store) => {
    todoRoutes(app, store)
    let isOut = false
    app.addHook('preHandler', async ({ user }, reply) => {
      if (isOut && user?.id === 'alice') await reply.code(401).send({})
    })
    app.post('/api/:user_id/sessions/of-this-device/end', async () => { isOut = true })
    app.delete('/api/:user_id', async () => ({}))
  })
  t.teardown(() => again.close())
  t.equal(await say(again), '')
})

t.test('two ids of one kind are tried apart', async (t) => {
  const hosts = async (isSound: boolean) => {
    const app = await buildTodo(issuer.options, (app, store) => {
      todoRoutes(app, store)
      app.post<{ Params: { task_id: string }, Body: { task_id: string } }>(`${one}/merge`, {
        schema: { body: { type: 'object', required: ['task_id'], properties: { task_id: { type: 'string' } } } }
      }, async ({ params, body, user }, reply) => {
        const find = (columns: object) => store.where(store.tasks, columns)[0]
        const into = find({ id: params.task_id, user_id: user.id })
        const from = find({ id: body.task_id, ...isSound && { user_id: user.id } })
        return into && from ? Object.assign(into, { title: from.title }) : none(reply)
      })
      // Of ids that stand only once, all are tried at once.
      app.put<{ Params: { task_id: string }, Body: { list_id: string } }>(`${one}/list`, {
        schema: { body: { type: 'object', properties: { list_id: { type: 'string' } } } }
      }, async ({ params, body, user }, reply) => {
        const [list] = store.where(store.lists, { id: body.list_id, user_id: user.id })
        const [task] = store.where(store.tasks, { id: params.task_id, ...isSound && { user_id: user.id } })
        return list && task ? { ...task, list_id: list.id } : none(reply)
      })
      // What they have in their paths already, they do not look at.
      const schema = { body: { type: 'object', properties: { task_id: { type: 'string' } } } }
      app.patch<{ Params: { task_id: string } }>(one, { schema }, async ({ params, user }, reply) =>
        store.where(store.tasks, { id: params.task_id, user_id: user.id })[0] ?? none(reply))
      app.delete<{ Params: { task_id: string }, Body: { task_id: string } }>(`${one}/now`, { schema },
        async ({ params, body, user }, reply) => {
          const isKnown = !isSound && store.where(store.tasks, { id: body.task_id }).length > 0
          return store.remove(store.tasks, { id: params.task_id, user_id: user.id }) > 0 ? { isKnown } : none(reply)
        })
    })
    t.teardown(() => app.close())
    return app
  }
  t.equal(await say(await hosts(true)), '')
  const says = await say(await hosts(false))
  t.match(says, "alice's token, bob's task_id in the body  as for none: 404 NOT_FOUND  200  /api/alice/tasks/")
  t.match(says, "alice's token, bob's task_id in the body  as for none: 200  200  /api/alice/tasks/")
  t.match(says, /bob's task_id {2}4xx {2}200 {2}\/api\/alice\/tasks\/[^/]*\/list/)
  t.notMatch(says, 'in the path')
})

t.test('ids of a fixed width and answers that name the path are no findings', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  const made: Array<{ id: string, owner: string }> = []
  app.post('/:user_id/bills', async ({ user }) =>
    made[made.push({ id: `INV:${String(made.length + 1).padStart(4, '0')}`, owner: user.id }) - 1])
  app.get<{ Params: { bill_id: string } }>('/:user_id/bills/:bill_id', {
    schema: { params: { type: 'object', properties: { bill_id: { type: 'string', pattern: '^INV:\\d{4}$' } } } }
  }, async ({ params, user, url }, reply) =>
    made.find(({ id, owner }) => id === params.bill_id && owner === user.id) ?? reply.code(404).send({ instance: url }))
  const objects: ObjectMakers = {
    bill_id: async ({ inject, owner }) =>
      (await inject({ method: 'POST', url: `/${owner}/bills` })).json<{ id: string }>().id
  }
  t.equal(await say(app, { objects, params: {} }), '')
})

t.test('without a route for an object, lists show whether it has changed', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  const notes: Array<Record<'id' | 'owner' | 'text', string>> = []
  app.get('/:user_id/notes', async ({ user }) => notes.filter(({ owner }) => owner === user.id))
  app.post('/:user_id/notes', async ({ user }) =>
    notes[notes.push({ id: `n${notes.length}`, owner: user.id, text: '' }) - 1])
  app.put<{ Params: { note_id: string } }>('/:user_id/notes/:note_id', async ({ params, user }, reply) => {
    const note = notes.find(({ id }) => id === params.note_id)
    if (note) note.text = 'new'
    return note?.owner === user.id ? note : none(reply)
  })
  const objects: ObjectMakers = {
    note_id: async ({ inject, owner }) =>
      (await inject({ method: 'POST', url: `/${owner}/notes` })).json<{ id: string }>().id
  }
  t.match(await say(app, { objects, params: {} }),
    "alice's token, bob's note_id: what bob reads then  as before  changed")
})

t.test('an answer with a request id is compared by the rest', async (t) => {
  let count = 0
  const wrap = (reply: FastifyReply, status: number, data: unknown) =>
    reply.code(status).send({ data, meta: { requestId: `r-${count++}`, at: performance.now() } })
  const find = (store: Store, id: string) => store.where(store.tasks, { id })[0]
  const get: Handler = ({ params, user }, reply, store) => {
    const task = find(store, params.task_id)
    return task?.user_id === user.id ? wrap(reply, 200, task) : wrap(reply, 404, 'none')
  }
  t.equal(await say(await host(t, { [`GET ${one}`]: get })), '')
  t.match(await say(await host(t, {
    [`GET ${one}`]: ({ params, user }, reply, store) => {
      const task = find(store, params.task_id)
      if (task?.user_id === user.id) return wrap(reply, 200, task)
      return wrap(reply, 404, task ? 'not yours' : 'none')
    }
  })), 'as for none: 404  404, another body')
  t.match(await say(await host(t, {
    [`GET ${one}`]: get,
    [`PUT ${one}`]: ({ params, user, body }, reply, store) => {
      const task = find(store, params.task_id)
      if (task) Object.assign(task, body)
      return task?.user_id === user.id ? wrap(reply, 200, task) : wrap(reply, 404, 'none')
    }
  })), "alice's token, bob's task_id: what bob reads then  as before  changed")
})

t.test('a route that answers the same without an object is told to answer 404', async (t) => {
  for (const [status, nothing] of [[200, null], [200, {}], [200, []], [500, { message: 'no rows' }]] as const) {
    const app = await host(t, {
      [`GET ${one}`]: ({ params, user }, reply, { where, tasks }) =>
        where(tasks, { id: params.task_id, user_id: user.id })[0] ??
          reply.code(status).type('application/json').send(JSON.stringify(nothing))
    })
    const says = await say(app)
    t.match(says, `GET ${one} (owner, default)\n  it answers the same for what does not exist. Fix: answer 404 ` +
      `where nothing is found, or allow: ['GET ${one}']`)
    for (const other of ['look for the object by its owner', 'If nothing was done']) t.notMatch(says, other)
  }
})

t.test("a task of bob's list in her workspace is found", async (t) => {
  const hosts = async (isSound: boolean) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(userScope, issuer.options)
    const rows: Array<Record<'id' | 'parent' | 'owner', string>> = []
    const add = (owner: string, parent: string) => {
      rows.push({ id: `${parent}x${rows.length}`, parent, owner })
      return rows.at(-1)?.id ?? ''
    }
    const url = '/:user_id/workspaces/:workspace_id/lists/:list_id/tasks/:task_id'
    app.get<{ Params: Record<string, string> }>(url, async ({ params, user }, reply) => {
      const find = (id = '') => rows.find((row) => row.id === id)
      const [workspace, list, task] = [find(params.workspace_id), find(params.list_id), find(params.task_id)]
      const isIn = !isSound || list?.parent === workspace?.id
      return workspace?.owner === user.id && task?.parent === list?.id && isIn && task ? task : none(reply)
    })
    const objects: ObjectMakers = {
      workspace_id: ({ owner }) => add(owner, 'w'),
      list_id: ({ owner, ids }) => add(owner, String(ids.workspace_id)),
      task_id: ({ owner, ids }) => add(owner, String(ids.list_id))
    }
    return await say(app, { objects, params: {} })
  }
  t.equal(await hosts(true), '')
  t.match(await hosts(false), "alice's token, bob's list_id and task_id  4xx  200")
})

t.test('an object that is changed by another name of its id is found', async (t) => {
  const app = await buildTodo(issuer.options, (app, store) => {
    todoRoutes(app, store)
    app.post<{ Body: { task_ids: string[] } }>('/api/:user_id/tasks/done', {
      schema: { body: { type: 'object', properties: { task_ids: { type: 'array' } } } }
    }, async ({ body }, reply) => {
      for (const id of body.task_ids) for (const task of store.where(store.tasks, { id })) task.done = !task.done
      return reply.code(204).send()
    })
    // Lists do not tell.
    app.addHook('preSerialization', async (_request, _reply, answer) =>
      Array.isArray(answer) ? answer.map((task: object) => ({ ...task, done: undefined })) : answer)
  })
  t.teardown(() => app.close())
  t.match(await say(app), "alice's token, bob's task_ids: what bob reads then  as before  changed")
})

/** A host of tasks in tenants, and further routes. */
async function tenantApp (t: Test, extra: (app: FastifyInstance, tasks: Task[]) => void) {
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
async function tasksApp (t: Test, extra: (app: FastifyInstance, tasks: Map<string, Task>) => void, first?: number) {
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
interface Id { Params: { task_id: string } }
interface Task { id: string, owner: string, isArchived: boolean, more?: object }
const task: ObjectMakers = {
  task_id: async ({ inject, owner }) => (await inject({ method: 'POST', url: `/api/${owner}/tasks` })).json<Task>().id
}
const oneTask = { objects: task, params: {} }

t.test('a cursor that decides whose list it is is found, whatever the order', async (t) => {
  const schema = { querystring: { type: 'object', properties: { after: { type: 'string' } } } }
  for (const [order, isBroken] of [[1, true], [-1, true], [1, false], [-1, false]] as const) {
    const app = await tasksApp(t, (app, tasks) => {
      app.get<{ Querystring: { after?: string } }>('/api/:user_id/pages', { schema }, async ({ user, query }) => {
        const list = [...tasks.values()]
        const at = list.findIndex(({ id, owner }) => id === query.after && (isBroken || owner === user.id))
        const owner = list[at]?.owner ?? user.id
        return list.filter((each, i) => each.owner === owner && (at === -1 ? !query.after : order * (i - at) > 0))
      })
    })
    const said = await say(app, { objects: { ...task, after: ({ ids }) => ids['task_id'] }, params: {} })
    if (isBroken) t.match(said, /alice's token, bob's after {2}as for none: 200 {2}200/)
    else t.equal(said, '')
  }
})

t.test('a long id is found in any text', async (t) => {
  const texts: Record<string, (task: Task) => unknown> = {
    'a file': ({ id }) => `https://cdn.example/task-${id}.pdf`,
    'a thumbnail': ({ id }) => `https://cdn.example/${id}_thumb.png`,
    'a log': ({ id, owner }) => `created task ${id} by ${owner}`,
    'a key': ({ id }) => ({ [`task:${id}`]: 'Buy milk' })
  }
  for (const [what, textOf] of Object.entries(texts)) {
    for (const isBroken of [true, false]) {
      const app = await tasksApp(t, (app, tasks) => {
        app.get('/api/:user_id/texts', async ({ user }) =>
          [...tasks.values()].filter(({ owner }) => isBroken || owner === user.id).map(textOf))
      })
      const said = await say(app, oneTask)
      if (isBroken) t.match(said, 'GET /api/:user_id/texts (owner, default)\n  Fix: look for', what)
      else t.equal(said, '', what)
    }
  }
})

t.test('a small number is only taken for an id if the next one appears too', async (t) => {
  const others: object[] = [
    { status_id: 2 }, { label_ids: [1, 2, 3] }, { repeat_on: [1, 2, 3, 4, 5] }, { paid: 2, valid: 2, grid: 2 },
    { category_ids: Array.from({ length: 40 }, (_, i) => i + 1) }
  ]
  for (const more of others) {
    const withMore = (isBroken: boolean) => tasksApp(t, (app, tasks) => {
      app.addHook('onRequest', async () => { for (const each of tasks.values()) each.more = more })
      app.get('/api/:user_id/all', async ({ user }) => [...tasks.values()]
        .filter(({ owner }) => isBroken || owner === user.id).map(({ id }) => ({ id: Number(id), ...more })))
    }, 1)
    t.equal(await say(await withMore(false), oneTask), '', JSON.stringify(more))
    t.match(await say(await withMore(true), oneTask), "nothing of bob's  200 with bob's task_id")
  }
})

t.test("numbers of bob's that stay the same are found in an answer that comes only once", async (t) => {
  for (const isBroken of [true, false]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(userScope, issuer.options)
    const accounts = new Map([[1, 'alice'], [2, 'bob']]) // of a fixture, which no maker makes anew
    interface Account { Params: { account_id: string } }
    app.delete<Account>('/:user_id/accounts/:account_id', async ({ params, user }, reply) => {
      const id = Number(params.account_id)
      if (accounts.get(id) !== user.id) return none(reply)
      accounts.delete(id)
      return { left_ids: [...accounts].filter(([, owner]) => isBroken || owner === user.id).map(([id]) => id) }
    })
    const said = await say(app, { objects: { account_id: ({ owner }) => owner === 'alice' ? 1 : 2 }, params: {} })
    if (isBroken) t.match(said, "alice's token, her own  nothing of bob's  200 with bob's account_id")
    else t.equal(said, '')
  }
})

t.test('bob removes nothing himself, as a maker may return what is there only once', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  const accounts = new Map([['a', 'alice'], ['b', 'bob']])
  interface Account { Params: { account_id: string } }
  app.delete<Account>('/:user_id/accounts/:account_id/tried-first', async ({ params, user }, reply) =>
    accounts.get(params.account_id) === user.id ? { isGone: accounts.delete(params.account_id) } : none(reply))
  app.delete<Account>('/:user_id/accounts/:account_id', async ({ params }, reply) =>
    accounts.delete(params.account_id) ? {} : none(reply))
  t.match(await say(app, { objects: { account_id: ({ owner }) => owner.charAt(0) }, params: {} }),
    "alice's token, bob's account_id  4xx  200  /alice/accounts/b")
})

t.test("numbers that count alice's own are no ids of bob's", async (t) => {
  for (const first of [1, 11]) {
    const app = await tasksApp(t, (app, tasks) => {
      app.get('/api/:user_id/order', async ({ user }) => {
        const { length } = [...tasks.values()].filter(({ owner }) => owner === user.id)
        return Array.from({ length: length + 40 }, (_, place) => place + 1)
      })
    }, first)
    t.equal(await say(app, oneTask), '')
  }
})

t.test('a change that only a list shows is found', async (t) => {
  for (const isRefused of [false, true]) {
    const app = await tasksApp(t, (app, tasks) => {
      app.post<{ Params: { task_id: string } }>('/api/:user_id/tasks/:task_id/archive',
        async ({ user, params }, reply) => {
          const task = tasks.get(params.task_id)
          if (task) task.isArchived = true
          return isRefused && task?.owner !== user.id ? none(reply) : {}
        })
    })
    t.match(await say(app, oneTask), "alice's token, bob's task_id: what bob reads then  as before  changed")
  }
})

t.test("her task on a board of bob's project is found", async (t) => {
  for (const isBroken of [true, false]) {
    const [projects, boards] = [new Map<string, string>(), new Map<string, { project: string, cards: string[] }>()]
    interface Ids { Params: { project_id: string, board_id: string, task_id: string } }
    const app = await tasksApp(t, (app, tasks) => {
      app.post('/api/:user_id/projects', async ({ user }) => {
        const id = randomUUID()
        projects.set(id, user.id)
        return { id }
      })
      app.post<Ids>('/api/:user_id/projects/:project_id/boards', async ({ user, params }, reply) => {
        if (projects.get(params.project_id) !== user.id) return none(reply)
        const id = randomUUID()
        boards.set(id, { project: params.project_id, cards: [] })
        return { id }
      })
      app.get<Ids>('/api/:user_id/projects/:project_id/boards/:board_id', async ({ user, params }, reply) => {
        const board = boards.get(params.board_id)
        const isHis = board?.project === params.project_id && projects.get(params.project_id) === user.id
        return isHis ? board : none(reply)
      })
      app.put<Ids>('/api/:user_id/projects/:project_id/boards/:board_id/cards/:task_id',
        async ({ user, params }, reply) => {
          const board = boards.get(params.board_id)
          const isFound = board?.project === params.project_id && tasks.get(params.task_id)?.owner === user.id
          if (!isFound || (!isBroken && projects.get(params.project_id) !== user.id)) return none(reply)
          board.cards.push(params.task_id)
          return board
        })
    })
    const create = (path: (ids: Readonly<Record<string, unknown>>) => string): ObjectMakers[string] =>
      async ({ inject, owner, ids }) =>
        (await inject({ method: 'POST', url: `/api/${owner}/${path(ids)}` })).json<Task>().id
    const objects: ObjectMakers = {
      project_id: create(() => 'projects'),
      board_id: create(({ project_id: project }) => `projects/${project}/boards`),
      ...task
    }
    const said = await say(app, { objects, params: {} })
    if (isBroken) t.match(said, "alice's token, bob's project_id and board_id  4xx  200")
    else t.equal(said, '')
  }
})

t.test('where the tenant is compared, the fix names its column', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { ...issuer.options, bind: { org_id: 'org' } })
  const invoices = new Map<string, { id: string, org: string }>()
  app.post<{ Params: { org_id: string } }>('/orgs/:org_id/invoices', async ({ params }) => {
    const invoice = { id: randomUUID(), org: params.org_id }
    invoices.set(invoice.id, invoice)
    return invoice
  })
  app.get<{ Params: { id: string } }>('/orgs/:org_id/invoices/:id', async ({ params }, reply) =>
    invoices.get(params.id) ?? none(reply))
  const objects: ObjectMakers = {
    id: async ({ inject, ids: { org_id: org = 'acme' } }) =>
      (await inject({ method: 'POST', url: `/orgs/${org}/invoices` })).json<{ id: string }>().id
  }
  const people = { alice: { id: 'alice', org: 'acme' }, bob: { id: 'bob', org: 'acme' } } as object
  const said = await say(app, { ...people, objects, params: { '*': { path: { org_id: 'acme' } } } })
  t.match(said, "as in .where('org_id', '=', request.params.org_id).where('user_id', '=', request.user.id)")
  const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, org: `of-${id}` }))
  const apart: ObjectMakers = { org_id: ({ owner }) => `of-${owner}`, ...objects }
  t.match(await say(app, { alice, bob, objects: apart, params: {} } as object),
    "as in .where('org_id', '=', request.params.org_id), or allow: ", 'which is enough where each has their own')
})

t.test('on a route for all users, the fix has no owner of the path', async (t) => {
  const app = await tenantApp(t, (app, tasks) => {
    app.get<Id>('/staff/:user_id/tasks/:task_id', { config: { access: 'user' } }, async ({ params }, reply) =>
      tasks.find(({ id }) => id === params.task_id) ?? none(reply))
  })
  t.match(await say(app, { alice: 'alice', bob: 'bob', objects: task, params: {} } as object),
    "too, as in .where('user_id', '=', request.user.id)\n")
})

t.test('where each user has their own tenant, the fix names the column of the owner', async (t) => {
  const app = await tenantApp(t, (app, tasks) => {
    app.get<Id>('/api/:user_id/orgs/:org_id/tasks/:task_id/broken', async ({ params }, reply) =>
      tasks.find(({ id }) => id === params.task_id) ?? none(reply))
  })
  const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, org: `of-${id}` }))
  const objects: ObjectMakers = { org_id: ({ owner }) => `of-${owner}`, ...task }
  t.match(await say(app, { alice, bob, objects, params: {} } as object),
    "too, as in .where('user_id', '=', getOwnerId(request))\n")
})

t.test('her own request may not change his records in their tenant', async (t) => {
  for (const isBroken of [true, false]) {
    const app = await tenantApp(t, (app, tasks) => {
      app.get('/api/:user_id/orgs/:org_id/tasks', async ({ user }) => tasks.filter(({ owner }) => owner === user.id))
      app.get('/api/:user_id/orgs/:org_id/size', async () => ({ tasks: tasks.length })) // of all in the tenant
      app.delete('/api/:user_id/orgs/:org_id/tasks', async ({ user }) =>
        tasks.splice(0, Infinity, ...tasks.filter(({ owner }) => !isBroken && owner !== user.id)).length)
    })
    const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, org: 'acme' }))
    const params = { '*': { path: { org_id: 'acme' } } }
    const only = ({ url }: { url: string }) => !url.endsWith('/:task_id')
    const said = await say(app, { alice, bob, objects: task, params, only } as object)
    if (isBroken) {
      t.match(said, "alice's token, her own: what bob reads then  as before  changed  /api/bob/orgs/acme/tasks")
    } else t.equal(said, '')
  }
})

t.test('small numbers in the answer to a write are looked at in the same way', async (t) => {
  for (const isBroken of [true, false]) {
    const app = await tasksApp(t, (app, tasks) => {
      app.post('/api/:user_id/refresh', async ({ user }) => [...tasks.values()]
        .filter(({ owner }) => isBroken || owner === user.id).map(({ id }) => ({ id: Number(id), status_id: 2 })))
    }, 1)
    const said = await say(app, oneTask)
    if (isBroken) t.match(said, "nothing of bob's  200 with bob's task_id  /api/alice/refresh")
    else t.equal(said, '')
  }
})

t.test('a leaked id is found beside a small number of another kind', async (t) => {
  const app = await tasksApp(t, (app, tasks) => {
    const lists: string[] = []
    app.post('/api/:user_id/lists', async ({ user }) => ({ id: lists.push(user.id) }))
    app.get<{ Params: { listId: number } }>('/api/:user_id/lists/:listId', async ({ user, params }, reply) =>
      lists[params.listId - 1] === user.id ? { id: Number(params.listId) } : none(reply))
    app.get('/api/:user_id/news', async () => ({ listId: 2, links: [...tasks.keys()].map((id) => `/tasks/${id}`) }))
  })
  const listId: ObjectMakers[string] = async ({ inject, owner }) =>
    (await inject({ method: 'POST', url: `/api/${owner}/lists` })).json<{ id: number }>().id
  const said = await say(app, { objects: { listId, ...task }, params: {} })
  t.match(said, 'GET /api/:user_id/news (owner, default)\n  Fix: look for')
  t.match(said, "nothing of bob's  200 with bob's task_id  ")
})

t.test("alice's id of another kind is no leak of bob's, although it is the same number", async (t) => {
  for (const isBroken of [true, false]) {
    const app = await tasksApp(t, (app, tasks) => {
      const lists: string[] = []
      app.post('/api/:user_id/lists', async ({ user }) => ({ id: 999 + lists.push(user.id) }))
      app.get<{ Params: { list_id: number } }>('/api/:user_id/lists/:list_id', async ({ user, params }, reply) =>
        lists[params.list_id - 1000] === user.id ? { list_id: Number(params.list_id) } : none(reply))
      app.get('/api/:user_id/all', async ({ user }) => [...tasks.values()]
        .filter(({ owner }) => isBroken || owner === user.id).map(({ id }) => ({ id: Number(id) })))
    }, 1001)
    const list: ObjectMakers[string] = async ({ inject, owner }) =>
      (await inject({ method: 'POST', url: `/api/${owner}/lists` })).json<{ id: number }>().id
    const said = await say(app, { objects: { list_id: list, ...task }, params: {} })
    if (isBroken) t.match(said, /200 with bob's .*task_id {2}\/api\/alice\/all/)
    else t.equal(said, '')
  }
})

t.test('a mayActFor that admits alice is named', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { ...issuer.options, mayActFor: () => true })
  app.post('/api/:user_id/tasks', async () => ({ id: randomUUID() }))
  app.get('/api/:user_id/tasks/:task_id', { config: { access: { delegates: true } } }, async () => 'in')
  t.match(await say(app, oneTask), 'alice may act for bob here. Fix: correct option "mayActFor"')
  const staffed = Fastify()
  t.teardown(() => staffed.close())
  await staffed.register(userScope, issuer.options)
  staffed.post('/api/:user_id/tasks', async () => ({ id: randomUUID() }))
  const config = { access: { delegates: { scopes: ['staff'] } } }
  staffed.get('/api/:user_id/tasks/:task_id', { config }, async () => 'in')
  const said = await say(staffed, { ...oneTask, alice: { id: 'alice', scope: 'staff' } } as never)
  t.match(said, /alice may act for bob here\. Fix: .*two users who may not act for each other/)
})

t.test("bob's ids in headers are found", async (t) => {
  for (const [name, valueOf] of [
    ['location', (id: string) => `/api/alice/tasks/${id}`],
    ['link', (id: string) => `</api/alice/tasks?after=${id}>; rel="next"`],
    ['set-cookie', (id: string) => [`last=${id}`, 'theme=dark']]
  ] as const) {
    const app = await host(t, {
      'GET /api/:user_id/tasks': (_request, reply, { where, tasks }) => {
        const task = where(tasks, { user_id: 'bob' }).at(name === 'link' ? -1 : 0)
        return reply.header(name, task ? valueOf(task.id) : '').send([])
      }
    })
    t.match(await say(app), "alice's token, her own  nothing of bob's  200 with bob's task_id", name)
  }
})

t.test('numbers in headers are no ids', async (t) => {
  const owners: string[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  app.addHook('onSend', async (_request, reply) => { reply.headers({ 'x-total': owners.length, 'x-page': '999' }) })
  app.post('/:user_id/notes', async ({ user }) => ({ id: 997 + owners.push(user.id) }))
  app.get<{ Params: { note_id: string } }>('/:user_id/notes/:note_id', async ({ user, params }, reply) =>
    owners[Number(params.note_id) - 998] === user.id ? { text: 'Buy milk' } : none(reply))
  const make: ObjectMakers[string] = async ({ inject, owner }) =>
    (await inject({ method: 'POST', url: `/${owner}/notes` })).json<{ id: number }>().id
  t.equal(await say(app, { objects: { note_id: make }, params: {} }), '')
})

t.test("bob's number in a time or a title of alice's is no sign of bob", async (t) => {
  const rows: Array<{ id: number, owner: string }> = []
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  const [querystring, body] = ['after', 'task_ids'].map((name) => ({ type: 'object', properties: { [name]: {} } }))
  const ownOf = ({ user }: { user: { id: string } }) => rows.filter(({ owner }) => owner === user.id)
    .map(({ id }) => ({ id, title: 'Buy 3 eggs', created_at: '2026-03-03T03:03:03.003Z' }))
  app.post('/:user_id/tasks', async ({ user }) => {
    const row = { id: rows.length + 1, owner: user.id }
    rows.push(row)
    return row
  })
  app.get('/:user_id/tasks', { schema: { querystring } }, async (request) => ownOf(request))
  app.post<{ Body: { task_ids: number[] } }>('/:user_id/batch', { schema: { body } }, async (request, reply) => {
    const asked = request.body.task_ids
    const own = ownOf(request).filter(({ id }) => asked.includes(id))
    return own.length > 0 ? { asked, own } : none(reply)
  })
  const after: ObjectMakers[string] = async ({ inject, owner }) =>
    (await inject({ method: 'POST', url: `/${owner}/tasks` })).json<{ id: number }>().id
  const params = { 'POST /:user_id/batch': { body: { task_ids: [] } } }
  t.equal(await say(app, { objects: { after, task_ids: ({ ids }) => ids['after'] }, params }), '')
})

t.test("a single row of bob's must not change with alice's", async (t) => {
  const names: Record<string, string> = { alice: 'Alice', bob: 'Bob' }
  const schema = { body: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } }
  const withProfile = async (write: (user: string, name: string) => void, log: string[] = []) => {
    const app = await buildTodo(issuer.options, (app, store) => {
      todoRoutes(app, store)
      app.get('/api/:user_id/profile', async ({ user }) => ({ name: names[user.id], at: log.length }))
      app.patch<{ Body: { name: string } }>('/api/:user_id/profile', { schema }, async ({ user, body }) => {
        write(user.id, body.name)
        return {}
      })
    })
    t.teardown(() => app.close())
    return app
  }
  const params = { ...todoParams, 'PATCH /api/:user_id/profile': { body: { name: 'A' } } }
  t.equal(await say(await withProfile((user, name) => { names[user] = name }), { params }), '')
  const all = await withProfile((_user, name) => { for (const user of Object.keys(names)) names[user] = name })
  names.bob = 'Bob'
  const says = await say(all, { params })
  t.match(says, "alice's token, her own: what bob reads then  as before  changed  /api/bob/profile")
  t.match(says, ", here or where bob reads it, or allow: ['GET /api/:user_id/profile'] if that shows what all may " +
    'change, or counts what all have\n')
})

t.test('a row of their tenant may change', async (t) => {
  const names: Record<string, string> = { acme: 'Acme' }
  const schema = { body: { type: 'object', properties: { name: { type: 'string' } } } }
  const app = await buildTodo({ ...issuer.options, bind: { org_id: 'org' } }, (app, store) => {
    todoRoutes(app, store)
    type Org = { Params: { org_id: string }, Body: { name: string } }
    app.get<Org>('/api/:user_id/orgs/:org_id', async ({ params }) => ({ name: names[params.org_id] }))
    app.patch<Org>('/api/:user_id/orgs/:org_id', { schema }, async ({ params, body }) => {
      names[params.org_id] = body.name
      return {}
    })
  })
  t.teardown(() => app.close())
  const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, org: 'acme' }))
  const params = { ...todoParams, 'PATCH /api/:user_id/orgs/:org_id': { body: { name: 'A' } } }
  t.equal(await say(app, { alice, bob, params: { ...params, '*': { path: { org_id: 'acme' } } } } as object), '')
})

t.test('a read that shows what alice has changed is named', async (t) => {
  const app = await buildTodo(issuer.options, (app, store) => {
    todoRoutes(app, store)
    app.get('/api/:user_id/tasks/search', async () => store.tasks.map(({ title, done }) => ({ title, done })))
  })
  t.teardown(() => app.close())
  t.match(await say(app), "alice's token, after bob has made his  as before  changed  /api/alice/tasks/search")
})

t.test('a limit on the rate of requests is named', async (t) => {
  let requests = 0
  const app = await host(t, {
    [`GET ${one}`]: ({ params, user }, reply, { where, tasks }) => {
      if (++requests > 3) return reply.code(429).send({ message: 'slow down' })
      return where(tasks, { id: params.task_id, user_id: user.id })[0] ?? none(reply)
    }
  })
  await t.rejects(say(app), {
    name: 'TypeError',
    message: /^(GET|HEAD) \/api\/\w+\/tasks\/\S+: the app limits the rate of requests: raise the limit in tests, or /
  })
})

interface Row { id: string, owner: string, list_id?: string, isRead?: boolean }

/** An app with these routes, which makes records of any kind by POST and shows them to their owner by GET. */
async function rowsHost (t: Test, kinds: string[], routes: (app: FastifyInstance, rows: Row[]) => void) {
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

t.test('an id that may be left out is left out, too', async (t) => {
  const ids = { type: 'object', properties: { list_id: { type: 'string' } } }
  let isSound = false
  const { app, objects } = await rowsHost(t, ['list_id'], (app, rows) => {
    const shown = (list: string | undefined, owner: string) => rows.filter((row) =>
      list === undefined ? !isSound || row.owner === owner : row.owner === owner && row.id === list)
    app.get<{ Querystring: { list_id?: string } }>('/:user_id/tasks', { schema: { querystring: ids } },
      async ({ user, query }) => shown(query.list_id, user.id))
    app.post<{ Body: { list_id?: string } }>('/:user_id/export', { schema: { body: ids } },
      async ({ user, body }) => shown(body.list_id, user.id))
    app.get<{ Querystring: { list_id?: string } }>('/catalog', { schema: { querystring: ids } },
      async ({ user, query }) => shown(query.list_id, query.list_id === undefined ? 'nobody' : user.id))
  })
  const says = await say(app, { objects, params: {} })
  const found = "alice's token, her own without its ids  nothing of bob's  200 with bob's list_id"
  t.match(says, /^Routes .*: 2\n/)
  for (const url of ['/alice/tasks', '/alice/export']) t.match(says, `${found}  ${url}`)
  t.notMatch(says, '/catalog')
  isSound = true
  t.equal(await say(app, { objects, params: {}, allow: ['POST /:user_id/export'] }), '')
})

t.test('a body that names another owner than the path may be ignored', async (t) => {
  const hosts = async (
    url: string, isTaken: boolean, answer: (row: Row) => unknown,
    { isShown = true, read = url, alice = 'alice', bob = 'bob', ownerOf = String as (owner: string) => ObjectId } = {}
  ) => {
    const { app, objects } = await rowsHost(t, ['list_id'], (app, rows) => {
      app.get(read, async ({ user }) => isShown ? rows.filter(({ owner }) => owner === user.id) : {})
      app.post<{ Body: { owner: string } }>(url, async ({ user, body }) => {
        const row = { id: randomUUID(), owner: isTaken ? body.owner : user.id }
        rows.push(row)
        return answer(row)
      })
      app.get('/:user_id/lists/:list_id', async ({ user, params }, reply) =>
        rows.find(({ id, owner }) => id === (params as Host['Params']).list_id && owner === user.id) ?? none(reply))
    })
    const params = { [`POST ${url}`]: { body: { owner: '' } } }
    return await say(app, { alice, bob, objects: { ...objects, owner: ({ owner }) => ownerOf(owner) }, params })
  }
  const [url, label] = ['/:user_id/notes', "alice's token, bob's owner"]
  t.equal(await hosts(url, false, (row) => row), '')
  t.match(await hosts(url, true, () => ({})), `${label}: what bob reads then  as before  changed`)
  t.match(await hosts(url, true, (row) => row, { isShown: false }), `${label}  4xx  200`, 'the answer has the id')
  for (const url of ['/notes', '/me/notes']) {
    t.match(await hosts(url, false, (row) => row), `${label}  4xx  200`, 'nothing else names the owner')
  }
  const unseen = await hosts('/:user_id/password', true, () => ({}), { read: '/:user_id/notes' })
  t.match(unseen, `${label}  4xx  200`, 'no GET route of that URL would show it')
  const numbers = { alice: '17', bob: '18', ownerOf: Number }
  t.equal(await hosts(url, false, () => ({}), numbers), '', 'an owner that is sent as a number')
})

t.test('a write that may go without its id changes nothing of others', async (t) => {
  const body = { type: 'object', properties: { list_id: { type: 'string' } } }
  for (const kinds of [['list_id'], ['list_id', 'row_id']]) {
    const url = ['/:user_id/read', ...kinds.slice(1)].join('/:')
    const { app, objects } = await rowsHost(t, kinds, (app, rows) => {
      app.get('/:user_id/rows', async ({ user }) => rows.filter(({ owner }) => owner === user.id))
      interface Read { Body: { list_id?: string }, Params: { row_id?: string } }
      app.post<Read>(url, { schema: { body } }, async ({ user, body, params }, reply) => {
        const used = rows.findIndex((row) => row.id === params.row_id && row.owner === user.id)
        if (params.row_id && rows.splice(used, Number(used >= 0)).length === 0) return none(reply)
        const { list_id: id } = body
        const found = rows.filter((row) => id === undefined || (row.id === id && row.owner === user.id))
        for (const row of found) row.isRead = true
        return found.length > 0 ? reply.code(204).send() : none(reply)
      })
    })
    const says = await say(app, { objects, params: {} })
    t.match(says, "alice's token, her own without its ids: what bob reads then  as before  changed", url)
  }
})

t.test('ids that do not stand side by side are sent together, too', async (t) => {
  const { app, objects } = await rowsHost(t, ['board_id', 'label_id', 'card_id'], (app, rows) => {
    const find = (id: string) => rows.find((row) => row.id === id)
    app.get<{ Params: Record<'board_id' | 'label_id' | 'card_id', string> }>(
      '/:user_id/boards/:board_id/labels/:label_id/cards/:card_id', async ({ user, params }, reply) => {
        const [board, label, card] = [params.board_id, params.label_id, params.card_id].map(find)
        return label?.owner === user.id && board && board.owner === card?.owner ? card : none(reply)
      })
  })
  t.match(await say(app, { objects, params: {} }), "alice's token, bob's board_id and card_id  4xx  200")
})

t.test('a mark that the first read sets is no change by others', async (t) => {
  const { app, objects } = await rowsHost(t, ['mail_id'], (app, rows) => {
    const own = (id: string, user: string) => rows.find((row) => row.id === id && row.owner === user)
    app.get<{ Params: { mail_id: string } }>('/:user_id/mails/:mail_id', async ({ user, params }, reply) => {
      const row = own(params.mail_id, user.id)
      return row ? { id: row.id, isRead: row.isRead } : none(reply)
    })
    app.get<{ Params: { mail_id: string } }>('/:user_id/texts/:mail_id', async ({ user, params }, reply) => {
      const row = own(params.mail_id, user.id)
      return row ? Object.assign(row, { isRead: true }).id : none(reply)
    })
    app.put<{ Params: { mail_id: string } }>('/:user_id/mails/:mail_id', async ({ params }, reply) => {
      const row = rows.find(({ id }) => id === params.mail_id)
      return row ? Object.assign(row, { list_id: 'x' }) : none(reply)
    })
    app.delete<{ Params: { mail_id: string } }>('/:user_id/texts/:mail_id', async ({ user, params }, reply) => {
      const row = own(params.mail_id, user.id)
      return row ? rows.splice(rows.indexOf(row), 1) : none(reply)
    })
  })
  t.match(await say(app, { objects, params: {} }), /^Routes .*: 1\n\nPUT/)
})

t.test('a write by the id of a list may not change the tasks in it', async (t) => {
  let isSound = false
  const { app, objects } = await rowsHost(t, ['list_id', 'task_id'], (app, rows) => {
    const show = (kind: string) => app.get<{ Params: Record<string, string> }>(`/:user_id/${kind}/:${kind}_id`,
      async ({ user, params }, reply) =>
        rows.find((row) => row.id === params[`${kind}_id`] && row.owner === user.id) ?? none(reply))
    show('list')
    show('task')
    const querystring = { type: 'object', properties: { list_id: { type: 'string' } } }
    // A filter by a list may find nothing, also below a task.
    app.get<Id & { Querystring: { list_id?: string } }>('/:user_id/task/:task_id/of', { schema: { querystring } },
      async ({ user, params, query }, reply) => {
        const own = rows.filter(({ owner }) => owner === user.id)
        return own.some(({ id }) => id === params.task_id) ? own.filter(({ id }) => id === query.list_id) : none(reply)
      })
    app.patch<{ Querystring: { list_id?: string } }>('/:user_id/tasks', { schema: { querystring } },
      async ({ user, query }) => {
        // The maker puts a task into the list that it has made before.
        const isIn = (row: Row, list?: Row) => list?.id === query.list_id && (!isSound || row.owner === user.id)
        for (const [i, row] of rows.entries()) if (isIn(row, rows[i - 1])) row.isRead = true
        return {}
      })
  })
  t.match(await say(app, { objects, params: {} }),
    "alice's token, bob's list_id: what bob reads then  as before  changed")
  isSound = true
  t.equal(await say(app, { objects, params: {} }), '')
})

t.test('a write without an id may not change what only a list shows', async (t) => {
  const { app, objects } = await rowsHost(t, ['list_id', 'task_id'], (app, rows) => {
    app.get<{ Params: { list_id: string } }>('/:user_id/lists/:list_id', async ({ user, params }, reply) => {
      const row = rows.find(({ id, owner }) => id === params.list_id && owner === user.id)
      return row ? { id: row.id } : none(reply)
    })
    app.get('/:user_id/tasks', async ({ user }) => rows.filter(({ owner }) => owner === user.id))
    app.put<{ Params: { task_id: string } }>('/:user_id/tasks/:task_id', async ({ user, params }, reply) =>
      rows.find(({ id, owner }) => id === params.task_id && owner === user.id) ?? none(reply))
    app.post('/:user_id/read-all', async () => {
      for (const row of rows) row.isRead = true
      return {}
    })
  })
  t.match(await say(app, { objects, params: {} }), "alice's token, her own: what bob reads then  as before  changed")
})

t.test('an answer that repeats the ids of a batch does not hide what it adds', async (t) => {
  let isSound = false
  const { app, objects } = await rowsHost(t, ['row_id'], (app, rows) => {
    const body = { type: 'object', properties: { row_ids: { type: 'array', items: { type: 'string' } } } }
    app.post<{ Body: { row_ids: string[] } }>('/:user_id/batch', { schema: { body } }, async (request, reply) => {
      const { user, body } = request
      const found = rows.filter(({ id }) => body.row_ids.includes(id))
      const own = found.filter(({ owner }) => owner === user.id)
      for (const row of own) rows.splice(rows.indexOf(row), 1) // what it has used up is made anew for each request
      return own.length > 0 ? { asked: body.row_ids, rows: isSound ? own : found } : none(reply)
    })
  })
  const both = { row_ids: objects.row_id } as ObjectMakers
  t.match(await say(app, { objects: both, params: {} }),
    "alice's token, her row_ids and bob's  nothing of bob's  200 with bob's row_ids")
  isSound = true
  t.equal(await say(app, { objects: both, params: {} }), '')
})

t.test('a refusal of a batch may repeat its first id', async (t) => {
  const body = { type: 'object', properties: { task_ids: { type: 'array', items: { type: 'string' } } } }
  const app = await tasksApp(t, (app, tasks) => {
    app.post<{ Body: { task_ids: string[] } }>('/api/:user_id/merge', { schema: { body } },
      async ({ user, body: { task_ids: [first = '', ...rest] } }, reply) => {
        const isOwn = (id: string) => tasks.get(id)?.owner === user.id
        return isOwn(first) ? { merged: rest.filter(isOwn).length } : reply.code(404).send({ message: `no ${first}` })
      })
  })
  t.equal(await say(app, { objects: { ...task, task_ids: ({ ids }) => ids['task_id'] }, params: {} }), '')
})

t.test("numbers in the answer to a batch are no ids of bob's if they also come without his", async (t) => {
  const body = { type: 'object', properties: { task_ids: { type: 'array' } } }
  const app = await tasksApp(t, (app, tasks) => {
    app.post<{ Body: { task_ids: number[] } }>('/api/:user_id/labels', { schema: { body } },
      async ({ user, body: { task_ids: ids } }, reply) => ids.some((id) => tasks.get(String(id))?.owner === user.id)
        ? { label_ids: Array.from({ length: 40 }, (_, i) => i + 1) }
        : none(reply))
  }, 1)
  t.equal(await say(app, { objects: { ...task, task_ids: ({ ids }) => ids['task_id'] }, params: {} }), '')
})

t.test("bob's id in a header of the answer to a batch is found", async (t) => {
  const body = { type: 'object', properties: { task_ids: { type: 'array', items: { type: 'string' } } } }
  const app = await tasksApp(t, (app, tasks) => {
    app.post<{ Body: { task_ids: string[] } }>('/api/:user_id/touch', { schema: { body } },
      async ({ user, body: { task_ids: ids } }, reply) => {
        const found = ids.filter((id) => tasks.has(id))
        return ids.some((id) => tasks.get(id)?.owner === user.id)
          ? reply.header('x-last', found.at(-1)).send({})
          : none(reply)
      })
  })
  t.match(await say(app, { objects: { ...task, task_ids: ({ ids }) => ids['task_id'] }, params: {} }),
    "alice's token, her task_ids and bob's  nothing of bob's  200 with bob's task_ids")
})

t.test('an answer to alice that changes when bob makes something is found', async (t) => {
  const leaks: Record<string, (tasks: Task[], own: Task[]) => unknown> = {
    'a count': ({ length }) => ({ length }),
    'the latest one': (tasks) => ({ title: `of ${String(tasks.at(-1)?.owner)}, ${tasks.length}` }),
    none: (_tasks, { length }) => ({ length })
  }
  for (const [what, leak] of Object.entries(leaks)) {
    const app = await tasksApp(t, (app, tasks) => {
      app.get('/api/:user_id/stats', async ({ user }) =>
        leak([...tasks.values()], [...tasks.values()].filter(({ owner }) => owner === user.id)))
      app.post<Id>('/api/:user_id/tasks/:task_id/copy', async ({ user, params }, reply) => {
        const task = tasks.get(params.task_id)
        if (task?.owner !== user.id) return none(reply)
        tasks.set(randomUUID(), { ...task, id: randomUUID() })
        return {}
      })
    })
    const table = [
      "Routes that let others reach an owner's objects, or could not be tried: 1",
      '',
      'GET /api/:user_id/stats (owner, default)',
      "  Fix: look for the object by its owner, too, as in .where('user_id', '=', getOwnerId(request)), or let " +
        "objects make nothing of what all share, or allow: ['GET /api/:user_id/stats'] if it is about what all have",
      '  request  expected  answer  path',
      "  alice's token, after bob has made his  as before  changed  /api/alice/stats"
    ]
    t.equal(await say(app, oneTask), what === 'none' ? '' : table.join('\n'), what)
  }
})

t.test('a flag that only one record has is not taken from bob', async (t) => {
  for (const isBroken of [true, false]) {
    const app = await tasksApp(t, (app, tasks) => {
      app.post<Id>('/api/:user_id/tasks/:task_id/main', async ({ user, params }, reply) => {
        const own = tasks.get(params.task_id)
        if (own?.owner !== user.id || own.isArchived) return none(reply)
        own.isArchived = true // each can be it only once
        for (const task of tasks.values()) {
          if (isBroken || task.owner === user.id) task.more = task.id === params.task_id ? { isMain: true } : {}
        }
        return {}
      })
    })
    const said = await say(app, oneTask)
    if (isBroken) t.match(said, "alice's token, her own after bob's own: what bob reads then  as before  changed")
    else t.equal(said, '')
  }
})

t.test('the id of what bob has made last is found in the answer to a write', async (t) => {
  const app = await tasksApp(t, (app, tasks) => {
    app.put<Id>('/api/:user_id/tasks/:task_id', async ({ user, params }, reply) =>
      tasks.get(params.task_id)?.owner === user.id ? {} : none(reply))
    app.post('/api/:user_id/refresh', async () =>
      ({ latest: [...tasks.values()].findLast(({ owner }) => owner === 'bob')?.id }))
  })
  t.match(await say(app, oneTask), "nothing of bob's  200 with bob's task_id  /api/alice/refresh")
})

t.test('what bob uses up himself is made anew before the next route is tried', async (t) => {
  const app = await tasksApp(t, (app, tasks) => {
    app.post<Id>('/api/:user_id/tasks/:task_id/close', async ({ user, params }, reply) =>
      tasks.get(params.task_id)?.owner === user.id && tasks.delete(params.task_id) ? {} : none(reply))
    app.put<Id>('/api/:user_id/tasks/:task_id', async ({ params }, reply) =>
      tasks.has(params.task_id) ? {} : none(reply))
  })
  t.match(await say(app, oneTask), "alice's token, bob's task_id  4xx  200  /api/alice/tasks/")
})

t.test('a batch that is admitted by one of its ids is found, whichever it is', async (t) => {
  const body = { type: 'object', properties: { task_ids: { type: 'array', items: { type: 'string' } } } }
  for (const at of [0, -1, null]) {
    const app = await tasksApp(t, (app, tasks) => {
      app.post<{ Body: { task_ids: string[] } }>('/api/:user_id/archive', { schema: { body } },
        async ({ user, body }, reply) => {
          const found = body.task_ids.map((id) => tasks.get(id))
          if (at !== null && found.at(at)?.owner !== user.id) return none(reply)
          const own = found.filter((task) => task && (at !== null || task.owner === user.id))
          for (const task of own) if (task) task.isArchived = true
          return own.length > 0 ? {} : none(reply)
        })
    })
    const said = await say(app, { objects: { ...task, task_ids: ({ ids }) => ids['task_id'] }, params: {} })
    const ids = at === 0 ? "her task_ids and bob's" : "bob's task_ids and hers"
    if (at !== null) t.match(said, `alice's token, ${ids}: what bob reads then  as before  changed`)
    else t.equal(said, '')
  }
})

t.test('a cache by URL that gives bob what alice has read is found', async (t) => {
  for (const [isBroken, idOf] of [
    [true, () => `1-${randomUUID()}`], [true, () => `${randomUUID()}-1`], [false, () => randomUUID()]
  ] as const) {
    const [cache, notes] = [new Map<string, unknown>(), new Map<string, string>()]
    const app = await tasksApp(t, (app) => {
      app.get<{ Params: { note_id: string } }>('/me/notes/:note_id', async ({ user, params }, reply) =>
        notes.get(params.note_id) === user.id ? {} : none(reply))
      app.get('/me/notes', async ({ user, url }) => {
        const key = isBroken ? url : `${user.id} ${url}`
        const own = [...notes].filter(([, owner]) => owner === user.id).map(([id]) => ({ id }))
        return cache.get(key) ?? cache.set(key, own).get(key)
      })
    })
    const makeNote: ObjectMakers[string] = ({ owner }) => {
      const id = idOf()
      notes.set(id, owner)
      return id
    }
    const said = await say(app, { objects: { ...task, note_id: makeNote }, params: {} })
    if (!isBroken) t.equal(said, '')
    else {
      t.match(said, /Fix: look .*, and let a cache keep answers by user\n/)
      t.match(said, "bob's token, his own  nothing of alice's  200  /me/notes")
    }
  }
})

t.test('what belongs to "me" is tried without an id', async (t) => {
  for (const isBroken of [true, false]) {
    const app = await tasksApp(t, (app, tasks) => {
      const own = (user: string) => [...tasks.values()].filter(({ owner }) => isBroken || owner === user)
      app.get('/me/tasks', async ({ user }) => own(user.id).map(({ id }) => ({ id })))
      app.get('/me', async ({ user }) => ({ tasks: own(user.id).length }))
      app.get('/me/plan', async ({ user }, reply) => user.id === 'alice' ? {} : none(reply)) // bob has none
      app.get('/menu', async () => [...tasks.keys()]) // of all users, and not "me"
      app.get('/me/health', { config: { access: 'public' } }, async () => [...tasks.keys()])
      app.delete('/me/tasks', async ({ user }, reply) => {
        for (const { id } of own(user.id)) tasks.delete(id)
        return reply.code(204).send()
      })
    })
    const said = await say(app, oneTask)
    if (!isBroken) {
      t.equal(said, '')
      continue
    }
    t.match(said, "alice's token, her own  nothing of bob's  200 with bob's task_id  /me/tasks")
    t.match(said, /alice's token, after bob has made his {2}as before {2}changed {2}\/me$/m)
    t.match(said, "alice's token, her own: what bob reads then  as before  changed  /api/bob/tasks")
    t.notMatch(said, '/menu')
  }
})

t.test('an order that takes what everybody has put into a cart is found', async (t) => {
  for (const isBroken of [true, false]) {
    const app = await tasksApp(t, (app) => {
      const carts = new Map<string, string[]>()
      const orders = new Map<string, string>()
      app.put('/api/:user_id/cart', async ({ user }) => carts.set(user.id, ['milk']).get(user.id))
      app.get('/api/:user_id/cart', async ({ user }) => carts.get(user.id) ?? [])
      app.post('/api/:user_id/orders', async ({ user }) => {
        if (isBroken) carts.clear()
        else carts.delete(user.id)
        const id = randomUUID()
        orders.set(id, user.id)
        return { id }
      })
      app.get<{ Params: { order_id: string } }>('/api/:user_id/orders/:order_id', async ({ user, params }, reply) =>
        orders.get(params.order_id) === user.id ? { id: params.order_id } : none(reply))
    })
    const objects: ObjectMakers = {
      order_id: async ({ inject, owner }) => {
        const order = await inject({ method: 'POST', url: `/api/${owner}/orders` })
        await inject({ method: 'PUT', url: `/api/${owner}/cart` })
        return order.json<Task>().id
      }
    }
    const said = await say(app, { objects, params: {}, only: ({ url }) => !url.includes('tasks') })
    if (isBroken) t.match(said, "alice's token, after bob has made his  as before  changed  /api/alice/cart")
    else t.equal(said, '')
  }
})

t.test('a checkout that looks at no id may use up what is hers', async (t) => {
  for (const isBroken of [false, true]) {
    const carts = new Set<string>()
    const app = await tasksApp(t, (app) => {
      app.addHook('preHandler', async ({ method, url, user }) => {
        if (method === 'POST' && url.endsWith('/tasks')) carts.add(user.id)
      })
      app.get('/me/cart', async ({ user }) => ({ isFull: carts.has(user.id) }))
      app.post('/checkout', async ({ user }, reply) => {
        if (!carts.has(user.id)) return reply.code(409).send({ message: 'nothing to buy' })
        if (isBroken) carts.clear()
        carts.delete(user.id)
        return { id: randomUUID() }
      })
    })
    const said = await say(app, { objects: task, params: { 'POST /checkout': { query: { task_id: '' } } } })
    if (isBroken) t.match(said, "alice's token, bob's task_id: what bob reads then  as before  changed  /me/cart")
    else t.equal(said, '')
  }
})

t.test('a refusal that does not come again tells of what bob has', async (t) => {
  for (const method of ['GET', 'POST'] as const) {
    const asked = new Set<string>()
    const app = await tasksApp(t, (app, tasks) => {
      app.route<{ Querystring: { task_id: string } }>({
        method,
        url: '/api/:user_id/seen',
        handler: async ({ query: { task_id: id } }, reply) => {
          if (tasks.has(id) || asked.has(id)) return {}
          asked.add(id)
          return none(reply)
        }
      })
    })
    const params = { [`${method} /api/:user_id/seen`]: { query: { task_id: '' } } }
    t.match(await say(app, { ...oneTask, params }), "bob's task_id  as for none: 404 NOT_FOUND  200  /api/alice/seen?")
  }
})

t.test('a search by POST or QUERY may find nothing', async (t) => {
  const body = { type: 'object', properties: { task_id: { type: 'string' } } }
  for (const [method, isBroken] of [['POST', true], ['POST', false], ['QUERY', true], ['QUERY', false]] as const) {
    const app = await tasksApp(t, (app, tasks) => {
      app.route<{ Body: { task_id: string } }>({
        method,
        url: '/api/:user_id/search',
        schema: { body },
        handler: async ({ user, body }) => ({
          items: [...tasks.values()].filter(({ id, owner }) => id === body.task_id && (isBroken || owner === user.id))
        })
      })
    })
    const said = await say(app, oneTask)
    if (isBroken) t.match(said, "alice's token, bob's task_id  4xx  200  /api/alice/search")
    else t.equal(said, '')
  }
})

t.test('a batch of objects may do nothing, and say so for each', async (t) => {
  for (const [status, isBroken] of [[200, false], [207, false], [200, true]] as const) {
    const app = await tasksApp(t, (app, tasks) => {
      app.post<{ Body: { items: Array<{ task_id: string }> } }>('/api/:user_id/tasks/archive',
        async ({ user, body }, reply) => {
          const results = body.items.map(({ task_id: id }) => {
            const task = tasks.get(id)
            const isFound = task !== undefined && (isBroken || task.owner === user.id)
            if (isFound) task.isArchived = true
            return { task_id: id, isFound }
          })
          return reply.code(status).send({ results })
        })
    })
    const params = { 'POST /api/:user_id/tasks/archive': { body: { items: [{ task_id: '' }] } } }
    const said = await say(app, { ...oneTask, params })
    if (isBroken) t.match(said, "alice's token, bob's task_id: what bob reads then  as before  changed")
    else t.equal(said, '')
  }
})

t.test('what is made with an id that nobody has takes any id', async (t) => {
  for (const [given, isBroken] of [
    [{ task_ids: [] }, true], [{ task_ids: [] }, false], [{ rows: [{ task_id: '' }] }, true],
    [{ rows: [{ task_id: '' }] }, false]
  ] as const) {
    const app = await tasksApp(t, (app, tasks) => {
      interface Body { task_ids?: string[], rows?: Array<{ task_id: string }> }
      app.post<{ Body: Body }>('/api/:user_id/reports', async ({ user, body }, reply) => {
        const all = body.task_ids ?? body.rows?.map(({ task_id: id }) => id) ?? []
        const ids = all.filter((id) => isBroken || tasks.get(id)?.owner === user.id)
        return reply.code(201).send({ id: randomUUID(), task_ids: ids })
      })
    })
    const objects: ObjectMakers = { ...task, ...'task_ids' in given && { task_ids: ({ ids }) => ids['task_id'] } }
    const said = await say(app, { objects, params: { 'POST /api/:user_id/reports': { body: given } } })
    if (isBroken) t.match(said, /alice's token, bob's task_ids? {2}4xx {2}201 {2}\/api\/alice\/reports/)
    else t.equal(said, '')
  }
})

t.test('a write by POST is no search, although its answer has an empty list or null', async (t) => {
  const body = { type: 'object', properties: { list_id: { type: 'string' } } }
  for (const more of [{ tags: [] }, { data: { move: null } }, { data: null, list_id: '' }]) {
    const app = await buildTodo(issuer.options, (app, store) => {
      todoRoutes(app, store)
      app.post<Host>(`${one}/move`, { schema: { body } }, async ({ user, params, body }, reply) => {
        const [task] = store.where(store.tasks, { id: params.task_id, user_id: user.id })
        if (!task) return none(reply)
        Object.assign(task, body)
        return 'list_id' in more ? { ...more, ...body } : more
      })
    })
    t.teardown(() => app.close())
    const said = await say(app)
    t.match(said, "alice's token, bob's list_id  4xx  200  /api/alice/tasks/", JSON.stringify(more))
    t.match(said, 'If it is a search: let objects make what it finds')
  }
})

t.test('a write by POST that takes any id is no search, although its answer differs with hers', async (t) => {
  const body = { type: 'object', properties: { list_id: { type: 'string' } } }
  for (const [status, more, isKept] of [
    [200, { tags: [] }, true], [201, { tags: [] }, false], [200, {}, false]
  ] as const) {
    const app = await buildTodo(issuer.options, (app, store) => {
      todoRoutes(app, store)
      app.post<Host>(`${one}/move`, { schema: { body } }, async ({ user, params, body }, reply) => {
        const [task] = store.where(store.tasks, { id: params.task_id, user_id: user.id })
        if (!task) return none(reply)
        if (isKept) Object.assign(task, body)
        const isHers = store.where(store.lists, { id: body.list_id, user_id: user.id }).length > 0
        return reply.code(status).send({ ...more, isHers })
      })
    })
    t.teardown(() => app.close())
    t.match(await say(app), `alice's token, bob's list_id  4xx  ${status}  /api/alice/tasks/`, JSON.stringify(more))
  }
})

t.test('a write that has changed what is his need not be allowed, although it answers the same for none', async (t) => {
  const app = await host(t, {
    [`DELETE ${one}`]: ({ params }, reply, store) => {
      store.remove(store.tasks, { id: params.task_id })
      return reply.code(204).send()
    }
  })
  const said = await say(app)
  t.match(said, "alice's token, bob's task_id: what bob reads then  as before  changed")
  t.match(said, "alice's token, bob's task_id  4xx  204")
  t.notMatch(said, 'or allow')
})

t.test('a list of what everybody has is not blamed on a cache', async (t) => {
  for (const url of ['/api/:user_id/all', '/me/all']) {
    const app = await tasksApp(t, (app, tasks) => { app.get(url, async () => [...tasks.values()]) })
    const said = await say(app, oneTask)
    t.match(said, "alice's token, her own  nothing of bob's  200 with bob's task_id")
    t.notMatch(said, 'a cache by URL')
  }
})

t.test('a resolver of GraphQL may find nothing', async (t) => {
  const answers = [
    (node: unknown) => ({ data: { node } }),
    (node: unknown) => ({ data: { me: { name: 'Alice' }, node } }),
    (node: unknown) => node === null ? { data: { node }, errors: [{ message: 'none' }] } : { data: { node } }
  ]
  for (const answer of answers) {
    for (const isBroken of [true, false]) {
      const app = await tasksApp(t, (app, tasks) => {
        app.post<{ Body: { variables: { task_id: string } } }>('/graphql', async ({ user, body }) => {
          const task = tasks.get(body.variables.task_id)
          return answer(task && (isBroken || task.owner === user.id) ? task : null)
        })
      })
      const query = 'query ($task_id: ID!) { node(id: $task_id) { id } }'
      const params = { 'POST /graphql': { body: { query, variables: { task_id: '' } } } }
      const said = await say(app, { ...oneTask, params })
      if (isBroken) t.match(said, "alice's token, bob's task_id  4xx  200  /graphql")
      else t.equal(said, '')
    }
  }
})

t.test('ids in a list of objects are found that are kept unchecked', async (t) => {
  for (const [name, status, answer, isShown] of [
    ['a new id', 200, () => ({ id: randomUUID() }), false], ['no answer', 204, () => undefined, false],
    ['what is kept', 200, (kept: object) => kept, true], ['a list of ids', 200, () => ({}), true]
  ] as const) {
    const app = await tasksApp(t, (app) => {
      const orders: Array<{ owner: string, given: unknown }> = []
      app.put('/api/:user_id/order', async ({ user, body }, reply) => {
        orders.push({ owner: user.id, given: body })
        return reply.code(status).send(answer(body as object))
      })
      if (!isShown) return
      app.get('/api/:user_id/order', async ({ user }) => orders.findLast(({ owner }) => owner === user.id) ?? {})
    })
    const isList = name === 'a list of ids'
    const body = isList ? { task_ids: [] } : { items: [{ task_id: '' }] }
    const objects: ObjectMakers = { ...task, ...isList && { task_ids: ({ ids }) => ids['task_id'] } }
    t.match(await say(app, { objects, params: { 'PUT /api/:user_id/order': { body } } }),
      `alice's token, bob's task_id${isList ? 's' : ''}  4xx  ${status}  /api/alice/order`, name)
  }
})

t.test('an id that nobody has may be malformed', async (t) => {
  for (const [malformed, status] of [[400, 404], [422, 404], [400, 409]] as const) {
    const app = await tasksApp(t, (app, tasks) => {
      app.get<{ Params: { code: string } }>('/api/:user_id/by-code/:code', async ({ user, params }, reply) => {
        const task = tasks.get(params.code.slice(1))
        if (!task) return reply.code(malformed).send({ message: 'a wrong check digit' })
        return task.owner === user.id ? {} : reply.code(status).send({ message: 'no' })
      })
    })
    const said = await say(app, { objects: { ...task, code: ({ ids }) => `c${ids['task_id']}` }, params: {} })
    if (status === 404) t.equal(said, '')
    else t.match(said, "alice's token, bob's code  as for none: 400 a wrong check digit  409 no")
  }
})

t.test('a 403 tells nothing of a record that alice may read', async (t) => {
  for (const [isRead, isBroken, status] of [
    [true, false, 403], [false, false, 403], [true, true, 403], [true, false, 409]
  ] as const) {
    let asked = 0
    const app = await tasksApp(t, (app, tasks) => {
      app.get('/events', async () => ({ asked: asked++ }))
      if (isRead) app.get('/feed', async () => [...tasks.keys()].map((id) => ({ id })))
      app.patch<Id>('/tasks/:task_id', async ({ user, params }, reply) => {
        const task = tasks.get(params.task_id)
        if (!task) return none(reply)
        if (task.owner !== user.id && !isBroken) return reply.code(status).send({ message: 'only its author' })
        return Object.assign(task, { isArchived: true })
      })
    })
    const said = await say(app, oneTask)
    if (isBroken) t.match(said, "alice's token, bob's task_id  4xx  200  /tasks/")
    else if (isRead && status === 403) t.equal(said, '')
    else t.match(said, `bob's task_id  as for none: 404 NOT_FOUND  ${status} only its author  /tasks/`)
    const writes = { ...oneTask, only: ({ method }: { method: string }) => method === 'PATCH' }
    const isSame = (await say(app, writes) === '') === (said === '')
    t.ok(isSame, 'also where another call judges what shows it')
    const only = ({ method, url }: { method: string, url: string }) => method === 'PATCH' || url === '/feed'
    asked = 0
    await say(app, { ...oneTask, only })
    t.equal(asked > 0, !isRead && status === 403, 'which is only asked where none of this call shows it')
  }
})
