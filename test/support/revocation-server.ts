/** One of several servers with one list of revocations, as a process: tells its port, and ends with its parent. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { env } from 'node:process'
import { Readable } from 'node:stream'
import Fastify from 'fastify'
import userScope, { untilRevoked, type StoredRevocation } from '../../lib/index.js'
import { redisRevocations } from '../../lib/redis.js'

const { REDIS_URL: url = '', SECRET: secret = '', MAX_STALE, WHEN_DOWN } = env
const store = redisRevocations({
  url, maxStale: Number(MAX_STALE ?? 60), whenDown: WHEN_DOWN === 'serve' ? 'serve' : 'refuse'
})

let isListening = false

/** Tells the parent when the plugin has taken an entry over, by the clock that all processes share. */
async function * follow (options: Parameters<typeof store.follow>[0]): AsyncGenerator<readonly StoredRevocation[]> {
  for await (const list of store.follow(options)) {
    yield list
    const now = process.hrtime.bigint()
    if (!isListening) continue
    for (const { entry } of list) {
      process.send?.({ taken: (JSON.parse(entry) as { id: string }).id, at: String(now) })
    }
  }
}

const app = Fastify({ forceCloseConnections: true })
await app.register(userScope, { secret, revocations: { ...store, follow } })

app.get('/api/:user_id/tasks', async () => 'in')
app.get('/api/:user_id/stream', (request, reply) => {
  const signal = untilRevoked(request)
  // Nothing but its signal ends it.
  const events = async function * () {
    yield 'open'
    await once(signal, 'abort')
  }
  return reply.send(Readable.from(events()))
})
app.post('/revoke/:user', { config: { access: 'public' } }, async (request, reply) => {
  await app.userScope.revoke({ user: (request.params as { user: string }).user })
  return reply.code(204).send()
})

process.once('disconnect', () => process.exit())
await app.listen({ port: 0, host: '127.0.0.1' })
isListening = true
process.send?.({ port: (app.server.address() as AddressInfo).port })
