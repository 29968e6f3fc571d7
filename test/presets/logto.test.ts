import t from 'tap'
import { logto } from '../../lib/index.js'
import { bearer, now } from '../support/host.js'
import {
  api, missing, start, testBootErrors, testPlaces, testValues, testVendor, type Vendor
} from '../support/vendor.js'

const endpoint = 'https://tenant.logto.app'

// https://docs.logto.io/authorization/validate-access-tokens
const vendor: Vendor = {
  preset: (overrides) => logto({ endpoint, audience: api, ...overrides }),
  alg: 'ES384',
  algorithms: ['ES384', 'RS256'],
  id: 'foo1bar2baz3',
  header: { typ: 'at+jwt' },
  claims: { aud: api, jti: 'vPUl', scope: 'read:tasks', client_id: 'fv5r4ex9c2s0', iat: now() },
  accepted: { 'of an organization': { claims: { organization_id: 'org1' } }, 'typ JWT': { header: { typ: 'JWT' } } },
  refused: {
    'an ID token': { header: { typ: undefined }, claims: { aud: 'fv5r4ex9c2s0', client_id: undefined, at_hash: 'h' } },
    'without a client': { claims: { client_id: undefined } },
    'for another API': { claims: { aud: 'https://tenant.logto.app/api' } },
    'of an organization, without an API': { claims: { aud: 'urn:logto:organization:org1' } },
    'of another tenant': { claims: { iss: 'https://other.logto.app/oidc' } }
  },
  machines: { 'machine-to-machine': { id: 'm2m4app5', claims: { client_id: 'm2m4app5' } } }
}
testVendor('Logto', vendor)

t.test('the log says what to do about an opaque token', async (t) => {
  const { send, reason } = await start(t, vendor)
  const opaque = 'a_B3dE6gH9jK2mN5pQ8sT1vW4yZ7b-eFa_B3dE6gH9j'
  for (const token of [opaque, `${opaque}a`, `a${opaque}`]) {
    t.match(await send({ url: '/api/me', headers: bearer(token) }), { status: 401, code: 'MALFORMED_TOKEN' })
    t.equal(reason() === 'an opaque token, which Logto issues if the client names no API resource: request one with ' +
      '"resource"', token === opaque, token)
  }
})

testBootErrors([
  [
    () => logto({ endpoint: missing, audience: api }),
    'option "logto.endpoint" must be the Logto endpoint, such as https://tenant.logto.app, without /oidc'
  ],
  [() => logto({ endpoint, audience: missing }), 'option "logto.audience" must be the identifier of the API resource']
])

testValues(logto, { endpoint, audience: api }, {
  endpoint: [`${endpoint}/`, 'https://auth.example.com', 'http://localhost:3001', 'https://auth.example.com/apis'],
  audience: [api, 'urn:my-api', [api, 'https://b.example.com']]
}, {
  endpoint: [
    `x ${endpoint}`, `${endpoint}?x`, `${endpoint}/oidc`, `${endpoint}/oidc/`, `${endpoint}/console`, `${endpoint}/api`,
    'tenant.logto.app', '', null
  ],
  audience: ['', ' ', false, null, []]
})

testPlaces([[logto({ endpoint, audience: 'a' }), `${endpoint}/oidc`, `${endpoint}/oidc/jwks`]])
