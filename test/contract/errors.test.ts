import t from 'tap'
import {
  detailsOf, isRefusal, refuse, InvalidOptionError, MissingTokenError
} from '../../lib/contract/errors.js'

t.test('a refusal has the code, status and message of the table, and no stack', async (t) => {
  const refusal = refuse('TOKEN_EXPIRED', 'claim "exp" has passed')
  t.match(refusal, { code: 'TOKEN_EXPIRED', statusCode: 401, message: 'Token expired' })
  t.notMatch(refusal.stack ?? '', /\n {4}at /)
  t.ok(refuse('MISSING_TOKEN', 'x') instanceof MissingTokenError)
})

t.test('JSON, a spread and the message never have the reason', async (t) => {
  const refusal = refuse('INVALID_CLAIMS', 'claim "aud" is not as configured')
  t.equal(detailsOf(refusal).reason, 'claim "aud" is not as configured')
  for (const seen of [JSON.stringify(refusal), JSON.stringify({ ...refusal }), String(refusal)]) t.notMatch(seen, 'aud')
})

t.test('only a 503 says when to try again', async (t) => {
  t.equal(detailsOf(refuse('KEYS_UNAVAILABLE', 'x', { retryAfter: 30 })).retryAfter, 30)
  t.equal(detailsOf(refuse('INVALID_CLAIMS', 'x')).retryAfter, undefined)
})

t.test('a refusal is distinguished from all other errors', async (t) => {
  t.ok(isRefusal(refuse('MALFORMED_TOKEN', 'x')))
  const others = [new Error('x'), new MissingTokenError(), new InvalidOptionError('x'), { code: 'MISSING_TOKEN' }, null]
  for (const error of others) t.notOk(isRefusal(error), String(error))
})
