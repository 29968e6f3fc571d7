import t from 'tap'
import { host, issuer, none, one, say } from '../support/isolation.js'
import { buildTodo, todoRoutes } from '../support/todo.js'

t.test('answers that are never twice the same are compared by their status', async (t) => {
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

t.test('records that are never twice the same cannot be compared', async (t) => {
  const views = new Map<string, number>()
  const app = await host(t, {
    [`GET ${one}`]: ({ params, user }, reply, { where, tasks }) => {
      const [task] = where(tasks, { id: params.task_id, user_id: user.id })
      if (!task) return none(reply)
      views.set(task.id, (views.get(task.id) ?? 0) + 1)
      return { ...task, views: views.get(task.id), at: new Date() }
    }
  })
  t.equal(await say(app), '')
})

t.test('a second that is over while alice asks has changed nothing', async (t) => {
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
  t.equal(await say(app), '')
  t.equal(seconds, 1)
})

t.test('a number that alice has changed beside such a clock', async (t) => {
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
  t.match(await say(app), "alice's token, bob's task_id: what bob reads then  as before  changed")
})

t.test("tasks of bob's list, in an answer that is never twice the same", async (t) => {
  const app = await buildTodo(issuer.options, (app, store) => {
    todoRoutes(app, store)
    app.get<{ Querystring: { list_id: string } }>('/api/:user_id/found', {
      schema: { querystring: { type: 'object', properties: { list_id: { type: 'string' } } } }
    }, async ({ query }) => ({ at: performance.now(), items: store.where(store.tasks, query) }))
  })
  t.teardown(() => app.close())
  t.match(await say(app), "alice's token, bob's list_id  as for none: 200  200  /api/alice/found?list_id=")
})
