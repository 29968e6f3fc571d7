import t from 'tap'
import { curl, describeAnswer, ScopeAssertionError, type Finding } from '../lib/findings.js'

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
