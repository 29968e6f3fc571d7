import { createPublicKey, KeyObject, sign as signBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import type { JWK } from 'jose'
import t, { type Test } from 'tap'
import userScope, {
  betterAuth, InvalidOptionError, type IssuerAlgorithm, type IssuerOptions, type UserScopeOptions
} from '../../lib/index.js'
import { mediaType } from '../../lib/options/issuers.js'
import { readOptions } from '../../lib/options/settings.js'
import { createIssuer, createKey, type RemoteIssuer, type IssuerKey } from '../../lib/testing/index.js'
import { bearer, build, longSecret, now, otherSecret, refusals, secret, sign, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const entry = { issuer: 'https://issuer.example.com', audience: 'api', jwksUri: 'https://issuer.example.com/jwks' }

/** Why the boot stopped, or '' when it did not. */
const refusal = async (options: unknown): Promise<string> =>
  await Fastify().register(userScope, options as UserScopeOptions).then(() => '', (error: Error) => {
    if (!(error instanceof InvalidOptionError)) throw error
    return error.message.replace('fastify-user-scope: ', '')
  })

/** What each option does not take; undefined for those that must be there. */
const wrong: Record<string, { values: unknown[], says: string }> = {
  issuer: { values: [undefined, null, '', 5, ['a']], says: 'must be a non-empty string, compared with "iss" exactly' },
  audience: {
    values: [undefined, null, '', [], [''], ['api', 5], true, 5],
    says: 'must be a non-empty string or a list of them, without white space at their ends, of which "aud" must have ' +
      'one, or false with requiredClaims'
  },
  jwksUri: {
    values: ['', 5, null, ['https://issuer.example.com/jwks'], new URL('https://issuer.example.com/jwks')],
    says: 'must be the URL of the JWK Set, as a string'
  },
  discovery: { values: ['true', 1, null], says: 'must be true or false' },
  algorithms: {
    values: [[], 'RS256', null, ['RS256', 'RS256']],
    says: 'must be a list of EdDSA, Ed25519, ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, ' +
      'each at most once'
  },
  idPrefix: {
    values: ['a', 'a:b', ':a', 'a\u001f:', 'a\n:', '\u007f:', '\u009f:', 5, null],
    says: 'must be an empty string, or a text that ends in ":"'
  },
  userIdClaim: { values: ['', 5, null, ['sub']], says: 'must be the name of a claim' },
  scopeClaim: { values: ['', 5, null, ['scope']], says: 'must be the name of a claim' },
  typ: { values: ['', [], [''], 5, null], says: 'must be a non-empty string or a list of them' },
  requiredClaims: {
    values: [null, [], 'azp', 5], says: 'must be an object: claim name to true, a string or a list of strings'
  },
  machine: { values: [null, [], 'app', 5], says: 'must be an object: claim name to a string' },
  lazy: { values: ['yes', 0, null], says: 'must be true or false' },
  timeout: {
    values: [0, 0.09, 61, '5', Number.NaN, Infinity, null], says: 'must be a number of seconds from 0.1 to 60'
  },
  maxAge: { values: [0, 86_401, '600', Number.NaN], says: 'must be a number of seconds from 1 to 86400' },
  cooldown: { values: [0, 3601, '30'], says: 'must be a number of seconds from 1 to 3600' },
  maxStale: { values: [-1, 604_801, '0'], says: 'must be a number of seconds from 0 to 604800' },
  maxBytes: { values: [0, 1023, 1024.5, 16_777_217, '1 MB'], says: 'must be a number of bytes from 1024 to 16777216' },
  allowInsecureJwks: { values: ['yes', 1, null], says: 'must be true or false' },
  fetch: { values: [5, 'fetch', {}, null], says: 'must be a function like fetch' }
}

for (const [name, { values, says }] of Object.entries(wrong)) {
  t.test(`a wrong ${name} stops the boot`, async (t) => {
    for (const value of values) {
      const found = await refusal({ issuers: [{ ...entry, [name]: value }] })
      t.ok(found.startsWith(`option "issuers.0.${name}" ${says}`), `${JSON.stringify(value)}: ${found}`)
    }
  })
}

t.test('entries that contradict themselves or each other stop the boot', async (t) => {
  const cases: Array<[issuers: unknown, says: string]> = [
    [undefined, 'option "issuers" is undefined'],
    [[], 'option "issuers" must be a list of at least one'],
    [entry, 'option "issuers" must be a list of'],
    [[null], 'option "issuers.0" must be an object: { issuer, audience, jwksUri, … }'],
    [['https://issuer.example.com'], 'option "issuers.0" must be'],
    [[{ ...entry, audiance: 'api' }], 'unknown option "issuers.0.audiance"'],
    [[{ ...entry, secret }], 'unknown option "issuers.0.secret"'],
    [[{ audience: 'api', jwksUri: entry.jwksUri }], 'option "issuers.0.issuer" must be'],
    [[{ issuer: entry.issuer, jwksUri: entry.jwksUri }], 'option "issuers.0.audience" must be'],
    [
      [{ ...entry, audience: false }],
      'option "issuers.0.audience" is false and nothing stands in for it: tokens for every application of the issuer ' +
        'would pass. Fix: state the audience, or what tells your application in requiredClaims, such as { client_id: '
    ],
    ...[
      ...['iss', 'sub', 'exp', 'nbf', 'iat', 'jti', 'client_id'].map((claim) => ({ [claim]: true })),
      ...['iss', 'sub', 'exp', 'nbf', 'iat', 'jti'].map((claim) => ({ [claim]: 'x', client_id: true }))
    ].map((requiredClaims): [unknown, string] => [
      [{ ...entry, audience: false, requiredClaims }],
      'option "issuers.0.audience" is false and nothing stands in for it'
    ]),
    [
      [{ ...entry, audience: false, requiredClaims: {} }],
      'option "issuers.0.audience" is false and nothing stands in for it'
    ],
    [
      [betterAuth({ baseURL: 'https://auth.example.com', audience: false })],
      'option "issuers.0.audience" is false and nothing stands in for it'
    ],
    [
      [{ issuer: entry.issuer, audience: 'api' }],
      'option "issuers.0.jwksUri" is missing. Give it, or set discovery: true'
    ],
    [[{ ...entry, jwksUri: undefined }], 'option "issuers.0.jwksUri" is '],
    [[{ issuer: entry.issuer, audience: 'api', discovery: false }], 'option "issuers.0.jwksUri" is missing'],
    [[{ ...entry, discovery: true }], 'option "issuers.0.discovery" and jwksUri exclude each other'],
    [[{ issuer: 'issuer', audience: 'api', discovery: true }], 'option "issuers.0.issuer" is not a URL'],
    [[{ ...entry, issuer: 'secret' }], 'option "issuers.0.issuer" is "secret", which stands for tokens signed with'],
    [[entry, { ...entry, audience: 'other' }],
      'option "issuers.1.issuer" is already in the list. Merge the two entries'],
    [
      ['', 'a:', 'a:b:'].map((idPrefix) => ({ ...entry, issuer: `https://${idPrefix.length}.example.com`, idPrefix })),
      'option "issuers.2.idPrefix" begins with another entry\'s, "a:"'
    ],
    [[entry, { ...entry, issuer: 'https://other.example.com', timeout: 0 }], 'option "issuers.1.timeout" must be'],
    ...[true, [], '', [''], 5, '*a*', 'a*b', undefined].map((value): [unknown, string] =>
      [[{ ...entry, machine: { 'https://example.com/kind': value } }],
        'option "issuers.0.machine.https://example.com/kind" must be a string or a list of strings, each']),
    [[{ ...entry, algorithms: ['HS256'] }], 'option "issuers.0.algorithms'],
    [[{ ...entry, algorithms: ['RS256', 'HS512'] }], 'option "issuers.0.algorithms'],
    [[{ ...entry, algorithms: ['none'] }], 'option "issuers.0.algorithms'],
    [[{ ...entry, algorithms: ['rs256'] }], 'option "issuers.0.algorithms'],
    [[{ ...entry, algorithms: ['ES256K'] }], 'option "issuers.0.algorithms'],
    ...[false, '', [], [''], [5], 5, null, undefined].map((value): [unknown, string] =>
      [[{ ...entry, requiredClaims: { azp: value } }], 'option "issuers.0.requiredClaims']),
    [[{ ...entry, requiredClaims: { 'a\nb': 5 } }], 'option "issuers.0.requiredClaims']
  ]
  for (const [issuers, says] of cases) {
    const found = await refusal({ issuers })
    t.ok(found.startsWith(says), `${JSON.stringify(issuers)}: ${found}`)
  }
})

t.test('a claim may be required with any text, and a prefix may end like another', async (t) => {
  t.equal(await refusal({ issuers: [{ ...entry, requiredClaims: { azp: ' web ', org: ['\n', 'a b'] } }] }), '')
  const issuers = ['b:', 'ab:'].map((idPrefix) => ({ ...entry, issuer: `urn:${idPrefix}`, idPrefix }))
  t.equal(await refusal({ issuers }), '')
})

t.test('an entry without optional members has the defaults', async (t) => {
  const [settings] = readOptions({ issuers: [entry] }, {}).issuers
  t.match(settings, sameLength({
    timeout: 5000,
    maxAge: 600,
    cooldown: 30,
    maxStale: 86_400,
    maxBytes: 1_048_576,
    lazy: false,
    allowInsecureJwks: false,
    userIdClaim: 'sub',
    types: ['jwt'],
    idPrefix: ''
  }))
  t.same(settings?.requiredClaims, {})
})

t.test('an entry\'s own values replace the defaults', async (t) => {
  const fetch = async () => new Response()
  const stated = {
    ...{ maxAge: 60, cooldown: 7, maxStale: 0, maxBytes: 1024, lazy: true, allowInsecureJwks: true, fetch },
    ...{ userIdClaim: 'oid', scopeClaim: 'roles', idPrefix: 'a:' }
  }
  t.match(readOptions({ issuers: [{ ...entry, ...stated, timeout: 2, typ: 'at+jwt' }] }, {}).issuers[0], sameLength({
    ...stated, timeout: 2000, types: ['at+jwt']
  }))
})

t.test('a timeout may have any fraction of a second', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { jwksUri: _, ...found } = issuer.entry
  for (const timeout of [20.01, 30.1234, 40.001, 60]) {
    for (const entry of [issuer.entry, { ...found, discovery: true }]) {
      const { ask } = await start(t, { issuers: [{ ...entry, timeout }] })
      t.match(await ask(await issuer.token('alice')), { status: 200 }, `${timeout}`)
    }
  }
})

t.test('options that are present but undefined stop the boot', async (t) => {
  for (const name of Object.keys(wrong)) {
    const found = await refusal({ issuers: [{ ...entry, [name]: undefined }] })
    t.match(found, new RegExp(`option "issuers.0.${name}"`), name)
  }
})

t.test('a fault inside a list or a claim says what it must be', async (t) => {
  t.match(await refusal({ issuers: [{ ...entry, algorithms: ['HS256'] }] }), /EdDSA, Ed25519/)
  const found = await refusal({ issuers: [{ ...entry, requiredClaims: { azp: false } }] })
  t.match(found, /true, a string or a list of strings \(for other values: option "claims"\)$/)
})

t.test('jwksUri must be https, or http on loopback', async (t) => {
  const uris: Array<[uri: string, says: string, allowed?: string]> = [
    ['https://issuer.example.com/jwks', ''],
    ['HTTPS://issuer.example.com/jwks?version=2', ''],
    ['http://127.0.0.1:3000/jwks', ''],
    ['http://127.80.91.100/jwks', ''],
    ['http://2130706433/jwks', ''], // 127.0.0.1 to the URL parser
    ['http://[::1]:3000/jwks', ''],
    ['http://localhost:3000/jwks', ''],
    ['http://LOCALHOST/jwks', ''],
    ['http://issuer.example.com/jwks',
      'is neither https nor http on loopback: use https (or, for development only, allowInsecureJwks: true)', ''],
    ['http://10.0.0.1/jwks', 'is neither https', ''],
    ['http://127.0.0.1.example.com/jwks', 'is neither https', ''],
    ['http://localhost.example.com/jwks', 'is neither https', ''],
    ['http://not-localhost/jwks', 'is neither https', ''],
    ['http://[::ffff:10.0.0.1]/jwks', 'is neither https', ''],
    ['jwks', 'is not a URL', 'is not a URL'],
    ['/jwks', 'is not a URL', 'is not a URL'],
    ['https://', 'is not a URL', 'is not a URL']
  ]
  for (const [jwksUri, says, allowed = says] of uris) {
    for (const [stated, expected] of [
      [{}, says], [{ allowInsecureJwks: false }, says], [{ allowInsecureJwks: true }, allowed]
    ] as const) {
      const found = await refusal({ issuers: [{ ...entry, jwksUri, ...stated }] })
      const isExpected = expected ? found.startsWith(`option "issuers.0.jwksUri" ${expected}`) : found === ''
      t.ok(isExpected, `${jwksUri}, ${JSON.stringify(stated)}: ${found}`)
    }
  }
  for (const jwksUri of [
    'https://user:password@issuer.example.com/jwks', 'https://user@issuer.example.com/jwks',
    'http://:password@127.0.0.1/jwks'
  ]) {
    t.match(await refusal({ issuers: [{ ...entry, jwksUri }] }), 'has credentials in it', jwksUri)
    t.notMatch(await refusal({ issuers: [{ ...entry, jwksUri }] }), /user|:password@/, 'and they are not repeated')
  }
  for (const jwksUri of [
    'ftp://issuer.example.com/jwks', 'file:///etc/jwks.json', 'data:application/json,{}', 'ws://127.0.0.1/jwks'
  ]) {
    t.match(await refusal({ issuers: [{ ...entry, jwksUri }] }), 'is neither https', jwksUri)
  }
})

t.test('allowInsecureJwks allows plain http and nothing else', async (t) => {
  for (const jwksUri of [
    'https://user:password@issuer.example.com/jwks', 'ftp://issuer.example.com/jwks', 'file:///etc/jwks.json',
    'data:application/json,{}'
  ]) {
    const found = await refusal({ issuers: [{ ...entry, jwksUri, allowInsecureJwks: true }] })
    t.match(found, 'option "issuers.0.jwksUri"', jwksUri)
  }
})

t.test('entries are never changed, and may be frozen', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const frozen: IssuerOptions = Object.freeze({
    ...issuer.entry,
    audience: Object.freeze(['api']) as string[],
    algorithms: Object.freeze(['EdDSA']) as IssuerAlgorithm[],
    requiredClaims: Object.freeze({ azp: 'web' })
  })
  const copy = structuredClone(frozen)
  const { send } = await build(t, { issuers: [frozen] })
  t.same(frozen, copy)
  const token = await issuer.token({ id: 'alice', azp: 'web' })
  t.match(await send({ url: '/api/alice/tasks', headers: bearer(token) }), { status: 200 })
})

