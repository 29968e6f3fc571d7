import { connect, type AddressInfo } from 'node:net'
import Fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'
import userScope, { getUser } from '../../lib/index.js'
import { readAuthorization } from '../../lib/token/authorization.js'
import { dropsFields } from '../support/dropped-fields.js'
import { build, challengeOf, refusals, secret, sender, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const token = tokenFor('alice')

const cases: Array<[what: string, authorization: string, code: string | undefined]> = [
  ['as it should be', `Bearer ${token}`, undefined],
  ['lower case', `bearer ${token}`, undefined],
  ['upper case', `BEARER ${token}`, undefined],
  ['mixed case', `bEaReR ${token}`, undefined],
  ['empty', '', 'INVALID_HEADER_FORMAT'],
  ['scheme alone', 'Bearer', 'INVALID_HEADER_FORMAT'],
  ['scheme and space', 'Bearer ', 'INVALID_HEADER_FORMAT'],
  ['two spaces', `Bearer  ${token}`, 'INVALID_HEADER_FORMAT'],
  ['a tab', `Bearer\t${token}`, 'INVALID_HEADER_FORMAT'],
  ['a colon', `Bearer: ${token}`, 'INVALID_HEADER_FORMAT'],
  ['space behind', `Bearer ${token} `, 'INVALID_HEADER_FORMAT'],
  ['space in front', ` Bearer ${token}`, 'INVALID_HEADER_FORMAT'],
  ['text behind', `Bearer ${token} x`, 'INVALID_HEADER_FORMAT'],
  ['two tokens', `Bearer ${token} ${token}`, 'INVALID_HEADER_FORMAT'],
  ['joined by a comma', `Bearer ${token}, Bearer ${token}`, 'INVALID_HEADER_FORMAT'],
  ['joined by a comma without space', `Bearer ${token},${token}`, 'INVALID_HEADER_FORMAT'],
  ['quoted', `Bearer "${token}"`, 'INVALID_HEADER_FORMAT'],
  ['no scheme', token, 'INVALID_HEADER_FORMAT'],
  ['Basic', `Basic ${Buffer.from('alice:password').toString('base64')}`, 'INVALID_HEADER_FORMAT'],
  ['DPoP', `DPoP ${token}`, 'INVALID_HEADER_FORMAT'],
  ['longer scheme', `Bearers ${token}`, 'INVALID_HEADER_FORMAT'],
  ['non-breaking space', `Bearer\u00a0${token}`, 'INVALID_HEADER_FORMAT'],
  ['auth-param', `Bearer token="${token}"`, 'INVALID_HEADER_FORMAT'],
  ['padding where a b64token has it', `Bearer ${token}==`, 'MALFORMED_TOKEN'],
  ['padding elsewhere', 'Bearer =a.b.c', 'INVALID_HEADER_FORMAT'],
  ['a token of 16 KB', `Bearer ${'a'.repeat(16_384)}`, 'MALFORMED_TOKEN']
]

t.test('only "Bearer", one space and a token are accepted', async (t) => {
  const { send } = await build(t)
  for (const [what, authorization, code] of cases) {
    const { status, code: found, headers } = await send({ url: '/api/me', headers: { authorization } })
    t.same([status, found], code ? [401, code] : [200, undefined], what)
    if (code === 'INVALID_HEADER_FORMAT') {
      t.equal(headers['www-authenticate'], challengeOf('Invalid authorization header format', 'invalid_request'), what)
    }
  }
})

t.test('without a header the challenge has no error', async (t) => {
  const { send, log } = await build(t)
  const { status, code, headers } = await send('/api/me')
  t.same([status, code], [401, 'MISSING_TOKEN'])
  t.equal(headers['www-authenticate'], 'Bearer realm="api"')
  t.equal(headers['cache-control'], 'no-store')
  t.match(refusals(log), sameLength([{ code: 'MISSING_TOKEN', reason: 'no Authorization header' }]))
})

t.test('a percent-encoded session token of Better Auth is named in the log', async (t) => {
  const { send, log } = await build(t)
  const ends = ['YUU1g%2BLVJ7E%3D', 'YUU1g%2bLVJ7E', 'YUU1g%2FLVJ7E', 'YUU1g%2fLVJ7E', 'YUU1gLVJ7E%3D', 'YUU1gLVJ7E%3d']
  for (const end of ends) {
    const authorization = `Bearer aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF.${end}`
    t.match(await send({ url: '/api/me', headers: { authorization } }), { code: 'INVALID_HEADER_FORMAT' })
  }
  t.match(refusals(log), sameLength(ends.map(() => ({
    reason: 'percent-encoded, as a session token of Better Auth in its cookie: ' +
      'send the JWT of GET /api/auth/token instead'
  }))))
})

t.test('no token is read from anywhere else', async (t) => {
  const { send } = await build(t)
  for (const request of [
    { url: `/api/me?access_token=${token}` },
    { url: `/api/me?token=${token}` },
    {
      url: '/api/me',
      headers: { cookie: `token=${token}; better-auth.session_token=${token}; Authorization=Bearer ${token}` }
    },
    { url: '/api/me', headers: { 'proxy-authorization': `Bearer ${token}`, 'x-access-token': token } }
  ]) t.match(await send(request), { code: 'MISSING_TOKEN' })
})

/** Status line and code of a request whose header lines are written as given, which no client library does. */
async function sendRaw (port: number, lines: string[], path = '/api/me'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => { answer += chunk.toString() })
    socket.on('error', reject)
    socket.on('end', () => resolve(`${answer.slice(9, 12)} ${/"code":"(\w+)"/.exec(answer)?.[1] ?? ''}`.trim()))
    socket.write([`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n'))
  })
}

t.test('headers over a socket are judged alike', async (t) => {
  const { app, log } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const good = `Authorization: Bearer ${token}`
  const other = `Authorization: Bearer ${tokenFor('bob')}`
  const rows: Array<[what: string, lines: string[], answer: string]> = [
    ['one header', [good], '200'],
    ['the name in another case', [good.replace('Authorization', 'AUTHORIZATION')], '200'],
    ['the same twice', [good, good], '401 INVALID_HEADER_FORMAT'],
    ['a good one first', [good, other], '401 INVALID_HEADER_FORMAT'],
    ['one of them Basic', [good, 'authorization: Basic YTpi'], '401 INVALID_HEADER_FORMAT'],
    ['an empty one second', [good, 'Authorization:'], '401 INVALID_HEADER_FORMAT'],
    ['white space around the value, which HTTP allows', [good.replace(': ', ':  \t') + '  '], '200'],
    ['an empty one', ['Authorization:'], '401 INVALID_HEADER_FORMAT'],
    ['a value that is the name', [good, 'X-Name: authorization'], '200'],
    ['a header name of the same length', [good, 'X-Authorizati: Bearer x'], '200'],
    ['16 KB, which Node refuses before any hook', [`Authorization: Bearer ${'a'.repeat(16_384)}`], '431']
  ]
  for (const [what, lines, answer] of rows) t.equal(await sendRaw(port, lines), answer, what)
  t.equal(refusals(log)[0]?.reason, 'several Authorization headers')
})

t.test('a field that other frameworks have trusted opens nothing, nor does a trailer', async (t) => {
  const { app } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  for (const line of [
    'X-Middleware-Subrequest: middleware:middleware:middleware:middleware:middleware', 'X-Middleware-Rewrite: /health',
    'X-Clerk-Auth-Status: signed-in', `X-Clerk-Auth-Token: ${token}`, `X-Forwarded-Access-Token: ${token}`,
    'X-Forwarded-User: alice', 'X-User-Id: alice', 'X-Original-URL: /health', 'X-Rewrite-URL: /health',
    'X-Forwarded-Prefix: /health', 'X-Http-Method-Override: OPTIONS', 'X-Forwarded-For: 127.0.0.1', '__proto__: x'
  ]) t.equal(await sendRaw(port, [line]), '401 MISSING_TOKEN', line)
  const trailer = ['Transfer-Encoding: chunked', 'Trailer: authorization', '', '0', `Authorization: Bearer ${token}`]
  t.equal(await sendRaw(port, trailer), '401 MISSING_TOKEN')
})

t.test('a token on Object.prototype is not that of every request', async (t) => {
  const { app } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const polluted = Object.prototype as { authorization?: string }
  polluted.authorization = `Bearer ${token}`
  t.teardown(() => { delete polluted.authorization })
  t.equal(await sendRaw(port, []), '401 MISSING_TOKEN')
})

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame (type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A text with its length, which has a prefix of 7 bits (RFC 7541 §5). */
function literal (text: string): Buffer {
  const length = text.length < 127 ? [text.length] : [127, (text.length - 127) % 128 + 128, (text.length - 127) >> 7]
  return Buffer.concat([Buffer.from(length), Buffer.from(text)])
}

t.test('several headers over HTTP/2, which no client library sends, are refused', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  await app.register(userScope, { secret })
  app.get('/', async ({ user }) => `{"code":"${user.id}"}`)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const send = (...values: string[]) => new Promise((resolve) => {
    const fields = [[':method', 'GET'], [':scheme', 'http'], [':path', '/'], [':authority', 'localhost']]
    for (const value of values) fields.push(['authorization', value])
    const encoded = fields.flatMap((field) => [Buffer.alloc(1), ...field.map(literal)])
    const socket = connect(port, '127.0.0.1')
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    socket.write(Buffer.concat([frame(4, 0, 0), frame(1, 5, 1, Buffer.concat(encoded))]))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += String(chunk)
      const [, code] = /"code":"(\w+)"/.exec(answer) ?? []
      if (code === undefined) return
      socket.destroy()
      resolve(code)
    })
  })
  const [good, other] = [`Bearer ${token}`, `Bearer ${tokenFor('bob')}`]
  t.equal(await send(good), 'alice')
  for (const values of [[good, other], [good, good], ['Basic YTpi', good], [good, '']]) {
    t.equal(await send(...values), 'INVALID_HEADER_FORMAT')
  }
})

t.test('what stands behind more fields than Node reads is nobody\'s guess', async (t) => {
  const { app, log } = await build(t, {}, {}, (app) => {
    app.get('/api/me', async ({ user }) => user.id)
    app.get('/optional', { config: { access: 'optional' } }, async (request) => ({ id: getUser(request)?.id ?? null }))
    app.get('/health', { config: { access: 'public' } }, async () => 'ok')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const good = `Authorization: Bearer ${token}`
  const fields = (count: number) => Array.from({ length: count }, () => 'a:')
  const refused = '401 INVALID_HEADER_FORMAT'
  const byNode = dropsFields ? undefined : '431'
  // Each request has two more, see `sendRaw`.
  const rows: Array<[lines: string[], answer: string, path?: string]> = [
    [[good, ...fields(996)], '200'],
    [[good, ...fields(997)], refused],
    [[good, ...fields(1100), `Authorization: Bearer ${tokenFor('bob')}`], byNode ?? refused],
    [[...fields(1100), good], byNode ?? refused],
    [[...fields(1100), 'Authorization: Bearer broken'], byNode ?? refused, '/optional'],
    [fields(900), '200', '/optional'],
    [[good, ...fields(1100), good], byNode ?? '200', '/health']
  ]
  for (const [lines, answer, path] of rows) t.equal(await sendRaw(port, lines, path), answer)
  // Node reads them by 31 or 32, so that with one of these limits the list of those it has read is just full.
  for (const limit of [31, 32]) {
    app.server.maxHeadersCount = limit
    t.equal(await sendRaw(port, [good, ...fields(20)]), '200')
    t.equal(await sendRaw(port, [good, ...fields(29), `Authorization: Bearer ${tokenFor('bob')}`]), byNode ?? refused)
  }
  app.server.maxHeadersCount = 0
  t.equal(await sendRaw(port, [good, ...fields(1100)]), refused, 'without a limit, that of Node is taken')
  const reasons = new Set(refusals(log).map(({ reason }) => reason))
  t.same([...reasons], ['as many header fields as Node reads, so others may be lost'])
})

t.test('a hook of the host may remove the header', async (t) => {
  const raw = { rawHeaders: ['Authorization', 'a', 'Authorization', 'b'] }
  const request = { headers: {}, raw, server: { server: {} } } as unknown
  t.equal(readAuthorization(request as FastifyRequest), undefined)
})

t.test('a hook of the host may set the header', async (t) => {
  const app = Fastify()
  app.addHook('onRequest', async (request) => {
    request.headers = { authorization: `Bearer ${String(request.headers['x-token'])}` }
  })
  await app.register(userScope, { secret })
  app.get('/api/me', async (request) => request.user.id)
  t.match(await sender(app)({ url: '/api/me', headers: { 'x-token': token } }), { status: 200, body: 'alice' })
})
