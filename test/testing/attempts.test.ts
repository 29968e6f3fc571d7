import t from 'tap'
import { parametersOf } from '../../lib/routes/url.js'
import type { AppRoute } from '../../lib/testing/app-routes.js'
import { attemptsOn } from '../../lib/testing/attempts.js'
import type { HeldAnswer } from '../../lib/testing/held-requests.js'
import type { Tokens } from '../../lib/testing/people.js'

const tokens: Tokens = {
  ...{ alice: 'alice', bob: 'bob', good: 'g', stranger: 's', expired: 'e', forged: 'f' },
  tenants: { hers: {}, his: {}, others: {} }
}
const options = { method: 'GET', url: '/t/:user_id', handler: async () => {} }
const route = ({ url = '/t/:user_id', ...given }: Partial<AppRoute> = {}) => {
  const parameter = parametersOf(url).find(({ name }) => name === 'user_id') ?? null
  return { method: 'POST', url, access: 'owner', parameter, bound: [], options, ...given } as AppRoute
}
const parts = { path: {}, headers: { h: '1' }, query: { q: '1' }, body: { a: 1 } }
const attempts = (given: Partial<AppRoute> = {}, changed: Partial<Tokens> = {}) =>
  attemptsOn(route(given), { ...parts, path: changed.tenants?.hers ?? {} }, { ...tokens, ...changed })

t.test('the requests to an owner\'s route', async (t) => {
  const tried = attempts().map(({ request: { headers, url, query, payload }, expected }) =>
    [headers?.authorization, url, Object(query).q, expected, payload !== undefined])
  t.same(tried, [
    [undefined, '/t/alice', undefined, '401', false],
    ['Bearer e', '/t/alice', undefined, '401', false],
    ['Bearer f', '/t/alice', undefined, '401', false],
    ['Bearer s', '/t/bob', '1', '403', true],
    ['Bearer s', '/t/%62%6f%62', '1', '403', true],
    ['Bearer s', '/t/bob/', '1', '403', true],
    ['Bearer s', '/T/bob', '1', '403', true],
    ['Bearer s', '//t/bob', '1', '403', true],
    ['Bearer s', '/t/ALICE', '1', '4xx', true],
    ['Bearer s', '/t/alice%20', '1', '4xx', true],
    ['Bearer s', '/t/alice%2F..%2Fbob', '1', '4xx', true],
    ['Bearer g', '/t/alice', '1', 'its handler', true],
    ['Bearer g', '/t/%61%6c%69%63%65', '1', 'its handler', true]
  ])
  t.ok(attempts().every(({ request }) => request.headers?.h === '1'))
  t.notOk(attempts({}, { expired: undefined }).some(({ label }) => label === 'an expired token'))
  const nearly =
    attempts({}, { alice: '7', bob: '7 ' }).map(({ label }) => label).filter((label) => label.includes('path of'))
  t.same(nearly, ['alice\'s token, path of "7/../7 "', 'alice\'s token, path of "07"'])
  t.ok(attempts({}, { alice: 'Alice' }).some(({ request }) => request.url === '/t/alice'), 'in small letters')
})

t.test('paths with dot segments are tried on wildcards', async (t) => {
  const out = (url: string) =>
    attempts({ url }).filter(({ label }) => label.includes('out of hers')).map(({ request }) => request.url)
  t.same(out('/t/:user_id/files/*'), ['/t/alice/files/..%2F..%2Fbob', '/t/alice/files/%2E%2E%5C%2E%2E%5Cbob'])
  t.same(out('/:n/:user_id/*'), ['/1/alice/..%2Fbob', '/1/alice/%2E%2E%5Cbob'])
  for (const url of ['/t/:user_id', '/t/:user_id/:n', '/t/:user_id/:n(^a*$)', '/*/:user_id']) t.same(out(url), [], url)
})