/** Sends tokens to a host of these options, and tells status, code and the reason in the log. */
async function start (t: Test, options: UserScopeOptions) {
  const { send, log, app } = await build(t, options)
  const ask = async (token: string, url = '/api/alice/tasks') => {
    const { status, code, body } = await send({ url, headers: bearer(token) })
    return { status, ...code && { code, reason: String(refusals(log).at(-1)?.reason) }, ...status === 200 && { body } }
  }
  return { ask, app, log }
}

const accepted = { status: 200, body: { user: 'alice' } }
const refused = (code: string) => ({ status: code === 'FORBIDDEN_USER_ACCESS' ? 403 : 401, code })

t.test('the environment', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { BETTER_AUTH_SECRET: before } = process.env
  t.teardown(() => {
    if (before === undefined) delete process.env.BETTER_AUTH_SECRET
    else process.env.BETTER_AUTH_SECRET = before
  })

  t.test('is not read if issuers are given', async (t) => {
    process.env.BETTER_AUTH_SECRET = secret
    const { ask } = await start(t, { issuers: [issuer.entry] })
    t.match(await ask(tokenFor('alice')), refused('INVALID_CLAIMS'))
    t.match(await ask(tokenFor('alice', { iss: issuer.url, aud: 'api' })), refused('INVALID_TOKEN_SIGNATURE'))
    t.match(await ask(tokenFor('alice', { iss: 'https://other.example.com' })), refused('INVALID_CLAIMS'))
    t.match(await ask(await issuer.token('alice')), accepted)
  })

  t.test('is not even checked', async (t) => {
    process.env.BETTER_AUTH_SECRET = 'short'
    await start(t, { issuers: [issuer.entry] })
  })

  t.test('tokens of both are accepted if the secret is stated too', async (t) => {
    process.env.BETTER_AUTH_SECRET = otherSecret
    const { ask } = await start(t, { secret, issuers: [{ ...issuer.entry, idPrefix: '' }] })
    t.match(await ask(await issuer.token('alice')), accepted)
    t.match(await ask(tokenFor('alice')), accepted)
    t.match(await ask(tokenFor('alice', { iss: 'https://other.example.com' })), accepted)
    const forgeries: Array<[token: string, what: string]> = [
      [tokenFor('alice', { iss: issuer.url, aud: 'api' }), 'the secret does not speak for the issuer'],
      [sign({ sub: 'alice', exp: now() + 60 }, { key: otherSecret }), 'the environment'],
      [await issuer.token({ id: 'alice', iss: undefined }), 'the issuer does not speak for the secret']
    ]
    for (const [token, what] of forgeries) t.match(await ask(token), refused('INVALID_TOKEN_SIGNATURE'), what)
  })
})

