import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import { assertIsolation, assertOwnership, type IsolationOptions } from '../../lib/testing/index.js'
import { host, issuer, none, objects, one, people, say, type Handler } from '../support/isolation.js'
import { todoObjects, todoParams } from '../support/todo.js'

const repair = "Fix: look for the object by its owner, too, as in .where('user_id', '=', getOwnerId(request))"
const tells = 'its answer tells that there is such an object. Fix: one query by id and owner, and 404 if it finds none'
const unfinished = (name: string) =>
  `not tried to the end, because alice or bob was refused: give what the request needs in params, by '${name}': ` +
  '{ path, query, headers, body }, and two users with the scopes of the route, whose ids look like those of your ' +
  (name.startsWith('GET')
    ? `app, or let objects make what it shows, or allow: ['${name}'] if it is a WebSocket`
    : 'app, and records in the state that it wants (in a call of its own, with only)')

t.test('a sound app passes both assertions', async (t) => {
  const app = await host(t, {})
  await assertOwnership(app, people)
  t.equal(await say(app), '')
  t.equal(await say(app, { alice: 'auth0|65 /é', bob: 'Bob.Ö' }), '')
  t.equal(await say(app,
    {
      issuer: undefined as never,
      alice: { id: 'alice', token: issuer.token('alice') },
      bob: { id: 'bob', token: issuer.token('bob') }
    }), '', 'by tokens of the host')
})

const cache = new Map<string, unknown>()

