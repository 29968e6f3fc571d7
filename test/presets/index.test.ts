import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope, { auth0, betterAuth, clerk, cognito, entra, InvalidOptionError, keycloak, type IssuerOptions } from '../../lib/index.js'
import { createIssuer, createKey } from '../../lib/testing/index.js'
import { bearer, build, now, refusals, sign } from '../support/host.js'

type Overrides = Partial<Omit<IssuerOptions, 'audience'>> & { audience?: string | string[] }

/** What differs from the access token of a user; undefined leaves a member out. */
interface Other { claims?: object, header?: object }

interface Vendor {
  preset: (overrides: Overrides) => IssuerOptions
  alg: string
  /** The user's id in the access token, and that token as the vendor documents it. */
  id: string
  header: object
  claims: object
  /** Further tokens of the same user. */
  accepted?: Record<string, Other>
  /** 401 INVALID_CLAIMS unless stated. */
  refused: Record<string, Other & { code?: string }>
  /** Tokens of applications, by their own subject: 403 on owner routes, let through on others; or refused everywhere. */
  machines: Record<string, Other & { id: string, refused?: boolean }>
}

const api = 'https://api.example.com'
const guid = (digit: number) => `${digit}`.repeat(8) + `-${digit}${digit}${digit}${digit}`.repeat(3) + '-' + `${digit}`.repeat(12)

