import { mock } from 'node:test'
import t from 'tap'
import { refuse } from '../../lib/contract/errors.js'
import type { UserScopeOptions } from '../../lib/index.js'
import type { ClaimRules } from '../../lib/options/settings.js'
import { createClaimsReader } from '../../lib/token/claims-reader.js'
import { bearer, build, challengeOf, refusals, sign } from '../support/host.js'
import { reason } from '../support/reason.js'
import { sameLength } from '../support/same-length.js'

// The clock stands at this second in every test of this file.
const now = 1_800_000_000
mock.timers.enable({ apis: ['Date'], now: now * 1000 })
const exp = now + 60

type Row = [what: string, claims: object | string, code?: string]

/** Sends a token with each row's claims; no code means that it is let in as alice. */
function table (name: string, options: UserScopeOptions, rows: Row[], header?: object): void {
  t.test(name, async (t) => {
    const { send, log } = await build(t, options)
    for (const [what, claims, code] of rows) {
      log.length = 0
      const token = sign(typeof claims === 'string' ? claims : { sub: 'alice', exp, ...claims }, header && { header })
      const answer = await send({ url: '/api/me', headers: bearer(token) })
      t.match(answer, code ? { status: 401, code } : { status: 200, body: { user: 'alice' } }, what)
      t.equal(refusals(log).length, code ? 1 : 0, `${what}: one line for a refusal`)
    }
  })
}

const noDates: unknown[] = ['1800000060', '', null, true, false, [], [exp], {}, { exp }, '2027-01-01']
const json = (claim: string, value: string) => `{"sub":"alice","exp":${exp},"${claim}":${value}}`

const exact = { clockTolerance: 0 }

table('exp', exact, [
  ['missing', { exp: undefined }, 'INVALID_CLAIMS'],
  ...noDates.map((value): Row => [`is ${JSON.stringify(value)}`, { exp: value }, 'INVALID_CLAIMS']),
  ['one second ahead', { exp: now + 1 }],
  ['a fraction of a second ahead', { exp: now + 0.001 }],
  ['now', { exp: now }, 'TOKEN_EXPIRED'],
  ['a second ago', { exp: now - 1 }, 'TOKEN_EXPIRED'],
  ['0', { exp: 0 }, 'TOKEN_EXPIRED'],
  ['negative', { exp: -1 }, 'TOKEN_EXPIRED'],
  ['far in the past', { exp: -1e20 }, 'TOKEN_EXPIRED'],
  ['the last second of 9999', { exp: 253_402_300_799 }],
  ['a second later', { exp: 253_402_300_800 }, 'INVALID_CLAIMS'],
  ['milliseconds', { exp: exp * 1000 }, 'INVALID_CLAIMS'],
  ['1e308', json('exp', '1e308'), 'INVALID_CLAIMS'],
  ['too large for a double', json('exp', '1e999'), 'INVALID_CLAIMS'],
  ['too negative for a double', json('exp', '-1e999'), 'INVALID_CLAIMS']
])

table('nbf', exact, [
  ...noDates.map((value): Row => [`is ${JSON.stringify(value)}`, { nbf: value }, 'INVALID_CLAIMS']),
  ['now', { nbf: now }],
  ['past', { nbf: 0 }],
  ['negative', { nbf: -1e20 }],
  ['a fraction ahead', { nbf: now + 0.5 }, 'INVALID_CLAIMS'],
  ['ahead', { nbf: now + 1 }, 'INVALID_CLAIMS'],
  ['1e999', json('nbf', '1e999'), 'INVALID_CLAIMS'],
  ['-1e999', json('nbf', '-1e999'), 'INVALID_CLAIMS']
])

table('iat', exact, [
  ...noDates.map((value): Row => [`is ${JSON.stringify(value)}`, { iat: value }, 'INVALID_CLAIMS']),
  ['now', { iat: now }],
  ['0', { iat: 0 }],
  ['negative', { iat: -1 }, 'INVALID_CLAIMS'],
  ['a fraction ahead', { iat: now + 0.5 }, 'INVALID_CLAIMS'],
  ['ahead', { iat: now + 1 }, 'INVALID_CLAIMS'],
  ['1e999', json('iat', '1e999'), 'INVALID_CLAIMS']
])

