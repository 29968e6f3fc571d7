import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { env } from 'node:process'
import { createClient } from '@redis/client'
import t, { type Test } from 'tap'
import type { FollowOptions, RevocationStore } from '../lib/index.js'
import { redisRevocations, type RedisRevocationsOptions } from '../lib/redis.js'
import { freePort, skipWithout } from './support/example.js'
import { bearer, build, now, sign, type LogLine } from './support/host.js'
import { redisProgram, startRedis, type Redis } from './support/redis.js'
import { sameLength } from './support/same-length.js'

const program = String(redisProgram)
const skip = skipWithout(redisProgram, 'redis-server')
const key = 'fastify-user-scope:revocations'

async function until (condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/**
 * An instance with a store of its own; `isOut` tells whether a user's token is refused as revoked. It looks at the
 * stream each third of a second, and waits for an answer for two thirds of `maxStale`, however busy the machine is.
 */
async function host (
  t: Test, redis: Pick<Redis, 'url'>, options: Partial<RedisRevocationsOptions> = {}, interval = 1 / 3
) {
  const store = redisRevocations({ url: redis.url, maxStale: 60, whenDown: 'serve', ...options })
  const follow = (options: FollowOptions) => store.follow({ ...options, interval })
  const revocations = { ...store, follow }
  const { app, send, log } = await build(t, { revocations }, {}, (app) => { app.get('/me', async () => 'in') })
  const iat = now() - 60
  const ask = async (sub: string) => {
    const { code, body } = await send({ url: '/me', headers: bearer(sign({ sub, iat, exp: iat + 3600 })) })
    return code ?? body
  }
  const isOut = async (user: string) => await ask(user) === 'TOKEN_REVOKED'
  const areOut = async (users: string[]) => (await Promise.all(users.map(isOut))).every(Boolean)
  return { app, log, ask, isOut, areOut, revoke: (user: string) => app.userScope.revoke({ user }) }
}

const operators = new Map<string, Promise<{ sendCommand: <T>(args: string[]) => Promise<T>, destroy: () => void }>>()
t.teardown(async () => { for (const operator of operators.values()) (await operator).destroy() })

/** Sends a command to a server, as an operator would. */
async function command<T> ({ url }: Pick<Redis, 'url'>, ...args: string[]): Promise<T> {
  let connecting = operators.get(url)
  if (connecting === undefined) {
    const client = createClient({ url, RESP: 2 })
    operators.set(url, connecting = client.on('error', () => {}).connect())
  }
  return (await connecting).sendCommand<T>(args)
}

/** What leads to a server, and to another one later. */
async function startProxy (t: Test, first: Redis) {
  const sockets = new Set<Socket>()
  const proxy = { target: first, isOpen: true, sockets, cut: () => { for (const socket of sockets) socket.destroy() } }
  const server = createServer((socket) => {
    const upstream = connectTo(proxy.target.port, '127.0.0.1')
    if (!proxy.isOpen) socket.destroy()
    for (const [from, to] of [[socket, upstream], [upstream, socket]] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => to.destroy()).pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    proxy.cut()
  })
  return Object.assign(proxy, { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

/** Follows a store as an instance does, until it is stopped or the test ends. */
function follow (t: Test, store: RevocationStore, { interval = 60, keepFor = 7200 } = {}) {
  const end = new AbortController()
  const lists = store.follow({ signal: end.signal, interval, keepFor })[Symbol.asyncIterator]()
  t.teardown(() => { end.abort() })
  return {
    next: () => lists.next(),
    lengthOf: async () => (await lists.next()).value?.length as number,
    async stop () {
      end.abort()
      await lists.return?.()
    }
  }
}

const connections = async (redis: Redis) =>
  (await command<string>(redis, 'CLIENT', 'LIST')).trim().split('\n').length

/** How many followers wait for more. */
const waiting = async (redis: Redis) => (await command<string>(redis, 'CLIENT', 'LIST')).match(/ flags=b /g)?.length

/** The one follower waits for more. What it has not read yet, it could not miss. */
const isReadWhole = async (redis: Redis) => await waiting(redis) === 1

/** What is logged about the store. */
const logged = (log: LogLine[]) => log.map(({ msg }) => msg).filter((msg) => msg.includes('revocations'))
const names = (prefix: string, length: number) => Array.from({ length }, (_, n) => `${prefix}-${n}`)

t.test('a revocation of one instance holds on all', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const [one, two] = [await host(t, redis), await host(t, redis)]
  t.same([await one.ask('alice'), await two.ask('alice')], ['in', 'in'])
  await one.revoke('alice')
  await until(() => two.isOut('alice'))
  t.same([await one.ask('alice'), await two.ask('bob')], ['TOKEN_REVOKED', 'in'])
  await two.revoke('bob')
  const three = await host(t, redis)
  t.ok(await three.areOut(['alice', 'bob']))
  const elsewhere = await host(t, redis, { prefix: 'another' })
  t.equal(await elsewhere.ask('alice'), 'in')
  await elsewhere.revoke('carol')
  t.same(await command(redis, 'XLEN', 'another:revocations'), 1)
  t.match(await command<Array<[id: string, fields: string[]]>>(redis, 'XRANGE', key, '-', '+'), sameLength([
    [/^\d{13}-0$/, ['entry', /"kind":"user","id":"alice"/]], [/./, ['entry', /"id":"bob"/]]
  ]))
})

t.test('more entries than a page are read, and malformed ones skipped', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const one = await host(t, redis)
  const entryOf = (id: string) => JSON.stringify({ kind: 'user', id, issuer: '', moment: now(), keepFor: 2_592_000 })
  const users = names('user', 2100)
  await Promise.all(users.map((user) => command(redis, 'XADD', key, '*', 'entry', entryOf(user))))
  const some = users.filter((_, n) => n % 100 === 99)
  await command(redis, 'XADD', key, '*', 'other', 'field')
  await command(redis, 'XADD', key, '*', 'entry', '{"kind":')
  await command(redis, 'XADD', key, '*', 'note', '1', 'entry', entryOf('by-hand'))
  const two = await host(t, redis)
  t.ok(await two.areOut([...some, 'by-hand']))
  await until(() => one.isOut('by-hand'))
  t.match(two.log.filter(({ count }) => count !== undefined),
    sameLength([{ count: 2, msg: 'malformed revocations were skipped' }]))
})

t.test('a stream that lost entries gets them back', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const older = `${Date.now() - 100_000}`
  const losses: Array<[what: string, lose: () => Promise<unknown>]> = [
    ['restarted empty', async () => {
      await redis.kill()
      await redis.forget()
      await redis.start()
    }],
    ['emptied while followed', () => command(redis, 'FLUSHALL')],
    ['trimmed beyond the last id seen', () => command(redis, 'XTRIM', key, 'MAXLEN', '0')],
    ['trimmed', () => command(redis, 'XTRIM', key, 'MAXLEN', '2')],
    ['rolled back', () => command(redis, 'COPY', 'copy', key, 'REPLACE')],
    ['rolled back, and written to at once', async () => {
      await command(redis, 'COPY', 'copy', key, 'REPLACE')
      await command(redis, 'XADD', key, '*', 'entry', '{}')
    }],
    ['replaced by one whose clock is slow', async () => {
      await command(redis, 'DEL', key)
      await command(redis, 'XADD', key, `${older}-0`, 'entry', '')
    }]
  ]
  for (const [what, lose] of losses) {
    const one = await host(t, redis)
    const users = names(what, 5)
    await one.revoke(`${what}, before`)
    await command(redis, 'COPY', key, 'copy', 'REPLACE')
    await Promise.all(users.map((user) => one.revoke(user)))
    await until(() => isReadWhole(redis))
    await lose()
    await until(() => logged(one.log).includes('revocations that the store lacked were stored again'))
    const { reason } = one.log.find(({ msg }) => msg === 'the store of revocations failed') ?? {}
    if (what.startsWith('trimmed')) t.equal(reason, 'entries of the stream are gone')
    const two = await host(t, redis)
    t.ok(await two.areOut(users), what)
    await two.revoke(`${what}, afterwards`)
    await until(() => one.isOut(`${what}, afterwards`))
    await one.app.close()
    await two.app.close()
  }
})

t.test('so does a stream that begins with entries old enough to be trimmed', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  await command(redis, 'XADD', key, `${Date.now() - 40 * 86_400_000}-0`, 'entry', '{}')
  const one = await host(t, redis)
  const users = names('user', 5)
  await Promise.all(users.map((user) => one.revoke(user)))
  await until(async () => await command<number>(redis, 'XLEN', key) === 6 && await isReadWhole(redis))
  await command(redis, 'FLUSHALL')
  await one.revoke('later') // before the next look
  await until(() => logged(one.log).includes('revocations that the store lacked were stored again'))
  t.ok(await (await host(t, redis)).areOut([...users, 'later']))
})