/** The mistake, the route with it, its handler, and what the message says of it, in this order. */
const mistakes: Array<[name: string, route: string, handler: Handler, says: string[]]> = [
  ['GET without the owner', `GET ${one}`,
    ({ params }, reply, { where, tasks }) => where(tasks, { id: params.task_id })[0] ?? none(reply),
    [`GET ${one} (owner, default)`, repair, "alice's token, bob's task_id  4xx  200"]],
  ['UPDATE without the owner', `PUT ${one}`,
    ({ params, body }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id })
      return task ? Object.assign(task, body) : none(reply)
    },
    [`PUT ${one} (owner, default)`, `${repair}\n  request`,
      "alice's token, bob's task_id: what bob reads then  as before  changed",
      "alice's token, bob's task_id  4xx  200"]],
  ['DELETE without the owner', `DELETE ${one}`,
    ({ params }, reply, store) =>
      store.remove(store.tasks, { id: params.task_id }) > 0 ? reply.code(204).send() : none(reply),
    [`DELETE ${one} (owner, default)`, repair, 'what bob reads then  as before  changed',
      "alice's token, bob's task_id  4xx  204"]],
  ['an UPDATE that says 404, after it was done', `PUT ${one}`,
    ({ params, body, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id })
      if (task) Object.assign(task, body)
      return task?.user_id === user.id ? task : none(reply)
    },
    [`PUT ${one} (owner, default)`, repair, 'what bob reads then  as before  changed']],
  ['a filter by another column', `GET ${one}`,
    ({ params }, reply, { where, tasks }) => where(tasks, { id: params.task_id, done: false })[0] ?? none(reply),
    [`GET ${one} (owner, default)`, repair, "alice's token, bob's task_id  4xx  200"]],
  ['a list without the filter', 'GET /api/:user_id/lists', (_request, _reply, { lists }) => lists,
    ['GET /api/:user_id/lists (owner, default)', repair,
      "alice's token, her own  nothing of bob's  200 with bob's list_id"]],
  ['an export of everybody as text', 'GET /api/:user_id/lists', (_request, _reply, { lists }) =>
    lists.map(({ id, name }) => `${id};"${name}"`).join('\n'),
  ['GET /api/:user_id/lists (owner, default)', repair,
    "alice's token, her own  nothing of bob's  200 with bob's list_id  /api"]],
  ['403 instead of 404', `GET ${one}`,
    ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id })
      if (!task) return none(reply)
      return task.user_id === user.id ? task : reply.code(403).send({ code: 'NOT_YOURS' })
    },
    [`GET ${one} (owner, default)`, tells, "alice's token, bob's task_id  as for none: 404 NOT_FOUND  403 NOT_YOURS"]],
  ['404 with another body', `GET ${one}`,
    ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id })
      const says = task ? `${task.id} is another's` : `${params.task_id} is nothing`
      return task?.user_id === user.id ? task : none(reply, says)
    },
    [`GET ${one} (owner, default)`, tells,
      "alice's token, bob's task_id  as for none: 404 NOT_FOUND  404, another body"]],
  ['404 with another body, beside a list of what is hers', `PUT ${one}`,
    ({ params, body, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id })
      if (task?.user_id === user.id) return Object.assign(task, body)
      const hers = where(tasks, { user_id: user.id }).map(({ title }) => title)
      return reply.code(404).send({ code: 'NOT_FOUND', isKnown: task !== undefined, hers })
    },
    [`PUT ${one} (owner, default)`, tells,
      "alice's token, bob's task_id  as for none: 404 NOT_FOUND  404, another body"]],
  ['a cache by the id of the object alone', `GET ${one}`,
    ({ params, user }, reply, { where, tasks }) => {
      const task = cache.get(params.task_id) ?? where(tasks, { id: params.task_id, user_id: user.id })[0]
      if (task) cache.set(params.task_id, task)
      return task ?? none(reply)
    },
    [`GET ${one} (owner, default)`, repair, "alice's token, bob's task_id  4xx  200"]],
  ['a join that forgets the owner', 'GET /api/:user_id/lists/:list_id/tasks',
    ({ params }, _reply, { where, tasks }) => where(tasks, { list_id: params.list_id }),
    ['GET /api/:user_id/lists/:list_id/tasks (owner, default)', repair, "alice's token, bob's list_id  4xx  200"]],
  ['an owner that is looked at one level above', 'GET /api/:user_id/lists/:list_id/tasks/:task_id',
    ({ params, user }, reply, { where, lists, tasks }) =>
      (where(lists, { id: params.list_id, user_id: user.id })[0] &&
        where(tasks, { id: params.task_id })[0]) ?? none(reply),
    ['GET /api/:user_id/lists/:list_id/tasks/:task_id (owner, default)', repair,
      "alice's token, bob's task_id  4xx  200"]],
  ['ids of others beside what is hers', `GET ${one}`,
    ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id, user_id: user.id })
      return task ? { ...task, others: tasks.map(({ id }) => id) } : none(reply)
    },
    [`GET ${one} (owner, default)`, repair,
      "alice's token, her own  nothing of bob's  200 with bob's task_id and parent_id and task_ids"]],
  ['an id in the body that is trusted', 'POST /api/:user_id/tasks',
    ({ user, body }, reply, store) =>
      reply.code(201).send(store.add(store.tasks, { parent_id: null, done: false, ...body, user_id: user.id })),
    ['POST /api/:user_id/tasks (owner, default)', repair, "alice's token, bob's list_id  4xx  201",
      "alice's token, bob's parent_id  4xx  201"]],
  ['an id in the body that is trusted, and an answer with an empty list', 'POST /api/:user_id/tasks',
    ({ user, body }, _reply, store) =>
      ({ ...store.add(store.tasks, { parent_id: null, done: false, ...body, user_id: user.id }), labels: [] }),
    ['POST /api/:user_id/tasks (owner, default)', repair, "alice's token, bob's list_id  4xx  200"]],
  ['a batch without the owner', 'POST /api/:user_id/tasks/delete',
    ({ body }, _reply, store) => ({ deleted: body.task_ids.map((id) => store.remove(store.tasks, { id })).length }),
    ['POST /api/:user_id/tasks/delete (owner, default)', repair,
      "alice's token, bob's task_ids: what bob reads then  as before  changed"]],
  ['a batch that looks at the owner of its first id', 'POST /api/:user_id/tasks/delete',
    ({ body, user }, _reply, store) => {
      const [first] = store.where(store.tasks, { id: body.task_ids[0]! })
      const ids = first?.user_id === user.id ? body.task_ids : []
      return { deleted: ids.filter((id) => store.remove(store.tasks, { id }) > 0).length }
    },
    ['POST /api/:user_id/tasks/delete (owner, default)', repair,
      "alice's token, her task_ids and bob's: what bob reads then  as before  changed"]],
  ['a batch that tells how many there are', 'POST /api/:user_id/tasks/delete',
    ({ body, user }, _reply, store) =>
      ({
        deleted: body.task_ids.map((id) => store.remove(store.tasks, { id, user_id: user.id })).length,
        known: store.where(store.tasks, { id: body.task_ids[0]! }).length
      }),
    ['POST /api/:user_id/tasks/delete (owner, default)', repair,
      "alice's token, bob's task_ids  as for none: 200  200"]],
  ['a batch that reads what others have, beside what is hers', 'POST /api/:user_id/tasks/find',
    ({ body, user }, reply, { where, tasks }) => {
      const found = body.task_ids.flatMap((id) => where(tasks, { id }))
      return found[0]?.user_id === user.id ? found : none(reply)
    },
    ['POST /api/:user_id/tasks/find (owner, default)', repair,
      "alice's token, her task_ids and bob's  nothing of bob's  200 with bob's task_ids"]],
  ['a write that always answers 204 and spares what others have', 'POST /api/:user_id/tasks/:task_id/complete',
    ({ params, user }, reply, { where, tasks }) => {
      for (const task of where(tasks, { id: params.task_id, user_id: user.id })) task.done = true
      return reply.code(204).send()
    },
    ['POST /api/:user_id/tasks/:task_id/complete (owner, default)', repair,
      'If nothing was done, though it answers so: answer 404, or allow: ' +
      "['POST /api/:user_id/tasks/:task_id/complete']", "alice's token, bob's task_id  4xx  204"]],
  ['a write that always answers 201 without errors', 'POST /api/:user_id/tasks/:task_id/complete',
    (_request, reply) => reply.code(201).send({ errors: [] }),
    ['POST /api/:user_id/tasks/:task_id/complete (owner, default)', repair, "alice's token, bob's task_id  4xx  201"]],
  ['a DELETE of all that forgets the owner', 'DELETE /api/:user_id/tasks',
    (_request, reply, { tasks }) => { tasks.length = 0; return reply.code(204).send() },
    ['DELETE /api/:user_id/tasks (owner, default)', repair,
      "alice's token, her own: what bob reads then  as before  changed"]],
  ['a search by the id of another', 'GET /api/:user_id/tasks',
    ({ query, user }, _reply, { where, tasks }) =>
      query.list_id ? where(tasks, { list_id: query.list_id }) : where(tasks, { user_id: user.id }),
    ['GET /api/:user_id/tasks (owner, default)', repair, "alice's token, bob's list_id  as for none: 200  200"]]
]

