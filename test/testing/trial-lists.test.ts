import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { ObjectMakers } from '../../lib/testing/objects.js'
import { issuer, none, one, say, type Host } from '../support/isolation.js'
import { oneTask, rowsHost, task, tasksApp } from '../support/records.js'
import { buildTodo, todoRoutes } from '../support/todo.js'

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

t.test('a search that also takes what it finds leaves alice something to take', async (t) => {
  const body = { type: 'object', properties: { task_id: { type: 'string' } } }
  const app = await tasksApp(t, (app, tasks) => {
    app.post<{ Body: { task_id: string } }>('/api/:user_id/taken', { schema: { body } }, async (request, reply) => {
      const task = [...tasks.values()].find(({ id, owner }) => id === request.body.task_id && owner === request.user.id)
      if (!task) return { taken: [] }
      if (task.isArchived) return reply.code(409).send({ code: 'TAKEN', message: 'it was taken before' })
      task.isArchived = true
      return { taken: [task.id] }
    })
  })
  t.equal(await say(app, oneTask), '')
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
    const said = await say(app)
    t.match(said, `alice's token, bob's list_id  4xx  ${status}  /api/alice/tasks/`, JSON.stringify(more))
    t.notMatch(said, "it answers the same to alice's own id")
  }
})

t.test('a search whose history shows an id that nobody has is named, unless the history is allowed', async (t) => {
  const properties = { task_id: { type: 'string' }, task_ids: { type: 'array' } }
  for (const name of ['task_id', 'task_ids'] as const) {
    const app = await tasksApp(t, (app, tasks) => {
      const searches: Array<{ owner: string, ref: unknown }> = []
      const body = { type: 'object', properties: { [name]: properties[name] } }
      app.get('/api/:user_id/searches', async ({ user }) => searches.filter(({ owner }) => owner === user.id))
      app.post<{ Body: Record<string, string> }>('/api/:user_id/search', { schema: { body } }, async (request) => {
        const { user, body: sent } = request
        const ref = Object.values(sent).flat()
        searches.push({ owner: user.id, ref })
        return ref.flatMap((id) => tasks.get(String(id)) ?? []).filter(({ owner }) => owner === user.id)
      })
    })
    const objects = { ...task, [name]: task.task_id as ObjectMakers[string] }
    const said = await say(app, { objects, params: {} })
    t.match(said, `alice's token, bob's ${name}  4xx  200  /api/alice/search`)
    t.match(said, 'a route shows alice what she sent here, also an id that nobody has')
    t.notMatch(said, "it answers the same to alice's own id")
    t.equal(await say(app, { objects, params: {}, allow: ['GET /api/:user_id/searches'] }), '')
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