t.test('entries that are trimmed by age are no loss', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const old = Date.now() - 3 * 3_600_000
  for (let n = 0; n < 1000; n++) await command(redis, 'XADD', key, `${old}-${n}`, 'entry', '{}')
  await command(redis, 'XADD', key, '*', 'entry', '{}')
  const { lengthOf, stop } = follow(t, redisRevocations({ url: redis.url }), { interval: 0 })
  t.equal(await lengthOf(), 1000)
  await command(redis, 'XTRIM', key, 'MINID', String(old + 1))
  t.same([await lengthOf(), await lengthOf()], [1, 0])
  await stop()
})

t.test('nor is it a loss if even the last id seen is trimmed up to half an hour early', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  for (const [minutes, isLoss] of [[20, false], [40, true]] as const) {
    const [prefix, old] = [`early-${minutes}`, Date.now() - 7_200_000 + minutes * 60_000]
    const write = (id = '*') => command(redis, 'XADD', `${prefix}:revocations`, id, 'entry', '{}')
    await write(`${old}-0`)
    const { lengthOf, stop } = follow(t, redisRevocations({ url: redis.url, prefix }))
    t.same([await lengthOf(), await lengthOf()], [1, 0])
    await write()
    await command(redis, 'XTRIM', `${prefix}:revocations`, 'MINID', String(old + 1))
    t.equal(await lengthOf(), 1)
    await write()
    if (isLoss) await t.rejects(lengthOf(), { message: 'entries of the stream are gone' })
    else t.equal(await lengthOf(), 1)
    await stop()
  }
})