for (const [name, route, handler, says] of mistakes) {
  t.test(name, async (t) => {
    const message = await say(await host(t, { [route]: handler }))
    let rest = message
    for (const part of ["Routes that let others reach an owner's objects, or could not be tried:", ...says]) {
      t.ok(rest.includes(part), `${part}\n\n${message}`)
      rest = rest.slice(rest.indexOf(part) + part.length)
    }
  })
}

t.test('a cache by URL that runs before the guard is found', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const kept = new Map<string, unknown>()
  app.addHook('onRequest', async ({ url }, reply) => kept.has(url) ? reply.send(kept.get(url)) : undefined)
  app.addHook('onSend', async ({ url, method }, reply, payload) => {
    if (method === 'GET' && reply.statusCode === 200) kept.set(url, payload)
    return payload
  })
  await app.register(userScope, issuer.options)
  const notes: Array<{ id: string, owner: string }> = []
  app.get('/:user_id/notes', async ({ user }) => notes.filter(({ owner }) => owner === user.id))
  app.get<{ Params: { n: string } }>('/:user_id/notes/:n', async ({ user, params }, reply) =>
    notes.find(({ id, owner }) => id === params.n && owner === user.id) ?? none(reply))
  const n: IsolationOptions['objects'][string] = ({ owner }) => {
    notes.push({ id: `n${notes.length}`, owner })
    return String(notes.at(-1)?.id)
  }
  const says = await say(app, { objects: { n }, params: {} })
  t.match(says, 'GET, HEAD /:user_id/notes (owner, default)\n  something answers before the guard, such as a cache ' +
    'by URL. Fix: register it behind the plugin, or let it keep answers by user\n')
  t.match(says, "alice's token, bob's path  403  200  /bob/notes")
  t.match(says, /GET, HEAD \/:user_id\/notes\/:n /)
})

t.test('the whole message', async (t) => {
  const app =
    await host(t,
      {
        [`GET ${one}`]: ({ params }, reply, { where, tasks }) =>
          where(tasks, { id: params.task_id })[0] ?? none(reply)
      })
  t.equal((await say(app)).replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/, '<id>'), [
    "Routes that let others reach an owner's objects, or could not be tried: 1", '',
    `GET ${one} (owner, default)`,
    `  ${repair}`,
    '  request  expected  answer  path',
    "  alice's token, bob's task_id  4xx  200  /api/alice/tasks/<id>"
  ].join('\n'))
})