const vendors: Record<string, Vendor> = {
  'Auth0, its own profile': {
    preset: (overrides) => auth0({ domain: 'tenant.eu.auth0.com', audience: api, ...overrides }),
    alg: 'RS256',
    id: 'auth0|6553da60a54af58e29493993',
    header: { typ: 'JWT' },
    claims: { aud: [api, 'https://tenant.eu.auth0.com/userinfo'], azp: 'client', scope: 'openid profile read:tasks', iat: now() },
    accepted: {
      'of a refresh': { claims: { aud: api, gty: 'refresh_token' } },
      'with permissions': { claims: { permissions: ['read:tasks'] } }
    },
    refused: {
      'an ID token': { claims: { aud: 'client', azp: undefined, scope: undefined, nonce: 'n', sid: 's', email: 'a@example.com' } },
      'an ID token for a client that is the API as well': { claims: { aud: api, azp: undefined, scope: undefined, nonce: 'n' } },
      'for another API': { claims: { aud: ['https://other.example.com', 'https://tenant.eu.auth0.com/userinfo'] } },
      'for userinfo alone': { claims: { aud: 'https://tenant.eu.auth0.com/userinfo' } },
      'without aud': { claims: { aud: undefined } },
      'of another tenant': { claims: { iss: 'https://other.eu.auth0.com/' } },
      'of another kind': { header: { typ: 'logout+jwt' } }
    },
    machines: {
      'client credentials': { id: 'machine@clients', claims: { aud: api, azp: 'machine', gty: 'client-credentials', scope: 'read:tasks' } }
    }
  },
  'Auth0, RFC 9068 profile, PS256': {
    preset: (overrides) => auth0({ domain: 'login.example.com/', audience: ['https://other.example.com', api], ...overrides }),
    alg: 'PS256',
    id: 'google-oauth2|103547991597142817347',
    header: { typ: 'at+jwt' },
    claims: { aud: api, client_id: 'client', jti: '73WakrfVbNJBaAmhQtEeDv', scope: 'openid', iat: now() },
    refused: {
      'an ID token': { header: { typ: 'JWT' }, claims: { aud: 'client', client_id: undefined, scope: undefined, sid: 's' } },
      'for another API': { claims: { aud: 'https://third.example.com' } }
    },
    machines: {
      'client credentials': { id: 'machine@clients', claims: { client_id: 'machine', scope: 'read:tasks' } }
    }
  },
  Clerk: {
    preset: (overrides) => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: ['https://app.example.com', 'http://localhost:3000'], ...overrides }),
    alg: 'RS256',
    id: 'user_2p94zsO6sBvVZR5Ca0KfBNLM36Z',
    header: { typ: 'JWT', cat: 'cl_B7d4PD111AAA' },
    claims: { aud: undefined, azp: 'https://app.example.com', fva: [7, -1], iat: now(), nbf: now() - 10, jti: '10db7f531a90cb2faea4', sid: 'sess_123', sts: 'active', v: 2 },
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
      'of an OAuth application': { header: { typ: 'at+jwt' }, claims: { azp: undefined, sid: undefined, sts: undefined, client_id: 'client', scope: 'profile' } },
      'an ID token': { claims: { aud: 'client', azp: undefined, sid: undefined, sts: undefined, at_hash: 'h' } },
      'of another instance': { claims: { iss: 'https://other.clerk.accounts.dev' } }
    },
    machines: {
      'machine-to-machine': { id: 'mch_cron', claims: { azp: undefined, sid: undefined, sts: undefined, v: undefined, scopes: 'mch_api' }, refused: true }
    }
  },
  Keycloak: {
    preset: (overrides) => keycloak({ baseURL: 'https://sso.example.com/', realm: 'my realm', audience: 'tasks-api', ...overrides }),
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
      'for the API alone': { claims: { aud: 'tasks-api' } }
    },
    refused: {
      'without an audience mapper': { claims: { aud: 'account' } },
      'without aud': { claims: { aud: undefined } },
      'an ID token': { claims: { typ: 'ID', aud: 'web', at_hash: 'h', nonce: 'n' } },
      'an ID token for a client that is the API as well': { claims: { typ: 'ID', aud: 'tasks-api' } },
      'an offline token': { claims: { typ: 'Offline', aud: 'https://sso.example.com/realms/my%20realm' } },
      'a refresh token for the API': { claims: { typ: 'Refresh' } },
      'a logout token': { header: { typ: 'logout+jwt' }, claims: { typ: 'Logout', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } } },
      'bound by DPoP': { claims: { typ: 'DPoP', cnf: { jkt: 'thumbprint' } } },
      'typ in another case': { claims: { typ: 'bearer' } },
      'without typ in the claims': { claims: { typ: undefined } },
      'of another realm': { claims: { iss: 'https://sso.example.com/realms/master' } },
      'of the realm under the old base path': { claims: { iss: 'https://sso.example.com/auth/realms/my%20realm' } }
    },
    machines: {
      'service account': {
        id: '1f4db6ad-5e75-479c-b289-b8096ec1f4f4',
        claims: { azp: 'crawler', client_id: 'crawler', clientHost: '10.0.0.1', clientAddress: '10.0.0.1', preferred_username: 'service-account-crawler' }
      }
    }
  },
  'Amazon Cognito': {
    preset: (overrides) => cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_KkrQqZ3v8', clientId: ['web', 'crawler'], ...overrides }),
    alg: 'RS256',
    id: 'c00c29ac-d0f1-7015-3677-2050463f38a6',
    header: {},
    claims: {
      aud: undefined,
      client_id: 'web',
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin',
      username: 'alice',
      'cognito:groups': ['admins'],
      auth_time: now(),
      iat: now(),
      jti: 'j',
      origin_jti: 'o',
      event_id: 'e',
      version: 2
    },
    accepted: { 'bound to a resource': { claims: { aud: api } } },
    refused: {
      'an ID token': { claims: { aud: 'web', client_id: undefined, token_use: 'id', at_hash: 'h', 'cognito:username': 'alice', username: undefined } },
      'an ID token that was given a client_id': { claims: { aud: 'web', token_use: 'id' } },
      'of another app client': { claims: { client_id: 'other' } },
      'without client_id': { claims: { client_id: undefined, aud: 'web' } },
      'without token_use': { claims: { token_use: undefined } },
      'of another user pool': { claims: { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aaaaaaaaa' } },
      'of an identity pool': { claims: { iss: 'https://cognito-identity.amazonaws.com' } }
    },
    machines: {
      'client credentials': { id: 'crawler', claims: { client_id: 'crawler', scope: 'tasks/read', username: undefined, 'cognito:groups': undefined, origin_jti: undefined } }
    }
  },
  'Microsoft Entra ID': {
    preset: (overrides) => entra({ tenantId: guid(1), audience: guid(2), ...overrides }),
    alg: 'RS256',
    id: guid(3),
    header: { typ: 'JWT' },
    claims: { sub: 'pairwise', aud: guid(2), oid: guid(3), tid: guid(1), ver: '2.0', azp: guid(4), azpacr: '0', scp: 'Tasks.Read', iat: now(), nbf: now(), uti: 'u' },
    accepted: { 'with app roles': { claims: { roles: ['Admin'] } } },
    refused: {
      'an ID token of the API\'s own registration': { claims: { azp: undefined, azpacr: undefined, scp: undefined, nonce: 'n', name: 'Alice' } },
      'an ID token without a nonce': { claims: { azp: undefined, azpacr: undefined, scp: undefined, roles: ['Admin'] } },
      'for another API': { claims: { aud: guid(5) } },
      'for the Application ID URI': { claims: { aud: `api://${guid(2)}` } },
      'of version 1.0': { claims: { iss: `https://sts.windows.net/${guid(1)}/`, ver: '1.0', appid: guid(4), azp: undefined } },
      'of version 1.0 under the other issuer': { claims: { ver: '1.0' } },
      'of another tenant': { claims: { iss: `https://login.microsoftonline.com/${guid(6)}/v2.0`, tid: guid(6) } },
      'of another tenant by tid': { claims: { tid: guid(6) } },
      'without tid': { claims: { tid: undefined } },
      'without oid': { claims: { oid: undefined }, code: 'MISSING_UID_CLAIM' }
    },
    machines: {
      'client credentials': { id: guid(7), claims: { sub: guid(7), oid: guid(7), scp: undefined, roles: ['Tasks.Read.All'], azpacr: '1' }, refused: true }
    }
  },
  'Better Auth, jwt()': {
    preset: (overrides) => betterAuth({ baseURL: 'https://auth.example.com/', ...overrides }),
    alg: 'EdDSA',
    id: 'x7Kq2',
    header: {},
    claims: { aud: 'https://auth.example.com', email: 'a@example.com', emailVerified: true, iat: now() },
    refused: {
      'of the OAuth provider': { header: { typ: 'at+jwt' }, claims: { iss: 'https://auth.example.com/api/auth', client_id: 'client' } },
      'an ID token': { claims: { iss: 'https://auth.example.com/api/auth', aud: 'client', at_hash: 'h' } },
      'for another audience': { claims: { aud: 'https://auth.example.com/' } }
    },
    machines: {}
  },
  'Better Auth, OAuth provider': {
    preset: (overrides) => betterAuth({ baseURL: 'https://auth.example.com', basePath: '/auth/', oauthProvider: true, audience: 'https://auth.example.com', ...overrides }),
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
  }
}

const keys = new Map(await Promise.all(['RS256', 'PS256', 'EdDSA'].map(async (alg) => [alg, await createKey('one', alg)] as const)))

/** A host with the preset whose keys are on loopback, and a maker of the vendor's tokens. */
async function start (t: Test, { preset, alg, header, claims }: Vendor) {
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [...keys.values()].filter((key) => key.alg === alg) })
  const entry = preset({ jwksUri: issuer.entry.jwksUri })
  const host = await build(t, { issuers: [entry] })
  return {
    ...host,
    entry,
    token: (id: string, other: Other = {}) => issuer.token({ id, iss: entry.issuer, ...claims, ...other.claims }, { header: { ...header, ...other.header } }),
    reason: () => String(refusals(host.log).at(-1)?.reason)
  }
}

