import Fastify from 'fastify'
import type { Test } from 'tap'
import userScope, { type UserScopeOptions } from '../../lib/index.js'
import { bearer, sender, sign } from './host.js'

export const signedWith = (key: string) => sign({ sub: 'alice', exp: 1e10 }, { key })

/** Boots a host with exactly these variables of Better Auth in the environment. */
export async function boot (t: Test, env: Record<string, string>, options: UserScopeOptions = {}) {
  for (const name of ['BETTER_AUTH_SECRET', 'BETTER_AUTH_SECRETS']) {
    const before = process.env[name]
    if (env[name] === undefined) delete process.env[name]
    else process.env[name] = env[name]
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(userScope, options)
  app.get('/api/me', async (request) => request.user.id)
  await app.ready()
  return async (key: string) => (await sender(app)({ url: '/api/me', headers: bearer(signedWith(key)) })).status
}