t.test('options for the secret do not apply to issuers, nor the other way round', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const unchecked = await createIssuer({ mode: 'jwks', t })
  const withoutAudience = { ...unchecked.entry, audience: false as const, requiredClaims: { azp: 'web' }, idPrefix: '' }
  const { ask } = await start(t, {
    secret: longSecret,
    issuer: 'https://app.example.com',
    audience: 'app',
    algorithms: ['HS512'],
    userIdClaim: 'uid',
    issuers: [{ ...issuer.entry, idPrefix: '' }, withoutAudience]
  })
  const own = { uid: 'alice', iss: 'https://app.example.com', aud: 'app', exp: now() + 60 }
  const hs512 = { header: { alg: 'HS512' }, key: longSecret, hash: 'sha512' }
  t.match(await ask(await issuer.token({ id: 'alice', uid: 'bob' })), accepted)
  t.match(await ask(await unchecked.token({ id: 'alice', azp: 'web' })), accepted)
  t.match(await ask(sign(own, hs512)), accepted)
  t.match(await ask(sign({ ...own, aud: 'api' }, hs512)), refused('INVALID_CLAIMS'))
  t.match(await ask(sign({ ...own, iss: 'https://other.example.com' }, hs512)), refused('INVALID_CLAIMS'))
  t.match(await ask(await issuer.token({ id: 'alice', aud: 'app' })), refused('INVALID_CLAIMS'))
  t.match(await ask(sign({ ...own, nonce: 'n', at_hash: 'h' }, hs512)), accepted, 'ID tokens are a matter of issuers')
})