const own = (id: string) => `/api/${encodeURIComponent(id)}/tasks`

for (const [name, vendor] of Object.entries(vendors)) {
  t.test(`${name}: access tokens of users`, async (t) => {
    const { send, token } = await start(t, vendor)
    for (const [what, other] of Object.entries({ 'as documented': {}, ...vendor.accepted })) {
      const headers = bearer(await token(vendor.id, other))
      t.match(await send({ url: own(vendor.id), headers }), { status: 200, body: { user: vendor.id } }, what)
      t.match(await send({ url: own('somebody-else'), headers }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' }, `${what}, the path of another`)
      t.match(await send({ url: own(vendor.id.toUpperCase() + 'X'), headers }), { status: 403 }, `${what}, another case`)
    }
  })

  t.test(`${name}: other tokens of the same keys`, async (t) => {
    const { send, token, entry, reason } = await start(t, vendor)
    const { issuer } = entry
    const issuers = [issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`, issuer.toUpperCase(), issuer.replace('https:', 'http:'), `${issuer}x`, ` ${issuer}`, undefined]
    const cases = {
      ...vendor.refused,
      ...Object.fromEntries(issuers.map((iss) => [`iss ${iss}`, { claims: { iss } }])),
      'iss as a list': { claims: { iss: [issuer] } },
      expired: { claims: { exp: now() - 1 }, code: 'TOKEN_EXPIRED' }
    }
    for (const [what, { code = 'INVALID_CLAIMS', ...other }] of Object.entries<Other & { code?: string }>(cases)) {
      const headers = bearer(await token(vendor.id, other))
      for (const url of [own(vendor.id), '/api/me']) t.match(await send({ url, headers }), { status: 401, code }, `${what}: ${reason()}`)
    }
  })

  for (const [what, { id, refused = false, ...other }] of Object.entries(vendor.machines)) {
    t.test(`${name}: the token of an application, ${what}`, async (t) => {
      const { send, token } = await start(t, vendor)
      const headers = bearer(await token(id, other))
      const answer = refused ? { status: 401, code: 'INVALID_CLAIMS' } : { status: 403, code: 'FORBIDDEN_USER_ACCESS' }
      t.match(await send({ url: own(id), headers }), answer, 'its own path')
      t.match(await send({ url: own(vendor.id), headers }), answer, 'the path of a user')
      t.match(await send({ url: '/api/me', headers }), refused ? answer : { status: 200, body: { user: id } }, 'no path')
    })
  }
}

t.test('Microsoft Entra ID: tokens of applications where the host asks for no scope', async (t) => {
  const { preset, ...vendor } = vendors['Microsoft Entra ID'] as Vendor
  const { send, token } = await start(t, {
    ...vendor, preset: (overrides) => ({ ...preset(overrides), requiredClaims: { tid: guid(1), ver: '2.0', azp: true } })
  })
  const claims = { sub: guid(7), oid: guid(7), scp: undefined, roles: ['Tasks.Read.All'], idtyp: 'app' }
  const headers = bearer(await token(guid(7), { claims }))
  t.match(await send({ url: own(guid(7)), headers }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
  t.match(await send({ url: '/api/me', headers }), { status: 200, body: { user: guid(7) } })
  t.match(await send({ url: '/api/me', headers: bearer(await token(vendor.id, { claims: { azp: undefined, scp: undefined } })) }), { code: 'INVALID_CLAIMS' }, 'an ID token')
})

t.test('refresh tokens, which no key of the set signs', async (t) => {
  const { send } = await start(t, vendors.Keycloak as Vendor)
  const iss = 'https://sso.example.com/realms/my%20realm'
  const tokens: Array<[what: string, token: string, code: string]> = [
    ['Keycloak', sign({ iss, aud: iss, sub: 'alice', typ: 'Refresh', azp: 'web', exp: now() + 60 }, { header: { alg: 'HS512', typ: 'JWT', kid: 'one' }, hash: 'sha512' }), 'INVALID_TOKEN_SIGNATURE'],
    ['Auth0', 'v1.MRjZ5hXo3nBk2bU0', 'MALFORMED_TOKEN'],
    ['Cognito', 'eyJjdHkiOiJKV1QifQ.a2V5.aXY.dGV4dA.dGFn', 'MALFORMED_TOKEN'],
    ['Entra', '0.AXkA8B3lQ4', 'MALFORMED_TOKEN']
  ]
  for (const [what, token, code] of tokens) t.match(await send({ url: '/api/alice/tasks', headers: bearer(token) }), { status: 401, code }, what)
})

const missing = undefined as unknown as string

t.test('what is missing or malformed stops the boot and is named', async (t) => {
  const cases: Array<[make: () => IssuerOptions, says: string]> = [
    [() => auth0({ domain: missing, audience: api }), 'option "auth0.domain" must be a host name in lower case, such as tenant.eu.auth0.com'],
    [() => auth0({ domain: '', audience: api }), 'option "auth0.domain"'],
    [() => auth0({ domain: 'https://tenant.eu.auth0.com', audience: api }), 'option "auth0.domain"'],
    [() => auth0({ domain: 'tenant.eu.auth0.com/path', audience: api }), 'option "auth0.domain"'],
    [() => auth0({ domain: 'Tenant.eu.auth0.com', audience: api }), 'option "auth0.domain"'],
    [() => auth0({ domain: 'user@tenant.eu.auth0.com', audience: api }), 'option "auth0.domain"'],
    [() => auth0({ domain: 'tenant.eu.auth0.com', audience: missing }), 'option "issuers.0.audience" must be'],
    [() => auth0({ domain: 'tenant.eu.auth0.com', audience: '' }), 'option "issuers.0.audience" must be'],
    [() => auth0({ domain: 'tenant.eu.auth0.com' } as Parameters<typeof auth0>[0]), 'option "issuers.0.audience" must be'],
    [() => auth0({ domain: 'tenant.eu.auth0.com', audience: api, audiance: api } as Parameters<typeof auth0>[0]), 'unknown option "issuers.0.audiance"'],
    [() => clerk({ frontendApi: missing, authorizedParties: api }), 'option "clerk.frontendApi" must be the Frontend API URL, such as https://clerk.example.com'],
    [() => clerk({ frontendApi: 'clerk.example.com', authorizedParties: api }), 'option "clerk.frontendApi"'],
    [() => clerk({ frontendApi: 'https://clerk.example.com/v1', authorizedParties: api }), 'option "clerk.frontendApi"'],
    [() => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: missing }), 'option "clerk.authorizedParties" must be an origin without a slash behind'],
    [() => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: [] }), 'option "clerk.authorizedParties"'],
    [() => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: [api, ''] }), 'option "clerk.authorizedParties"'],
    [() => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: `${api}/` }), 'option "clerk.authorizedParties"'],
    [() => clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: true as unknown as string }), 'option "clerk.authorizedParties"'],
    [() => keycloak({ baseURL: missing, realm: 'r', audience: api }), 'option "keycloak.baseURL" must be a URL, such as https://sso.example.com'],
    [() => keycloak({ baseURL: 'https://sso.example.com?realm=r', realm: 'r', audience: api }), 'option "keycloak.baseURL"'],
    [() => keycloak({ baseURL: 'https://sso.example.com', realm: missing, audience: api }), 'option "keycloak.realm" must be the name of the realm'],
    [() => keycloak({ baseURL: 'https://sso.example.com', realm: ' ', audience: api }), 'option "keycloak.realm"'],
    [() => keycloak({ baseURL: 'https://sso.example.com', realm: 'r', audience: missing }), 'option "issuers.0.audience" must be'],
    [() => keycloak({ baseURL: 'http://sso.example.com', realm: 'r', audience: api }), 'option "issuers.0.jwksUri" is neither https'],
    [() => cognito({ region: missing, userPoolId: 'eu-central-1_a', clientId: 'web' }), 'option "cognito.region" must be a region, such as eu-central-1'],
    [() => cognito({ region: 'eu-central-1', userPoolId: missing, clientId: 'web' }), 'option "cognito.userPoolId" must be the ID of a user pool of that region: "eu-central-1_" and letters or digits'],
    [() => cognito({ region: 'eu-west-1', userPoolId: 'eu-central-1_a', clientId: 'web' }), 'option "cognito.userPoolId"'],
    [() => cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_a', clientId: missing }), 'option "cognito.clientId" must be the ID of an app client, or a list of them'],
    [() => cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_a', clientId: ['web', ''] }), 'option "cognito.clientId"'],
    [() => entra({ tenantId: missing, audience: guid(2) }), 'option "entra.tenantId" must be the directory (tenant) ID: a GUID in lower case'],
    [() => entra({ tenantId: 'common', audience: guid(2) }), 'option "entra.tenantId"'],
    [() => entra({ tenantId: 'contoso.onmicrosoft.com', audience: guid(2) }), 'option "entra.tenantId"'],
    [() => entra({ tenantId: guid(1), audience: missing }), 'option "issuers.0.audience" must be'],
    ...[betterAuth, auth0, clerk, keycloak, cognito, entra].flatMap((preset): Array<[() => IssuerOptions, string]> => [undefined, null, 'x'].map((options) => [() => preset(options as never), `${preset.name}() must be given an object with its options`])),
    [() => betterAuth({ baseURL: missing }), 'option "betterAuth.baseURL" must be a URL, such as https://auth.example.com'],
    [() => betterAuth({ baseURL: 'auth.example.com' }), 'option "betterAuth.baseURL"'],
    [() => betterAuth({ baseURL: 'https://auth.example.com', basePath: 'api/auth' }), 'option "betterAuth.basePath" must be a path, such as /api/auth']
  ]
  for (const [make, says] of cases) {
    const error = await (async () => { await Fastify().register(userScope, { issuers: [make()] }) })().then(() => null, (error: Error) => error)
    t.ok(error instanceof InvalidOptionError && error.message.includes(says), `${says}: ${String(error)}`)
  }
})

t.test('any option of an entry may be stated beside', async (t) => {
  const options: Overrides = {
    issuer: 'https://proxy.example.com',
    audience: ['a'],
    jwksUri: 'https://proxy.example.com/keys',
    algorithms: ['ES256'],
    userIdClaim: 'uid',
    typ: 'x+jwt',
    lazy: true,
    timeout: 1,
    maxAge: 60,
    cooldown: 5,
    maxStale: 0,
    maxBytes: 4096,
    allowInsecureJwks: true,
    fetch: async () => Response.json({ keys: [] })
  }
  for (const [name, { preset }] of Object.entries(vendors)) {
    t.match(preset(options), options, name)
    t.match(preset({}), { issuer: /^https:\/\// }, `${name} is not changed by it`)
    const found = preset({ discovery: true })
    t.equal(found.discovery, true)
    t.notOk('jwksUri' in found, `${name}: discovery takes the place of the URL`)
    t.match(preset({ discovery: false }), { jwksUri: preset({}).jwksUri })
    t.same(preset({ requiredClaims: { org: 'acme' } }).requiredClaims, { ...preset({}).requiredClaims, org: 'acme' }, `${name}: claims are added`)
  }
  t.match(clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: api, requiredClaims: { sts: ['active', 'pending'] } }), {
    requiredClaims: { azp: api, sid: true, sts: ['active', 'pending'] }
  })
})

t.test('issuers and URLs are those that the vendors document', async (t) => {
  const urls: Array<[entry: IssuerOptions, issuer: string, jwksUri: string]> = [
    [auth0({ domain: 'tenant.eu.auth0.com', audience: api }), 'https://tenant.eu.auth0.com/', 'https://tenant.eu.auth0.com/.well-known/jwks.json'],
    [clerk({ frontendApi: 'https://clerk.example.com/', authorizedParties: api }), 'https://clerk.example.com', 'https://clerk.example.com/.well-known/jwks.json'],
    [keycloak({ baseURL: 'https://sso.example.com', realm: 'r', audience: 'a' }), 'https://sso.example.com/realms/r', 'https://sso.example.com/realms/r/protocol/openid-connect/certs'],
    [keycloak({ baseURL: 'https://sso.example.com/auth/', realm: 'r', audience: 'a' }), 'https://sso.example.com/auth/realms/r', 'https://sso.example.com/auth/realms/r/protocol/openid-connect/certs'],
    [cognito({ region: 'us-east-1', userPoolId: 'us-east-1_Ab1', clientId: 'c' }), 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1', 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1/.well-known/jwks.json'],
    [entra({ tenantId: guid(1), audience: guid(2) }), `https://login.microsoftonline.com/${guid(1)}/v2.0`, `https://login.microsoftonline.com/${guid(1)}/discovery/v2.0/keys`],
    [betterAuth({ baseURL: 'https://a.example.com/' }), 'https://a.example.com', 'https://a.example.com/api/auth/jwks'],
    [betterAuth({ baseURL: 'http://localhost:3000', oauthProvider: true, audience: 'api' }), 'http://localhost:3000/api/auth', 'http://localhost:3000/api/auth/jwks']
  ]
  for (const [entry, issuer, jwksUri] of urls) t.match(entry, { issuer, jwksUri })
})

t.test('the OAuth provider of Better Auth needs an audience', async (t) => {
  t.throws(() => betterAuth({ baseURL: 'https://auth.example.com', oauthProvider: true }), { code: 'FST_USER_SCOPE_INVALID_OPTION', message: /option "betterAuth.audience" is missing/ })
})

t.test('a token that is bound to a key of its sender is no bearer token', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { send } = await build(t, { issuers: [issuer.entry] })
  t.match(await send({ url: '/api/alice/tasks', headers: bearer(await issuer.token({ id: 'alice', cnf: { jkt: 'x' } })) }), { status: 401, code: 'INVALID_CLAIMS' })
})
