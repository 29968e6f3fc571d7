import t from 'tap'
import { auth0 } from '../../lib/index.js'
import { compileMachine } from '../../lib/options/machine.js'
import { createIssuer } from '../../lib/testing/index.js'
import { bearer, build, now, refusals } from '../support/host.js'
import { api, missing, testBootErrors, testPlaces, testValues, testVendor } from '../support/vendor.js'

testVendor('Auth0, its own profile', {
  preset: (overrides) => auth0({ domain: 'tenant.eu.auth0.com', audience: api, ...overrides }),
  alg: 'RS256',
  algorithms: ['RS256', 'RS512', 'PS256'],
  id: 'auth0|6553da60a54af58e29493993',
  header: { typ: 'JWT' },
  claims: {
    aud: [api, 'https://tenant.eu.auth0.com/userinfo'],
    azp: 'client',
    scope: 'openid profile read:tasks',
    iat: now()
  },
  accepted: {
    'of a refresh': { claims: { aud: api, gty: 'refresh_token' } },
    'with permissions': { claims: { permissions: ['read:tasks'] } }
  },
  refused: {
    'an ID token': {
      claims: { aud: 'client', azp: undefined, scope: undefined, nonce: 'n', sid: 's', email: 'a@example.com' }
    },
    'an ID token for a client that is the API as well': {
      claims: { aud: api, azp: undefined, scope: undefined, nonce: 'n' }
    },
    'for another API': { claims: { aud: ['https://other.example.com', 'https://tenant.eu.auth0.com/userinfo'] } },
    'for userinfo alone': { claims: { aud: 'https://tenant.eu.auth0.com/userinfo' } },
    'without aud': { claims: { aud: undefined } },
    'of another tenant': { claims: { iss: 'https://other.eu.auth0.com/' } },
    'of another kind': { header: { typ: 'logout+jwt' } }
  },
  machines: {
    'client credentials': {
      id: 'machine@clients', claims: { aud: api, azp: 'machine', gty: 'client-credentials', scope: 'read:tasks' }
    },
    'by its grant alone': { id: 'alice', claims: { gty: 'client-credentials' } },
    'by its subject alone': { id: 'machine@clients', claims: { azp: 'other' } }
  }
})

testVendor('Auth0, RFC 9068 profile, PS256', {
  preset: (overrides) => auth0({
    domain: 'login.example.com/',
    audience: ['https://other.example.com', api],
    ...overrides
  }),
  alg: 'PS256',
  algorithms: ['RS256', 'RS512', 'PS256'],
  id: 'google-oauth2|103547991597142817347',
  header: { typ: 'at+jwt' },
  claims: { aud: api, client_id: 'client', jti: '73WakrfVbNJBaAmhQtEeDv', scope: 'openid', iat: now() },
  refused: {
    'an ID token': {
      header: { typ: 'JWT' },
      claims: { aud: 'client', client_id: undefined, scope: undefined, sid: 's' }
    },
    'for another API': { claims: { aud: 'https://third.example.com' } }
  },
  machines: {
    'client credentials': { id: 'machine@clients', claims: { client_id: 'machine', scope: 'read:tasks' } }
  }
})

