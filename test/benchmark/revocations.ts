/**
 * How revocations reach three servers with one Redis, and what each of its faults does to them: a line for each. Needs
 * redis-server and cc (Debian's packages redis-server and gcc).
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request, type IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { env } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { build } from 'esbuild'
import { now, secret, sign } from '../support/host.js'
import { redisProgram, startRedis, type Redis } from '../support/redis.js'

const ends: Array<() => unknown> = []
const t = { teardown: (end: () => unknown) => { ends.unshift(end) } }
const root = join(import.meta.dirname, '../..')
// Inside the repository, as packages are found from there.
const dir = await mkdtemp(join(root, '.tap-benchmark-'))
t.teardown(() => rm(dir, { recursive: true, force: true }))
const script = join(dir, 'server.mjs')
const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const
await build({ entryPoints: [join(root, 'test/support/revocation-server.ts')], outfile: script, ...options })

type Server = Awaited<ReturnType<typeof startServer>>

async function startServer (url: string, variables: Record<string, string> = {}) {
  const child = fork(script, {
    env: { PATH: env.PATH, REDIS_URL: url, SECRET: secret, MAX_STALE: '3', ...variables }, execArgv: []
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  const agent = new Agent({ keepAlive: true })
  const taken = new Map<string, bigint>()
  child.on('message', ({ taken: id, at }: { taken: string, at: string }) => { taken.set(id, BigInt(at)) })
  const send = async (method: string, path: string, user = ''): Promise<number> => {
    const headers = { authorization: `Bearer ${sign({ sub: user, iat: now() - 60, exp: now() + 600 })}` }
    const [response] = await once(request({ port, agent, method, path, headers }).end(), 'response') as [IncomingMessage]
    await response.resume().toArray()
    return Number(response.statusCode)
  }
  return {
    taken,
    stop: () => { child.kill('SIGKILL') },
    status: (user: string) => send('GET', `/api/${user}/tasks`, user),
    revoke: (user: string) => send('POST', `/revoke/${user}`)
  }
}

async function until (condition: () => boolean | Promise<boolean>): Promise<number> {
  const start = performance.now()
  while (!await condition()) await pause(5)
  return Math.round(performance.now() - start)
}
const areOut = async (server: Server, users: string[]) => {
  for (const user of users) if (await server.status(user) !== 401) return false
  return true
}
const names = (prefix: string, length: number) => Array.from({ length }, (_, n) => `${prefix}-${n}`)
const count = (answers: number[]) => JSON.stringify(Object.fromEntries([...new Set(answers)].map((each) =>
  [each, answers.filter((answer) => answer === each).length])))
/** Revokes at an even rate, whatever the answers are. */
async function revokeAt (rate: number, users: string[], servers: Server[]): Promise<number[]> {
  const answers: Array<Promise<number>> = []
  const start = performance.now()
  for (const [n, user] of users.entries()) {
    const early = start + n * 1000 / rate - performance.now()
    if (early > 2) await pause(early)
    answers.push((servers[n % servers.length] as Server).revoke(user))
  }
  return await Promise.all(answers)
}
/** How long until the users are out on all servers, and on a new one. */
async function check (what: string, servers: Server[], users: string[], url: string): Promise<void> {
  const took = await until(async () => (await Promise.all(servers.map((each) => areOut(each, users)))).every(Boolean))
  const fresh = await startServer(url)
  const later = await until(() => areOut(fresh, users))
  fresh.stop()
  console.log(`${what}: all ${users.length} hold on all three, seen after ${took} ms; on a new one after ${later} ms`)
}