t.test('a stream that does not change is not read again', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const one = await host(t, redis)
  await one.revoke('alice')
  const looks = async () =>
    Number(/cmdstat_xinfo[^:]*:calls=(\d+)/.exec(await command(redis, 'INFO', 'commandstats'))?.[1])
  await until(async () => await looks() > 2)
  await command(redis, 'XADD', key, '*', 'entry', '{}')
  await until(() => one.log.some(({ count }) => count === 1))
  t.same(logged(one.log), ['malformed revocations were skipped'])
})

t.test('nothing that revoke has confirmed is lost when the server is killed', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const one = await host(t, redis)
  const confirmed: string[] = []
  const load = { isOver: false }
  const lanes = names('lane', 10).map(async (lane) => {
    for (let n = 0; !load.isOver; n++) {
      // On a slow machine the server may start for longer than revoke tries, and then it is not confirmed.
      await one.revoke(`${lane}-${n}`).then(() => { confirmed.push(`${lane}-${n}`) }, (error: { code?: string }) => {
        if (error.code !== 'REVOCATIONS_UNAVAILABLE') throw error
      })
    }
  })
  for (let round = 1; round <= 2; round++) {
    await until(() => confirmed.length > 200 * round)
    await redis.kill('SIGKILL')
    await redis.start()
    const before = confirmed.length
    await until(() => confirmed.length > before)
  }
  load.isOver = true
  await Promise.all(lanes)
  const two = await host(t, redis)
  // What the server confirmed and had not written yet comes from those who know it.
  await until(() => two.areOut(confirmed))
  t.ok(confirmed.length > 400)
})

t.test('a server that is paused answers nothing and reports no error', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const [one, two] = [await host(t, redis, { maxStale: 6, whenDown: 'refuse' }), await host(t, redis)]
  redis.signal('SIGSTOP')
  const revoking = t.rejects(one.revoke('alice'), { code: 'REVOCATIONS_UNAVAILABLE' })
  await until(async () => await one.ask('bob') === 'REVOCATIONS_UNAVAILABLE')
  t.same([await one.ask('alice'), await two.ask('bob'), await two.ask('alice')], ['TOKEN_REVOKED', 'in', 'in'])
  await revoking
  redis.signal('SIGCONT')
  await until(() => two.isOut('alice'))
  await until(async () => await one.ask('bob') === 'in')
  // What was written while it was paused may arrive after all, or be lacking.
  const maybe = 'revocations that the store lacked were stored again'
  const notStored = 'revocations could not be stored; tried again later'
  t.ok(logged(one.log).includes(notStored))
  t.same(logged(one.log).filter((line) => ![maybe, notStored].includes(line)), [
    'the store of revocations failed', 'revocations are stale', 'the store of revocations answers again'
  ])
})

