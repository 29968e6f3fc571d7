import { okta } from '../../lib/index.js'
import { now } from '../support/host.js'
import { missing, testBootErrors, testPlaces, testValues, testVendor } from '../support/vendor.js'

const domain = 'example.okta.com'
const issuer = 'https://example.okta.com/oauth2/default'

// https://developer.okta.com/docs/reference/api/oidc/#access-token
testVendor('Okta', {
  preset: (overrides) => okta({ domain, audience: 'api://default', ...overrides }),
  alg: 'RS256',
  algorithms: ['RS256'],
  id: '00uid4BxXw6I6TV4m0g3',
  header: {},
  claims: {
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    aud: 'api://default',
    sub: 'alice@example.com',
    uid: '00uid4BxXw6I6TV4m0g3',
    cid: 'nmdP1fcyvdVO11AL7ECm',
    scp: ['openid', 'tasks:read'],
    auth_time: now() - 10,
    iat: now()
  },
  accepted: { 'typed as RFC 9068 has it': { header: { typ: 'at+jwt' } } },
  refused: {
    'an ID token': { claims: { aud: 'nmdP1fcyvdVO11AL7ECm', cid: undefined, uid: undefined, at_hash: 'h' } },
    'an ID token of a client named as the API': { claims: { cid: undefined } },
    'of another authorization server': { claims: { iss: 'https://example.okta.com/oauth2/other' } },
    'of the org': { claims: { iss: 'https://example.okta.com' } },
    'of an application': {
      claims: { sub: 'nmdP1fcyvdVO11AL7ECm', uid: undefined }, code: 'MISSING_UID_CLAIM'
    }
  },
  machines: {}
})

testBootErrors([
  [
    () => okta({ domain: missing, audience: 'a' }),
    'option "okta.domain" must be a host name in lower case, without https://, a path and "-admin" (the console), such ' +
      'as example.okta.com'
  ],
  [
    () => okta({ domain, audience: missing }),
    'option "okta.audience" must be the audience of the authorization server, or a list of them'
  ],
  [
    () => okta({ domain, authorizationServer: '', audience: 'a' }),
    'option "okta.authorizationServer" must be the ID of a custom authorization server, such as default'
  ]
])

testValues(okta, { domain, audience: 'api://default' }, {
  domain: ['example.oktapreview.com', 'id.example.com', 'my-admin.example.com', `${domain}/`, 'localhost:8080'],
  authorizationServer: ['default', 'aus9o8wzkhckw9TLa0h7', 'a-b_c'],
  audience: ['api://default', 'https://api.example.com', ['a', 'b']]
}, {
  domain: [
    'https://example.okta.com', 'Example.okta.com', 'example-admin.okta.com', `${domain}/oauth2`, `${domain}:443`, '',
    null
  ],
  authorizationServer: ['', 'oauth2/default', issuer, null],
  audience: ['', ' ', false, null, []],
  issuer: [`${issuer}/`]
})

testPlaces([
  [okta({ domain, audience: 'a' }), issuer, `${issuer}/v1/keys`],
  [
    okta({ domain: `${domain}/`, authorizationServer: 'aus1', audience: 'a' }),
    'https://example.okta.com/oauth2/aus1',
    'https://example.okta.com/oauth2/aus1/v1/keys'
  ]
])
