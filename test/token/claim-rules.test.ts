import t from 'tap'
import { readOptions } from '../../lib/options/settings.js'
import { reasonOf, type Refusal } from '../../lib/contract/errors.js'
import { apply, assertAccessToken, claimRules, headerRules, own } from '../../lib/token/claim-rules.js'
import { secret } from '../support/host.js'

const now = 1_800_000_000
const { claimRules: settings } = readOptions({ secret, clockTolerance: 0 }, {})

/** Why something is refused, or nothing. */
function reason (run: () => void): string | undefined {
  try {
    run()
  } catch (error) {
    return `${(error as Refusal).code}: ${reasonOf(error as Refusal)}`
  }
  return undefined
}

t.test('the first rule that does not hold is the reason', async (t) => {
  const rules = claimRules(settings, () => now)
  t.equal(reason(() => apply(rules, { exp: now + 1 })), undefined)
  t.equal(reason(() => apply(rules, { exp: 'x', nbf: 'x' })), 'INVALID_CLAIMS: claim "exp" is missing or no date')
  t.match(reason(() => apply(rules, { exp: now })), /^TOKEN_EXPIRED: claim "exp" has passed, 0 s ago/)
  t.equal(
    reason(() => apply(headerRules(settings), { alg: 'HS256', crit: null })),
    'INVALID_CLAIMS: header parameter "crit" is not allowed'
  )
})

t.test('a member of Object.prototype stands in for none that is missing', async (t) => {
  const polluted = Object.prototype as { exp?: unknown, crit?: unknown }
  Object.assign(polluted, { exp: now + 1, crit: ['x'] })
  t.teardown(() => {
    delete polluted.exp
    delete polluted.crit
  })
  t.equal(own({}, 'exp'), undefined)
  t.equal(reason(() => apply(claimRules(settings, () => now), {})), 'INVALID_CLAIMS: claim "exp" is missing or no date')
  t.equal(reason(() => apply(headerRules(settings), { alg: 'HS256' })), undefined)
})

t.test('tokens of another purpose are told by their form', async (t) => {
  const logout = { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
  const of = (payload: Record<string, unknown>) => reason(() => assertAccessToken({ header: {}, payload }, []))
  t.equal(of(logout), 'INVALID_CLAIMS: a logout token: send the access token instead')
  for (const events of [null, 'x', [], { other: {} }]) t.equal(of({ events }), undefined, JSON.stringify(events))
  const others = [{ says: 'a parking ticket', fits: () => true, fitsText: () => false }]
  t.equal(reason(() => assertAccessToken({ header: {}, payload: {} }, others)), 'INVALID_CLAIMS: a parking ticket')
})
