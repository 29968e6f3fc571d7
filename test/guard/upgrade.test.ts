import { EventEmitter, once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { connect, Socket, type AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { requireScopes } from '../../lib/index.js'
import { dropsFields, tooManyFields } from '../support/dropped-fields.js'
import { bearer, build, refusals, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

t.test('a refused upgrade closes its connection if the server handles upgrades', async (t) => {
  const { app, send } = await build(t)
  const upgrade = { connection: 'upgrade', upgrade: 'websocket' }
  const answered = async (headers = {}) => (await send({ url: '/api/me', headers })).headers['connection']
  t.same([await answered(upgrade), await answered()], ['keep-alive', 'keep-alive'])
  app.server.on('upgrade', () => {})
  t.same([await answered(upgrade), await answered()], ['close', 'keep-alive'])
})

async function connectTo (app: FastifyInstance): Promise<Socket> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return connect({ port, host: '127.0.0.1', allowHalfOpen: true }) // as a client that does not close its side
}

/** Asks for an upgrade. */
async function upgrade (app: FastifyInstance, path: string, headers: string[] = []): Promise<Socket> {
  // As plugins for WebSockets do it.
  app.server.on('upgrade', (raw: IncomingMessage, socket: Socket) => {
    socket.once('close', () => { app.server.emit('left') })
    const response = new ServerResponse(raw)
    response.assignSocket(socket)
    app.routing(raw, response)
  })
  const client = await connectTo(app)
  const lines = [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, 'Connection: Upgrade', 'Upgrade: websocket']
  client.write(`${lines.join('\r\n')}\r\n\r\n`)
  return client
}

/**
 * Resets the connection of a client at the first event of the host, and waits for the second. An error of the socket
 * that nobody listens to would fail the test, as it ends a process.
 */
async function reset (client: Socket, host: EventEmitter, during: string, after: string): Promise<void> {
  await once(host, during)
  client.resetAndDestroy()
  await once(host, after)
}

const ofBob = [`Authorization: ${bearer(tokenFor('bob')).authorization}`]
/** Where Node drops fields, it upgrades also if it has not read the one that asks for it. */
const hidden = { skip: !dropsFields && 'Node refuses the request itself' }

t.test('a client that resets its connection while its upgrade waits does not end the process', async (t) => {
  const host = new EventEmitter()
  const mayActFor = async () => {
    host.emit('asked')
    await once(app.server, 'left')
    return true
  }
  const { app } = await build(t, { mayActFor }, {}, (app) => {
    app.get('/api/:user_id/ws', { config: { access: { delegates: true } } }, async () => {
      host.emit('handled')
      return ''
    })
  })
  const client = await upgrade(app, '/api/alice/ws', ofBob)
  await t.resolves(reset(client, host, 'asked', 'handled'))
})

for (const [what, path, headers] of [
  ['nor while the refusal waits for an onSend hook', '/api/alice/ws', []],
  ['nor if its header stands behind more than Node reads', '/api/bob/ws', [...ofBob, ...tooManyFields]]
] as Array<[what: string, path: string, headers: string[]]>) {
  t.test(what, headers.length > 0 ? hidden : {}, async (t) => {
    const host = new EventEmitter()
    const { app } = await build(t, {}, {}, (app) => {
      app.addHook('onSend', async () => {
        host.emit('refused')
        await once(app.server, 'left')
        host.emit('sent')
      })
      app.get('/api/:user_id/ws', async () => '')
    })
    const client = await upgrade(app, path, headers)
    await t.resolves(reset(client, host, 'refused', 'sent'))
  })
}

t.test('a refusal for too many fields ends its connection, too', hidden, async (t) => {
  const { app, log } = await build(t, {}, {}, (app) => {
    app.addHook('onSend', async () => { await new Promise((resolve) => setTimeout(resolve)) })
    app.get('/api/me', async () => '')
  })
  const client = await upgrade(app, '/api/me', [...tooManyFields])
  let answer = ''
  client.on('data', (data) => { answer += String(data) })
  await Promise.all([once(client, 'end'), once(app.server, 'left')])
  client.destroy()
  t.match(answer, /^HTTP\/1\.1 401 /)
  t.match(answer, /^connection: close$/im)
  t.match(refusals(log), sameLength([{ code: 'INVALID_HEADER_FORMAT', reason: /as many header fields as Node reads/ }]))
})

t.test('nor while a slow hook of the host keeps an admitted upgrade waiting', async (t) => {
  const host = new EventEmitter()
  const { app } = await build(t, {}, {}, (app) => {
    app.addHook('preValidation', async () => {
      host.emit('admitted')
      await once(app.server, 'left')
    })
    app.get('/ws', async () => {
      host.emit('handled')
      return ''
    })
  })
  const client = await upgrade(app, '/ws', ofBob)
  await t.resolves(reset(client, host, 'admitted', 'handled'))
})

t.test('many refusals of one upgrade add one listener', async (t) => {
  const counts: number[] = []
  const { app } = await build(t, {}, {}, (app) => {
    app.get('/ws', async (request, reply) => {
      const { socket } = reply.raw
      for (let n = 0; n < 20; n++) {
        try {
          requireScopes(request, 'write') // as for each message of a WebSocket
        } catch {}
        counts.push(Number(socket?.listenerCount('error')), reply.raw.listenerCount('finish'))
      }
      return ''
    })
  })
  const client = await upgrade(app, '/ws', ofBob)
  await once(client, 'data')
  client.destroy()
  t.equal(counts.length, 40)
  t.same(counts.slice(-2), counts.slice(0, 2))
})

t.test('nor do many requests of one connection that only have the header', async (t) => {
  const counts: number[] = []
  const { app } = await build(t, {}, {}, (app) => {
    app.get('/count', { config: { access: 'public' } }, async (_request, { raw: { socket } }) => {
      counts.push(Number(socket?.listenerCount('error')))
      return ''
    })
  })
  app.server.on('upgrade', () => {})
  const client = await connectTo(app)
  for (let n = 0; n < 3; n++) {
    client.write('GET /count HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n')
    await once(client, 'data')
  }
  client.destroy()
  t.equal(counts.length, 3)
  t.equal(new Set(counts).size, 1)
})

t.test('a request that only has the header, and waits behind another on its connection, is answered', async (t) => {
  const host = new EventEmitter()
  const refused = once(host, 'refused')
  const { app } = await build(t, {}, {}, (app) => {
    app.addHook('onError', async () => { host.emit('refused') })
    app.get('/me', async () => '')
    app.get('/slow', { config: { access: 'public' } }, async () => { await refused; return '' })
  })
  app.server.on('upgrade', () => {})
  const client = await connectTo(app)
  client.write(['/slow', '/me'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\n\r\n`).join(''))
  const answers = (await client.toArray()).join('')
  t.same(answers.match(/^HTTP\/1\.1 \d+/gm), ['HTTP/1.1 200', 'HTTP/1.1 401'])
})

t.test('a refused upgrade may have a socket that is not of the network, as in a test', async (t) => {
  const { app } = await build(t)
  app.server.on('upgrade', () => {})
  const headers = { upgrade: 'websocket' }
  const raw = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/api/me', headers })
  const [response, socket] = [new ServerResponse(raw), new PassThrough()]
  response.assignSocket(socket as object as Socket)
  app.routing(raw, response)
  await once(response, 'finish')
  t.match(String(socket.read()), /^HTTP\/1\.1 401 /)
})
