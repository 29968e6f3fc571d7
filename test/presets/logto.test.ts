import { logto } from '../../lib/index.js'
import { now } from '../support/host.js'
import { api, missing, testBootErrors, testPlaces, testValues, testVendor } from '../support/vendor.js'

const endpoint = 'https://tenant.logto.app'

// https://docs.logto.io/authorization/validate-access-tokens
testVendor('Logto', {
  preset: (overrides) => logto({ endpoint, audience: api, ...overrides }),
  alg: 'ES384',
  algorithms: ['ES384', 'RS256'],
  id: 'foo1bar2baz3',
  header: { typ: 'at+jwt' },
  claims: { aud: api, jti: 'vPUl', scope: 'read:tasks', client_id: 'fv5r4ex9c2s0', iat: now() },
  accepted: { 'of an organization': { claims: { organization_id: 'org1' } } },
  refused: {
    'an ID token': { header: { typ: undefined }, claims: { aud: 'fv5r4ex9c2s0', client_id: undefined, at_hash: 'h' } },
    'for another API': { claims: { aud: 'https://tenant.logto.app/api' } },
    'of an organization, without an API': { claims: { aud: 'urn:logto:organization:org1' } },
    'of another tenant': { claims: { iss: 'https://other.logto.app/oidc' } }
  },
  machines: { 'machine-to-machine': { id: 'm2m4app5', claims: { client_id: 'm2m4app5' } } }
})

testBootErrors([
  [() => logto({ endpoint: missing, audience: api }), 'option "logto.endpoint" must be the Logto endpoint'],
  [() => logto({ endpoint, audience: missing }), 'option "logto.audience" must be the identifier of the API resource']
])

testValues(logto, { endpoint, audience: api }, {
  endpoint: [`${endpoint}/`, 'https://auth.example.com', 'http://localhost:3001'],
  audience: [api, 'urn:my-api', [api, 'https://b.example.com']]
}, {
  endpoint: [`${endpoint}/oidc`, `${endpoint}/oidc/`, `${endpoint}/console`, 'tenant.logto.app', '', null],
  audience: ['', ' ', false, null, []]
})

testPlaces([[logto({ endpoint, audience: 'a' }), `${endpoint}/oidc`, `${endpoint}/oidc/jwks`]])
