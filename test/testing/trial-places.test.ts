import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import type { ObjectId } from '../../lib/testing/ids.js'
import type { IsolationOptions } from '../../lib/testing/isolation.js'
import type { ObjectMakers } from '../../lib/testing/objects.js'
import { issuer, none, one, say, type Host } from '../support/isolation.js'
import { oneTask, rowsHost, task, tasksApp, tenantApp, type Id, type Row, type Task } from '../support/records.js'
import { buildTodo, todoRoutes } from '../support/todo.js'

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

t.test('where an owner or a tenant is sent, the fix is to compare it with the token', async (t) => {
  const app = await tenantApp(t, (app, tasks) => {
    app.get<{ Querystring: Record<string, string> }>('/tasks', {
      schema: { querystring: { type: 'object', properties: { org_id: {}, account: {} } } }
    }, async ({ query }) => tasks.filter(({ owner }) => [query.account, query.org_id].includes(owner)))
  })
  const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, org: id }))
  for (const name of ['org_id', 'account']) {
    const objects: ObjectMakers = { [name]: ({ owner }) => owner, ...task }
    const params = { '*': { path: { org_id: 'alice' } } }
    const only = ({ url }: { url: string }) => ['/tasks', '/api/:user_id/tasks'].includes(url)
    const said = await say(app, { alice, bob, objects, params, only } as object)
    t.match(said, `\n  Fix: compare "${name}" with the token, or take it from there, or allow: ['GET /tasks']`)
    t.notMatch(said, 'look for the object')
  }
})

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

t.test('another owner in the path may not be ignored', async (t) => {
  const { app, objects } = await rowsHost(t, ['list_id'], (app) => {
    app.get('/:user_id/shares/:owner', async ({ user, params }, reply) =>
      (params as { owner: string }).owner === user.id ? {} : none(reply))
    app.post('/:user_id/shares/:owner', async () => ({}))
    app.get('/:user_id/lists/:list_id', async (_request, reply) => none(reply))
  })
  const said = await say(app, { objects: { ...objects, owner: ({ owner }) => owner }, params: {} })
  t.match(said, "alice's token, bob's owner  4xx  200  /alice/shares/bob")
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

t.test('a list is read where a route reads one of its records', async (t) => {
  interface Places { list?: string, one?: string, query?: object, only?: IsolationOptions['only'] }
  const [found, withoutIds] = ['alice\'s token, her own', "alice's token, her own without its ids"]
  const leak = (label: string) => `${label}  nothing of bob's  200 with bob's note_id  /`
  const hosts = async (
    shown: 'all' | 'own' | 'none' | 'limit', { list = '/notes', one = '/notes/:note_id', query, only }: Places = {}
  ) => {
    const { app, objects } = await rowsHost(t, ['note_id'], (app, rows) => {
      const schema = query && { querystring: { type: 'object', properties: query } }
      app.get<{ Querystring: { note_id?: string } }>(list, { ...schema && { schema } }, async (request, reply) => {
        const { user, query: { note_id: only } } = request
        if (shown === 'none') return reply.code(403).send({ code: 'STAFF_ONLY' })
        if (shown === 'limit') return reply.code(429).send() // as a stream, it would end the assertion
        return rows.filter(({ id, owner }) => only === undefined
          ? shown === 'all' || owner === user.id
          : id === only && owner === user.id).map(({ id }) => ({ id }))
      })
      app.delete(list, async () => rows.splice(0)) // not tried: it may be for staff, or end what the others need
      app.get<{ Params: { note_id: string } }>(one, async ({ user, params }, reply) =>
        rows.find(({ id, owner }) => id === params.note_id && owner === user.id) ?? none(reply))
      // Everybody sees them, and deletes their own.
      app.get('/boards', async () => rows.map(({ id }) => ({ id })))
      app.delete<{ Params: { note_id: string } }>('/boards/:note_id', async ({ user, params }, reply) => {
        const place = rows.findIndex(({ id, owner }) => id === params.note_id && owner === user.id)
        return place < 0 ? none(reply) : rows.splice(place, 1)
      })
    })
    return await say(app, { objects, params: {}, ...only && { only } })
  }
  const [all, slash] = ['/all/notes', '/notes/']
  const places: Places[] = [
    {}, { list: slash }, { one: '/notes/:note_id/' }, { list: all, one: `${all}/:note_id([^/]+)` }
  ]
  for (const each of places) {
    const said = await hosts('all', each)
    t.match(said, leak(found))
    t.match(said, /or allow: \['GET .*\/notes\/?'\] if all may read it\n/)
    t.match(said, /^Routes .*: 1\n\nGET /)
    t.equal(await hosts('own', each), '')
    t.equal(await hosts('none', each), '')
    t.equal(await hosts('limit', each), '')
  }
  t.match(await hosts('all', { query: { note_id: { type: 'string' } } }), leak(withoutIds), 'with a filter')
  t.equal(await hosts('own', { query: { note_id: { type: 'string' } } }), '')
  t.equal(await hosts('all', { list: '/board' }), '', 'another list')
  t.equal(await hosts('all', { one: '/notes/:note_id/text' }), '', 'what a record has, and not a record')
  t.equal(await hosts('all', { only: ({ url }) => url !== '/notes' }), '', 'not to be judged')
})

t.test('a list of users is not one of records', async (t) => {
  const { app, objects } = await rowsHost(t, ['note_id'], (app, rows) => {
    app.get('/users', async () => ['alice', 'bob'].map((id) => ({ id })))
    const ids = { type: 'object', properties: { user_id: { type: 'string' } } }
    app.get('/:user_id/shares', { schema: { querystring: ids } }, async () => [])
    app.get<{ Params: { user_id: string } }>('/users/:user_id', { config: { access: 'user' } },
      async ({ user, params }, reply) => params.user_id === user.id ? {} : none(reply))
    app.get<{ Params: { note_id: string } }>('/:user_id/notes/:note_id', async ({ user, params }, reply) =>
      rows.find(({ id, owner }) => id === params.note_id && owner === user.id) ?? none(reply))
  })
  t.equal(await say(app, { objects: { ...objects, user_id: ({ owner }) => owner }, params: {} }), '')
})

t.test('what reads of "me" is tried without the ids that only its schema has, too', async (t) => {
  const writes: string[] = []
  for (const isBroken of [true, false]) {
    const { app, objects } = await rowsHost(t, ['list_id'], (app, rows) => {
      app.get<{ Querystring: { list_id?: string } }>('/me/tasks', {
        schema: { querystring: { type: 'object', properties: { list_id: { type: 'string' } } } }
      }, async ({ user, query }) => rows.filter(({ id, owner }) =>
        query.list_id === undefined ? isBroken || owner === user.id : id === query.list_id && owner === user.id))
      app.post<{ Body: { list_id?: string } }>('/me/sessions/end', {
        schema: { body: { type: 'object', properties: { list_id: { type: 'string' } } } }
      }, async ({ user, body }, reply) => {
        writes.push(String(body.list_id))
        return rows.some(({ id, owner }) => id === body.list_id && owner === user.id) ? {} : none(reply)
      })
    })
    const said = await say(app, { objects, params: {} })
    if (isBroken) t.match(said, "her own without its ids  nothing of bob's  200 with bob's list_id  /me/tasks")
    else t.equal(said, '')
  }
  t.ok(writes.length > 0 && !writes.includes('undefined'), 'a write without its ids may end her session')
})
