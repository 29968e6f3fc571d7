import t from 'tap'
import { supabase } from '../../lib/index.js'
import { bearer, now } from '../support/host.js'
import { missing, start, testBootErrors, testPlaces, testValues, testVendor, type Vendor } from '../support/vendor.js'

const url = 'https://abcdefghijklmnopqrst.supabase.co'

// https://supabase.com/docs/guides/auth/jwt-fields
const vendor: Vendor = {
  preset: (overrides) => supabase({ url, ...overrides }),
  alg: 'ES256',
  algorithms: ['ES256', 'RS256'],
  id: '123e4567-e89b-12d3-a456-426614174000',
  header: { typ: 'JWT' },
  claims: {
    aud: 'authenticated',
    role: 'authenticated',
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: now() }],
    session_id: 'b9b2ad1f-55a5-4b2c-8a0c-6b6b2c2c7a11',
    email: 'alice@example.com',
    phone: '',
    is_anonymous: false,
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: {},
    iat: now()
  },
  accepted: { 'signed in anonymously': { claims: { is_anonymous: true, email: '' } } },
  refused: {
    'of the service role': { claims: { role: 'service_role' } },
    'the anon key': { claims: { role: 'anon', aud: 'anon' } },
    'for another audience': { claims: { aud: 'anon' } },
    'of an API key, without a session': { claims: { session_id: undefined } },
    'of an OAuth application': { claims: { client_id: '9a8b7c6d-third-party-app' } },
    'of another project': { claims: { iss: 'https://other.supabase.co/auth/v1' } },
    'a legacy API key': { claims: { iss: 'supabase', ref: 'abcdefghijklmnopqrst', role: 'anon' } }
  },
  machines: {}
}
testVendor('Supabase', vendor)

t.test('the log says how an OAuth application is let in', async (t) => {
  const { send, token, reason } = await start(t, vendor)
  const headers = bearer(await token(vendor.id, { claims: { client_id: 'app' } }))
  t.match(await send({ url: '/api/me', headers }), { status: 401, code: 'INVALID_CLAIMS' })
  t.equal(reason(), 'a token of an OAuth application that acts for the user. To let it in instead of the users\' ' +
    `own, name it in requiredClaims: { client_id: ['…'] }. Its claim "iss" is "${url}/auth/v1"`)
})

testBootErrors([[
  () => supabase({ url: missing }),
  'option "supabase.url" must be the URL of the project, such as https://abcdefghijklmnopqrst.supabase.co, without a ' +
    'path of one of its APIs'
]])

testValues(supabase, { url }, {
  url: [`${url}/`, 'http://localhost:54321', 'https://api.example.com', 'https://a.example.com/dashboards']
}, {
  url: [
    `${url}/auth`, `${url}/auth/v1`, `${url}/rest/v1/`, 'https://supabase.com/dashboard/project/abcdefghijklmnopqrst',
    ...['storage', 'functions', 'realtime'].map((name) => `${url}/${name}/v1`), 'abcdefghijklmnopqrst', '', null
  ]
})

t.test('an application that requiredClaims names may act for the user', (t) => {
  const { requiredClaims, otherTokens } = supabase({ url, requiredClaims: { client_id: ['app'] } })
  t.same(requiredClaims, { role: 'authenticated', session_id: true, client_id: ['app'] })
  t.same(otherTokens, [])
  t.end()
})

t.test('an application is refused, too, if requiredClaims name other claims', async (t) => {
  const { send, token, reason } = await start(t, {
    ...vendor, preset: (overrides) => supabase({ url, requiredClaims: { aal: 'aal1' }, ...overrides })
  })
  t.match(await send({ url: '/api/me', headers: bearer(await token(vendor.id)) }), { status: 200 })
  const headers = bearer(await token(vendor.id, { claims: { client_id: 'app' } }))
  t.match(await send({ url: '/api/me', headers }), { status: 401, code: 'INVALID_CLAIMS' })
  t.match(reason(), /^a token of an OAuth application/)
})

t.test('an application is refused, too, if the host names other tokens of its own', async (t) => {
  const otherTokens = [{ says: 'an invitation', text: '^inv_' }]
  const { send, token, reason } = await start(t, {
    ...vendor, preset: (overrides) => supabase({ url, otherTokens, ...overrides })
  })
  const headers = bearer(await token(vendor.id, { claims: { client_id: 'app' } }))
  t.match(await send({ url: '/api/me', headers }), { status: 401, code: 'INVALID_CLAIMS' })
  t.match(await send({ url: '/api/me', headers: bearer('inv_1') }), { status: 401, code: 'MALFORMED_TOKEN' })
  t.equal(reason(), 'an invitation')
})

testPlaces([
  [supabase({ url }), `${url}/auth/v1`, `${url}/auth/v1/.well-known/jwks.json`],
  [supabase({ url: `${url}/` }), `${url}/auth/v1`, `${url}/auth/v1/.well-known/jwks.json`]
])
