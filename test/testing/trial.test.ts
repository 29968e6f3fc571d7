import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyReply } from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import type { ObjectMakers } from '../../lib/testing/objects.js'
import { host, issuer, none, one, say, type Handler } from '../support/isolation.js'
import { oneTask, rowsHost, task, tasksApp, type Id, type Task } from '../support/records.js'
import { buildTodo, todoRoutes, type Store } from '../support/todo.js'

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
  t.match(said, '\n  alice may act for bob here. Fix: give her a token without the scopes of the delegates, or, if')
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

t.test('a list of what everybody has is not blamed on a cache', async (t) => {
  for (const url of ['/api/:user_id/all', '/me/all']) {
    const app = await tasksApp(t, (app, tasks) => { app.get(url, async () => [...tasks.values()]) })
    const said = await say(app, oneTask)
    t.match(said, "alice's token, her own  nothing of bob's  200 with bob's task_id")
    t.notMatch(said, 'a cache by URL')
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

t.test('a host that says 403 and 404 on purpose is tested with a hook that makes both alike', async (t) => {
  const says = async (isAlike: boolean, isBroken: boolean) => {
    const { app, objects } = await rowsHost(t, ['note_id'], (app, rows) => {
      if (isAlike) {
        app.addHook('onSend', async ({ routeOptions: { url } }, reply, body) =>
          url === '/notes/:note_id' && [403, 404].includes(reply.statusCode) ? (reply.code(404), '{}') : body)
      }
      app.get<{ Params: { note_id: string } }>('/notes/:note_id', async ({ user, params }, reply) => {
        const row = rows.find(({ id }) => id === params.note_id)
        if (!row) return none(reply)
        return isBroken || row.owner === user.id ? row : reply.code(403).send({ message: 'not yours' })
      })
    })
    return await say(app, { objects, params: {} })
  }
  t.match(await says(false, false), 'as for none: 404 NOT_FOUND  403')
  t.equal(await says(true, false), '')
  t.match(await says(true, true), "alice's token, bob's note_id  4xx  200")
})