t.test('the requests to a route with a rule', async (t) => {
  const tenants = { hers: { org: 'a', team: 'r' }, his: { org: 'b', team: 'g' }, others: { org: 'b', team: 'x/y' } }
  const tried = (url: string, changed: Partial<Tokens> = {}) =>
    attempts({ url }, { tenants, poor: 'p', delegate: 'd', ...changed })
      .filter(({ request }) => !String(request.url).includes('ALICE'))
      .map(({ request: { headers, url }, expected }) => [headers?.authorization, url, expected]).slice(3)
  t.same(tried('/o/:org/:team'), [
    ['Bearer g', '/o/b/r', '403'],
    ['Bearer g', '/o/a/x%2Fy', '403'],
    ['Bearer p', '/o/a/r', '403'],
    ['Bearer g', '/o/a/r', 'its handler'],
    ['Bearer g', '/o/a/r', 'its handler'],
    ['Bearer d', '/o/b/g', 'its handler']
  ], 'no owner in the URL')
  t.same(tried('/o/:org/:user_id')[0], ['Bearer s', '/o/a/bob', '403'])
  t.same(tried('/o/:org/:user_id', { poor: undefined }).at(-1), ['Bearer d', '/o/b/alice', 'its handler'])
  const org = { hers: { org: 'a' }, his: { org: 'b' }, others: { org: 'b' } }
  const given = attemptsOn(route({ url: '/o/:org' }), { ...parts, path: { org: 'z' } }, { ...tokens, tenants: org })
  t.same(given.map(({ request }) => request.url), ['/o/z', '/o/z', '/o/z', '/o/b', '/o/z', '/o/z'], 'what is given')
})

t.test('which answers are accepted', async (t) => {
  const fits = (given: Partial<AppRoute>, label: string, changed?: Partial<Tokens>) => {
    const attempt = attempts(given, changed).find((each) => each.label === label)
    return (status: number, changed: Partial<HeldAnswer> = {}) =>
      attempt?.fits({
        status,
        says: '',
        reached: null,
        params: {},
        invalidParam: undefined,
        notFound: false,
        ...changed
      })
  }
  const own = "alice's token, her own path"
  const other = "alice's token, bob's path"
  const reached = (id: unknown, by = options) => ({ reached: by, params: { user_id: id } })
  t.same([401, 403, 404, 400, 200, 0].map((status) => fits({}, 'no token')(status)),
    [true, false, false, false, false, false])
  t.notOk(fits({}, 'no token')(401, reached('alice')), 'an error handler that answers 401 after the handler')
  t.same([401, 403, 404, 400, 200, 0].map((status) => fits({}, other)(status)),
    [false, true, true, false, false, false], 'hidden as 404')
  t.same([403, 404].map((status) => fits({ access: 'unguarded' }, other)(status)), [true, false],
    'not where no guard is known')
  const bound = [{ param: 'x', path: ['x'], isInUrl: true }]
  t.ok(fits({ access: 'user', bound }, other)(404), 'where it is compared')
  t.notOk(fits({}, other)(403, reached('bob')))
  t.ok(fits({}, `${other}, percent-encoded`)(403))
  t.same([400, 403, 404, 200, 500].map((status) => fits({}, 'alice\'s token, path of "ALICE"')(status)),
    [true, true, true, false, false])
  const slash = fits({}, `${other}, with a trailing slash`)
  t.same([slash(200), slash(418, reached('bob', { ...options })), slash(418, reached('bob'))], [true, true, false])
  t.same([200, 302, 400, 404, 0].map((status) => fits({}, own)(status)), [true, true, false, false, false],
    'a hook that answers in the place of the handler')
  t.same([fits({}, own)(418, reached('alice')), fits({}, own)(418, reached('alice', { ...options }))], [true, false])
  t.same(['alice', 'bob', undefined].map((id) => fits({}, own)(418, reached(id))), [true, false, false],
    'an id that was changed on the way')
  t.ok(fits({}, own)(418, reached('alice')))
  t.ok(fits({}, own, { alice: '7' })(418, reached(7)), 'nor one that its schema reads as a number')
  const encoded = fits({}, `${own}, percent-encoded`)
  t.same([200, 400, 409, 0, 401, 403].map((status) => encoded(status)), [true, true, true, true, false, false])
  t.notOk(encoded(404, { notFound: true }))
  t.ok(fits({ access: 'unguarded' }, own)(418, reached('bob', { ...options })),
    'outside of every scope a host may route as it likes')
})
