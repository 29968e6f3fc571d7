import swagger from '@fastify/swagger'
import type Fastify from 'fastify'
import type { FastifyInstance, RouteOptions } from 'fastify'
import oldest from 'fastify-oldest'
import t, { type Test } from 'tap'
import userScope from '../../lib/index.js'
import { assertDocumentMatchesGuards, assertOwnership, createIssuer, routeTable } from '../../lib/testing/index.js'
import { bearer, secret, tokenFor } from '../support/host.js'

// The peer range begins there. Its types are not those of the newest, which the library is compiled with.
const create = oldest as unknown as typeof Fastify
const id = async () => 'in'

async function host (t: Test, setUp: (app: FastifyInstance) => unknown, declare: (app: FastifyInstance) => unknown) {
  const log: object[] = []
  const app = create({
    logger: { level: 'warn', stream: { write: (line: string) => { log.push(JSON.parse(line) as object) } } }
  })
  t.teardown(() => app.close())
  setUp(app)
  await app.register(swagger)
  await app.register(userScope, { secret, revocations: true })
  await app.register(async (app) => { await declare(app) }, { prefix: '/api/:user_id' })
  await app.ready()
  const headers = [{}, bearer(tokenFor('bob')), bearer(tokenFor('alice'))] // of before any revocation
  const statuses = async (url: string, method: 'GET' | 'HEAD' = 'GET') =>
    await Promise.all(headers.map(async (headers) => (await app.inject({ url, method, headers })).statusCode))
  return { app, log, statuses }
}

t.test('the oldest Fastify is guarded', async (t) => {
  const { app, log, statuses } = await host(t, () => {}, (app) => {
    app.get('/', id)
    app.get('/tasks', id)
    app.options('/tasks', id)
    app.get('/avatar', { config: { access: 'public' } }, id)
  })
  for (const url of ['/api/alice', '/api/alice/', '/api/alice/tasks']) {
    t.same(await statuses(url), [401, 403, 200], url)
    t.same(await statuses(url, 'HEAD'), [401, 403, 200], url)
  }
  t.same(await statuses('/api/alice/avatar'), [200, 200, 200])
  t.same(await statuses('/nowhere'), [404, 404, 404])
  t.equal((await app.inject({ method: 'OPTIONS', url: '/api/alice/tasks' })).statusCode, 200)
  t.match(await routeTable(app), /^owner {6}\/api\/:user_id\/ {2}GET, HEAD {2}default$/m)
  await assertOwnership(app, { issuer: createIssuer({ secret }), alice: 'alice', bob: 'bob', allow: [/avatar/] })
  await assertDocumentMatchesGuards(app)
  t.same(log, [])
  await app.userScope.revoke({ user: 'alice' })
  t.same(await statuses('/api/alice'), [401, 403, 401])
})

t.test('there too, the root of a prefix is one route, with its slash and without', async (t) => {
  const seen: RouteOptions[] = []
  type Hosts = Record<string, [setUp: (app: FastifyInstance) => unknown, access: object | string | undefined]>
  const hosts: Hosts = {
    'closed until the app is ready': [(app) => {
      app.addHook('onRoute', (options) => { seen.push(options) })
      app.addHook('onReady', async () => {
        for (const { config } of seen) Object.assign(config ?? {}, { access: 'owner' })
      })
    }, 'public'],
    'opened by a request': [(app) => {
      app.addHook('onRequest', async ({ routeOptions }) => { Object.assign(routeOptions.config, { access: 'public' }) })
    }, undefined],
    'a rule taken away by a request': [(app) => {
      app.addHook('onRequest', async ({ routeOptions }) => { delete routeOptions.config.access })
    }, { scopes: ['admin'] }]
  }
  for (const [name, [setUp, access]] of Object.entries(hosts)) {
    const config = access === undefined ? {} : { access }
    const { statuses } = await host(t, setUp, (app) => { app.get('/', { config } as object, id) })
    const expected = typeof access === 'object' ? [401, 403, 403] : [401, 403, 200]
    for (const url of ['/api/alice', '/api/alice/']) t.same(await statuses(url), expected, `${name} ${url}`)
  }
})
