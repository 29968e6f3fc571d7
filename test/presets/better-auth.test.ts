import t from 'tap'
import { betterAuth } from '../../lib/index.js'
import { now } from '../support/host.js'
import { missing, testBootErrors, testPlaces, testValues, testVendor } from '../support/vendor.js'

testVendor('Better Auth, jwt()', {
  preset: (overrides) => betterAuth({ baseURL: 'https://auth.example.com/', ...overrides }),
  alg: 'EdDSA',
  id: 'x7Kq2',
  header: {},
  claims: { aud: 'https://auth.example.com', email: 'a@example.com', emailVerified: true, iat: now() },
  refused: {
    'of the OAuth provider': {
      header: { typ: 'at+jwt' },
      claims: { iss: 'https://auth.example.com/api/auth', client_id: 'client' }
    },
    'an ID token': { claims: { iss: 'https://auth.example.com/api/auth', aud: 'client', at_hash: 'h' } },
    'for another audience': { claims: { aud: 'https://auth.example.com/' } }
  },
  machines: {}
})

testVendor('Better Auth, OAuth provider', {
  preset: (overrides) => betterAuth({
    baseURL: 'https://auth.example.com',
    basePath: '/auth/',
    oauthProvider: true,
    audience: 'https://auth.example.com',
    ...overrides
  }),
  alg: 'EdDSA',
  id: 'x7Kq2',
  header: { typ: 'at+jwt' },
  claims: { aud: 'https://auth.example.com', client_id: 'client', scope: 'openid', sid: 's', jti: 'j', iat: now() },
  refused: {
    'an ID token': { header: { typ: undefined }, claims: { aud: 'client', at_hash: 'h' } },
    'an ID token for the API': { header: { typ: undefined }, claims: { client_id: undefined } },
    'of jwt()': { header: { typ: undefined }, claims: { iss: 'https://auth.example.com' } },
    'for another audience': { claims: { aud: 'https://other.example.com' } }
  },
  machines: { 'client credentials': { id: 'crawler', claims: { client_id: 'crawler', sid: undefined } } }
})

testBootErrors([
  [
    () => betterAuth({ baseURL: 'https://auth.example.com', otherTokens: [{ says: 'an invitation', text: '(' }] }),
    'option "issuers.0.otherTokens.0" does not compile'
  ],
  [
    () => betterAuth({ baseURL: missing }),
    'option "betterAuth.baseURL" must be the URL of Better Auth, such as https://auth.example.com'
  ],
  [() => betterAuth({ baseURL: 'auth.example.com' }), 'option "betterAuth.baseURL"'],
  [
    () => betterAuth({ baseURL: 'https://auth.example.com', basePath: 'api/auth' }),
    'option "betterAuth.basePath" must be a path, such as /api/auth'
  ],
  [
    () => betterAuth({ baseURL: 'https://auth.example.com', audience: 'https://auth.example.com/' }),
    'option "betterAuth.audience" must have no slash at its end: jwt() writes "https://auth.example.com"'
  ],
  [
    () => betterAuth({ baseURL: 'https://auth.example.com', issuer: 'https://auth.example.com/' }),
    'option "betterAuth.issuer" must be "https://auth.example.com" to the letter. Fix: leave it out'
  ]
])

testValues(betterAuth, { baseURL: 'https://auth.example.com', audience: 'tasks' }, {
  baseURL: [
    'http://localhost:3000', 'https://auth.example.com/api/auth', 'https://Auth.example.com:443/',
    'https://auth.example.com/token-service'
  ],
  basePath: ['/', '/auth/'],
  audience: ['https://auth.example.com', 'tasks', 'https://api.example.com/', ['tasks', 'https://auth.example.com']],
  issuer: ['https://proxy.example.com', 'https://auth.example.com']
}, {
  baseURL: [
    'https://auth.example.com/api/auth/jwks', 'https://auth.example.com/api/auth/token/', 'ftp://auth.example.com',
    'https://auth.example.com#x', 'https://auth.example.com/auth?x', ' https://auth.example.com',
    'https://user@auth.example.com', 'https://[', 'https://auth.example.com:99999',
    { allowedHosts: ['auth.example.com'] }, ['https://auth.example.com']
  ],
  basePath: ['auth', '', '/auth?x', '/auth#x', '/my auth', null],
  oauthProvider: ['true', 'false', 1, null],
  audience: ['https://auth.example.com/', '', [], null, true],
  issuer: ['https://auth.example.com/', 'https://Auth.example.com', 'https://auth.example.com//'],
  baseUrl: ['https://auth.example.com']
})

testPlaces([
  [betterAuth({ baseURL: 'https://a.example.com/' }), 'https://a.example.com', 'https://a.example.com/api/auth/jwks'],
  [betterAuth({ baseURL: 'https://a.example.com//' }), 'https://a.example.com', 'https://a.example.com/api/auth/jwks'],
  [
    betterAuth({ baseURL: 'https://a.example.com/auth/', basePath: '/other' }),
    'https://a.example.com',
    'https://a.example.com/auth/jwks'
  ],
  [
    betterAuth({ baseURL: 'http://localhost:3000', oauthProvider: true, audience: 'api' }),
    'http://localhost:3000/api/auth',
    'http://localhost:3000/api/auth/jwks'
  ]
])

t.test('a client of the OAuth provider is told what to ask it for', async (t) => {
  const { otherTokens } = betterAuth({ baseURL: 'https://auth.example.com', oauthProvider: true, audience: 'api' })
  t.ok(otherTokens?.length)
  t.ok(otherTokens?.every(({ says }) => says.includes('an access token with the "resource" of this API')))
})

t.test('the OAuth provider of Better Auth needs an audience', async (t) => {
  const audience = 'https://auth.example.com/' // a client may ask for that
  t.match(betterAuth({ baseURL: 'https://auth.example.com', oauthProvider: true, audience }), { audience })
  t.throws(
    () => betterAuth({ baseURL: 'https://auth.example.com', oauthProvider: true }),
    { code: 'FST_USER_SCOPE_INVALID_OPTION', message: /option "betterAuth.audience" is missing/ }
  )
})
