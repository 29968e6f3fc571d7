import dns from 'node:dns'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { mock } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import userScope, { untilRevoked, type UserScopeOptions } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { stopClock } from '../support/clock.js'
import { bearer, build, refusals, sender, sign } from '../support/host.js'
import { MemoryStore } from '../support/memory-store.js'
import { sameLength } from '../support/same-length.js'

const start = 1_800_000_000
stopClock(start, ['setInterval'])
const token = (claims: object = {}) => sign({ sub: 'alice', iat: start, exp: start + 60, ...claims })

type Looked = (error: null, found: unknown, family?: number) => void

/** A server that streams to alice until her signal aborts; `signals` are those that it got. */
async function serve (t: Test, options: UserScopeOptions = {}) {
  const signals: AbortSignal[] = []
  const closed: Array<Promise<unknown>> = []
  const { app } = await build(t, options, { forceCloseConnections: true }, (app) => {
    app.get('/api/:user_id/stream', (request, reply) => {
      const signal = untilRevoked(request)
      signals.push(signal)
      closed.push(once(reply.raw, 'close'))
      reply.hijack()
      reply.raw.write('open')
      signal.addEventListener('abort', () => reply.raw.end((signal.reason as { code: string }).code))
    })
    app.get('/api/:user_id/short', async (request, reply) => {
      closed.push(once(reply.raw, 'close'))
      signals.push(untilRevoked(request))
      return 'done'
    })
    app.get('/api/:user_id/often', async (request) => {
      const [first, second] = [untilRevoked(request), untilRevoked(request)]
      await app.userScope.revoke({ user: request.user.id })
      await once(first, 'abort')
      const late = untilRevoked(request)
      const found = [second === first, late === first, late.aborted, untilRevoked(request) === late]
      await once(late, 'abort')
      return found
    })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const open = async (url: string, claims: object = {}, sign: (claims: object) => string | Promise<string> = token) => {
    const sent = get({ port, path: url, headers: bearer(await sign(claims)) })
    const [response] = await once(sent, 'response') as [IncomingMessage]
    await once(response, 'readable')
    return response
  }
  return { app, signals, closed, open }
}

const rest = async (response: IncomingMessage) => (await response.toArray()).join('')

t.test('a stream ends when its user is revoked', async (t) => {
  const { app, open } = await serve(t, { revocations: true })
  const [alice, session] = [await open('/api/alice/stream'), await open('/api/bob/stream', { sub: 'bob', sid: 's' })]
  await app.userScope.revoke({ user: 'alice' })
  t.equal(await rest(alice), 'openTOKEN_REVOKED')
  await app.userScope.revoke({ session: 's' })
  t.equal(await rest(session), 'openTOKEN_REVOKED')
})

t.test('a request has one signal, and a new one after that is aborted', async (t) => {
  const { open } = await serve(t, { revocations: true })
  t.equal(await rest(await open('/api/alice/often')), '[true,false,false,true]')
})

t.test('a stream ends when its token expires, even if the clock is set', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const ofIssuer = async (claims: object) => await issuer.token({ id: 'alice', ...claims })
  const rows = [[{}], [{ revocations: { keepFor: 10_000_000 } }], [issuer.options, ofIssuer]] as const
  for (const [options, sign] of rows) {
    const { open, signals } = await serve(t, options)
    const response = await open('/api/alice/stream', { exp: start + 5_000_000 - 5 }, sign) // more than a timer can wait
    mock.timers.tick(1000)
    t.equal(signals[0]?.aborted, false, 'a valid token was looked at')
    mock.timers.setTime((start + 5_000_000) * 1000)
    mock.timers.tick(1000)
    t.equal(await rest(response), 'openTOKEN_EXPIRED')
    mock.timers.setTime(start * 1000)
  }
})

t.test('of a token that has expired and is revoked the signal says what the guard would say', async (t) => {
  const { app, open } = await serve(t, { revocations: true })
  const response = await open('/api/alice/stream')
  mock.timers.setTime((start + 65) * 1000)
  await app.userScope.revoke({ user: 'alice' })
  t.equal(await rest(response), 'openTOKEN_EXPIRED')
})

t.test('a stream that answers a request with a body ends too, and is watched once', async (t) => {
  const { app } = await build(t, { revocations: true }, {}, (app) => {
    app.post('/api/:user_id/stream', async (request, reply) => {
      await new Promise((resolve) => setImmediate(resolve)) // nothing is left to read, so the request is closed
      const signal = untilRevoked(request)
      const listeners = reply.raw.listenerCount('close')
      const isOne = untilRevoked(request) === signal && reply.raw.listenerCount('close') === listeners
      reply.hijack()
      reply.raw.write(String(isOne))
      signal.addEventListener('abort', () => reply.raw.end((signal.reason as { code: string }).code))
    })
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = { ...bearer(token()), 'content-type': 'application/json' }
  const response = await fetch(`${address}/api/alice/stream`, { method: 'POST', headers, body: '{}' })
  await app.userScope.revoke({ user: 'alice' })
  t.equal(await response.text(), 'trueTOKEN_REVOKED')
})

t.test('a store that is down ends no stream', async (t) => {
  const { open, signals } = await serve(t, { revocations: new MemoryStore() })
  await open('/api/alice/stream', { exp: start + 600 })
  mock.timers.setTime((start + 61) * 1000)
  mock.timers.tick(1000)
  t.equal(signals[0]?.aborted, false)
})

t.test('a closed connection or a complete response is no longer watched', async (t) => {
  const { app, open, signals, closed } = await serve(t, { revocations: true })
  const stream = await open('/api/alice/stream')
  stream.destroy()
  t.equal(await rest(await open('/api/alice/short')), 'done')
  await Promise.all(closed)
  const last = await open('/api/alice/stream')
  await app.userScope.revoke({ user: 'alice' })
  t.equal(await rest(last), 'openTOKEN_REVOKED')
  t.same(signals.map(({ aborted }) => aborted), [false, false, true])
})

t.test('untilRevoked without a verified user is MISSING_TOKEN', async (t) => {
  const routes = (app: FastifyInstance) => {
    for (const access of ['public', 'optional'] as const) {
      app.get(`/${access}`, { config: { access } }, async (request) => String(untilRevoked(request).aborted))
    }
  }
  const { send, log } = await build(t, {}, {}, routes)
  const none = { status: 401, code: 'MISSING_TOKEN', headers: { 'www-authenticate': 'Bearer realm="api"' } }
  t.match(await send('/optional'), none)
  t.match(await send('/public'), none)
  const reason = 'untilRevoked() was given a request without a verified user'
  t.match(refusals(log), sameLength([{ code: 'MISSING_TOKEN', reason }, { code: 'MISSING_TOKEN', reason }]))
  t.match(await send({ url: '/optional', headers: bearer(token()) }), { status: 200, body: 'false' })

  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', async (request) => String(untilRevoked(request)))
  t.match(await sender(app)('/'), { status: 401, code: 'MISSING_TOKEN' }, 'outside of every scope')
})

t.test('untilRevoked works in a context that was created before the registration', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(async (scope) => {
    scope.get('/early', async (request) => {
      const signal = untilRevoked(request)
      await app.userScope.revoke({ user: 'alice' })
      await once(signal, 'abort')
      return (signal.reason as { code: string }).code
    })
  })
  app.register(userScope, { secret: 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT', revocations: true })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const response = await fetch(`${address}/early`, { headers: bearer(token()) })
  t.equal(await response.text(), 'TOKEN_REVOKED')
})

t.test('a stream still ends with its token when the server is closing', async (t) => {
  // By default Fastify listens on each address of localhost, and waits for the connections of the first alone.
  const lookup = mock.method(dns, 'lookup', (name: string, ...rest: [...unknown[], Looked]) => {
    const addresses = name === 'localhost' ? ['127.0.0.1', '127.0.0.2'] : [name]
    const [first] = addresses
    const [options, done] = [rest[0] as { all?: boolean }, rest.at(-1) as Looked]
    if (options.all) done(null, addresses.map((address) => ({ address, family: 4 })))
    else done(null, first, 4)
  })
  t.teardown(() => { lookup.mock.restore() })
  const { app } = await build(t, {}, {}, (app) => {
    app.get('/api/:user_id/stream', (request, reply) => {
      const signal = untilRevoked(request)
      reply.hijack()
      reply.raw.write('open')
      signal.addEventListener('abort', () => reply.raw.end((signal.reason as { code: string }).code))
    })
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const sent = get({ host: '127.0.0.2', port, path: '/api/alice/stream', headers: bearer(token()), agent: false })
  const [response] = await once(sent, 'response') as [IncomingMessage]
  await once(response, 'readable')
  const closed = app.close()
  await closed
  mock.timers.setTime((start + 65) * 1000)
  mock.timers.tick(1000)
  t.equal(await rest(response), 'openTOKEN_EXPIRED')
})

t.test('asked again after the client has left, it returns a signal that aborts', async (t) => {
  const kinds: Array<(port: number, path: string) => { destroy (): unknown }> = [
    (port, path) => get({ port, path, headers: bearer(token()) }).on('error', () => {}),
    (port, path) => {
      const session = connect(`http://127.0.0.1:${port}`)
      session.request({ ':path': path, ...bearer(token()) }).on('error', () => {})
      return session
    }
  ]
  for (const [isSecond, send] of kinds.entries()) {
    let reason: unknown
    const server: object = { http2: isSecond === 1 }
    const { app } = await build(t, { revocations: true }, server, (app) => {
      app.get('/api/:user_id/slow', async (request, reply) => {
        const first = untilRevoked(request)
        app.server.emit('arrived')
        await once(reply.raw, 'close')
        const again = untilRevoked(request)
        await once(again, 'abort')
        reason = [again === first, (again.reason as Error).name]
        app.server.emit('ended')
      })
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const arrived = once(app.server, 'arrived')
    const ended = once(app.server, 'ended')
    const sent = send(port, '/api/alice/slow')
    await arrived
    sent.destroy()
    await ended
    t.same(reason, [false, 'AbortError'])
  }
})
