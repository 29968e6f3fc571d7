import { EventEmitter, once } from 'node:events'
import { ServerResponse, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { bearer, build, tokenFor } from '../support/host.js'

t.test('only a refused upgrade that somebody handles closes its connection', async (t) => {
  const { app, send } = await build(t)
  const upgrade = { connection: 'upgrade', upgrade: 'websocket' }
  const answered = async (headers = {}) => (await send({ url: '/api/me', headers })).headers['connection']
  t.same([await answered(upgrade), await answered()], ['keep-alive', 'keep-alive'])
  app.server.on('upgrade', () => {})
  t.same([await answered(upgrade), await answered()], ['close', 'keep-alive'])
})

t.test('a client that resets its connection while its upgrade waits ends nothing but itself', async (t) => {
  const host = new EventEmitter()
  const mayActFor = async () => {
    host.emit('asked')
    await once(host, 'answer')
    return true
  }
  const { app } = await build(t, { mayActFor }, {}, (app) => {
    app.get('/api/:user_id/ws', { config: { access: { delegates: true } } }, async () => {
      host.emit('handled')
      return ''
    })
  })
  // As plugins for WebSockets do it.
  app.server.on('upgrade', (raw: IncomingMessage, socket: Socket) => {
    socket.once('close', () => { host.emit('answer') })
    const response = new ServerResponse(raw)
    response.assignSocket(socket)
    app.routing(raw, response)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  client.write('GET /api/alice/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Authorization: ${bearer(tokenFor('bob')).authorization}\r\n\r\n`)
  await once(host, 'asked')
  client.resetAndDestroy()
  // An error of the socket that nobody listens to would fail this test, as it ends a process.
  await once(host, 'handled')
  t.pass()
})
