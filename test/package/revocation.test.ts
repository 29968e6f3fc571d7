import { on, once } from 'node:events'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { env } from 'node:process'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { WebSocket } from 'ws'
import type { RevocationStore } from '../../lib/index.js'
import { holdClocks } from '../support/clock.js'
import { blockBelow, runBlock } from '../support/docs.js'
import { skipWithout } from '../support/example.js'
import { bearer, build, now, secret, sign, tokenFor } from '../support/host.js'
import { postgresPrograms, startPostgres } from '../support/postgres.js'
import { redisProgram, startRedis } from '../support/redis.js'

env.BETTER_AUTH_SECRET = secret
delete env.BETTER_AUTH_SECRETS

const recipe = (t: Test, heading: string, edit?: (code: string) => string, index = 0) =>
  runBlock(t, blockBelow('docs/realtime.md', heading, index), edit)

async function listen (app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

async function open (port: number, path: string): Promise<IncomingMessage> {
  const request = get({ port, path, headers: bearer(tokenFor('alice')) })
  const [response] = await once(request, 'response') as [IncomingMessage]
  return response.setEncoding('utf8')
}

t.test('a WebSocket closes', async (t) => {
  const app = await recipe(t, 'WebSockets')
  const port = await listen(app)
  const connectAs = (user: string) =>
    new WebSocket(`ws://127.0.0.1:${port}/api/${user}/events`, { headers: bearer(tokenFor(user)) })
  const [alice, bob] = [connectAs('alice'), connectAs('bob')]
  t.teardown(() => { bob.terminate() })
  await Promise.all([once(alice, 'message'), once(bob, 'message')])
  const closed = once(alice, 'close')
  await app.userScope.revoke({ user: 'alice' })
  t.match(await closed, [4401, Buffer.from('token ended')])
  t.equal(bob.readyState, WebSocket.OPEN)
  bob.send('x'.repeat(2 ** 20 + 1))
  t.match(await once(bob, 'close'), [1009])
})

t.test('a WebSocket whose client does not read is ended, and none holds the server up', async (t) => {
  const app = await recipe(t, 'WebSockets')
  const port = await listen(app)
  const enter = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/alice/events`, { headers: bearer(tokenFor('alice')) })
    await once(socket, 'open')
    socket.pause() // nor does it answer a close then
    return socket.on('error', () => {})
  }
  const [quiet, greedy] = [await enter(), await enter()]
  const { websocketServer: { clients } } = app as unknown as { websocketServer: { clients: Set<WebSocket> } }
  const closed = once([...clients].at(-1) as WebSocket, 'close')
  const send = () => { greedy.send('x'.repeat(1_000_000), (error) => { if (!error) send() }) }
  send()
  await closed
  await app.close()
  for (const socket of [quiet, greedy]) socket.terminate()
})

t.test('a socket that brings its token in a message closes', async (t) => {
  const app = await recipe(t, 'Sockets that bring their token in a message')
  const port = await listen(app)
  const enter = async (token: string) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/events`)
    await once(socket, 'open')
    socket.send(token)
    return socket
  }
  t.match(await once(await enter('nonsense'), 'close'), [4401, Buffer.from('Unauthorized')])
  t.match(await once(await enter('x'.repeat(8193)), 'close'), [1009])
  // A frame without a mask, which is an error of the socket.
  const client = connect(port, '127.0.0.1')
  const lines = ['GET /events HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  client.write(`${lines.join('\r\n')}\r\n\r\n`)
  await once(client, 'data')
  client.write(Buffer.from([0x81, 0x01, 0x61]))
  await once(client.resume(), 'close')
  const alice = await enter(tokenFor('alice'))
  t.match(await once(alice, 'message'), [Buffer.from('hello alice')])
  const bob = await enter(tokenFor('bob'))
  t.match(await once(bob, 'message'), [Buffer.from('hello bob')])
  const closed = once(alice, 'close')
  await app.userScope.revoke({ user: 'alice' })
  await closed
  t.equal(bob.readyState, WebSocket.OPEN)
})