/** What the servers connect to, which leads to one Redis or another. */
async function startProxy (first: Redis) {
  let target = first
  const sockets = new Set<Socket>()
  const proxy = createServer((socket) => {
    const upstream = connect(target.port, '127.0.0.1')
    for (const [from, to] of [[socket, upstream], [upstream, socket]] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => { sockets.delete(from); to.destroy() }).pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut: () => { for (const socket of sockets) socket.destroy() },
    lead: (to: Redis) => { target = to }
  }
}

async function operator ({ url }: Redis) {
  const client = createClient({ url, RESP: 2 })
  client.on('error', () => {})
  await client.connect()
  t.teardown(() => { if (client.isOpen) client.destroy() })
  return async (...args: string[]) => await client.sendCommand(args)
}

const program = String(redisProgram)

/** A clock that is an hour behind, for a server into which it is loaded. */
const slowClock = `#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int gettimeofday(struct timeval *tv, void *tz) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  tv->tv_sec = now.tv_sec - 3600;
  tv->tv_usec = now.tv_nsec / 1000;
  return 0;
}`

const key = 'fastify-user-scope:revocations'
const redis = await startRedis(t, program)
const proxy = await startProxy(redis)
const servers = await Promise.all([1, 2, 3].map(() => startServer(proxy.url)))

{
  const starts = new Map<string, bigint>()
  for (const user of names('latency', 1000)) {
    starts.set(user, process.hrtime.bigint())
    await servers[0]?.revoke(user)
  }
  await until(() => servers.every(({ taken }) => [...starts.keys()].every((user) => taken.has(user))))
  const times = [...starts].map(([user, start]) =>
    Math.max(...servers.map(({ taken }) => Number((taken.get(user) ?? 0n) - start) / 1e6))).sort((a, b) => a - b)
  const [p50, p99, most] = [times[499], times[989], times[999]].map((time) => Number(time).toFixed(1))
  console.log(`1,000 revocations, from the request until all three servers have it: p50 ${p50} ms, p99 ${p99} ms, max ${most} ms`)
}
{
  const users = names('killed', 5000)
  const answers = revokeAt(1000, users, servers)
  for (let times = 0; times < 2; times++) {
    await pause(1500)
    await redis.kill('SIGKILL')
    await pause(300)
    await redis.start()
  }
  console.log(`kill -9 twice under 1,000 revocations per second: answers ${count(await answers)}`)
  await check('after kill -9', servers, users, proxy.url)
}
{
  const users = names('paused', 300)
  redis.signal('SIGSTOP')
  const stale = until(async () => await servers[1]?.status('anyone') === 503)
  console.log(`paused, maxStale 3 s: answers ${count(await revokeAt(100, users, servers))}, 503 after ${await stale} ms`)
  redis.signal('SIGCONT')
  console.log(`200 again ${await until(async () => await servers[1]?.status('anyone') === 200)} ms after it goes on`)
  await check('after the pause', servers, users, proxy.url)
}
{
  const users = names('cut', 300)
  const answers = revokeAt(100, users, servers)
  for (let times = 0; times < 3; times++) {
    await pause(700)
    proxy.cut()
  }
  console.log(`cut off three times: answers ${count(await answers)}`)
  await check('after the cuts', servers, users, proxy.url)
}
{
  const users = names('emptied', 1000)
  await revokeAt(1000, users, servers)
  await redis.kill()
  await redis.forget()
  await redis.start()
  await check('restarted empty', servers, users, proxy.url)
}
{
  const users = names('trimmed', 1000)
  await revokeAt(1000, users, servers)
  await (await operator(redis))('XTRIM', key, 'MAXLEN', '0')
  const later = names('trimmed-later', 10)
  await revokeAt(100, later, servers)
  await check('trimmed beyond the last id seen', servers, [...users, ...later], proxy.url)
}
{
  await writeFile(join(dir, 'slow.c'), slowClock)
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(dir, 'slow.so'), join(dir, 'slow.c')])
  env.LD_PRELOAD = join(dir, 'slow.so')
  const replica = await startRedis(t, program)
  delete env.LD_PRELOAD
  const order = await operator(replica)
  await order('REPLICAOF', '127.0.0.1', String(redis.port))
  const length = await operator(redis)
  await until(async () => await order('XLEN', key) === await length('XLEN', key))
  replica.signal('SIGSTOP')
  const users = names('promoted', 500)
  await revokeAt(500, users, servers)
  await redis.kill()
  replica.signal('SIGCONT')
  await order('REPLICAOF', 'NO', 'ONE')
  proxy.lead(replica)
  const later = names('promoted-later', 100)
  const [seconds = ''] = await order('TIME') as unknown as string[]
  if (Number(seconds) > now() - 3000) throw new Error('its clock is right')
  console.log(`a replica whose clock is an hour slow takes over: answers ${count(await revokeAt(100, later, servers))}`)
  await check('after the failover', servers, [...users, ...later], proxy.url)
  await replica.kill()
}
{
  const rate = async (seconds: number, server: Server) => {
    let requests = 0
    const end = performance.now() + seconds * 1000
    await Promise.all(names('lane', 10).map(async (lane) => {
      while (performance.now() < end) {
        if (await server.status(lane) !== 200) throw new Error('refused')
        requests++
      }
    }))
    return Math.round(requests / seconds)
  }
  await redis.start()
  proxy.lead(redis)
  const server = await startServer(proxy.url, { WHEN_DOWN: 'serve' })
  const rates: Array<[up: number, down: number]> = []
  await rate(2, server)
  for (let times = 0; times < 3; times++) {
    const up = await rate(3, server)
    await redis.kill()
    rates.push([up, await rate(3, server)])
    await redis.start()
  }
  console.log(`requests per second, Redis up and down, by turns: ${rates.map((each) => each.join(' and ')).join(', ')}`)
}
for (const end of ends) await end()
process.exit()
