import t from 'tap'
import { refuse, type RefusalCode } from '../../lib/contract/errors.js'
import { refusalHeaders } from '../../lib/guard/challenge.js'

const bearer = 'Bearer realm="api"'

t.test('each refusal has the header fields of RFC 6750 §3', async (t) => {
  const rows: Array<[code: RefusalCode, headers: object]> = [
    ['MISSING_TOKEN', { 'www-authenticate': bearer, 'cache-control': 'no-store' }],
    ['INVALID_HEADER_FORMAT', {
      'www-authenticate': `${bearer}, error="invalid_request", error_description="Invalid authorization header format"`,
      'cache-control': 'no-store'
    }],
    ['TOKEN_EXPIRED', {
      'www-authenticate': `${bearer}, error="invalid_token", error_description="Token expired"`,
      'cache-control': 'no-store'
    }],
    ['FORBIDDEN_USER_ACCESS', {}],
    ['FORBIDDEN_RESOURCE_ACCESS', {}],
    ['KEYS_UNAVAILABLE', {}]
  ]
  for (const [code, headers] of rows) t.same(refusalHeaders(refuse(code, 'with "quotes" of a token')), headers, code)
})

t.test('the challenge names all scopes that the route requires', async (t) => {
  t.same(refusalHeaders(refuse('INSUFFICIENT_SCOPE', 'x', { scope: 'tasks:read tasks:write' })), {
    'www-authenticate':
      `${bearer}, error="insufficient_scope", error_description="Insufficient scope", scope="tasks:read tasks:write"`
  })
})

t.test('a 503 says when to try again, if that is known', async (t) => {
  t.same(refusalHeaders(refuse('KEYS_UNAVAILABLE', 'x', { retryAfter: 30 })), { 'retry-after': '30' })
})