t.test('routes that could not be tried are named', async (t) => {
  const app = await host(t, { [`GET ${one}/comments`]: (_request, reply) => none(reply) })
  t.match(await say(app, { params: {} }), [
    "Routes that let others reach an owner's objects, or could not be tried: 4", '',
    `GET ${one}/comments (owner, default)`,
    `  ${unfinished(`GET ${one}/comments`)}`,
    '  request  expected  answer  path',
    "  bob's token, his own  2xx  404 NOT_FOUND  /api/bob/tasks/"
  ].join('\n'))
  t.match(await say(app, { params: {} }),
    `PUT ${one} (owner, default)\n  ${unfinished(`PUT ${one}`)}\n  request  expected  answer  path\n` +
    "  alice's token, her own  2xx  400 FST_ERR_VALIDATION body must be object  /api/alice/tasks/")
  t.match(await say(app, { objects: { list_id: todoObjects.list_id }, only: ({ url }) => url.endsWith(':task_id') }),
    `GET, HEAD, PUT, DELETE ${one} (owner, default)\n  not tried: there is no value for ":task_id". ` +
      `Fix: give a function in objects, or a value in params: { 'GET ${one}': { path } }, ` +
      `or allow: ['GET ${one}', 'PUT ${one}', 'DELETE ${one}']`)
  t.match(await say(app, { objects: { parent_id: ({ owner }) => owner } }),
    'lists/:list_id/tasks/:task_id (owner, default)\n  not tried: there is no value for ":list_id", ":task_id". Fix')
  t.equal(await say(app, { allow: [`GET ${one}/comments`] }), '')
  t.equal(await say(app, { only: ({ url }) => !url.endsWith('comments') }), '')
  t.match(await say(app, { allow: [`GET ${one}/comments`, 'GET /gone'], params: { ...todoParams, 'GET /gone': {} } }),
    /GET \/gone\n {2}params name it[^]*GET \/gone\n {2}allow names it/)
})

t.test('routes with an owner and other parameters are tried', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const made: Array<{ id: number, owner: string }> = []
  await app.register(userScope, issuer.options)
  app.post('/:user_id/notes', async ({ user }) => made[made.push({ id: made.length + 1, owner: user.id }) - 1])
  let leaks = false
  app.get('/:user_id/notes', async ({ user }) =>
    ({ limit: 2, notes: made.filter(({ owner }) => owner === user.id), others: made.filter(() => leaks) }))
  app.get<{ Params: { n: string } }>('/:user_id/notes/:n/in/:lang',
    { schema: { params: { type: 'object', properties: { n: { type: 'integer' }, lang: { enum: ['en'] } } } } },
    async ({ user, params }, reply) =>
      made.find(({ id, owner }) => String(id) === String(params.n) && owner === user.id) ?? none(reply))
  app.options('/:user_id/notes/:n', async (_request, reply) => reply.code(204).send())
  app.route<{ Querystring: { n: string[] } }>({
    method: ['OPTIONS', 'QUERY'],
    url: '/:user_id/search',
    handler: async ({ user }) =>
      made.filter(({ owner }) => owner === user.id)
  })
  const n =
    async ({ inject, owner }: { inject: (url: object) => Promise<{ json: () => { id: number } }>, owner: string }) =>
      (await inject({ method: 'POST', url: `/${owner}/notes` })).json().id
  const options = { objects: { n }, params: { '*': { path: { lang: 'en' } } } } as Partial<IsolationOptions>
  t.equal(await say(app, options), '', 'ids that are numbers are looked for where ids stand')
  t.equal(await say(app, { ...options, allow: ['OPTIONS /:user_id/search'] }), '', 'assertOwnership may need the entry')
  t.equal(await say(app,
    { ...options, params: { '*': { path: { lang: 'en' } }, 'GET /:user_id/notes': { query: { n: ['1'] } } } }), '',
  'ids in a query that no schema tells of')
  leaks = true
  t.match(await say(app, options), "nothing of bob's  200 with bob's n")
})

