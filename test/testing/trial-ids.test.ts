import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import type { ObjectMakers } from '../../lib/testing/objects.js'
import { host, issuer, none, say } from '../support/isolation.js'
import { oneTask, task, tasksApp, type Id, type Task } from '../support/records.js'

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

t.test('the id of what bob has made last is found in the answer to a write', async (t) => {
  const app = await tasksApp(t, (app, tasks) => {
    app.put<Id>('/api/:user_id/tasks/:task_id', async ({ user, params }, reply) =>
      tasks.get(params.task_id)?.owner === user.id ? {} : none(reply))
    app.post('/api/:user_id/refresh', async () =>
      ({ latest: [...tasks.values()].findLast(({ owner }) => owner === 'bob')?.id }))
  })
  t.match(await say(app, oneTask), "nothing of bob's  200 with bob's task_id  /api/alice/refresh")
})
