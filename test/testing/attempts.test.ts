import t from 'tap'
import type { AppRoute } from '../../lib/testing/app-routes.js'
import { attemptsOn } from '../../lib/testing/attempts.js'
import type { HeldAnswer } from '../../lib/testing/held-requests.js'

const tokens = { alice: 'alice', bob: 'bob', good: 'g', expired: 'e', forged: 'f' }
const requests = {
  complete: (owner: string) => ({ method: 'GET', url: `/${owner}?all`, headers: { 'x-a': '1' } }),
  bare: (owner: string) => ({ method: 'GET', url: `/${owner}` }),
  to: (path: string) => ({ method: 'GET', url: path }),
  at: () => ({ method: 'GET', url: '/' }),
  missing: []
}
const route = (given: Partial<AppRoute> = {}) => ({ method: 'GET', url: '/:user_id', access: 'owner', parameter: 'user_id', scope: {}, ...given }) as AppRoute
const attempts = (given: Partial<AppRoute> = {}, changed: Partial<typeof tokens> = {}) => attemptsOn(route(given), requests, { ...tokens, ...changed }, [])
const answer = (given: Partial<HeldAnswer>): HeldAnswer => ({ status: 0, reached: null, notFound: false, says: '', params: {}, ...given })

t.test('who asks for what', async (t) => {
  t.same(attempts().map(({ request, expected }) => [request.headers?.authorization, request.url, expected]), [
    [undefined, '/alice', '401'],
    ['Bearer e', '/alice', '401'],
    ['Bearer f', '/alice', '401'],
    ['Bearer g', '/bob?all', '403'],
    ['Bearer g', '/%62%6f%62?all', '403'],
    ['Bearer g', '/ALICE?all', '4xx'],
    ['Bearer g', '/alice%20?all', '4xx'],
    ['Bearer g', '/alice?all', 'its handler'],
    ['Bearer g', '/%61%6c%69%63%65?all', 'its handler']
  ])
  t.same(attempts({}, { alice: '7', bob: '7 ' }).map(({ label }) => label).filter((label) => label.includes('path of')), ['alice\'s token, path of "07"'])
})

t.test('what fits', async (t) => {
  const fits = (given: Partial<AppRoute>, label: string) => {
    const attempt = attempts(given).find((each) => each.label === label)
    return (status: number, reached: string | null = null, params: object = { user_id: 'alice' }) => attempt?.fits(answer({ status, reached, params: { ...params } }))
  }
  const other = "alice's token, bob's path"
  const own = "alice's token, her own path"
  t.same([401, 403, 404, 400, 200, 0].map((status) => fits({}, 'no token')(status)), [true, false, false, false, false, false])
  t.same([401, 403, 404, 400, 200, 0].map((status) => fits({}, other)(status)), [false, true, true, false, false, false], 'hidden as 404')
  t.same([403, 404].map((status) => fits({ access: 'unguarded' }, other)(status)), [true, false], 'not where no guard is known')
  t.notOk(fits({}, other)(403, '/:user_id'))
  t.same([200, 302, 400, 404, 0].map((status) => fits({}, own)(status)), [true, true, false, false, false], 'a hook that answers in the place of the handler')
  t.same(['/:user_id', '/:user_id/', '/other'].map((reached) => fits({}, own)(0, reached)), [true, true, false])
  t.same(['alice', 'bob', undefined].map((id) => fits({}, own)(0, '/:user_id', { user_id: id })), [true, false, false], 'an id that was changed on the way')
  t.same([200, 400, 409, 0, 401, 403].map((status) => fits({}, `${own}, percent-encoded`)(status)), [true, true, true, true, false, false])
  t.ok(fits({ scope: null }, own)(0, '/other'), 'outside of every scope a host may route as it likes')
})