t.test('routes of level user that take an id anywhere in a body are tried', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const made: Array<{ id: string, owner: string }> = []
  let isSound = false
  await app.register(userScope, issuer.options)
  const find = (id: unknown, owner: string) => made.find((each) => each.id === id && (!isSound || each.owner === owner))
  app.post('/notes', async ({ user }) => made[made.push({ id: `n${made.length}`, owner: user.id }) - 1])
  app.get<{ Params: { n: string } }>('/notes/:n', async ({ user, params }, reply) =>
    find(params.n, user.id) ?? none(reply))
  app.put<{ Body: { links: Array<{ n: string }> } }>('/links', async ({ user, body }, reply) =>
    find(body.links[0]?.n, user.id) ? { linked: 1 } : none(reply))
  app.get('/admin', async (_request, reply) => reply.code(403).send({}))
  const objects: IsolationOptions['objects'] =
    { n: async ({ inject }) => (await inject({ method: 'POST', url: '/notes' })).json().id }
  const params = { 'PUT /links': { body: { links: [{ n: '' }] } } }
  const says = await say(app, { objects, params })
  t.match(says, /^Routes .*: 3\n\nGET, HEAD \/notes\/:n \(user, default\)\n.*'=', request\.user\.id\), or allow: .*\n/)
  t.match(says, "request.user.id), or allow: ['GET /notes/:n'] if all may read it\n")
  t.match(says, /PUT \/links \(user, default\)\n.*'=', request\.user\.id\)\n/)
  t.match(says, "alice's token, bob's n  4xx  200  /links")
  isSound = true
  t.equal(await say(app, { objects, params }), '')
})

t.test('it refuses to run in production', async (t) => {
  const { NODE_ENV } = process.env
  t.teardown(() => { if (NODE_ENV === undefined) delete process.env.NODE_ENV; else process.env.NODE_ENV = NODE_ENV })
  process.env.NODE_ENV = 'production'
  let asked = 0
  const app = await host(t, {})
  app.addHook('onRequest', async () => { asked++ })
  await t.rejects(assertIsolation(app, { ...people, objects: { list_id: () => { asked++; return '1' } } }),
    new TypeError('assertIsolation runs handlers, and NODE_ENV is production. Fix: give the app a test database, and ' +
      'run the test with another NODE_ENV'))
  t.equal(asked, 0)
  delete process.env.NODE_ENV
  await say(app)
  t.ok(asked > 0, 'anywhere else the routes are asked')
})

t.test('DELETE is tried last', async (t) => {
  const order: string[] = []
  const seen = Fastify()
  t.teardown(() => seen.close())
  await seen.register(userScope, issuer.options)
  seen.addHook('onRequest', async ({ method }) => { if (order.at(-1) !== method) order.push(method) })
  seen.delete('/:user_id/:n', async () => ({}))
  seen.put('/:user_id/:n', async () => ({}))
  seen.get('/:user_id/:n', async () => ({}))
  await say(seen, { objects: { n: ({ owner }) => owner }, params: {} })
  t.same([...new Set(order)], ['GET', 'HEAD', 'PUT', 'DELETE'])
  t.ok(order.lastIndexOf('PUT') < order.indexOf('DELETE'))
})

t.test('wrong arguments of plain JavaScript are TypeErrors', async (t) => {
  const app = await host(t, {})
  const wrong: Array<[options: object, says: string]> = [
    ...[undefined, null, {}, { a: 1 }, { a: () => '1', b: null }].map((objects): [object, string] =>
      [{ objects }, 'option "assertIsolation.objects" must be a function for each kind of object']),
    [{ objects: { list_id: 1 } }, 'option "assertIsolation.objects" must be a function for each kind of object'],
    [{ objects: { ...objects, other_id: () => '1' } },
      'objects names "other_id", and no route of level \'owner\' or \'user\' has it in its path, or in a query or ' +
        "body of its schema or of params. Fix: say where it goes, as in params: { 'POST /…': { body: " +
        "{ other_id: '' } } }, or remove it"],
    [{ objects: { ...objects, other_id: () => '1' }, params: { 'GET /health': { query: { other_id: '' } } } },
      'objects names "other_id", and no route of level \'owner\' or \'user\' has it in its path'],
    [{ objects: { list_id: async () => undefined } },
      'objects.list_id must return the id of what it made for "alice", and returned undefined'],
    [{ objects: { list_id: () => 'inbox' } },
      'objects.list_id made "inbox" for alice and for bob, which nobody can tell apart. Fix: let it make two, unless ' +
        'the app gave bob what is alice\'s; what they share, or each counts for themselves, goes into params$'],
    [{ only: ['GET /'] }, 'option "assertIsolation.only" must be a function'],
    [{ object: {} }, 'unknown option "assertIsolation.object". Did you mean "objects"'],
    [{ issuer: undefined, alice: { id: 'alice', token: 'a.b.c' } },
      'give an issuer that signs tokens, or bob as { id, token }']
  ]
  for (const [options, says] of wrong) {
    await t.rejects(assertIsolation(app, { ...people, objects, ...options } as IsolationOptions),
      { name: 'TypeError', message: new RegExp(`^${says.replace(/[{}]/g, '\\$&')}`) })
  }
})
