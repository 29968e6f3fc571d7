import Fastify, { type FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import { appRoutes } from '../../lib/testing/app-routes.js'
import { Owner, planFor } from '../../lib/testing/objects.js'
import { differs, findChanges, isShared, readAll, readsOf } from '../../lib/testing/reads.js'
import { issuer } from '../support/isolation.js'

async function start (t: Test, answer: (reply: FastifyReply) => unknown) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, { ...issuer.options, bind: { org_id: 'org_id' } })
  app.get('/:user_id/tasks', async (_request, reply) => answer(reply))
  app.get('/:user_id/orgs/:org_id', async () => 'the same')
  app.get('/:user_id/orgs/:org_id/tasks/:task_id', async () => 'the same')
  app.get('/:user_id/days/:day', async () => 'without a value for the day')
  app.post('/:user_id/tasks', async () => 'no read')
  const params = { '*': { path: { org_id: 'acme' } } }
  const plans = (await appRoutes(app)).map((route) => planFor(route, params, { task_id: () => 't1' }))
  return { plans, alice: new Owner(app, 'alice', issuer.token({ id: 'alice', org_id: 'acme' }), {}) }
}

const urlsOf = (plans: ReturnType<typeof readsOf>) => plans.map(({ route }) => route.url)

t.test('records are read by GET routes whose parameters have values', async (t) => {
  const { plans, alice } = await start(t, () => 'tasks')
  const reads = readsOf(plans)
  t.same(urlsOf(reads), ['/:user_id/tasks', '/:user_id/orgs/:org_id', '/:user_id/orgs/:org_id/tasks/:task_id'])
  t.same((await readAll(alice, reads)).map(([, { body }]) => body), ['tasks', 'the same', 'the same'])
  t.same(urlsOf(reads.filter(isShared)), ['/:user_id/orgs/:org_id'], 'a record of hers in a tenant is not shared')
})

t.test('an answer has changed if it stays another', async (t) => {
  const answers: Record<string, [isChange: boolean, answer: (count: number) => unknown]> = {
    'the same': [false, () => ({ total: 1 })],
    'another from the second read on': [true, (count) => ({ total: count === 0 ? 1 : 2 })],
    'a counter': [false, (count) => ({ reads: count })],
    'a clock that has ticked once': [false, (count) => ({ tick: Math.min(count, 1) + Math.max(0, count - 2) })],
    'longer beside a clock': [true, (count) => ({ at: count, titles: count === 0 ? [] : ['Buy milk'] })]
  }
  for (const [what, [isChange, answer]] of Object.entries(answers)) {
    let count = 0
    const { plans, alice } = await start(t, () => answer(count++))
    const reads = readsOf(plans)
    const before = await readAll(alice, reads)
    const changes = await findChanges(alice, before)
    t.same(changes.map(([{ route }, { body }]) => [route.url, body]),
      isChange ? [['/:user_id/tasks', JSON.stringify(answer(1))]] : [], what)
  }
})

t.test('so has one of which only the status is another', async (t) => {
  let count = 0
  const { plans, alice } = await start(t, (reply) => reply.code(count++ === 0 ? 200 : 410).send())
  const changes = await findChanges(alice, await readAll(alice, readsOf(plans)))
  t.same(changes.map(([{ route }, { statusCode }]) => [route.url, statusCode]), [['/:user_id/tasks', 410]])
})

t.test('words that only one answer has do not count', async (t) => {
  t.equal(differs('{"a":1}', '{"a":2}', '{"a":2}'), true)
  t.equal(differs('{"a":1}', '{"a":2}', '{"a":3}'), false)
  t.equal(differs('{"a":1}', '{"a":1,"b":2}', '{"a":1,"b":3}'), true, 'another length')
  t.equal(differs('{"a":1}', '{"a":1,"b":2}', '{"a":1}'), false, 'another length again')
  t.equal(differs('{"at":"12:30:59"}', '{"at":"12:31:00"}', '{"at":"12:31:01"}'), false, 'a time is one word')
  t.equal(differs('a b', 'c b', 'c b d'), false, 'which need not differ from the first')
  t.equal(differs('a,b', 'a', 'a'), true, 'the end is missing')
  t.equal(differs('{"a":1,"at":1}', '{"a":2,"at":2}', '{"a":2,"at":3}'), true, 'beside a clock')
})