table('clockTolerance by default', {}, [
  ['exp within', { exp: now - 4.999 }],
  ['exp at its end', { exp: now - 5 }, 'TOKEN_EXPIRED'],
  ['nbf within', { nbf: now + 5 }],
  ['nbf beyond', { nbf: now + 5.001 }, 'INVALID_CLAIMS'],
  ['iat within', { iat: now + 5 }],
  ['iat beyond', { iat: now + 5.001 }, 'INVALID_CLAIMS']
])

table('maxTokenAge and clockTolerance by default', { maxTokenAge: 100 }, [
  ['within', { iat: now - 104.999 }],
  ['beyond', { iat: now - 105 }, 'TOKEN_EXPIRED']
])

table('clockTolerance', { clockTolerance: 10 }, [
  ['exp within', { exp: now - 9 }],
  ['exp at its end', { exp: now - 10 }, 'TOKEN_EXPIRED'],
  ['nbf within', { nbf: now + 10 }],
  ['nbf beyond', { nbf: now + 11 }, 'INVALID_CLAIMS'],
  ['iat within', { iat: now + 10 }],
  ['iat beyond', { iat: now + 11 }, 'INVALID_CLAIMS']
])

table('maxTokenAge', { maxTokenAge: 100, clockTolerance: 0 }, [
  ['younger', { iat: now - 99 }],
  ['as old', { iat: now - 100 }, 'TOKEN_EXPIRED'],
  ['older', { iat: now - 1000 }, 'TOKEN_EXPIRED'],
  ['no iat', {}, 'INVALID_CLAIMS'],
  ['iat null', { iat: null }, 'INVALID_CLAIMS']
])

table('maxTokenAge and clockTolerance', { maxTokenAge: 100, clockTolerance: 10 }, [
  ['within', { iat: now - 109 }],
  ['beyond', { iat: now - 110 }, 'TOKEN_EXPIRED']
])

const issuer = 'https://auth.example.com'
table('issuer', { issuer }, [
  ['equal', { iss: issuer }],
  ...[
    undefined, '', `${issuer}/`, 'HTTPS://auth.example.com', ` ${issuer}`, 'https://auth.example.com.evil.example',
    null, 1, [issuer], { issuer }
  ].map((iss): Row => [`is ${JSON.stringify(iss)}`, { iss }, 'INVALID_CLAIMS'])
])

const audience = 'https://api.example.com'
table('audience', { audience }, [
  ['equal', { aud: audience }],
  ['a list with it', { aud: ['x', audience] }],
  ...[
    undefined, '', `${audience}/`, 'https://API.example.com', null, 1, true, { audience }, [], ['x'], [[audience]],
    [audience, 1], [audience, null], `${audience} x`
  ].map((aud): Row => [`is ${JSON.stringify(aud)}`, { aud }, 'INVALID_CLAIMS'])
])

// What marks the tokens of an issuer's applications means nothing in those of the secret.
table('machines', {}, [
  ['a mark of Auth0', { gty: 'client-credentials' }],
  ['the client is the subject', { client_id: 'alice', azp: 'alice' }]
])

table('neither is looked at unless configured', {}, [
  ['iss and aud of any type', { iss: 1, aud: { x: 1 } }]
])

const noIds: unknown[] = [
  '', ' ', '\t', '\u00a0', 'a\u0000', 'a\nb', '\u007f', '\u0085', 1, 0, true, null, [], ['alice'], {}, { id: 'alice' }
]
table('user id', {}, [
  ['sub', {}],
  ['uid before sub', { sub: 'bob', uid: 'alice' }],
  ['uid alone', { sub: undefined, uid: 'alice' }],
  ['neither', { sub: undefined }, 'MISSING_UID_CLAIM'],
  ...noIds.map((sub): Row => [`sub is ${JSON.stringify(sub)}`, { sub }, 'MISSING_UID_CLAIM']),
  ...noIds.map((uid): Row => [`uid is ${JSON.stringify(uid)}, which sub does not mend`, { uid }, 'MISSING_UID_CLAIM']),
  ...['id', 'userId', 'user_id', 'email', 'username'].map(
    (name): Row => [`${name} is no user id`, { sub: undefined, [name]: 'alice' }, 'MISSING_UID_CLAIM']
  )
])

table('userIdClaim: that claim alone', { userIdClaim: 'account' }, [
  ['there', { sub: 'bob', uid: 'bob', account: 'alice' }],
  ['missing', { uid: 'alice' }, 'MISSING_UID_CLAIM'],
  ['malformed', { account: 5 }, 'MISSING_UID_CLAIM']
])

