import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import type { ObjectMakers } from '../../lib/testing/objects.js'
import { host, issuer, none, one, say } from '../support/isolation.js'
import { oneTask, rowsHost, task, tasksApp, tenantApp, type Id, type Row, type Task } from '../support/records.js'
import { buildTodo, todoParams, todoRoutes } from '../support/todo.js'

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

t.test('what bob uses up himself is made anew before the next route is tried', async (t) => {
  const app = await tasksApp(t, (app, tasks) => {
    app.post<Id>('/api/:user_id/tasks/:task_id/close', async ({ user, params }, reply) =>
      tasks.get(params.task_id)?.owner === user.id && tasks.delete(params.task_id) ? {} : none(reply))
    app.put<Id>('/api/:user_id/tasks/:task_id', async ({ params }, reply) =>
      tasks.has(params.task_id) ? {} : none(reply))
  })
  t.match(await say(app, oneTask), "alice's token, bob's task_id  4xx  200  /api/alice/tasks/")
})

t.test('a write that shows what is his is not told that it may have done nothing', async (t) => {
  const app = await tasksApp(t, (app, tasks) => {
    app.post<Id>('/api/:user_id/tasks/:task_id/export', async ({ params }, reply) =>
      tasks.get(params.task_id) ?? none(reply))
  })
  const said = await say(app, oneTask)
  t.match(said, "alice's token, bob's task_id  4xx  200  /api/alice/tasks/")
  t.notMatch(said, 'If nothing was done')
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
