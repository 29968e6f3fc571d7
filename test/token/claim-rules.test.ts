import t from 'tap'
import type { VerifiedUser } from '../../lib/index.js'
import { readOptions } from '../../lib/options/settings.js'
import { apply, claimRules, findExpiry, headerRules, own, requiredClaimRules } from '../../lib/token/claim-rules.js'
import { stopClock } from '../support/clock.js'
import { secret } from '../support/host.js'
import { reason } from '../support/reason.js'

const now = 1_800_000_000
const at = stopClock(now)
const { claimRules: settings } = readOptions({ secret, clockTolerance: 0 }, {})

t.test('the first rule that fails is the reason', async (t) => {
  const rules = claimRules(settings)
  t.equal(reason(() => apply(rules, { exp: now + 1 })), undefined)
  t.equal(reason(() => apply(rules, { exp: 'x', nbf: 'x' })), 'INVALID_CLAIMS: claim "exp" is not a number of seconds')
  t.match(reason(() => apply(rules, { exp: now })), /^TOKEN_EXPIRED: claim "exp" passed 0 s ago/)
  t.equal(
    reason(() => apply(headerRules(settings), { alg: 'HS256', crit: null })),
    'INVALID_CLAIMS: header parameter "crit" is not allowed'
  )
  const wrongType = 'INVALID_CLAIMS: header parameter "typ" is of another kind of token: ' +
    'expected "jwt", received "logout+jwt"'
  for (const [isRemote, where] of [[false, ''], [true, ' (option "typ")']] as const) {
    const rules = headerRules({ ...settings, isRemote })
    t.equal(reason(() => apply(rules, { typ: 'logout+jwt' })), wrongType + where, 'an option of issuers alone')
  }
})

t.test('each rule of a claim has its reason', async (t) => {
  const stated = {
    ...settings,
    issuer: 'https://auth.example',
    audience: ['api', 'web'],
    maxTokenAge: 100,
    requiredClaims: { team: true, role: ['member', 'admin'] }
  } as const
  const rules = [...claimRules(stated), ...requiredClaimRules(stated)]
  const good = { exp: now + 1, iat: now, iss: 'https://auth.example', aud: ['x', 'web'], team: 0, role: 'admin' }
  const wants = 'and the issuer\'s entry, or its preset, wants (option "requiredClaims")'
  const rows: Array<[claims: object, reason: string]> = [
    [{ nbf: 'x' }, 'claim "nbf" is not a number of seconds'],
    ...['x', -1].map((iat): [object, string] => [{ iat }, 'claim "iat" is not a number of seconds since 1970']),
    [{ team: undefined }, `claim "team" is missing, ${wants} any value but false and null`],
    ...[false, null].map((team): [object, string] =>
      [{ team }, `claim "team" has another value, ${wants} any value but false and null`]),
    [{ role: undefined }, `claim "role" is missing, ${wants} "member" or "admin"`],
    ...['owner', ['member']].map((role): [object, string] =>
      [{ role }, `claim "role" has another value, ${wants} "member" or "admin"`])
  ]
  t.equal(reason(() => apply(rules, good)), undefined)
  for (const [claims, says] of rows) {
    t.equal(reason(() => apply(rules, { ...good, ...claims })), `INVALID_CLAIMS: ${says}`, JSON.stringify(claims))
  }
})

t.test('a member of Object.prototype does not replace a missing one', async (t) => {
  const polluted = Object.prototype as { exp?: unknown, crit?: unknown }
  Object.assign(polluted, { exp: now + 1, crit: ['x'] })
  t.teardown(() => {
    delete polluted.exp
    delete polluted.crit
  })
  t.equal(own({}, 'exp'), undefined)
  t.equal(reason(() => apply(claimRules(settings), {})), 'INVALID_CLAIMS: claim "exp" is missing')
  t.equal(reason(() => apply(headerRules(settings), { alg: 'HS256' })), undefined)
})

t.test('a token expires when the guard would refuse it', async (t) => {
  const year9999 = 253_402_300_799
  const rows: Array<[what: string, options: object, claims: { exp: number, iat?: number }, end: number]> = [
    ['exp and the usual tolerance', {}, { exp: now + 10 }, 15],
    ['exp alone', { clockTolerance: 0 }, { exp: now + 10, iat: now - 10 }, 10],
    ['maxTokenAge', { maxTokenAge: 15, clockTolerance: 1 }, { exp: now + 10, iat: now - 10 }, 6],
    ['maxTokenAge after exp', { maxTokenAge: 60, clockTolerance: 1 }, { exp: now + 10, iat: now - 10 }, 11],
    ['the longest', { clockTolerance: 0 }, { exp: year9999 }, year9999 - now]
  ]
  for (const [what, options, claims, end] of rows) {
    const { claimRules } = readOptions({ secret, ...options }, {})
    const user: VerifiedUser = { id: 'alice', issuer: 'secret', scopes: [], actor: null, claims }
    at(end - 0.001)
    t.equal(findExpiry(user, claimRules), null, what)
    at(end)
    t.match(findExpiry(user, claimRules), { code: 'TOKEN_EXPIRED' }, what)
  }
})