const logout = { 'http://schemas.openid.net/event/backchannel-logout': {} }

t.test('only iss chooses the verifier', async (t) => {
  const [same, own] = await Promise.all([createKey('one'), createKey('two')])
  const a = await createIssuer({ mode: 'jwks', t, keys: [await createKey('one')] })
  const b = await createIssuer({ mode: 'jwks', t, keys: [same, own] })
  const { ask, app } = await start(t, { issuers: [{ ...a.entry, idPrefix: '' }, { ...b.entry, idPrefix: '' }] })
  const asked = () => [a.requests, b.requests]
  t.match(await ask(await a.token('alice')), accepted)
  t.match(await ask(await b.token('alice')), accepted)
  t.match(await ask(await b.token('alice', { key: own })), accepted)
  t.same(asked(), [1, 1])

  const wrongKeys: Array<[what: string, key: IssuerKey, header: Record<string, unknown>]> = [
    ['kid of both', same, {}], ['kid of the other', own, {}], ['no kid', own, { kid: undefined }]
  ]
  for (const [what, key, header] of wrongKeys) {
    t.match(await ask(await a.token('alice', { key, header })), refused('INVALID_TOKEN_SIGNATURE'), what)
  }
  const unknown = [
    'https://unknown.example.com', `${a.url}/`, a.url.toUpperCase(), `${a.url} `, '', null, 5, [a.url],
    { toString: a.url }, '__proto__', undefined
  ]
  for (const iss of unknown) {
    const reason = 'claim "iss" is not a configured issuer'
    const signed = await a.token({ id: 'alice', iss })
    t.match(await ask(signed), { ...refused('INVALID_CLAIMS'), reason }, JSON.stringify(iss))
    const unsigned = sign({ sub: 'alice', iss, exp: now() + 60 }, { header: { alg: 'none' } })
    t.match(await ask(unsigned), refused('INVALID_CLAIMS'), 'before algorithm and signature')
  }
  const issuers = `expected "${a.url}" or "${b.url}", received`
  for (const [claims, reason] of [
    [{ iss: undefined }, `${issuers} nothing`],
    [{ iss: `${a.url}/` }, `${issuers} "${a.url}/"`],
    [{ iss: 'x', email: 'a@example.org', uid: 'alice' }, `${issuers} "x"`],
    [{ iss: 'x', events: logout }, 'a logout token: send the access token instead']
  ] as const) {
    t.match(await ask(await a.token({ id: 'alice', ...claims })), { ...refused('INVALID_CLAIMS'), reason })
  }
  t.same(asked(), [1, 1], 'no request was made for any')
  t.same(app.userScope.issuers().map(({ issuer, keys }) => [issuer, keys]), [[a.url, ['one']], [b.url, ['one', 'two']]])
})

