import t from 'tap'
import { apply } from '../../lib/token/claim-rules.js'
import { assertAccessToken, kindRules } from '../../lib/token/other-kinds.js'
import { reason } from '../support/reason.js'

t.test('ID tokens, and tokens that are bound to a key, are no access tokens', async (t) => {
  const boundToKey = 'a token bound to a key of its sender (claim "cnf", DPoP or mTLS), which is no bearer token'
  const idToken = (name: string) => `an ID token (claim "${name}"): send the access token instead`
  const rows: Array<[claims: Record<string, unknown>, reason: string]> = [
    [{ nonce: 'x' }, idToken('nonce')],
    [{ at_hash: 'x' }, idToken('at_hash')],
    [{ c_hash: 'x' }, idToken('c_hash')],
    [{ cnf: { jkt: 'x' } }, boundToKey]
  ]
  const rules = kindRules({ isRemote: true, types: ['jwt'], requiredClaims: { typ: true } })
  t.equal(reason(() => apply(rules, { sub: 'alice' })), undefined)
  for (const [claims, says] of rows) {
    t.equal(reason(() => apply(rules, { sub: 'alice', ...claims })), `INVALID_CLAIMS: ${says}`)
  }
})

t.test('tokens that a secret signs may have any of these claims', async (t) => {
  t.strictSame(kindRules({ isRemote: false, types: ['jwt'], requiredClaims: {} }), [])
})

t.test('an entry that tells access tokens by their typ admits those with a nonce', async (t) => {
  const cases = { header: [['at+jwt'], {}], claim: [['jwt', 'at+jwt'], { typ: ['Bearer'] }] } as const
  for (const [place, [types, requiredClaims]] of Object.entries(cases)) {
    const rules = kindRules({ isRemote: true, types, requiredClaims })
    t.equal(reason(() => apply(rules, { nonce: 'x', at_hash: 'x', c_hash: 'x' })), undefined, place)
    t.match(reason(() => apply(rules, { cnf: {} })), /bound to a key/, place)
  }
})

t.test('tokens for another purpose are recognized by their form', async (t) => {
  const logout = { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
  const of = (payload: Record<string, unknown>) => reason(() => assertAccessToken({ header: {}, payload }, []))
  t.equal(of(logout), 'INVALID_CLAIMS: a logout token: send the access token instead')
  for (const events of [null, 'x', [], { other: {} }]) t.equal(of({ events }), undefined, JSON.stringify(events))
  const others = [{ says: 'a parking ticket', fits: () => true, fitsText: () => false }]
  t.equal(reason(() => assertAccessToken({ header: {}, payload: {} }, others)), 'INVALID_CLAIMS: a parking ticket')
})