t.test('entries are trimmed when they are old by both clocks', { skip }, async (t) => {
  const redis = await startRedis(t, program, '--stream-node-max-entries', '1')
  const store = redisRevocations({ url: redis.url })
  const { next, stop } = follow(t, store, { keepFor: 60 })
  const count = () => command<number>(redis, 'XLEN', key)
  const now = Date.now()
  let isFast = false
  t.capture(Date, 'now', () => now + (isFast ? 1e9 : 0)) // so that no entry gets older while the test runs
  for (const age of [120, 61, 59]) {
    await command(redis, 'XADD', key, `${now - age * 1000}-0`, 'entry', String(age))
  }
  t.same((await next()).value, [120, 61, 59].map((age) =>
    ({ entry: String(age), storedAt: (now - age * 1000) / 1000 })))
  await store.publish('first', 60)
  t.equal(await count(), 3, 'what is older than the latest by 60 s is gone')
  await store.publish('second', 60)
  t.equal(await count(), 3, '59 s and the two')
  const ahead = String(now + 1e9)
  await command(redis, 'XADD', key, `${ahead}-0`, 'entry', 'from the future')
  await store.publish('third', 60)
  await store.publish('fourth', 60)
  t.equal(await count(), 6, 'a clock that is ahead trims nothing')
  await stop()
  isFast = true
  const other = redisRevocations({ url: redis.url, prefix: 'other' })
  for (const entry of ['first', 'second', 'third']) await other.publish(entry, 60)
  t.equal(await command<number>(redis, 'XLEN', 'other:revocations'), 3, 'nor does that of an instance')
})

t.test('a connection that is cut is opened again', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const proxy = await startProxy(t, redis)
  const { sockets } = proxy
  const [one, two] = [await host(t, redis), await host(t, proxy)]
  const before = new Set(sockets)
  await two.revoke('before')
  // The connection of the writer falls silent, as behind a firewall that forgot it.
  const silent = [...sockets].filter((socket) => !before.has(socket))
  for (const socket of silent) socket.unpipe().resume()
  await t.rejects(two.revoke('silent'), { code: 'REVOCATIONS_UNAVAILABLE' })
  await until(() => silent.every(({ destroyed }) => destroyed))
  await two.revoke('another')
  await until(() => one.areOut(['silent', 'another']))
  proxy.isOpen = false
  proxy.cut()
  await one.revoke('alice')
  const revoking = two.revoke('bob')
  t.same([await two.ask('alice'), await two.ask('bob')], ['in', 'TOKEN_REVOKED'])
  proxy.isOpen = true
  await revoking
  await until(() => two.isOut('alice'))
  await until(() => one.isOut('bob'))
})

t.test('a server that became a replica is left', { skip }, async (t) => {
  const quick = ['--repl-diskless-sync-delay', '0']
  const [first, second] = [await startRedis(t, program, ...quick), await startRedis(t, program, ...quick)]
  const proxy = await startProxy(t, first)
  const [one, two] = [await host(t, proxy, {}, 20), await host(t, proxy, {}, 20)]
  await one.revoke('alice')
  await command(second, 'REPLICAOF', '127.0.0.1', String(first.port))
  await until(async () => await command(second, 'XLEN', key) === 1)
  await command(second, 'REPLICAOF', 'NO', 'ONE')
  await until(async () => await waiting(first) === 2) // the server tells only them
  await command(first, 'REPLICAOF', '127.0.0.1', String(second.port))
  await until(() => [one, two].every(({ log }) => logged(log).includes('the store of revocations answers again')))
  const before = new Set(proxy.sockets)
  const revoking = one.revoke('bob')
  // The replica refuses the write, and its connection is closed.
  await until(() => [...proxy.sockets].some((socket) => !before.has(socket) && socket.destroyed))
  proxy.target = second // for connections that are opened from now on
  await revoking
  await until(() => two.isOut('bob'))
})