t.test('with a secret for one issuer, every other iss is unknown', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask } = await start(t, { secret, issuer: 'app', issuers: [{ ...issuer.entry, idPrefix: '' }] })
  const foreign = sign({ sub: 'alice', iss: 'other', exp: now() + 60 }, { key: otherSecret })
  t.match(await ask(foreign), {
    ...refused('INVALID_CLAIMS'), reason: `expected "${issuer.url}" or "app", received "other"`
  })
  t.match(await ask(tokenFor('alice', { iss: 'app' })), accepted)
})

t.test('a key set may have maxBytes bytes and no more', async (t) => {
  const keys = await Promise.all(['one', 'two', 'three'].map((kid) => createKey(kid, 'RS256')))
  const issuer = await createIssuer({ mode: 'jwks', t, keys })
  const bytes = Buffer.byteLength(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }))
  t.ok(bytes > 1024)
  const { ask } = await start(t, { issuers: [{ ...issuer.entry, maxBytes: bytes }] })
  t.match(await ask(await issuer.token('alice')), accepted)
  const unreachable = { code: 'FST_USER_SCOPE_KEYS_UNREACHABLE' }
  await t.rejects(start(t, { issuers: [{ ...issuer.entry, maxBytes: bytes - 1 }] }), unreachable)
  for (const [length, fits] of [[1_048_576, true], [1_048_577, false]] as const) {
    const set = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }).padEnd(length)
    const boot = start(t, { issuers: [{ ...issuer.entry, fetch: async () => new Response(set) }] })
    if (fits) t.match(await (await boot).ask(await issuer.token('alice')), accepted, 'by default, 1 MiB')
    else await t.rejects(boot, unreachable)
  }
})

