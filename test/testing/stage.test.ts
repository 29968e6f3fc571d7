import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import { appRoutes } from '../../lib/testing/app-routes.js'
import { Owner, planFor, type ObjectMakers, type Plan } from '../../lib/testing/objects.js'
import { readsOf } from '../../lib/testing/reads.js'
import { Stage } from '../../lib/testing/stage.js'
import { issuer } from '../support/isolation.js'
import { sameLength } from '../support/same-length.js'

interface Id { Params: { task_id: string } }

/** An app in which everybody may read and close everybody's tasks. */
async function start (t: Test) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, issuer.options)
  const tasks = new Map<string, { id: string, owner: string, isOpen: boolean }>()
  app.post('/:user_id/tasks', async ({ user }) => {
    const id = `${user.id}-${tasks.size + 1}`
    tasks.set(id, { id, owner: user.id, isOpen: true })
    return { id }
  })
  app.get('/:user_id/tasks', async ({ user }) => [...tasks.values()].filter(({ owner }) => owner === user.id))
  app.get<Id>('/:user_id/tasks/:task_id', async ({ params }, reply) =>
    tasks.get(params.task_id) ?? reply.code(404).send({}))
  app.delete<Id>('/:user_id/tasks/:task_id', async ({ params }) =>
    ({ done: tasks.has(params.task_id) && Object.assign(tasks.get(params.task_id) ?? {}, { isOpen: false }) }))
  const objects: ObjectMakers = {
    task_id: async ({ inject, owner }) =>
      (await inject({ method: 'POST', url: `/${owner}/tasks` })).json<{ id: string }>().id
  }
  const plans = (await appRoutes(app)).map((route) => planFor(route, {}, objects))
  const planOf = (method: string, end: string) =>
    plans.find(({ route }) => route.method === method && route.url.endsWith(end)) as Plan
  const [alice, bob] = ['alice', 'bob'].map((id) => new Owner(app, id, issuer.token(id), objects)) as [Owner, Owner]
  await alice.make()
  await bob.make()
  return { stage: new Stage(alice, bob, readsOf(plans), readsOf(plans)), alice, bob, planOf }
}

t.test("an attack tells which of bob's records is another since, and makes them anew", async (t) => {
  const { stage, bob, planOf } = await start(t)
  const plan = planOf('DELETE', '/:task_id')
  const his = bob.ids
  t.equal((await stage.attack(plan, {})).change, undefined, 'her own may change')
  const { given, change } = await stage.attack(plan, his)
  t.match(given.json(), { done: { id: his.task_id } })
  t.equal(change?.[0].route.url, '/:user_id/tasks')
  t.match(change?.[1].json(), sameLength([{ id: his.task_id, isOpen: false }]))
  t.not(bob.ids.task_id, his.task_id)
})

t.test('an id is shown to alice if a route answers her with it', async (t) => {
  const { stage, bob } = await start(t)
  t.ok(await stage.isShown(bob.ids))
  t.notOk(await stage.isShown({ task_id: 'bob-999' }), 'a refusal shows nothing')
})

t.test("an id in an answer to alice is bob's, unless it is hers or a small number", async (t) => {
  const { stage, alice, bob, planOf } = await start(t)
  const plan = planOf('GET', '/tasks')
  const answer = await stage.ask(plan, {})
  t.ok(await stage.isLeak(answer, 'task_id', ['bob-2'], plan))
  t.notOk(await stage.isLeak(answer, 'task_id', [...alice.made], plan))
  const his = bob.ids
  t.notOk(await stage.isLeak(answer, 'task_id', ['2'], plan))
  t.equal(bob.ids, his, 'nothing is made where the answer does not have it')
})
