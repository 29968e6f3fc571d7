import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t from 'tap'
import { curl, describeAnswer, ScopeAssertionError, type Finding } from '../../lib/testing/findings.js'
import { holdRequests, type HeldRequest } from '../../lib/testing/held-requests.js'

const answer = { status: 200, reached: null, notFound: false, says: '' }
const finding: Finding = { methods: ['GET'], url: '/x', level: '(owner, default)', notes: [], failures: [] }

t.test('answers', async (t) => {
  t.equal(describeAnswer({ ...answer, reached: '/x' }, '/x'), 'its handler')
  t.equal(describeAnswer({ ...answer, reached: '/y' }, '/x'), 'the handler of /y')
  t.equal(describeAnswer({ ...answer, status: 404, notFound: true }, '/x'), '404, no route')
  t.equal(describeAnswer({ ...answer, says: 'OK' }, '/x'), '200 OK')
  t.equal(describeAnswer({ ...answer, status: 0, says: 'late' }, '/x'), 'none: late')
})

t.test('a line to repeat a request', async (t) => {
  t.equal(curl({ method: 'GET', url: '/x?q=1' }), "curl -i 'http://localhost/x?q=1'")
  t.equal(curl({ method: 'HEAD', url: '/x', headers: { cookie: 'short', Authorization: `Bearer ${'x'.repeat(50)}` } }), "curl -i --head -H 'cookie: short' -H 'Authorization: Bearer xxxxxxxxxxxxx…' 'http://localhost/x'")
  t.equal(curl({ method: 'POST', url: '/x', body: { a: "it's" } }), "curl -i -X POST -H 'content-type: application/json' -d '{\"a\":\"it'\\''s\"}' 'http://localhost/x'")
})

t.test('the line gives the same request again', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const arrived: object[] = []
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => { done(null, text) })
  app.addHook('preHandler', async ({ method, url, headers, body }) => {
    const { accept, connection, host, 'content-length': length, 'user-agent': agent, 'x-fastify-user-scope-held': mark, ...own } = headers
    arrived.push({ method, url, headers: own, body })
  })
  app.route({ method: ['GET', 'HEAD', 'POST', 'DELETE'], url: '*', handler: async () => {} })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const held = await holdRequests(app, 1000)
  t.teardown(held.release)
  const requests: HeldRequest[] = [
    { method: 'GET', url: '/x?a[]=1&b={c}' },
    { method: 'HEAD', url: '/x/%5Ba%5D', headers: { 'x-empty': '', 'X-Twice': '1', 'x-twice': '2' } },
    { method: 'DELETE', url: '/x' },
    { method: 'POST', url: '/[1-3]/a,b', body: 'x' },
    { method: 'POST', url: '/x', body: { a: "it's" } },
    { method: 'POST', url: '/x', body: null },
    { method: 'POST', url: '/x', headers: { 'Content-Type': 'text/csv' }, body: '@a,b\n1,2' },
    { method: 'POST', url: '/x', headers: { 'content-type': 'application/merge-patch+json' }, body: { a: 1 } }
  ]
  for (const request of requests) {
    await held.send(request)
    const line = curl(request).replace('http://localhost', address)
    await promisify(execFile)('bash', ['-c', line])
    const [sent, repeated, ...others] = arrived.splice(0)
    t.ok(sent)
    t.same(repeated, sent, line)
    t.same(others, [])
  }
})

t.test('what cannot stand in a line is told', async (t) => {
  t.equal(curl({ method: 'POST', url: '/x', body: Buffer.from('twelve bytes') }), "curl -i -X POST -H 'content-type:' --data-binary '<12 bytes>' 'http://localhost/x'")
  t.equal(curl({ method: 'PUT', url: '/x', headers: { 'content-type': 'image/png' }, body: Buffer.from('x') }), "curl -i -X PUT -H 'content-type: image/png' --data-binary '<1 bytes>' 'http://localhost/x'")
  t.equal(curl({ method: 'PUT', url: '/x', body: new FormData() }), "curl -i -X PUT -H 'content-type:' --data-binary '<FormData>' 'http://localhost/x'")
})

t.test('methods of which the same is to be said stand together', async (t) => {
  const failure = { label: 'no token', expected: '401', answer: '400 FST_ERR', request: { method: 'GET', url: '/x' } }
  const error = new ScopeAssertionError('leak', [
    { ...finding, notes: ['allow [{names}], params {name}'], failures: [failure] },
    { ...finding, methods: ['HEAD'], notes: ['allow [{names}], params {name}'], failures: [{ ...failure, answer: '400' }] },
    { ...finding, methods: ['PUT'], notes: ['allow [{names}], params {name}'], failures: [{ ...failure, answer: '400' }] },
    { ...finding, methods: ['POST'], failures: [{ ...failure, answer: '200' }] },
    { ...finding, methods: [], url: 'GET /gone', level: '', request: { method: 'GET', url: '/gone' } }
  ])
  t.same(error.routes, ['GET /x', 'HEAD /x', 'PUT /x', 'POST /x', 'GET /gone'])
  t.equal(error.message, [
    'Routes that leak: 5',
    '',
    'GET, HEAD, PUT /x (owner, default)',
    "  allow ['GET /x', 'PUT /x'], params 'GET /x'",
    '  request   expected  answer',
    '  no token  401       400 FST_ERR',
    "  curl -i 'http://localhost/x'",
    '',
    'POST /x (owner, default)',
    '  request   expected  answer',
    '  no token  401       200',
    "  curl -i 'http://localhost/x'",
    '',
    'GET /gone',
    "  curl -i 'http://localhost/gone'"
  ].join('\n'))
})
