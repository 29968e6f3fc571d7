import { mock } from 'node:test'
import t from 'tap'
import type { VerifiedUser } from '../../lib/index.js'
import { readOptions } from '../../lib/options/settings.js'
import { findEnd } from '../../lib/token/expiry.js'
import { secret } from '../support/host.js'

const start = 1_800_000_000
mock.timers.enable({ apis: ['Date'], now: start * 1000 })

t.test('a token ends when the guard would refuse it', async (t) => {
  const year9999 = 253_402_300_799
  const rows: Array<[what: string, options: object, claims: { exp: number, iat?: number }, end: number]> = [
    ['exp and the usual tolerance', {}, { exp: start + 10 }, start + 15],
    ['exp alone', { clockTolerance: 0 }, { exp: start + 10, iat: start - 10 }, start + 10],
    ['maxTokenAge', { maxTokenAge: 15, clockTolerance: 1 }, { exp: start + 10, iat: start - 10 }, start + 6],
    ['maxTokenAge after exp', { maxTokenAge: 60, clockTolerance: 1 }, { exp: start + 10, iat: start - 10 }, start + 11],
    ['the longest', { clockTolerance: 0 }, { exp: year9999 }, year9999]
  ]
  for (const [what, options, claims, end] of rows) {
    const { claimRules } = readOptions({ secret, ...options }, {})
    const user: VerifiedUser = { id: 'alice', issuer: 'secret', scopes: [], actor: null, claims }
    mock.timers.setTime(end * 1000 - 1)
    t.equal(findEnd(user, claimRules), null, what)
    mock.timers.setTime(end * 1000)
    t.match(findEnd(user, claimRules), { code: 'TOKEN_EXPIRED' }, what)
  }
})