t.test('a follower is up to date at the end of the stream even if others go on writing', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const write = () => command(redis, 'XADD', key, '*', 'entry', '{}')
  await write()
  const { lengthOf, stop } = follow(t, redisRevocations({ url: redis.url }))
  t.equal(await lengthOf(), 1)
  await write()
  t.same([await lengthOf(), await lengthOf()], [0, 1], 'the empty list says so')
  await write()
  t.equal(await lengthOf(), 1)
  await stop()
})

t.test('a stream without entries is followed', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const store = redisRevocations({ url: redis.url })
  const { lengthOf: often } = follow(t, store, { interval: 0.001 })
  for (let n = 0; n < 3; n++) t.equal(await often(), 0, 'what is not there is not looked at')
  const { lengthOf: seldom } = follow(t, store)
  t.equal(await seldom(), 0)
  await command(redis, 'XADD', key, '*', 'entry', '{}')
  t.equal(await seldom(), 1)
})

t.test('rediss:// uses TLS and verifies the certificate', { skip }, async (t) => {
  const dir = t.testdir({})
  const [cert, certKey, port] = [join(dir, 'cert.pem'), join(dir, 'key.pem'), String(await freePort())]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', certKey, '-out', cert,
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' })
  await startRedis(t, program, '--tls-port', port, '--tls-cert-file', cert, '--tls-key-file', certKey,
    '--tls-ca-cert-file', cert, '--tls-auth-clients', 'no')
  const redis = { url: `rediss://127.0.0.1:${port}` }
  await t.rejects(host(t, redis), { message: /cannot be read \(self-signed certificate/ })
  env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  t.teardown(() => { delete env.NODE_TLS_REJECT_UNAUTHORIZED })
  const { revoke, isOut } = await host(t, redis)
  await revoke('alice')
  t.ok(await isOut('alice'))
})

t.test('the password of the URL is used and never logged', { skip }, async (t) => {
  const redis = await startRedis(t, program, '--requirepass', 'pa55word')
  const urlFor = (password: string) => ({ url: redis.url.replace('//', `//:${password}@`) })
  const { revoke, isOut, log } = await host(t, urlFor('pa55word'))
  await revoke('alice')
  t.ok(await isOut('alice'))
  const message = await host(t, urlFor('wr0ng')).then(() => '', (error: unknown) => (error as Error).message)
  t.match(message, /cannot be read \(WRONGPASS /)
  t.match(await host(t, redis).then(() => '', (error: unknown) => (error as Error).message), /NOAUTH/)
  await redis.kill()
  await until(() => logged(log).includes('the store of revocations failed'))
  const old = await startRedis(t, program, '--rename-command', 'HELLO', '')
  await host(t, old)
  const quoted = await host(t, { url: old.url.replace('//', '//app:pa55word@') })
    .then(() => '', (error: unknown) => (error as Error).message)
  t.match(quoted, /cannot be read \((ERR unknown command .?HELLO.?\)|WRONGPASS )/)
  t.notMatch(message + quoted + JSON.stringify(log), /pa55word|wr0ng/)
})

t.test('a user with the commands that the docs name can do everything', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const setUser = (...rules: string[]) => command(redis, 'ACL', 'SETUSER', ...rules, '>pa55word')
  await setUser('app', 'on', `~${key}`, '+xadd', '+xread', '+xrange', '+xinfo')
  await setUser('reader', 'on', `~${key}`, '+xread', '+xrange', '+xinfo')
  const [app, reader] = ['app', 'reader'].map((user) => redis.url.replace('//', `//${user}:pa55word@`))
  const first = await host(t, { url: String(app) })
  await first.revoke('alice')
  const second = await host(t, { url: String(reader) })
  t.ok(await second.isOut('alice'))
  await command(redis, 'DEL', key)
  await until(async () => await command<number>(redis, 'XLEN', key) === 1) // found by XINFO, and stored again
  const inDatabase = { url: `${app}/2` }
  await t.rejects(host(t, inDatabase), { code: 'FST_USER_SCOPE_REVOCATIONS_UNREACHABLE' })
  await setUser('app', '+select')
  await (await host(t, inDatabase)).revoke('alice')
})

t.test('a server that cannot be reached stops the boot', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { silent.close() })
  const { port } = silent.address() as AddressInfo
  silent.once('connection', (socket) => { socket.destroy() })
  await t.rejects(host(t, { url: `redis://127.0.0.1:${port}` }), { code: 'FST_USER_SCOPE_REVOCATIONS_UNREACHABLE' })
})

