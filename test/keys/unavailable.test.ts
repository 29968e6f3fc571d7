import t from 'tap'
import { detailsOf } from '../../lib/contract/errors.js'
import { keysUnavailable } from '../../lib/keys/unavailable.js'

t.test('without keys, the client learns when to come again, and the log learns why', async (t) => {
  const refusal = keysUnavailable('https://issuer.example', 'timeout', 29.2)
  t.match(refusal, { statusCode: 503, code: 'KEYS_UNAVAILABLE' })
  t.notMatch(refusal.message, /issuer\.example|timeout/)
  const reason = 'the keys of the issuer "https://issuer.example" are unavailable (timeout)'
  t.match(detailsOf(refusal), { reason, retryAfter: 30 })
  t.match(detailsOf(keysUnavailable('x', 'y', -3)), { retryAfter: 1 }, 'never at once')
})
