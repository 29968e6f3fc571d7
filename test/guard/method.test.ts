import Fastify from 'fastify'
import t from 'tap'
import userScope from '../../lib/index.js'
import { bearer, secret, sender, tokenFor } from '../support/host.js'

t.test('a method that middleware has overwritten opens nothing', async (t) => {
  const app = Fastify()
  // As packages do that read a header of the client.
  app.addHook('onRequest', async ({ raw }) => {
    raw.method = String(raw.headers['x-http-method-override'] ?? raw.method)
  })
  const mayActFor = ({ method }: { method: string }) => method === 'GET'
  await app.register(userScope, { secret, impersonation: 'read-only', mayActFor })
  const config = { access: { delegates: true } } as const
  const served = [['/get', 'GET'], ['/post', 'POST'], ['/both', 'GET', 'POST'], ['/put', 'PUT', 'PATCH']] as const
  for (const [url, ...method] of served) {
    app.route({ method, url: `/api/:user_id${url}`, config, handler: async () => 'in' })
  }
  const send = sender(app)
  const who = { actor: tokenFor('alice', { act: { sub: 'admin' } }), delegate: tokenFor('bob') }
  const rows: Array<[url: string, method: 'GET' | 'POST' | 'PUT', override: string | undefined, status: number]> = [
    ['/get', 'GET', undefined, 200],
    ['/get', 'GET', 'POST', 200],
    ['/post', 'POST', undefined, 403],
    ['/post', 'POST', 'GET', 403],
    ['/post', 'POST', 'HEAD', 403],
    ['/put', 'PUT', undefined, 403],
    ['/put', 'PUT', 'GET', 403],
    ['/both', 'POST', undefined, 403],
    ['/both', 'POST', 'PUT', 403],
    ['/both', 'POST', 'GET', 200] // what its handler sees, too
  ]
  for (const [name, token] of Object.entries(who)) {
    for (const [url, method, override, status] of rows) {
      const headers = { ...bearer(token), ...override && { 'x-http-method-override': override } }
      const answer = await send({ method, url: `/api/alice${url}`, headers })
      t.equal(answer.status, status, `${name}: ${method} ${url} as ${override}`)
    }
  }
  await app.close()
})
