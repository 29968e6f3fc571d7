import t from 'tap'
import { clerk } from '../../lib/index.js'
import { now } from '../support/host.js'
import { sameLength } from '../support/same-length.js'
import { api, missing, testBootErrors, testPlaces, testValues, testVendor } from '../support/vendor.js'

testVendor('Clerk', {
  preset: (overrides) => clerk({
    frontendApi: 'https://clerk.example.com',
    authorizedParties: ['https://app.example.com', 'http://localhost:3000'],
    ...overrides
  }),
  alg: 'RS256',
  algorithms: ['RS256'],
  id: 'user_2p94zsO6sBvVZR5Ca0KfBNLM36Z',
  header: { typ: 'JWT', cat: 'cl_B7d4PD111AAA' },
  claims: {
    aud: undefined,
    azp: 'https://app.example.com',
    fva: [7, -1],
    iat: now(),
    nbf: now() - 10,
    jti: '10db7f531a90cb2faea4',
    sid: 'sess_123',
    sts: 'active',
    v: 2
  },
  accepted: {
    'of an organization': { claims: { o: { id: 'org_123', slg: 'acme', rol: 'admin' }, pla: 'u:free,o:pro' } },
    'of another application on the list': { claims: { azp: 'http://localhost:3000' } },
    'with a custom aud': { claims: { aud: 'convex' } }
  },
  refused: {
    'of another application': { claims: { azp: 'https://evil.example.com' } },
    'of an origin with a slash': { claims: { azp: 'https://app.example.com/' } },
    'without azp': { claims: { azp: undefined } },
    'azp as a list': { claims: { azp: ['https://app.example.com'] } },
    'of a JWT template': { claims: { aud: api, sid: undefined, sts: undefined, v: undefined } },
    'of a pending session': { claims: { sts: 'pending' } },
    'of an OAuth application': {
      header: { typ: 'at+jwt' },
      claims: { azp: undefined, sid: undefined, sts: undefined, client_id: 'client', scope: 'profile' }
    },
    'an ID token': { claims: { aud: 'client', azp: undefined, sid: undefined, sts: undefined, at_hash: 'h' } },
    'of another instance': { claims: { iss: 'https://other.clerk.accounts.dev' } }
  },
  machines: {
    'machine-to-machine': {
      id: 'mch_cron',
      claims: { azp: undefined, sid: undefined, sts: undefined, v: undefined, scopes: 'mch_api' },
      refused: true
    },
    // A machine chooses all claims of its JWT but iss, sub, exp, nbf, iat and jti (@clerk/backend 3.25.0, M2MToken.ts).
    'machine-to-machine, with the claims of a session': {
      id: 'mch_cron',
      header: { cat: 'cl_B7d4PD333AAA' },
      claims: { o: { id: 'org_123' }, scope: 'support' },
      refused: true
    }
  }
})

testBootErrors([
  [
    () => clerk({ frontendApi: missing, authorizedParties: api }),
    'option "clerk.frontendApi" must be the Frontend API URL in lower case, such as https://clerk.example.com'
  ],
  [() => clerk({ frontendApi: 'clerk.example.com', authorizedParties: api }), 'option "clerk.frontendApi"'],
  [() => clerk({ frontendApi: 'https://clerk.example.com/v1', authorizedParties: api }), 'option "clerk.frontendApi"'],
  [
    () => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: missing }),
    'option "clerk.authorizedParties" must be an origin as browsers write it, in lower case and without a slash at ' +
      'its end, such as https://app.example.com, or a list of them'
  ],
  [
    () => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: [] }),
    'option "clerk.authorizedParties"'
  ],
  [
    () => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: [api, ''] }),
    'option "clerk.authorizedParties"'
  ],
  [
    () => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: `${api}/` }),
    'option "clerk.authorizedParties"'
  ],
  [
    () => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: true as unknown as string }),
    'option "clerk.authorizedParties"'
  ]
])

testValues(clerk, { frontendApi: 'https://clerk.example.com', authorizedParties: api }, {
  frontendApi: ['https://verb-noun-00.clerk.accounts.dev', 'https://clerk.example.com/', 'http://localhost:3000',
    'http://localhost:8080'],
  authorizedParties: [
    'http://localhost:3000', 'https://xn--bcher-kva.example', 'http://[::1]:3000', 'capacitor://localhost',
    'chrome-extension://abcdefghijklmnop', 'http://app.example.com:443',
    'https://app.example.com:4430', 'http://localhost:8080', 'https://my_app.example.com',
    [api, 'http://localhost:3000']
  ]
}, {
  frontendApi: [
    'https://api.clerk.com', 'https://api.clerk.dev', 'https://Clerk.example.com', 'https://clerk.example.com:443',
    'https://clerk.example.com:443/', 'http://localhost:80/', 'clerk.example.com', 'pk_test_abc',
    'https://clerk.example.com/.well-known/jwks.json', 'capacitor://localhost', null
  ],
  authorizedParties: [
    `${api}/`, 'https://App.example.com', 'https://app.example.com:443', 'http://app.example.com:80',
    'https://*.example.com', '*',
    'app.example.com', 'https://app.example.com/path', 'https://bücher.example', ` ${api}`, '', null, []
  ],
  issuer: ['https://clerk.example.com/']
})

testPlaces([
  [
    clerk({ frontendApi: 'https://clerk.example.com/', authorizedParties: api }),
    'https://clerk.example.com',
    'https://clerk.example.com/.well-known/jwks.json'
  ]
])

t.test('a claim that the host states replaces that of the preset', async (t) => {
  t.match(clerk({
    frontendApi: 'https://clerk.example.com',
    authorizedParties: api,
    requiredClaims: { sts: ['active', 'pending'] }
  }), sameLength({
    requiredClaims: { azp: api, sid: true, sts: ['active', 'pending'] }
  }))
})