t.test('a public key is never accepted as an HMAC secret', async (t) => {
  const key = await createKey('one', 'RS256')
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [key] })
  const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const forms = {
    pem,
    trimmed: pem.trim(),
    jwk: JSON.stringify(key.jwk),
    set: JSON.stringify({ keys: [key.jwk] }),
    n: String(key.jwk.n),
    der: der.toString('latin1'),
    base64: der.toString('base64')
  }
  const ofSecret: UserScopeOptions[] = [{}, { secret }, { secret: longSecret, algorithms: ['HS256', 'HS384', 'HS512'] }]
  for (const options of ofSecret) {
    const { ask } = await start(t, { ...options, issuers: [{ ...issuer.entry, idPrefix: '', algorithms: ['RS256'] }] })
    t.match(await ask(await issuer.token('alice')), accepted)
    for (const [form, material] of Object.entries(forms)) {
      for (const [alg, hash] of [['HS256', 'sha256'], ['HS512', 'sha512'], ['RS256', 'sha256']] as const) {
        const claims = { sub: 'alice', iss: issuer.url, aud: 'api', exp: now() + 60 }
        const forged = sign(claims, { header: { alg, kid: 'one' }, key: material, hash })
        t.match(await ask(forged), refused('INVALID_TOKEN_SIGNATURE'), `${form}, ${alg}`)
      }
    }
  }
})

const withoutAlg = ({ alg, ...jwk }: JWK): JWK => jwk

t.test('every algorithm of the list works', async (t) => {
  const algorithms: IssuerAlgorithm[] = [
    'EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'
  ]
  const keys = await Promise.all(algorithms.map((alg) => createKey(alg, alg)))
  for (const marked of [true, false]) {
    // Without alg in the set, too, as some issuers publish their keys; then only what the key can do limits it.
    const published = keys.map((key) => ({ ...key, jwk: marked ? key.jwk : withoutAlg(key.jwk) }))
    const issuer = await createIssuer({ mode: 'jwks', t, keys: published })
    const all = await start(t, { issuers: [issuer.entry] })
    for (const key of issuer.keys) {
      t.match(await all.ask(await issuer.token('alice', { key })), accepted, key.alg)
      const one = await start(t, { issuers: [{ ...issuer.entry, algorithms: [key.alg as IssuerAlgorithm] }] })
      for (const other of issuer.keys) {
        const expected = other === key ? accepted : refused('INVALID_TOKEN_SIGNATURE')
        const what = `${other.alg} where ${key.alg} is configured`
        t.match(await one.ask(await issuer.token('alice', { key: other })), expected, what)
      }
    }
    t.equal(issuer.requests, 1 + keys.length, 'the keys were fetched once for each host')
  }
})

/** A JWS of exactly this header and payload, signed by an Ed25519 key. */
function raw (issuer: RemoteIssuer, header: object, claims: object = {}): string {
  const [key] = issuer.keys as [IssuerKey]
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const payload = { sub: 'alice', iss: issuer.url, aud: 'api', exp: now() + 60, ...claims }
  const input = `${encode({ alg: 'EdDSA', kid: key.kid, ...header })}.${encode(payload)}`
  return `${input}.${signBytes(null, Buffer.from(input), KeyObject.from(key.privateKey)).toString('base64url')}`
}

t.test('header parameters of issuers\' tokens are checked', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask } = await start(t, { issuers: [issuer.entry] })
  const [{ jwk }] = issuer.keys as [IssuerKey]
  t.match(await ask(raw(issuer, {})), accepted)
  t.match(await ask(raw(issuer, { kid: undefined })), accepted, 'one key, no kid')
  t.match(await ask(raw(issuer, { typ: 'jwt', x5t: 'thumbprint', cat: 'cl' })), accepted, 'members of no consequence')
  for (const header of [
    { crit: ['exp'], exp: 1 }, { crit: ['b64'], b64: true }, { crit: ['unknown'], unknown: 1 },
    { b64: true }, { zip: 'DEF' }, { enc: 'A256GCM' }, { cty: 'JWT' },
    { jwk }, { jku: `${issuer.url}/jwks` }, { x5u: issuer.url }, { x5c: ['MII'] },
    { typ: 'at+jwt' }, { typ: 5 }, { typ: null }
  ]) t.match(await ask(raw(issuer, header)), refused('INVALID_CLAIMS'), JSON.stringify(header))
  for (const header of [
    { crit: [] }, { crit: 'exp' }, { crit: null }, { crit: ['missing'] }, { crit: ['b64'], b64: false }, { b64: false }
  ]) {
    t.match(await ask(raw(issuer, header)), { status: 401 }, JSON.stringify(header))
  }
  for (const header of [
    { alg: 'none' }, { alg: undefined }, { alg: 'HS256' }, { alg: 'ES256' }, { alg: ['EdDSA'] }, { alg: null },
    { alg: 'eddsa' }, { kid: 'unknown' }
  ]) {
    t.match(await ask(raw(issuer, header)), refused('INVALID_TOKEN_SIGNATURE'), JSON.stringify(header))
  }
  const hmac = sign(
    { sub: 'alice', iss: issuer.url, aud: 'api', exp: now() + 60 },
    { header: { alg: 'HS256', crit: ['x'], x: 1 } }
  )
  t.match(await ask(hmac), refused('INVALID_TOKEN_SIGNATURE'), 'the algorithm before crit')
  t.equal(issuer.requests, 1)
})

