import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { hasDotSegment } from '../../lib/routes/dot-segments.js'
import { build, refusals, tokenFor } from '../support/host.js'

const dotted = [
  '/a/..', '/a/../b', '/a/./b', '/a/.', '/..', '../a', '/a/%2e%2e/b', '/a/%2E./b', '/a/.%2e', '/a/%2e/b',
  '/a/%252e%252e/b', '/a/..%5cb', '/a/..%2fb', '/a/.%09./b', '/a/%0a..%0d/b', '/a/..\\b', '/a/..?x', '/a/..#x',
  '/a/%2f../b', '/a/%5c..%5cb', '/a/%ff/../b',
  // Bad escapes behind a delimiter of the router, and what ends a segment there.
  '/a/..%2fb;%', '/a/..%2f..%2fb;%zz', '/a/..;', '/a/..;x',
  // What the standard removes at either end, and what ends a path once it is decoded.
  '/a/%20../b', '/a/%00../b', '/a/%1f..%5cb', '/a/..%20', '/a/..%3f', '/a/..%23', '/a/..%3b',
  '/a/..%252fb', '/a/%252e%252e%252fb', '/a/..%255cb', '/a/%252E%252E/b', '/a/..%252Fb', '/a%255C..%255Cb',
  '/a/%0A../b', '/a/%1F../b', '/a/.%09%09%09./b', '/a/.%0D%0A./b',
  // A handler may decode again what the router has decoded, and then build a URL of it, in which `%2e` is a dot too.
  '/a/.%2509./b', '/a/..%2509/b', '/a/%252e%2509%252e/b', '/a/..%250a/b', '/a/.%250D./b', '/a/%25252e%25252e/b',
  '/a/..%253f', '/a/..%2523', '/a/..%253b/b', '/a/..%2520', '/a/%25252e./b', '/a/..%25252fb', '/a/%252%2509e./b',
  '/a#/../', '/a/x#/../../b?x', 'http://h?/a/%2e%2e/b', 'http://h#/a/../b', 'http://h/a/../b', 'http://h?/../a/b', 'http:/a?/../b', 'h/a?/../b'
]
const plain = [
  '/a/b.txt;v=1', '/a/ . b', '/a/%c3%a9', '/a/%zz',
  'http://h/a?x=/../y', 'https://h.example:8080/a?/..',
  '/a/b', '/a/b.txt', '/a/.hidden', '/a/..b', '/a/b..', '/a/...', '/a?x=/../', '/a/b%20c', '/a/%2525252e%2525252e/b',
  '/a/b%2ec', '/a#/..b/', '/a/%E2%80%A5/b', '/a/%EF%BC%8E%EF%BC%8E/b'
]

t.test('dot segments are found in every encoding', async (t) => {
  for (const url of dotted) t.equal(hasDotSegment(url), true, url)
  for (const url of plain) t.equal(hasDotSegment(url), false, url)
})

t.test('what a handler that decodes the rest once more would read as a dot segment is found', async (t) => {
  const steps = [
    '.', '%2e', '%252e', '%25252E', '%09', '%2509', '%250a', '%252%09e', '%25%32e', '%2525%09', '%25', '2e'
  ]
  const urls = steps.flatMap((a) => steps.flatMap((b) => steps.flatMap((c) => `/a/${a}${b}${c}/bob`)))
  let count = 0
  for (const url of urls) {
    try {
      const rest = decodeURIComponent(decodeURIComponent(url.slice(3))) // by the router, then by the handler
      if (new URL(`http://up/alice/x/${rest}`).pathname.startsWith('/alice/x/')) continue
    } catch { continue } // a malformed escape
    count++
    if (!hasDotSegment(url)) t.fail(url)
  }
  t.ok(count > 50, String(count))
})

t.test('routes that compare a parameter refuse dot segments, after the comparison', async (t) => {
  const { app, log } = await build(t, {}, {}, (app) => {
    app.get('/api/:user_id/files/*', async () => 'in')
    app.get('/staff/:user_id/files/*', { config: { access: { delegates: { scopes: ['staff'] } } } }, async () => 'in')
    app.get('/any/*', async () => 'in')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const alice = tokenFor('alice')
  const staff = tokenFor('bob', { scope: 'staff' })
  /** Over a socket of its own, as `inject` and `fetch` resolve dot segments themselves. */
  async function send (path: string, token = alice): Promise<string> {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    let answer = ''
    socket.setEncoding('latin1').on('data', (text: string) => { answer += text })
    await once(socket, 'close')
    return /"code":"([^"]*)"/.exec(answer)?.[1] ?? answer.slice(9, 12)
  }
  t.equal(await send('/staff/alice/files/..%2f..%2fcarol', staff), 'FORBIDDEN_RESOURCE_ACCESS')
  for (const rest of [
    '..%2f..%2fbob', '../bob/x', './x', '%2e%2e/bob', '%252e%252e/bob', '..%5cbob', '.%09./bob', '..', 'x#/../../bob/x'
  ]) {
    t.equal(await send(`/api/alice/files/${rest}`), 'FORBIDDEN_RESOURCE_ACCESS', rest)
    t.equal(await send(`/api/bob/files/${rest}`), 'FORBIDDEN_USER_ACCESS', `${rest} behind another's id`)
    t.equal(await send(`/any/${rest}`), '200', `${rest} where nothing is compared`)
    t.equal(await send(`/staff/alice/files/${rest}`, staff), 'FORBIDDEN_RESOURCE_ACCESS', `${rest} by a delegate`)
  }
  t.match(refusals(log)[0], { code: 'FORBIDDEN_RESOURCE_ACCESS', reason: /dot segment/ })
  for (const rest of ['a.txt', '.hidden', 'a%20b', 'x?y=/../']) {
    t.equal(await send(`/api/alice/files/${rest}`), '200', rest)
    t.equal(await send(`/staff/alice/files/${rest}`, staff), '200', `${rest} by a delegate`)
  }
})
