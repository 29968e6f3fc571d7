import { createServer } from 'node:http'
import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import { registrationsOf } from '../../lib/routes/registrations.js'
import { secret } from '../support/host.js'

t.test('registrations are found by the root of their app', async (t) => {
  const [app, other] = [Fastify(), Fastify()]
  t.teardown(async () => { await Promise.all([app.close(), other.close()]) })
  await app.register(async (child) => { await child.register(userScope, { secret }) })
  await app.register(async (child) => { await child.register(userScope, { secret, userIdParam: 'account' }) })
  await other.register(userScope, { secret })
  t.same(registrationsOf(app).map(({ param }) => param), ['user_id', 'account'])
  t.same(registrationsOf(other).map(({ context }) => context === other), [true])
  t.same(registrationsOf(Fastify()), [])
})

t.test('apps that share a server have routes, registrations and warnings of their own', async (t) => {
  const server = createServer()
  const warnings: string[][] = []
  const stream = { write: (line: string) => { warnings.push((JSON.parse(line) as { routes: string[] }).routes) } }
  const create = () => Fastify({ serverFactory: () => server, logger: { level: 'warn', stream } })
  const [first, second, third] = [create(), create(), create()]
  t.teardown(async () => { await Promise.all([first, second, third].map(async (app) => { await app.close() })) })
  await first.register(userScope, { secret })
  first.get('/api/:userId/x', async () => 'in')
  await t.rejects(async () => { await first.ready() }, { code: 'FST_USER_SCOPE_INVALID_ROUTE' })
  for (const app of [second, third]) {
    await app.register(async (child) => {
      await child.register(userScope, { secret })
      child.get('/api/:user_id', async () => 'in')
    })
    app.get('/open/:user_id', { exposeHeadRoute: false }, async () => 'in')
    await app.ready()
    t.same(warnings.splice(0), [['GET /open/:user_id']])
  }
})

t.test('a registration without routes inside another is found, too', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (child) => { await child.register(userScope, { secret }) })
  await t.rejects(
    async () => { await app.register(userScope, { secret }) }, { code: 'FST_USER_SCOPE_ALREADY_REGISTERED' }
  )
})

t.test('another copy of the package is found by its decorator', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.decorate('userScope', {} as typeof app.userScope)
  await t.rejects(
    async () => { await app.register(userScope, { secret }) }, { code: 'FST_USER_SCOPE_ALREADY_REGISTERED' }
  )
  const outer = Fastify()
  t.teardown(() => outer.close())
  await outer.register(async (child) => {
    child.decorate('userScope', {} as typeof app.userScope)
    child.get('/', async () => 'in')
  })
  await t.rejects(
    async () => { await outer.register(userScope, { secret }) }, { code: 'FST_USER_SCOPE_ALREADY_REGISTERED' }
  )
})