t.test('typ must be one of the configured values', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const jwt = [undefined, 'JWT', 'jwt', 'application/jwt', 'Application/JWT']
  const atJwt = ['at+jwt', 'AT+JWT', 'application/at+jwt']
  const others = [
    'logout+jwt', 'dpop+jwt', 'application/logout+jwt', 'text/jwt', 'application/application/jwt', 'application/',
    'JWS', ''
  ]
  const lists: Array<[typ: IssuerOptions['typ'], fits: Array<string | undefined>]> = [
    [undefined, jwt],
    ['JWT', jwt],
    ['application/jwt', jwt],
    ['at+jwt', atJwt],
    ['application/at+jwt', atJwt],
    ['APPLICATION/AT+JWT', atJwt],
    [['JWT', 'at+jwt'], [...jwt, ...atJwt]]
  ]
  for (const [typ, fits] of lists) {
    const { ask } = await start(t, { issuers: [{ ...issuer.entry, ...typ && { typ } }] })
    for (const found of [...jwt, ...atJwt, ...others]) {
      const expected = fits.includes(found) ? accepted : refused('INVALID_CLAIMS')
      const answer = await ask(await issuer.token('alice', { header: { typ: found } }))
      t.match(answer, expected, `${found} where ${String(typ)} is configured`)
    }
  }
})

/** Claims of a token → what becomes of it. */
type Cases = Array<[claims: object, outcome: typeof accepted | ReturnType<typeof refused>]>

interface ClaimCases {
  options?: Omit<UserScopeOptions, 'issuers'>
  entry?: Partial<IssuerOptions>
  cases: Cases
}

