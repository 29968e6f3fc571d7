import t from 'tap'
import { entra } from '../../lib/index.js'
import { bearer, now } from '../support/host.js'
import {
  guid, missing, own, start, testBootErrors, testPlaces, testValues, testVendor, type Vendor
} from '../support/vendor.js'

const oid = '00aa0aaa-0000-0000-66f3-3332eca7ea81'

const vendor: Vendor = {
  preset: (overrides) => entra({ tenantId: guid(1), audience: guid(2), ...overrides }),
  alg: 'RS256',
  algorithms: ['RS256'],
  id: oid,
  header: { typ: 'JWT' },
  otherAudience: guid(8),
  claims: {
    sub: 'pairwise',
    aud: guid(2),
    oid,
    tid: guid(1),
    ver: '2.0',
    azp: guid(4),
    azpacr: '0',
    scp: 'Tasks.Read',
    iat: now(),
    nbf: now(),
    uti: 'u'
  },
  accepted: { 'with app roles': { claims: { roles: ['Admin'] } } },
  refused: {
    'an ID token of the API\'s own registration': {
      claims: { azp: undefined, azpacr: undefined, scp: undefined, nonce: 'n', name: 'Alice' }
    },
    'an ID token without a nonce': { claims: { azp: undefined, azpacr: undefined, scp: undefined, roles: ['Admin'] } },
    'for another API': { claims: { aud: guid(5) } },
    'for the Application ID URI': { claims: { aud: `api://${guid(2)}` } },
    'of version 1.0': {
      claims: { iss: `https://sts.windows.net/${guid(1)}/`, ver: '1.0', appid: guid(4), azp: undefined }
    },
    'of version 1.0 under the other issuer': { claims: { ver: '1.0' } },
    'of another tenant': { claims: { iss: `https://login.microsoftonline.com/${guid(6)}/v2.0`, tid: guid(6) } },
    'of another tenant by tid': { claims: { tid: guid(6) } },
    'without tid': { claims: { tid: undefined } },
    'without oid': { claims: { oid: undefined }, code: 'MISSING_UID_CLAIM' }
  },
  machines: {
    'client credentials': {
      id: guid(7),
      claims: { sub: guid(7), oid: guid(7), scp: undefined, roles: ['Tasks.Read.All'], azpacr: '1' },
      refused: true
    }
  }
}
testVendor('Microsoft Entra ID', vendor)

t.test('Microsoft Entra ID: tokens of applications are recognized even without scp', async (t) => {
  const { send, token } = await start(t, {
    ...vendor,
    preset: (overrides) =>
      ({ ...vendor.preset(overrides), requiredClaims: { tid: guid(1), ver: '2.0', azp: [guid(4), guid(9)] } })
  })
  const claims = { sub: guid(7), oid: guid(7), scp: undefined, roles: ['Tasks.Read.All'], idtyp: 'app', azp: guid(9) }
  const headers = bearer(await token(guid(7), { claims }))
  t.match(await send({ url: own(guid(7)), headers }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
  t.match(await send({ url: '/api/me', headers }), { status: 200, body: { user: guid(7) } })
  // Entra gives any application of the tenant a token for the API, without roles.
  const other = await token(guid(7), { claims: { ...claims, roles: undefined, azp: guid(3) } })
  t.match(await send({ url: '/api/me', headers: bearer(other) }), { code: 'INVALID_CLAIMS' }, 'another application')
  t.match(await send({ url: own(vendor.id), headers: bearer(await token(vendor.id)) }), { status: 200 }, 'a user')
  const idToken = await token(vendor.id, { claims: { azp: undefined, scp: undefined } })
  t.match(await send({ url: '/api/me', headers: bearer(idToken) }), { code: 'INVALID_CLAIMS' }, 'an ID token')
})

testBootErrors([
  [
    () => entra({ tenantId: missing, audience: guid(2) }),
    'option "entra.tenantId" must be the directory (tenant) ID: a GUID in lower case'
  ],
  [() => entra({ tenantId: 'common', audience: guid(2) }), 'option "entra.tenantId"'],
  [() => entra({ tenantId: 'contoso.onmicrosoft.com', audience: guid(2) }), 'option "entra.tenantId"'],
  [
    () => entra({ tenantId: guid(1), audience: missing }),
    'option "entra.audience" must be the application (client) ID of your API, a GUID in lower case, or a list of ' +
      'them: v2.0 tokens never have its Application ID URI (api://…) for "aud"'
  ]
])

testValues(entra, { tenantId: guid(1), audience: guid(2) }, {
  audience: [[guid(2), guid(3)]]
}, {
  tenantId: [
    'common', 'organizations', 'consumers', 'contoso.onmicrosoft.com', guid(1).replaceAll('1', 'A'), `{${guid(1)}}`,
    ` ${guid(1)}`, `${guid(1)}/v2.0`, '', null
  ],
  audience: [
    `api://${guid(2)}`, 'api://tasks', 'https://contoso.com/tasks', guid(2).replaceAll('2', 'B'), `${guid(2)}/`,
    `${guid(2)}/.default`,
    '00000003-0000-0000-c000-000000000000', '', false, null, []
  ],
  issuer: [`https://login.microsoftonline.com/${guid(1)}/v2.0/`]
})

testPlaces([
  [
    entra({ tenantId: guid(1), audience: guid(2) }),
    `https://login.microsoftonline.com/${guid(1)}/v2.0`,
    `https://login.microsoftonline.com/${guid(1)}/discovery/v2.0/keys`
  ]
])