for (const userIdClaim of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
  table(`userIdClaim ${userIdClaim}: own claims only`, { userIdClaim }, [['inherited', {}, 'MISSING_UID_CLAIM']])
}

t.test('ids are used as they are', async (t) => {
  const { send } = await build(t)
  for (const id of [
    '7', '007', ' alice', 'alice ', 'Älice', 'a\u030Angstr\u00f6m', '🦊', 'a/b', '%41', 'x'.repeat(300), '\ud800'
  ]) {
    const { body } = await send({ url: '/api/me', headers: bearer(sign({ sub: id, exp })) })
    t.strictSame(body, { user: id }, JSON.stringify(id))
  }
})

t.test('header parameters that are not allowed are refused', async (t) => {
  const { send, log } = await build(t)
  const allowed: object[] = [
    {}, { typ: 'JWT' }, { typ: 'jwt' }, { typ: 'Jwt' }, { typ: 'application/jwt' }, { typ: 'application/JWT' },
    { kid: 'a' }, { kid: '' }, { kid: '../../dev/null' }, { kid: "' OR 1=1 --" }, { x5t: 'abc' },
    { unknown: { deep: [1] } }
  ]
  const refused: object[] = [
    ...[
      'at+jwt', 'application/at+jwt', 'logout+jwt', 'text/jwt', 'application/', 'application/jwt ', 'JWS', 'dpop+jwt',
      '', ' JWT', 1, null, true, ['JWT'], { typ: 'JWT' }
    ].map((typ) => ({ typ })),
    ...[1, null, true, [], {}, ['a']].map((kid) => ({ kid })),
    ...[[], ['exp'], ['b64'], ['x'], 'b64', '', null, false, 0, {}, [1], ['alg']].map((crit) => ({ crit })),
    { crit: ['b64'], b64: false }, { crit: ['x'], x: 1 }, { b64: false }, { b64: true }, { b64: null },
    { zip: 'DEF' }, { zip: null }, { enc: 'A256GCM' }, { cty: 'JWT' }, { cty: '' },
    { jwk: { kty: 'oct', k: 'AAAA' } }, { jwk: null }, { jku: 'https://evil.example/jwks' }, { jku: '' },
    { x5u: 'https://evil.example/cert' }, { x5c: ['MIIB'] }, { x5c: [] }
  ]
  for (const extra of allowed) {
    const token = sign({ sub: 'alice', exp }, { header: { alg: 'HS256', ...extra } })
    t.match(await send({ url: '/api/me', headers: bearer(token) }), { status: 200 }, JSON.stringify(extra))
  }
  for (const extra of refused) {
    log.length = 0
    const token = sign({ sub: 'alice', exp }, { header: { alg: 'HS256', ...extra } })
    const answer = await send({ url: '/api/me', headers: bearer(token) })
    t.match(answer, { status: 401, code: 'INVALID_CLAIMS' }, JSON.stringify(extra))
    t.match(refusals(log),
      sameLength([{ reason: `header parameter "${Object.keys(extra)[0]}"` }]), JSON.stringify(extra))
  }
})

const logout = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const sendJwt = 'send the JWT of GET /api/auth/token instead'

t.test('tokens for another purpose are recognized by their form', async (t) => {
  const { send, log } = await build(t)
  const kinds: Array<[claims: object, reason: string]> = [
    [{ events: logout }, 'a logout token: send the access token instead'],
    [{ events: { ...logout, other: {} }, exp: 1 }, 'a logout token'],
    [{ events: { 'http://schemas.openid.net/event/backchannel-logout': null } }, 'a logout token'],
    [{ session: { token: 'x' }, user: { id: 'alice' } }, `a session cache token of Better Auth: ${sendJwt}`],
    [{ session: {}, user: {}, exp: 1 }, 'a session cache token of Better Auth'],
    [{ sub: undefined, email: 'a@example.org', iat: now }, `an e-mail verification token of Better Auth: ${sendJwt}`],
    [{ sub: undefined, email: 'a@example.org', iat: now, exp: 1 }, 'an e-mail verification token of Better Auth'],
    [
      { sub: undefined, email: 'a@example.org', iat: now, updateTo: 'b@example.org' },
      'an e-mail verification token of Better Auth'
    ],
    [
      { sub: undefined, email: 'a@example.org', iat: now, requestType: 'change-email-verification' },
      'an e-mail verification token'
    ]
  ]
  for (const [claims, reason] of kinds) {
    log.length = 0
    t.match(
      await send({ url: '/api/me', headers: bearer(sign({ sub: 'alice', exp, ...claims })) }),
      { status: 401, code: 'INVALID_CLAIMS' }
    )
    t.match(refusals(log), sameLength([{ code: 'INVALID_CLAIMS', reason }]))
  }
})

