import t from 'tap'
import { keycloak } from '../../lib/index.js'
import { bearer, now, sign } from '../support/host.js'
import {
  api, missing, start, testBootErrors, testPlaces, testValues, testVendor, type Vendor
} from '../support/vendor.js'

const vendor: Vendor = {
  preset: (overrides) => keycloak({
    baseURL: 'https://sso.example.com/',
    realm: 'my realm',
    audience: 'tasks-api',
    ...overrides
  }),
  alg: 'RS256',
  id: 'e2bc9d63-0f2b-4d41-a1de-7f0c6b4f0a11',
  header: { typ: 'JWT' },
  claims: {
    aud: ['tasks-api', 'account'],
    typ: 'Bearer',
    azp: 'web',
    sid: 's',
    acr: '1',
    iat: now(),
    jti: 'onrtac:1',
    scope: 'openid profile',
    realm_access: { roles: ['user'] },
    preferred_username: 'alice'
  },
  accepted: {
    'typed as RFC 9068 has it': { header: { typ: 'at+jwt' } },
    'with the nonce of its client, as before version 25': { claims: { nonce: 'n' } },
    'for the API alone': { claims: { aud: 'tasks-api' } }
  },
  refused: {
    'without an audience mapper': { claims: { aud: 'account' } },
    'without aud': { claims: { aud: undefined } },
    'an ID token': { claims: { typ: 'ID', aud: 'web', at_hash: 'h', nonce: 'n' } },
    'an ID token for a client that is the API as well': { claims: { typ: 'ID', aud: 'tasks-api' } },
    'an offline token': { claims: { typ: 'Offline', aud: 'https://sso.example.com/realms/my%20realm' } },
    'a refresh token for the API': { claims: { typ: 'Refresh' } },
    'a logout token': {
      header: { typ: 'logout+jwt' },
      claims: { typ: 'Logout', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
    },
    'bound by DPoP': { claims: { typ: 'DPoP', cnf: { jkt: 'thumbprint' } } },
    'typ in another case': { claims: { typ: 'bearer' } },
    'without typ in the claims': { claims: { typ: undefined } },
    'of another realm': { claims: { iss: 'https://sso.example.com/realms/master' } },
    'of the realm under the old base path': { claims: { iss: 'https://sso.example.com/auth/realms/my%20realm' } }
  },
  machines: {
    'by its name alone': {
      id: '1f4db6ad-5e75-479c-b289-b8096ec1f4f4',
      claims: { preferred_username: 'service-account-crawler' }
    },
    'by its address alone': {
      id: '1f4db6ad-5e75-479c-b289-b8096ec1f4f4',
      claims: { clientHost: '10.0.0.1', preferred_username: undefined }
    },
    'service account': {
      id: '1f4db6ad-5e75-479c-b289-b8096ec1f4f4',
      claims: {
        azp: 'crawler',
        client_id: 'crawler',
        clientHost: '10.0.0.1',
        clientAddress: '10.0.0.1',
        preferred_username: 'service-account-crawler'
      }
    }
  }
}
testVendor('Keycloak', vendor)

testBootErrors([
  [
    () => keycloak({ baseURL: missing, realm: 'r', audience: api }),
    'option "keycloak.baseURL" must be the URL of Keycloak itself, such as https://sso.example.com, without the realm ' +
      'or the admin console'
  ],
  [
    () => keycloak({ baseURL: 'https://sso.example.com?realm=r', realm: 'r', audience: api }),
    'option "keycloak.baseURL"'
  ],
  [
    () => keycloak({ baseURL: 'https://sso.example.com', realm: missing, audience: api }),
    'option "keycloak.realm" must be the name of the realm, without a path or an escape'
  ],
  [() => keycloak({ baseURL: 'https://sso.example.com', realm: ' ', audience: api }), 'option "keycloak.realm"'],
  [
    () => keycloak({ baseURL: 'https://sso.example.com', realm: 'r', audience: missing }),
    'option "keycloak.audience" must be the client ID of the API, or a list of them, and not "account", which the ' +
      'tokens of all clients have'
  ],
  [
    () => keycloak({ baseURL: 'http://sso.example.com', realm: 'r', audience: api }),
    'option "issuers.0.jwksUri" is neither https'
  ]
])

testValues(keycloak, { baseURL: 'https://sso.example.com', realm: 'r', audience: 'tasks-api' }, {
  baseURL: [
    'https://sso.example.com/', 'https://sso.example.com/auth', 'http://localhost:8080',
    'https://sso.example.com/my-realms', 'https://sso.example.com/administration'
  ],
  realm: ['my realm', 'Réalm', 'a.b-c_d', 'x'],
  audience: ['accounting', 'https://api.example.com', 'my client', ['tasks-api', 'other']]
}, {
  baseURL: [
    'https://sso.example.com/realms/r', 'https://sso.example.com/auth/realms/r', 'https://sso.example.com/realms',
    'https://sso.example.com/realms/', 'https://sso.example.com/admin', 'https://sso.example.com/admin/master/console/',
    'https://sso.example.com/realms/r/protocol/openid-connect/certs', 'https://sso.example.com/#/r', 'sso.example.com',
    null
  ],
  realm: [
    'realms/r', '/r', 'r/', 'my%20realm', ' r', 'r ', 'https://sso.example.com/realms/r', 'a?b', 'a#b', 'a\\b', '', null
  ],
  audience: ['account', '', false, null, []],
  issuer: ['https://sso.example.com/realms/r/', 'https://SSO.example.com/realms/r'],
  url: ['https://sso.example.com']
})

testPlaces([
  [
    keycloak({ baseURL: 'https://sso.example.com', realm: 'r', audience: 'a' }),
    'https://sso.example.com/realms/r',
    'https://sso.example.com/realms/r/protocol/openid-connect/certs'
  ],
  [
    keycloak({ baseURL: 'https://sso.example.com/auth/', realm: 'r', audience: 'a' }),
    'https://sso.example.com/auth/realms/r',
    'https://sso.example.com/auth/realms/r/protocol/openid-connect/certs'
  ]
])

t.test('refresh tokens, which no published key signs, are refused', async (t) => {
  const { send } = await start(t, vendor)
  const iss = 'https://sso.example.com/realms/my%20realm'
  const tokens: Array<[what: string, token: string, code: string]> = [
    [
      'Keycloak',
      sign(
        { iss, aud: iss, sub: 'alice', typ: 'Refresh', azp: 'web', exp: now() + 60 },
        { header: { alg: 'HS512', typ: 'JWT', kid: 'one' }, hash: 'sha512' }
      ),
      'INVALID_TOKEN_SIGNATURE'
    ],
    ['Auth0', 'v1.MRjZ5hXo3nBk2bU0', 'MALFORMED_TOKEN'],
    ['Cognito', 'eyJjdHkiOiJKV1QifQ.a2V5.aXY.dGV4dA.dGFn', 'MALFORMED_TOKEN'],
    ['Entra', '0.AXkA8B3lQ4', 'MALFORMED_TOKEN']
  ]
  for (const [what, token, code] of tokens) {
    t.match(await send({ url: '/api/alice/tasks', headers: bearer(token) }), { status: 401, code }, what)
  }
})
