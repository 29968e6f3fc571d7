import t from 'tap'
import type { AppRoute } from '../../lib/testing/app-routes.js'
import { findingOf, orAllow, ScopeAssertionError, type Finding } from '../../lib/testing/findings.js'

const options = { url: '/x', method: 'GET', handler: async () => {} }
const route: AppRoute =
  {
    method: 'GET',
    url: '/x',
    access: 'owner',
    source: 'default',
    parameter: null,
    faults: [],
    scopes: null,
    delegates: null,
    bound: [],
    unbound: [],
    constraints: {},
    options
  }
const finding: Finding = { method: 'GET', url: '/x', level: '(owner, default)', notes: [], failures: [] }

t.test('findings are printed with the route, notes and a table', async (t) => {
  t.same(findingOf(route, ['a']), { ...finding, notes: ['a'] })
  const unguarded: AppRoute = { ...route, access: 'unguarded', source: '', constraints: { version: '1.0.0' } }
  t.equal(findingOf(unguarded, []).level, '(unguarded) {"version":"1.0.0"}')
})

t.test('methods with the same faults are printed together', async (t) => {
  const failure = { label: 'no token', expected: '401', answer: '400 FST_ERR', url: '/x?q=1' }
  const notes = [`mend it${orAllow}`, 'params {name}']
  const ofPost = [{ ...failure, answer: '200' }, { ...failure, label: 'a forged token' }] as const
  const error = new ScopeAssertionError('leak', [
    { ...finding, notes, failures: [failure] },
    { ...finding, method: 'HEAD', notes, failures: [{ ...failure, answer: '400' }] },
    { ...finding, method: 'PUT', notes, failures: [{ ...failure, answer: '400' }] },
    { ...finding, method: 'POST', failures: [...ofPost] },
    { ...finding, method: 'PATCH', failures: [ofPost[0], failure] },
    { ...finding, method: 'DELETE', failures: [{ ...failure, answer: '204' }, ofPost[1]] },
    { ...finding, method: 'HEAD', url: '/y', notes },
    { ...finding, method: '', url: 'GET /gone', level: '', notes: ['gone'] }
  ])
  t.match(error, { name: 'ScopeAssertionError', code: 'ERR_ASSERTION' })
  t.same(error.routes, ['GET /x', 'HEAD /x', 'PUT /x', 'POST /x', 'PATCH /x', 'DELETE /x', 'HEAD /y', 'GET /gone'])
  t.equal(error.message, [
    'Routes that leak: 8',
    '',
    'GET, HEAD, PUT /x (owner, default)',
    "  mend it, or allow: ['GET /x', 'PUT /x']",
    "  params 'GET /x'",
    '  request   expected  answer       path',
    '  no token  401       400 FST_ERR  /x?q=1',
    '',
    'POST /x (owner, default)',
    '  request         expected  answer       path',
    '  no token        401       200          /x?q=1',
    '  a forged token  401       400 FST_ERR  /x?q=1',
    '',
    'PATCH /x (owner, default)',
    '  request   expected  answer       path',
    '  no token  401       200          /x?q=1',
    '  no token  401       400 FST_ERR  /x?q=1',
    '',
    'DELETE /x (owner, default)',
    '  request         expected  answer       path',
    '  no token        401       204          /x?q=1',
    '  a forged token  401       400 FST_ERR  /x?q=1',
    '',
    'HEAD /y (owner, default)',
    "  mend it, or allow: ['HEAD /y']",
    "  params 'HEAD /y'",
    '',
    'GET /gone',
    '  gone'
  ].join('\n'))
})