testBootErrors([
  [
    () => auth0({ domain: missing, audience: api }),
    'option "auth0.domain" must be a host name in lower case, without https:// and a path, such as tenant.eu.auth0.com'
  ],
  [() => auth0({ domain: '', audience: api }), 'option "auth0.domain"'],
  [() => auth0({ domain: 'https://tenant.eu.auth0.com', audience: api }), 'option "auth0.domain"'],
  [() => auth0({ domain: 'tenant.eu.auth0.com/path', audience: api }), 'option "auth0.domain"'],
  [() => auth0({ domain: 'Tenant.eu.auth0.com', audience: api }), 'option "auth0.domain"'],
  [() => auth0({ domain: 'user@tenant.eu.auth0.com', audience: api }), 'option "auth0.domain"'],
  [
    () => auth0({ domain: 'tenant.eu.auth0.com', audience: missing }),
    'option "auth0.audience" must be the identifier of the API, or a list of them'
  ],
  [() => auth0({ domain: 'tenant.eu.auth0.com', audience: '' }), 'option "auth0.audience" must be'],
  [() => auth0({ domain: 'tenant.eu.auth0.com' } as Parameters<typeof auth0>[0]), 'option "auth0.audience" must be'],
  [
    () => auth0({ domain: 'tenant.eu.auth0.com', audience: api, audiance: api } as Parameters<typeof auth0>[0]),
    'unknown option "auth0.audiance"'
  ],
  [
    () => auth0({ domain: 'tenant.eu.auth0.com', audience: api, claims: {} } as Parameters<typeof auth0>[0]),
    'fetch; clockTolerance, maxTokenAge and claims are options of the plugin'
  ]
])

testValues(auth0, { domain: 'tenant.eu.auth0.com', audience: api }, {
  domain: ['login.example.com', 'tenant.auth0.com/', 'localhost:3000', 'auth.example.com:8443'],
  audience: [
    'tasks',
    'https://api.example.com/userinfo',
    'https://api.example.com/api/v2/',
    'https://tenant.eu.auth0.com/userinfo/tasks',
    'https://tenant.eu.auth0.com',
    'https://tenant.auth0.com.example.com/userinfo',
    'https://notauth0.com/userinfo',
    'urn:https://tenant.auth0.com/userinfo',
    'urn:api',
    [api, 'tasks'],
    'my api'
  ]
}, {
  domain: [
    'tenant', 'tenant.eu.auth0.com:443', 'tenant.eu.auth0.com:443/', 'TENANT.eu.auth0.com', 'tenant..com',
    '*.auth0.com', ' tenant.auth0.com', 'https://tenant.auth0.com'
  ],
  audience: [
    'https://tenant.eu.auth0.com/userinfo', 'https://tenant.eu.auth0.com/api/v2/', 'https://other.auth0.com/userinfo',
    ` ${api}`, `${api}\n`, '',
    false, null, []
  ],
  issuer: ['https://tenant.eu.auth0.com', 'https://Tenant.eu.auth0.com/', 'https://tenant.eu.auth0.com//'],
  audiance: [api]
})

t.test('a user of a database with the name of an application is a user', async (t) => {
  const { machine } = auth0({ domain: 'tenant.eu.auth0.com', audience: api })
  const isMachine = compileMachine(machine ?? {})
  t.same(['auth0|clients', 'custom|clients', 'x@clients'].map((sub) => isMachine({ sub })), [false, false, true])
})

t.test('the userinfo audience of a custom domain is refused too', async (t) => {
  t.throws(
    () => auth0({ domain: 'login.example.com', audience: 'https://login.example.com/userinfo' }),
    { message: /"auth0.audience" must be the/ }
  )
})

t.test('the log says what to do about an opaque or encrypted token', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { send, log } = await build(t, {
    issuers: [
      auth0({ domain: 'tenant.eu.auth0.com', audience: api, jwksUri: issuer.entry.jwksUri, algorithms: ['EdDSA'] })
    ]
  })
  const opaque = ['a_B3dE6gH9jK2mN5pQ8sT1vW4yZ7b-eF', 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.dGV4dA.dGFn']
  for (const token of opaque) {
    t.match(await send({ url: '/api/me', headers: bearer(token) }), { status: 401, code: 'MALFORMED_TOKEN' })
    const reason = refusals(log).at(-1)?.reason
    t.match(reason, /^an opaque or encrypted token, .*: request one with the "audience" of your API$/)
  }
})

testPlaces([
  [
    auth0({ domain: 'tenant.eu.auth0.com', audience: api }),
    'https://tenant.eu.auth0.com/',
    'https://tenant.eu.auth0.com/.well-known/jwks.json'
  ]
])
