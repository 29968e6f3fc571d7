import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import { registrationsOf } from '../../lib/routes/registrations.js'
import { secret } from '../support/host.js'

t.test('the registrations of one app are found from its server, and those of others are not', async (t) => {
  const [app, other] = [Fastify(), Fastify()]
  t.teardown(async () => { await Promise.all([app.close(), other.close()]) })
  await app.register(async (child) => { await child.register(userScope, { secret }) })
  await app.register(async (child) => { await child.register(userScope, { secret, userIdParam: 'account' }) })
  await other.register(userScope, { secret })
  t.same(registrationsOf(app).map(({ param }) => param), ['user_id', 'account'])
  t.same(registrationsOf(other).map(({ context }) => context === other), [true])
  t.same(registrationsOf(Fastify()), [])
})

t.test('another copy of the package, of which only the decorator is known', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.decorate('userScope', {} as typeof app.userScope)
  await t.rejects(
    async () => { await app.register(userScope, { secret }) }, { code: 'FST_USER_SCOPE_ALREADY_REGISTERED' }
  )
})
