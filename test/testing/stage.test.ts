import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import { appRoutes } from '../../lib/testing/app-routes.js'
import { ask, Owner, planFor, type ObjectMakers, type Plan } from '../../lib/testing/objects.js'
import { readsOf } from '../../lib/testing/reads.js'
import { Stage } from '../../lib/testing/stage.js'
import { issuer } from '../support/isolation.js'
import { sameLength } from '../support/same-length.js'

interface Id { Params: { task_id: string } }

/** An app in which everybody may read and close everybody's tasks. */
async function start (t: Test) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { ...issuer.options, bind: { org_id: 'org' } })
  const asked: string[] = []
  app.addHook('onRequest', async ({ url }) => { asked.push(url) })
  const tasks = new Map<string, { id: string, owner: string, isOpen: boolean }>()
  app.post('/:user_id/tasks', async ({ user }) => {
    const id = `${user.id}-${tasks.size + 1}`
    tasks.set(id, { id, owner: user.id, isOpen: true })
    return { id }
  })
  app.get('/:user_id/tasks', async ({ user }) => [...tasks.values()].filter(({ owner }) => owner === user.id))
  app.get<Id>('/:user_id/tasks/:task_id', async ({ params }, reply) =>
    tasks.get(params.task_id) ?? reply.code(400).send({ unknown: params.task_id }))
  app.delete<Id>('/:user_id/tasks/:task_id', async ({ params }) =>
    ({ done: tasks.has(params.task_id) && Object.assign(tasks.get(params.task_id) ?? {}, { isOpen: false }) }))
  app.put('/:user_id/closed', async () => { for (const task of tasks.values()) task.isOpen = false })
  app.get('/orgs/:org_id/open', async () => [...tasks.values()].filter(({ isOpen }) => isOpen).length)
  app.get('/orgs/:org_id/latest', async () => ({ ...[...tasks.values()].findLast(({ owner }) => owner === 'bob') }))
  const objects: ObjectMakers = {
    task_id: async ({ inject, owner }) =>
      (await inject({ method: 'POST', url: `/${owner}/tasks` })).json<{ id: string }>().id
  }
  const params = { '*': { path: { org_id: 'acme' } } }
  const plans = (await appRoutes(app)).map((route) => planFor(route, params, objects))
  const planOf = (method: string, end: string) =>
    plans.find(({ route }) => route.method === method && route.url.endsWith(end)) as Plan
  const [alice, bob] = ['alice', 'bob'].map((id) =>
    new Owner(app, id, issuer.token({ id, org: 'acme' }), objects)) as [Owner, Owner]
  await alice.make()
  await bob.make()
  const reads = readsOf(plans)
  return { stage: new Stage(alice, bob, reads, reads), alice, bob, planOf, asked }
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

t.test('what both have in a tenant may change with what is hers, unless it names what is his', async (t) => {
  const { stage: { alice, bob }, planOf } = await start(t)
  const [open, latest, closeAll] = [planOf('GET', '/open'), planOf('GET', '/latest'), planOf('PUT', '/closed')]
  const changeOf = async (read: Plan, plan: Plan, ids = {}) =>
    (await new Stage(alice, bob, [read], []).attack(plan, ids)).change?.[0]
  t.equal(await changeOf(open, closeAll), undefined)
  await bob.make()
  t.equal(await changeOf(open, planOf('DELETE', '/:task_id'), bob.ids), open, 'her request had his id')
  Object.assign(bob, { ids: { ...bob.ids, list_id: 'none' } })
  t.equal(await changeOf(latest, closeAll), latest, 'one of his ids is enough')
})

t.test('an id is shown to alice if a route answers her with it', async (t) => {
  const { stage, alice, bob, asked } = await start(t)
  t.ok(await stage.isShown(bob.ids))
  t.match(asked.at(-1), /^\/alice\/tasks\/bob-/, 'no further')
  t.notOk(await stage.isShown(bob.ids, [...stage.reads].slice(0, 2), {}), 'if she does not ask for them')
  t.ok(await stage.isShown(alice.ids, stage.reads, {}))
  t.notOk(await stage.isShown({ task_id: 'bob-999' }), 'a refusal shows nothing')
  t.notOk(await stage.isShown({ ...bob.ids, list_id: 'none' }), 'of two ids, both')
})

t.test("an id in an answer to alice is bob's, unless it is hers or a small number", async (t) => {
  const { stage, alice, bob, planOf, asked } = await start(t)
  const plan = planOf('GET', '/tasks')
  const answer = await ask(plan, alice)
  t.ok(await stage.isLeak(answer, 'task_id', ['bob-2'], plan))
  t.ok(await stage.isLeak(answer, 'task_id', ['2', 'bob-2'], plan), 'one of them is enough')
  t.notOk(await stage.isLeak(answer, 'task_id', [...alice.made], plan))
  const his = bob.ids
  t.notOk(await stage.isLeak(answer, 'task_id', ['2'], plan))
  t.equal(bob.ids, his, 'nothing is made where the answer does not have it')
  t.ok(asked.includes(`/bob/tasks/${his.task_id}`), 'but read, as the first read may change it')
  t.notOk(await stage.isLeak(answer, 'task_id', ['999'], plan), 'as many as a list may have')
  t.ok(await stage.isLeak(answer, 'task_id', ['1004'], plan), 'no list of numbers is that long by chance')
  const write = planOf('DELETE', '/:task_id')
  const hers = alice.ids
  t.notOk(await stage.isLeak(answer, 'task_id', ['1004'], write), 'the new id of another kind')
  t.not(alice.ids, hers, 'a write may use hers up')
  for (const id of ['bob-2', '2-bob']) t.ok(await stage.isLeak(answer, 'task_id', [id], write))
  const counter = new Owner(bob.app, 'bob', bob.token, { n: () => 2 })
  await counter.make()
  const said = { ...answer, body: '{"n":2}' } as typeof answer
  t.ok(await new Stage(alice, counter, [], []).isLeak(said, 'n', ['2'], plan), 'his number, which stays the same')
})
