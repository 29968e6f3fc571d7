import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { env } from 'node:process'
import { build } from 'esbuild'
import t, { type Test } from 'tap'
import { skipWithout } from '../support/example.js'
import { bearer, now, secret, sign } from '../support/host.js'
import { redisProgram, startRedis } from '../support/redis.js'

const source = join(import.meta.dirname, '../support/revocation-server.ts')

/** A server in a process of its own. */
async function startServer (t: Test, script: string, url: string) {
  const child: ChildProcess = fork(script, { env: { PATH: env.PATH, REDIS_URL: url, SECRET: secret }, execArgv: [] })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  const [iat, exp] = [now() - 10, now() + 3600]
  const headersOf = (user: string) => bearer(sign({ sub: user, iat, exp }))
  const status = async (user: string, method = 'GET', path = `/api/${user}/tasks`): Promise<number> => {
    const sent = request({ port, agent, method, path, headers: headersOf(user) }).end()
    const [response] = await once(sent, 'response') as [IncomingMessage]
    await response.resume().toArray()
    return Number(response.statusCode)
  }
  const stream = async (user: string): Promise<IncomingMessage> => {
    const sent = get({ port, path: `/api/${user}/stream`, headers: headersOf(user) })
    const [response] = await once(sent, 'response') as [IncomingMessage]
    await once(response.on('error', () => {}), 'readable')
    return response.resume()
  }
  return { status, stream, revoke: (user: string) => status('carol', 'POST', `/revoke/${user}`) }
}

t.test('three servers under load: a revoked user is refused on all of them, and streams end', {
  skip: skipWithout(redisProgram, 'redis-server')
}, async (t) => {
  const { url } = await startRedis(t, String(redisProgram))
  // Compiled once, as three compilers at once would take most of the test's time.
  const script = join(t.testdir({}), 'server.mjs')
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const
  await build({ entryPoints: [source], outfile: script, ...options })
  const servers = await Promise.all([1, 2, 3].map(() => startServer(t, script, url)))
  const streamsOf = async (user: string) =>
    (await Promise.all(servers.map(({ stream }) => Promise.all(Array.from({ length: 10 }, () => stream(user)))))).flat()
  const bobs = await streamsOf('bob')
  t.ok(bobs.every(({ statusCode }) => statusCode === 200))

  const load = { isOver: false, requests: 0, faults: 0 }
  const lanes = servers.map(async ({ status }) => {
    while (!load.isOver) {
      load.requests++
      if (await status('carol') !== 200) load.faults++
    }
  })
  /** Revokes a user, and returns after how many milliseconds the last of their streams has ended. */
  const end = async (user: string): Promise<number> => {
    const streams = await streamsOf(user)
    t.ok(streams.every(({ statusCode }) => statusCode === 200))
    const closed = streams.map((stream) => once(stream, 'end'))
    const start = performance.now()
    t.equal(await servers[0]?.revoke(user), 204)
    await Promise.all(closed)
    const took = performance.now() - start
    t.same(await Promise.all(servers.map(({ status }) => status(user))), [401, 401, 401])
    return took
  }
  // A machine that is busy delays some of them, and servers that are told late delay all.
  const times = [await end('alice')]
  while (Math.min(...times) >= 1000 && times.length < 3) times.push(await end(`alice-${times.length}`))
  load.isOver = true
  await Promise.all(lanes)

  t.ok(Math.min(...times) < 1000, `the streams of a user ended within ${times.map(Math.round).join(', ')} ms`)
  t.same(await Promise.all(servers.map(({ status }) => status('bob'))), [200, 200, 200])
  t.ok(bobs.every(({ readableEnded, closed }) => !readableEnded && !closed))
  t.ok(load.requests > 3)
  t.equal(load.faults, 0)
})