table('a host\'s own claims may have their names', {}, [
  ...['x', 1, null, [], {}, true].map((events): Row => [`events is ${JSON.stringify(events)}`, { events }]),
  [
    'events of another kind',
    { events: { 'https://schemas.openid.net/secevent/risc/event-type/account-disabled': {} } }
  ],
  ['events as a list', { events: [logout] }],
  ['events as a text', { events: JSON.stringify(logout) }],
  ...['x', null, [], { id: 's' }].map((session): Row => [`session is ${JSON.stringify(session)}`, { session }]),
  ['session as an object, user as a text', { session: { id: 's' }, user: 'alice' }],
  ['session as a list, user as an object', { session: [], user: {} }],
  ['user as an object', { user: { id: 'alice' } }],
  ['requestType', { requestType: 'change-email-verification' }],
  ['email, and a user', { email: 'a@example.org', iat: now }],
  [
    'email, updateTo, requestType, and a user',
    { email: 'a@example.org', updateTo: 'b@example.org', requestType: 'x', iat: now }
  ]
])

t.test('an e-mail verification token with a userId is recognized by its header too', async (t) => {
  const { send, log } = await build(t, { userIdClaim: 'userId' })
  const claims = { userId: 'alice', email: 'a@example.org', iat: now, exp }
  const ask = async (claims: object, header: object = { alg: 'HS256' }) => {
    const { status, code } = await send({ url: '/api/me', headers: bearer(sign(claims, { header })) })
    return code ?? status
  }
  for (const extra of [{}, { updateTo: 'b@example.org' }, { requestType: 'change-email-verification' }]) {
    t.equal(await ask({ ...claims, ...extra }), 'INVALID_CLAIMS', JSON.stringify(extra))
    t.match(refusals(log).at(-1), { reason: `an e-mail verification token of Better Auth: ${sendJwt}` })
  }
  t.equal(await ask(claims, { alg: 'HS256', typ: 'JWT' }), 200, 'a host\'s own')
  t.equal(await ask(claims, { alg: 'HS256', kid: '1' }), 200)
  t.equal(await ask({ ...claims, name: 'Alice' }), 200)
  t.equal(await ask({ ...claims, email: undefined }), 200)
  t.equal(await ask({ ...claims, email: ['a@example.org'] }), 200)
})

const expected = 'expected "https://auth.example.com", received'
const long = 'x'.repeat(300)
const tolerance = '(option "clockTolerance": 5)'