t.test('a socket that brings its token counts for its own address', async (t) => {
  const addresses = new Set<string>()
  const app = await recipe(t, 'Sockets that bring their token in a message', (code) => code.replace('await app.reg', `
    app.addHook('onRequest', async ({ ip }) => { globalThis.addresses.add(ip) })
    $&`))
  Object.assign(globalThis, { addresses })
  t.teardown(() => { Reflect.deleteProperty(globalThis, 'addresses') })
  // Not every machine has an address beside 127.0.0.1, which is that of an injected request, too.
  app.server.on('connection', (socket) => { Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.7' }) })
  const socket = new WebSocket(`ws://127.0.0.1:${await listen(app)}/events`)
  await once(socket, 'open')
  socket.send(tokenFor('alice'))
  await once(socket, 'message')
  t.same([...addresses], ['192.0.2.7'])
})

t.test('a socket with a bad token does not end a process whose refusals are no JSON', async (t) => {
  const app = await recipe(t, 'Sockets that bring their token in a message', (code) => `${code}
    app.setErrorHandler(async (_error, _request, reply) => reply.send('no'))`)
  const socket = new WebSocket(`ws://127.0.0.1:${await listen(app)}/events`)
  await once(socket, 'open')
  socket.send('nonsense')
  t.match(await once(socket, 'close'), [4401])
})

const socketIo = (t: Test, edit?: (code: string) => string) =>
  recipe(t, 'Sockets that bring their token in a message', edit, 1)

/** A client of socket.io by its protocol: the packets 0 (open), 40 (connect) and 44 (refused). */
async function enterIo (port: number, token: unknown): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
  await once(socket, 'message')
  socket.send(`40${JSON.stringify({ token })}`)
  return socket
}

async function heard (socket: WebSocket, kind: string): Promise<string> {
  for await (const [data] of on(socket, 'message') as AsyncIterable<[Buffer]>) {
    if (String(data).startsWith(kind)) return String(data)
  }
  return ''
}

t.test('the route that answers when a token ends holds no server up, and no answer is lost with it', async (t) => {
  for (const index of [0, 1]) {
    const app = await recipe(t, 'Sockets that bring their token in a message', (code) => code.replace('await app.reg', `
      const closing = new Promise((resolve) => { app.addHook('preClose', async () => { setImmediate(resolve) }) })
      app.get('/slow', { config: { access: 'public' } }, async () => { await closing })
      $&`), index)
    const port = await listen(app)
    t.equal((await open(port, '/session/end')).resume().statusCode, 404, 'users cannot ask for it')
    const asked = once(app.server, 'request')
    const answer = open(port, '/slow')
    await asked
    await turn()
    await app.close()
    t.equal((await answer).resume().statusCode, 200)
  }
})

t.test('a socket of socket.io closes', async (t) => {
  const app = await socketIo(t)
  const port = await listen(app)
  for (const bad of ['nonsense', 'two\nlines', '', null, 5, { toString: 1, valueOf: 1 }]) {
    const socket = await enterIo(port, bad)
    t.equal(await heard(socket, '44'), '44{"message":"Unauthorized"}', JSON.stringify(bad))
    socket.terminate()
  }
  const alice = await enterIo(port, tokenFor('alice'))
  t.equal(await heard(alice, '42'), '42["hello","alice"]')
  const bob = await enterIo(port, tokenFor('bob'))
  t.equal(await heard(bob, '42'), '42["hello","bob"]')
  const closed = once(alice, 'close')
  await app.userScope.revoke({ user: 'alice' })
  await closed
  t.equal(bob.readyState, WebSocket.OPEN)
  const end = once(bob, 'close')
  await app.close()
  await end
})

const countingRequests = (code: string) => code.replace('await app.reg', `
  let asked = 0
  app.decorate('asked', { getter: () => asked })
  app.addHook('onRequest', async () => { asked++ })
  $&`)

const askedOf = (app: FastifyInstance) => (app as unknown as { asked: number }).asked

t.test('a client of socket.io cannot ask any number of times at once', async (t) => {
  const app = await socketIo(t, countingRequests)
  const port = await listen(app)
  const socket = await enterIo(port, 'nonsense')
  for (let i = 0; i < 100; i++) socket.send('40{"token":"nonsense"}')
  await once(socket, 'close')
  t.ok(askedOf(app) <= 10)
  const long = await enterIo(port, 'x'.repeat(10_000))
  t.match(await once(long, 'close'), [1009])
})

t.test('nor does a closed connection of socket.io ask, whose packets may still wait', async (t) => {
  // Another middleware of the host, which takes its time.
  const app = await socketIo(t, (code) => countingRequests(code).replace('io.use(', `io.use(async (socket, next) => {
    await once(socket.conn, 'close')
    next()
    app.server.emit('passed')
  })
  $&`))
  const socket = await enterIo(await listen(app), 'nonsense')
  const passed = once(app.server, 'passed')
  socket.close()
  await passed
  await app.inject('/session') // after any other
  t.equal(askedOf(app), 1)
})

t.test('a socket of socket.io whose token ends before it has connected closes', async (t) => {
  // Another middleware of the host, which revokes the token meanwhile.
  const app = await socketIo(t, (code) => code.replace("io.on('conn", `io.use(async (socket, next) => {
    const closed = once(socket.conn, 'close')
    await app.userScope.revoke({ user: 'alice' })
    await closed
    next()
  })
  $&`))
  await once(await enterIo(await listen(app), tokenFor('alice')), 'close')
})

t.test('nothing waits for a socket of socket.io that has left', async (t) => {
  const signals: AbortSignal[] = []
  Object.assign(globalThis, { waits: (signal: AbortSignal) => { signals.push(signal) } })
  t.teardown(() => { Reflect.deleteProperty(globalThis, 'waits') })
  // Its client leaves while another middleware of the host waits.
  const app = await socketIo(t, (code) => code
    .replace('app.inject({ url: end', 'globalThis.waits(left.signal)\n  $&')
    .replace("io.on('conn", `io.use(async (socket, next) => {
      if (socket.handshake.query.leaves) await once(socket.conn, 'close')
      next()
    })
    $&`))
  const port = await listen(app)
  const gone = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&leaves=1`)
  await once(gone, 'message')
  gone.send(`40${JSON.stringify({ token: tokenFor('alice') })}`)
  while (signals.length === 0) await turn()
  gone.terminate()
  await once(signals[0] as AbortSignal, 'abort')
  const stays = await enterIo(port, tokenFor('alice'))
  await heard(stays, '42')
  stays.send('41') // it leaves the namespace, and keeps its connection
  await once(signals[1] as AbortSignal, 'abort')
  t.equal(stays.readyState, WebSocket.OPEN)
})

t.test('an event stream ends', async (t) => {
  const app = await recipe(t, 'Event streams', (code) => `${code}\napp.decorate('news', { getter: () => news })`)
  const response = await open(await listen(app), '/api/alice/news')
  t.match(response.headers['content-type'], 'text/event-stream')
  t.match(await once(response, 'data'), ['retry: 1000\n\n'])
  const { news } = app as unknown as { news: NodeJS.EventEmitter }
  news.emit('user:alice', 'hello\n\nevent: forged\r\rdata: x')
  t.match(await once(response, 'data'), ['data: "hello\\n\\nevent: forged\\r\\rdata: x"\n\n'])
  const ended = once(response.resume(), 'end')
  await app.userScope.revoke({ user: 'alice' })
  await ended
  t.equal(news.listenerCount('user:alice'), 0)
})

t.test('many event streams look like no leak', async (t) => {
  const app = await recipe(t, 'Event streams', (code) => `${code}\napp.decorate('news', { getter: () => news })`)
  const port = await listen(app)
  const emitWarning = t.capture(process, 'emitWarning')
  const streams = await Promise.all(Array.from({ length: 11 }, () => open(port, '/api/alice/news')))
  const { news } = app as unknown as { news: NodeJS.EventEmitter }
  while (news.listenerCount('user:alice') < streams.length) await new Promise((resolve) => setImmediate(resolve))
  t.same(emitWarning().map(({ args }) => args), [])
  for (const stream of streams) stream.destroy()
})

t.test('streams of a client that has sent many requests and left are no longer held', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => { mock.timers.reset() })
  const app = await recipe(t, 'Event streams', (code) => `${code}\napp.decorate('news', { getter: () => news })`)
  const port = await listen(app)
  const connected = once(app.server, 'connection')
  const client = connect(port, '127.0.0.1')
  const [socket] = await connected as [Socket]
  const { authorization } = bearer(tokenFor('alice'))
  client.write(`GET /api/alice/news HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`.repeat(3))
  const { news } = app as unknown as { news: NodeJS.EventEmitter }
  while (news.listenerCount('user:alice') < 3) await new Promise((resolve) => setImmediate(resolve))
  client.destroy()
  await new Promise((resolve) => socket.once('close', resolve)) // after an error, if it was reset
  mock.timers.tick(1000)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(news.listenerCount('user:alice'), 0)
})

t.test('an event stream ends for a client that does not read', async (t) => {
  const app = await recipe(t, 'Event streams', (code) => `${code}\napp.decorate('news', { getter: () => news })`)
  const port = await listen(app)
  const connected = once(app.server, 'connection')
  const response = await open(port, '/api/alice/news')
  const [socket] = await connected as [Socket]
  const { news } = app as unknown as { news: NodeJS.EventEmitter }
  const event = 'x'.repeat(10_000)
  for (let i = 0; i < 3000; i++) news.emit('user:alice', event)
  const closed = once(socket, 'close')
  const ended = new Promise((resolve) => response.on('error', () => {}).once('close', resolve)) // maybe before `closed`
  await app.userScope.revoke({ user: 'alice' })
  await closed
  let length = 0
  response.on('data', (text: string) => { length += text.length })
  await ended
  t.ok(length < 3000 * event.length / 2, `${length}`)
})

t.test('a download is cut off', async (t) => {
  // More than all buffers on the way take, as nobody reads it.
  const dir = await mkdtemp(join(tmpdir(), 'archive-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const file = join(dir, 'archive.tar')
  await writeFile(file, Buffer.alloc(50_000_000))
  const app = await recipe(t, 'Long downloads', (code) => code.replace('/srv/archive.tar', file))
  const port = await listen(app)
  const connected = once(app.server, 'connection')
  const response = await open(port, '/api/alice/archive')
  const [socket] = await connected as [Socket]
  const closed = once(socket, 'close')
  const failed = once(response, 'error') // maybe before `closed`, where the client was about to read
  await app.userScope.revoke({ user: 'alice' })
  await closed
  t.match(await Promise.all([failed, response.resume()]), [[{ code: 'ECONNRESET' }]])
  t.equal(response.complete, false)
})

t.test('a download of a file that grows is no longer than it says', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'archive-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const file = join(dir, 'archive.tar')
  const app = await recipe(t, 'Long downloads', (code) => code.replace('/srv/archive.tar', file))
  const port = await listen(app)
  const { authorization } = bearer(tokenFor('alice'))
  const request = `GET /api/alice/archive HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}`
  for (const size of [50_000_000, 0]) { // more than all buffers on the way take, and nothing
    await writeFile(file, Buffer.alloc(size))
    const client = connect(port, '127.0.0.1')
    client.write(`${request}\r\n\r\n`)
    const [start] = await once(client, 'data') as [Buffer]
    client.pause()
    await appendFile(file, 'HTTP/1.1 200 Forged\r\n\r\n')
    client.write(`${request}\r\nConnection: close\r\n\r\n`)
    const chunks = [start]
    client.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    client.resume()
    await once(client, 'close')
    const answers = Buffer.concat(chunks)
    const next = answers.indexOf('\r\n\r\n') + 4 + size
    t.match(answers.subarray(next, next + 15).toString(), 'HTTP/1.1 200 OK')
  }
})

t.test('a download of a file that was empty, and has grown when it is read', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'archive-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const file = join(dir, 'archive.tar')
  await writeFile(file, '')
  Object.assign(globalThis, { grow: () => appendFile(file, 'HTTP/1.1 200 Forged') })
  t.teardown(() => { Reflect.deleteProperty(globalThis, 'grow') })
  const app = await recipe(t, 'Long downloads', (code) => code.replace('/srv/archive.tar', file)
    .replace('await stat(path)', '$&\n  await globalThis.grow()'))
  const client = connect(await listen(app), '127.0.0.1')
  const { authorization } = bearer(tokenFor('alice'))
  const lines = ['GET /api/alice/archive HTTP/1.1', 'Host: x', `Authorization: ${authorization}`, 'Connection: close']
  client.write(`${lines.join('\r\n')}\r\n\r\n`)
  const chunks: Buffer[] = []
  client.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  await once(client, 'close')
  t.match(Buffer.concat(chunks).toString(), /^HTTP\/1.1 200 OK\r\n[^]*content-length: 0\r\n[^]*\r\n\r\n$/)
})

t.test('the server of the page revokes', { skip: skipWithout(redisProgram, 'redis-server') }, async (t) => {
  const { url } = await startRedis(t, String(redisProgram))
  const page = blockBelow('docs/revocation.md', 'Revocation: how do I end access before a token expires?')
  const run = (line: number) => runBlock(t, { ...page, line }, (code) => `${code.replace('redis://localhost:6379', url)}
    app.get('/api/me', async () => 'in')`)
  const [app, other] = [await run(page.line), await run(page.line + 1)] // a module is loaded once by its name
  const headers = bearer(sign({ sub: 'alice', iat: now() - 1, exp: now() + 60 }))
  const status = async (app: FastifyInstance) => (await app.inject({ url: '/api/me', headers })).statusCode
  t.same([await status(app), await status(other)], [200, 200])
  t.equal((await app.inject({ method: 'POST', url: '/api/alice/logout', headers })).statusCode, 204)
  t.equal(await status(app), 401)
  while (await status(other) !== 401) await new Promise((resolve) => setImmediate(resolve))
})

t.test('the store over PostgreSQL is shared', { skip: skipWithout(postgresPrograms, 'postgresql') }, async (t) => {
  const postgres = await startPostgres(t, String(postgresPrograms))
  const { code } = blockBelow('docs/revocation.md', 'Another store')
  t.ok(code.trimEnd().split('\n').length < 45)
  t.ok(code.slice(code.indexOf('export')).trimEnd().split('\n').length < 40)
  const statements = code.replace(/^(?!\/\/ ).*$|^\/\/ /gm, '').split(';')
  await postgres.query(...statements)
  const file = join(t.testdir({}), 'store.mjs')
  await writeFile(file, ts.transpile(code, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }))
  const { postgresRevocations } = await import(pathToFileURL(file).href) as Store
  const iat = now() - 1 // a later token would not be out
  const host = async () => {
    const store = Object.assign(postgresRevocations(postgres.url), { maxStale: 1 })
    const { app, send } = await build(t, { revocations: { store, keepFor: 600 } })
    const isOut = async (sub: string) => {
      const headers = bearer(sign({ sub, iat, exp: iat + 600 }))
      return (await send({ url: '/api/me', headers })).code === 'TOKEN_REVOKED'
    }
    return { app, isOut, revoke: (user: string) => app.userScope.revoke({ user }) }
  }
  const until = async (condition: () => Promise<boolean>) => {
    while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await postgres.query("insert into revocations (entry) select 'malformed' from generate_series(1, 20001)")
  const lengths: number[] = []
  const follow = { signal: new AbortController().signal, interval: 1, keepFor: 1 }
  for await (const { length } of postgresRevocations(postgres.url).follow(follow)) {
    lengths.push(length)
    if (length === 0) break
  }
  t.same(lengths, [10_000, 10_000, 1, 0], 'a long list does not hold the process up')
  await postgres.query('delete from revocations')
  const [one, two] = [await host(), await host()]
  await one.revoke('alice')
  t.ok(await one.isOut('alice'))
  await until(() => two.isOut('alice'))
  t.notOk(await two.isOut('bob'))

  await postgres.stop()
  const { release } = holdClocks(t) // or `revoke` would give up where the server takes five seconds to start
  const revoking = one.revoke('bob')
  t.notOk(await two.isOut('bob'))
  await postgres.start()
  await revoking
  release()
  await until(() => two.isOut('bob'))
  await postgres.query('delete from revocations')
  await postgres.stop()
  await postgres.start()
  await one.revoke('carol')
  await until(() => two.isOut('carol'))
  const three = await host()
  await until(async () => await three.isOut('alice') && await three.isOut('bob') && await three.isOut('carol'))
  await postgres.query("update revocations set stored_at = now() - interval '1 day'")
  await one.revoke('dave')
  await until(() => three.isOut('dave'))
})

interface Store { postgresRevocations: (url: string) => RevocationStore }