t.test('a revocation after the close leaves no connection open', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const one = await host(t, redis)
  await one.revoke('alice')
  await one.app.close()
  await t.rejects(one.revoke('bob'), { code: 'REVOCATIONS_UNAVAILABLE' })
  await until(async () => await connections(redis) === 1) // this one
  t.pass()
})

t.test('nor does a write after a follower that could not connect', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const proxy = await startProxy(t, redis)
  const store = redisRevocations({ url: proxy.url })
  proxy.isOpen = false
  await t.rejects(follow(t, store).next())
  proxy.isOpen = true
  await store.publish('entry', 60)
  await until(async () => await connections(redis) === 1) // this one
  t.pass()
})

t.test('a write that the server refuses does not close the connection', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const opened = async () => /_connections_received:\d+/.exec(await command(redis, 'INFO', 'stats'))?.[0]
  const store = redisRevocations({ url: redis.url })
  const { next, stop } = follow(t, store, { keepFor: 60 })
  await next()
  await command(redis, 'SET', key, 'text')
  await t.rejects(store.publish('first', 60), { message: /^WRONGTYPE / })
  const before = await opened()
  await t.rejects(store.publish('second', 60), { message: /^WRONGTYPE / })
  t.equal(await opened(), before)
  await stop()
})

t.test('a follower that nobody reads any more ends its connection', { skip }, async (t) => {
  const redis = await startRedis(t, program)
  const { signal } = new AbortController()
  const lists = redisRevocations({ url: redis.url })
    .follow({ signal, interval: 60, keepFor: 60 })[Symbol.asyncIterator]()
  await lists.next()
  await lists.return?.()
  await until(async () => await connections(redis) === 1) // this one
  t.pass()
})

t.test('a follower that is stopped ends its connection, in any state', async (t) => {
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => { sockets.add(socket.on('error', () => {})) }).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { silent.close() })
  const { port } = silent.address() as AddressInfo
  const store = redisRevocations({ url: `redis://127.0.0.1:${port}` })
  for (const isConnected of [true, false]) {
    const end = new AbortController()
    const next = store.follow({ signal: end.signal, interval: 1, keepFor: 60 })[Symbol.asyncIterator]().next()
    const connected = once(silent, 'connection')
    if (isConnected) await connected
    end.abort()
    await t.rejects(next, { message: 'stopped' })
    await connected
    await Promise.all([...sockets].map(async (socket) => socket.resume().closed || once(socket, 'close')))
  }
})

t.test('wrong options are refused', async (t) => {
  const noUrl = 'option "redisRevocations.url" must be the URL of a Redis or Valkey server: redis://… or rediss://…, ' +
    'without "?" and "#" (percent-encode them in a password)'
  const rows: Array<[options: unknown, message: string]> = [
    [undefined, 'redisRevocations() must be given an object with its options'],
    [{}, `${noUrl}. It is undefined`],
    ...['http://:pa55@host', 'redis://host?db=3', 'redis://app:12#pa55@host', 'a:redis://host']
      .map((url): [object, string] => [{ url }, noUrl]),
    ...['redis://:pa55@:port', 'redis://:pa/55@host'].map((url): [object, string] => [{ url },
      'option "redisRevocations.url" is not a URL. Fix: percent-encode special characters in its password']),
    [{ url: 'redis://h', prefix: 'a b' }, 'option "redisRevocations.prefix" must be letters, digits and any of _ - . : { }'],
    [{ url: 'redis://h', maxStale: 0 }, 'option "redisRevocations.maxStale" must be a number of seconds from 1 to 86400'],
    [{ url: 'redis://h', whenDown: 'wait' }, 'option "redisRevocations.whenDown" must be "refuse" or "serve"'],
    [{ url: 'redis://h', prefx: 'a' }, 'unknown option "redisRevocations.prefx". Did you mean "prefix"?']
  ]
  for (const [options, message] of rows) {
    t.throws(() => redisRevocations(options as RedisRevocationsOptions), {
      code: 'FST_USER_SCOPE_INVALID_OPTION', message: `fastify-user-scope: ${message}`
    })
  }
})