t.test('the log says what was expected and what was received', async (t) => {
  const { send, log } = await build(t, { issuer, audience, maxTokenAge: 100 })
  const good = { sub: 'alice', exp, iat: now, iss: issuer, aud: audience }
  const rows: Array<[claims: object, reason: string | RegExp]> = [
    [{ iss: `${issuer}/` }, `claim "iss" is not the configured issuer: ${expected} "https://auth.example.com/"`],
    [{ iss: undefined }, `claim "iss" is not the configured issuer: ${expected} nothing`],
    [{ iss: [issuer] }, `${expected} ["https://auth.example.com"]`],
    [{ iss: 'a\nb\u0000"' }, `${expected} "a\\nb\\u0000\\""`],
    [{ iss: long }, /, received "x{199}…$/],
    [
      { aud: 'x' },
      'claim "aud" does not have the configured audience: expected "https://api.example.com", received "x"'
    ],
    [{ aud: ['x', 'y'] }, 'expected "https://api.example.com", received ["x","y"]'],
    [{ aud: undefined }, 'expected "https://api.example.com", received nothing'],
    [{ exp: exp * 1000 }, 'claim "exp" is in milliseconds. Fix: write seconds since 1970 (RFC 7519 §2)'],
    [{ exp: 253_402_300_800 }, 'claim "exp" is in milliseconds'],
    [{ exp: 253_402_300_799_000 }, 'claim "exp" is in milliseconds'],
    [{ exp: 253_402_300_799_001 }, /^claim "exp" is later than the year 9999$/],
    [{ exp: 1e300 }, /^claim "exp" is later than the year 9999$/],
    [{ nbf: now * 1000 }, 'claim "nbf" is in milliseconds'],
    [{ nbf: 253_402_300_799 }, /^claim "nbf" is \d+ s in the future /],
    [{ iat: now * 1000 }, 'claim "iat" is in milliseconds'],
    [{ exp: now - 7 }, `claim "exp" passed 7 s ago ${tolerance}`],
    [{ exp: now - 86_400 }, `claim "exp" passed 86400 s ago ${tolerance}`],
    [{ nbf: now + 5.5 }, `claim "nbf" is 6 s in the future ${tolerance}`],
    [{ iat: now + 60 }, `claim "iat" is 60 s in the future ${tolerance}`],
    [{ iat: now - 200 }, `the token is 200 s old (claim "iat"), and maxTokenAge is 100 ${tolerance}`],
    [{ iat: undefined }, 'claim "iat" is missing, and option "maxTokenAge" needs it'],
    [{ sub: undefined }, /^no claim "sub": option "userIdClaim" says which one has the user's id$/],
    [{ sub: undefined, userId: 'alice' }, /^no claim "sub".* has the user's id \(the token has "userId"\)$/],
    [{ sub: undefined, userId: 7, user_id: 'alice' }, /\(the token has "userId"\)$/],
    [{ sub: 7 }, /^claim "sub" is not a string\. Fix: write it as a text, as in String\(id\)$/],
    ...[{}, null].map((sub): [object, RegExp] => [{ sub }, /^claim "sub" is not a string$/])
  ]
  for (const [claims, reason] of rows) {
    log.length = 0
    t.match(await send({ url: '/api/me', headers: bearer(sign({ ...good, ...claims })) }), { status: 401 })
    t.match(refusals(log), sameLength([{ reason }]))
  }
  t.match(await send({ url: '/api/me', headers: bearer(sign(good)) }), { status: 200 })
})

t.test('userIdClaim never makes a verification link a user', async (t) => {
  const { send, log } = await build(t, { userIdClaim: 'email', issuer })
  t.match(
    await send({ url: '/api/me', headers: bearer(sign({ email: 'a@example.org', iat: now, exp })) }),
    { code: 'INVALID_CLAIMS' }
  )
  t.match(refusals(log), sameLength([{ reason: 'an e-mail verification token of Better Auth' }]))
})

t.test('the first check that fails names the code', async (t) => {
  const { send } = await build(t, { claims: { type: 'object', properties: { role: { type: 'string' } } } })
  const rows: Array<[claims: object, header: object, url: string, code: string]> = [
    [{ exp: 1, sub: '' }, { alg: 'HS384' }, '/api/bob/tasks', 'INVALID_TOKEN_SIGNATURE'],
    [{ exp: 1, sub: '' }, { alg: 'HS256', typ: 'x' }, '/api/bob/tasks', 'INVALID_CLAIMS'],
    [{ exp: 1, sub: '' }, { alg: 'HS256' }, '/api/bob/tasks', 'TOKEN_EXPIRED'],
    [{ role: 7, sub: '' }, { alg: 'HS256' }, '/api/bob/tasks', 'INVALID_CLAIMS'],
    [{ sub: '' }, { alg: 'HS256' }, '/api/bob/tasks', 'MISSING_UID_CLAIM'],
    [{}, { alg: 'HS256' }, '/api/bob/tasks', 'FORBIDDEN_USER_ACCESS'],
    [{}, { alg: 'HS256' }, '/api/alice/tasks', '']
  ]
  for (const [claims, header, url, code] of rows) {
    t.equal((await send({ url, headers: bearer(sign({ sub: 'alice', exp, ...claims }, { header })) })).code ?? '', code)
  }
  t.match(
    (await send({ url: '/api/me', headers: bearer(sign({ exp: 1 })) })).headers,
    { 'www-authenticate': challengeOf('Token expired') }
  )
})

t.test('a token expires while the server runs', async (t) => {
  const { send } = await build(t, exact)
  const headers = bearer(sign({ sub: 'alice', exp }))
  t.match(await send({ url: '/api/me', headers }), { status: 200 })
  mock.timers.setTime(exp * 1000 - 1)
  t.match(await send({ url: '/api/me', headers }), { status: 200 })
  mock.timers.setTime(exp * 1000)
  t.match(await send({ url: '/api/me', headers }), { code: 'TOKEN_EXPIRED' })
  mock.timers.setTime(now * 1000)
})

const plainRules: ClaimRules = {
  clockTolerance: 0,
  types: ['jwt'],
  requiredClaims: {},
  isRemote: false,
  audience: undefined,
  scopeClaim: undefined,
  verifiedBy: 'secret',
  idPrefix: '',
  foreignPrefixes: [],
  otherTokens: [],
  isMachine: () => false,
  faultBySchema: () => null
}

t.test('claims are refused by the schema and by the prefix of another issuer', async (t) => {
  const rows: Array<[rules: Partial<ClaimRules>, reason: string]> = [
    [{ faultBySchema: () => '/role must be string' },
      'the claims do not satisfy the schema of option "claims": /role must be string'],
    [{ foreignPrefixes: ['b:', 'al'] }, 'claim "sub" begins with the idPrefix of another issuer']
  ]
  for (const [rules, reason] of rows) {
    const readClaims = createClaimsReader({ ...plainRules, ...rules })
    t.throws(() => readClaims({ header: {}, payload: { sub: 'alice', exp } }), refuse('INVALID_CLAIMS', reason))
  }
})

t.test('of several faults, the first in this order names the code and the reason', async (t) => {
  const fits = ({ payload }: { payload: object }) => 'car' in payload
  const readClaims = createClaimsReader({
    ...plainRules,
    isRemote: true,
    otherTokens: [{ says: 'a parking ticket', fits, fitsText: () => false }],
    requiredClaims: { team: true },
    faultBySchema: (payload) => 'role' in (payload as object) ? '/role must be string' : null
  })
  const faults: Array<[header: object, claims: object, says: string]> = [
    [{}, { car: 'x' }, 'INVALID_CLAIMS: a parking ticket'],
    [{ typ: 'x' }, {}, 'INVALID_CLAIMS: header parameter "typ" is of another kind of token'],
    [{}, { exp: now - 1 }, 'TOKEN_EXPIRED: claim "exp" passed 1 s ago'],
    [{}, { nonce: 'x' }, 'INVALID_CLAIMS: an ID token (claim "nonce")'],
    [{}, { team: null }, 'INVALID_CLAIMS: claim "team" has another value'],
    [{}, { role: 7 }, 'INVALID_CLAIMS: the claims do not satisfy the schema'],
    [{}, { act: 'admin' }, 'INVALID_CLAIMS: claim "sub" of the actor (claim "act") is not a string'],
    [{}, { sub: 7 }, 'MISSING_UID_CLAIM: claim "sub" is not a string']
  ]
  for (const [index, [, , says]] of faults.entries()) {
    const jws = { header: {}, payload: { sub: 'alice', exp, team: 1 } }
    for (const [header, claims] of faults.slice(index)) {
      Object.assign(jws.header, header)
      Object.assign(jws.payload, claims)
    }
    t.match(reason(() => readClaims(jws)), says)
  }
})

t.test('the user is deeply frozen', async (t) => {
  const readClaims = createClaimsReader(plainRules)
  const { user } = readClaims({
    header: {}, payload: { sub: 'alice', exp, roles: [{ name: 'member' }], team: { id: 1 } }
  })
  const { claims } = user
  for (const part of [user, claims, claims.roles, (claims.roles as object[])[0], claims.team]) {
    t.ok(Object.isFrozen(part))
  }
})

t.test('request.user is deeply frozen', async (t) => {
  const frozen: Record<string, boolean> = {}
  const look = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    frozen[path] = Object.isFrozen(value)
    for (const [key, inner] of Object.entries(value)) look(inner, `${path}.${key}`)
  }
  const { send } = await build(t, {}, {}, (app) => {
    app.get('/api/me', async (request) => look(request.user, 'user'))
  })
  const act = { sub: 'admin', act: { sub: 'batch' } }
  const claims = { sub: 'alice', exp, scope: 'a b', act, roles: ['member', { of: ['x'] }], org: { id: {} } }
  t.match(await send({ url: '/api/me', headers: bearer(sign(claims)) }), { status: 200 })
  const paths = ['user', 'user.scopes', 'user.actor', 'user.actor.chain', 'user.claims', 'user.claims.act',
    'user.claims.act.act', 'user.claims.roles', 'user.claims.roles.1', 'user.claims.roles.1.of', 'user.claims.org',
    'user.claims.org.id']
  t.same(frozen, Object.fromEntries(paths.map((path) => [path, true])))
})