const claimCases: Record<string, ClaimCases> = {
  'audience, one': {
    cases: [
      [{ aud: 'api' }, accepted],
      [{ aud: ['api'] }, accepted],
      [{ aud: ['other', 'api'] }, accepted],
      ...[undefined, '', 'API', 'api/', 'api,other', [], ['other'], ['api', 5], [['api']], { api: true }, null, true]
        .map((aud): Cases[number] => [{ aud }, refused('INVALID_CLAIMS')])
    ]
  },
  'audience, several': {
    entry: { audience: ['api', 'https://api.example.com/'] },
    cases: [
      [{ aud: 'api' }, accepted],
      [{ aud: 'https://api.example.com/' }, accepted],
      [{ aud: ['https://api.example.com/', 'other'] }, accepted],
      ...[undefined, 'https://api.example.com', 'other', ['other']]
        .map((aud): Cases[number] => [{ aud }, refused('INVALID_CLAIMS')])
    ]
  },
  'audience, not checked': {
    entry: { audience: false, requiredClaims: { azp: 'web' } },
    cases: [undefined, 'other', ['other']].map((aud): Cases[number] => [{ aud, azp: 'web' }, accepted])
  },
  'userIdClaim by default': {
    cases: [
      [{ uid: 'bob' }, accepted],
      [{ uid: '' }, accepted],
      [{ uid: 'alice', sub: 'bob' }, refused('FORBIDDEN_USER_ACCESS')],
      [{ uid: 'alice', sub: undefined }, refused('MISSING_UID_CLAIM')],
      [{ id: 'alice', userId: 'alice', user_id: 'alice', sub: undefined }, refused('MISSING_UID_CLAIM')],
      ...['', ' ', 5, null, ['alice'], { id: 'alice' }, 'alice\n']
        .map((sub): Cases[number] => [{ sub }, refused('MISSING_UID_CLAIM')])
    ]
  },
  'userIdClaim, stated': {
    entry: { userIdClaim: 'https://example.com/uid' },
    cases: [
      [{ sub: 'bob', 'https://example.com/uid': 'alice' }, accepted],
      [{ sub: 'alice' }, refused('MISSING_UID_CLAIM')],
      [{ sub: 'alice', 'https://example.com/uid': '' }, refused('MISSING_UID_CLAIM')]
    ]
  },
  'userIdClaim, a name of every object': {
    entry: { userIdClaim: 'toString' },
    cases: [[{}, refused('MISSING_UID_CLAIM')], [{ toString: 'alice' }, accepted]]
  },
  requiredClaims: {
    entry: { requiredClaims: { azp: ['web', 'mobile'], use: 'access', sid: true, constructor: true as const } },
    cases: [
      [{ azp: 'web', use: 'access', sid: 's', constructor: 'c' }, accepted],
      [{ azp: 'mobile', use: 'access', sid: '', constructor: 0 }, accepted],
      ...[
        { azp: undefined }, { azp: 'other' }, { azp: 'WEB' }, { azp: ['web'] }, { azp: true }, { azp: 'web,mobile' },
        { use: undefined }, { use: 'id' }, { use: '' }, { sid: undefined }, { constructor: undefined },
        { sid: false }, { sid: null }
      ].map((claims): Cases[number] =>
        [{ azp: 'web', use: 'access', sid: 's', constructor: 'c', ...claims }, refused('INVALID_CLAIMS')])
    ]
  },
  'ID tokens': {
    cases: ['nonce', 'at_hash', 'c_hash'].flatMap((name): Cases => [
      [{ [name]: 'x' }, refused('INVALID_CLAIMS')], [{ [name]: null }, refused('INVALID_CLAIMS')]
    ])
  },
  'tokens that are bound to a key of their sender': { cases: [[{ cnf: { jkt: 'x' } }, refused('INVALID_CLAIMS')]] },
  'tokens of another purpose': {
    cases: [
      ...['events', 'requestType', 'session', 'user'].map((name): Cases[number] => [{ [name]: 'x' }, accepted]),
      [{ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, refused('INVALID_CLAIMS')],
      [{ session: { token: 'x' }, user: { id: 'alice' }, requestType: 'x', email: 'a@example.org' }, accepted]
    ]
  },
  times: {
    cases: [
      [{ exp: now() - 6 }, refused('TOKEN_EXPIRED')],
      ...[undefined, '9999999999', null, 1e308, Infinity].map(
        (exp): Cases[number] => [{ exp }, refused('INVALID_CLAIMS')]
      ),
      [{ nbf: now() + 3600 }, refused('INVALID_CLAIMS')],
      [{ nbf: now() - 1 }, accepted],
      [{ iat: now() + 3600 }, refused('INVALID_CLAIMS')],
      [{ iat: -1 }, refused('INVALID_CLAIMS')]
    ]
  },
  clockTolerance: {
    options: { clockTolerance: 1000 },
    cases: [
      [{ exp: now() - 10 }, accepted],
      [{ exp: now() - 1001 }, refused('TOKEN_EXPIRED')],
      [{ nbf: now() + 400, iat: now() + 400 }, accepted],
      [{ nbf: now() + 3000 }, refused('INVALID_CLAIMS')],
      [{ iat: now() + 3000 }, refused('INVALID_CLAIMS')]
    ]
  },
  maxTokenAge: {
    options: { maxTokenAge: 600 },
    cases: [
      [{ iat: now() - 30 }, accepted],
      [{ iat: now() - 610 }, refused('TOKEN_EXPIRED')],
      [{ iat: undefined }, refused('INVALID_CLAIMS')]
    ]
  },
  'claims schema': {
    options: { claims: Type.Object({ role: Type.Literal('member') }) },
    cases: [
      [{ role: 'member' }, accepted], [{ role: 'admin' }, refused('INVALID_CLAIMS')], [{}, refused('INVALID_CLAIMS')]
    ]
  }
}

for (const [name, { options, entry, cases }] of Object.entries(claimCases)) {
  t.test(`claims: ${name}`, async (t) => {
    const issuer = await createIssuer({ mode: 'jwks', t })
    const { ask } = await start(t, { ...options, issuers: [{ ...issuer.entry, ...entry }] })
    for (const [claims, outcome] of cases) t.match(await ask(raw(issuer, {}, claims)), outcome, JSON.stringify(claims))
  })
}

t.test('options for secrets stop the boot if no secret is given', async (t) => {
  const cases: Array<[options: UserScopeOptions, message: RegExp]> = [
    [{ issuer: 'x' }, new RegExp('option "issuer" is for tokens signed with a secret, and no secret is given. ' +
      'State it in the entries of option "issuers", or give the option "secret"')],
    [{ audience: 'x' }, /option "audience" is for tokens signed with a secret/],
    [{ algorithms: ['HS256'] }, /option "algorithms" is for/],
    [{ userIdClaim: 'x' }, /option "userIdClaim" is for/],
    [{ scopeClaim: 'x' }, /option "scopeClaim" is for/],
    [{ secret, issuer: 'https://issuer.example' }, new RegExp('option "issuer" is that of an entry in option ' +
      '"issuers", whose keys verify all its tokens. Leave one of them out')]
  ]
  for (const [options, message] of cases) {
    await t.rejects(async () => {
      const other = { issuer: 'https://issuer.example', audience: 'api', jwksUri: 'https://issuer.example/jwks' }
      await Fastify().register(userScope, { ...options, issuers: [other] })
    }, { code: 'FST_USER_SCOPE_INVALID_OPTION', message })
  }
})

t.test('all spellings of a media type become the same', async (t) => {
  const rows: Array<[typ: string, one: string]> = [
    ['JWT', 'jwt'],
    ['application/jwt', 'jwt'],
    ['Application/AT+JWT', 'at+jwt'],
    ['at+jwt', 'at+jwt'],
    ['text/jwt', 'text/jwt'],
    ['application/x/jwt', 'application/x/jwt'],
    ['application/application/jwt', 'application/application/jwt'],
    ['application/', 'application/'],
    [' application/jwt', ' application/jwt'],
    ['', '']
  ]
  for (const [typ, one] of rows) t.equal(mediaType(typ), one)
})
