import { generateKeyPairSync, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import t, { type Test } from 'tap'
import { usableKeys } from '../../lib/keys/jwk.js'
import { createIssuer, createKey, sendJson, type RemoteIssuer } from '../../lib/testing/index.js'
import { bearer, build, type LogLine } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

/** A host that trusts this one issuer; `status` sends a token to alice's path. */
async function host (t: Test, issuer: RemoteIssuer) {
  const { app, send, log } = await build(t, { issuers: [issuer.entry] })
  return {
    log,
    status: async (token: string) => (await send({ url: '/api/alice/tasks', headers: bearer(token) })).status,
    info: () => app.userScope.issuers()[0],
    warnings: () => log.filter(({ level }) => level === 40) as Array<LogLine & { ignored: Array<{ kid: unknown }> }>
  }
}

const publicJwk = (pair: { publicKey: { export: (options: { format: 'jwk' }) => JsonWebKeyInput['key'] } }) =>
  pair.publicKey.export({ format: 'jwk' })
const privateJwk = (pair: { privateKey: KeyObject }) => pair.privateKey.export({ format: 'jwk' })
const rsa = (options: object = {}) => publicJwk(generateKeyPairSync('rsa', { modulusLength: 2048, ...options }))
const ec = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const secp256k1 = publicJwk(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))
const shortEd25519 = { kty: 'OKP', crv: 'Ed25519', x: Buffer.alloc(31).toString('base64url') }
type BadKey = [what: string, key: unknown, reason: string]
const badKeys: BadKey[] = [
  ['secp256k1', secp256k1, 'on a curve that is not supported'],
  ['X25519', publicJwk(generateKeyPairSync('x25519')), 'on a curve that is not supported'],
  ['Ed448', publicJwk(generateKeyPairSync('ed448')), 'on a curve that is not supported'],
  ['a point off the curve', { ...ec, y: ec.x }, 'malformed, not on its curve'],
  ['a coordinate too short', { ...ec, x: 'AAAA' }, 'malformed, not on its curve'],
  ['Ed25519 of 31 bytes', shortEd25519, 'malformed, not on its curve'],
  ['RSA of 1024 bits', rsa({ modulusLength: 1024 }), 'RSA key under 2048 bits'],
  ['RSA of 2047 bits', rsa({ modulusLength: 2047 }), 'RSA key under 2048 bits'],
  ['RSA with exponent 1', { ...rsa(), e: 'AQ' }, 'bad exponent'],
  ['RSA with an even exponent', { ...rsa(), e: 'AQAA' }, 'bad exponent'],
  ['RSA without modulus', { kty: 'RSA', e: 'AQAB' }, 'malformed'],
  ['a private Ed25519 key', privateJwk(generateKeyPairSync('ed25519')), 'a private key'],
  ['a private EC key', privateJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' })), 'a private key'],
  ['a private RSA key', privateJwk(generateKeyPairSync('rsa', { modulusLength: 2048 })), 'a private key'],
  ['a private part that is null', { ...ec, d: null }, 'a private key'],
  ['symmetric', { kty: 'oct', k: 'AAAA' }, 'not an RSA, EC or OKP key'],
  ['no kty', { n: 'AAAA' }, 'not an RSA, EC or OKP key'],
  ...[['encrypt'], [], ['verify2'], [['verify']], 'verify', null, { 0: 'verify' }].map((ops): BadKey =>
    [`key_ops ${JSON.stringify(ops)}`, { ...ec, key_ops: ops }, 'not for verification (key_ops)']),
  ...[5, null, ['bad'], {}].map((kid): BadKey =>
    [`kid ${JSON.stringify(kid)}`, { ...ec, kid }, 'its kid is not a string']),
  ...['es256', '', null, 5, ['ES256']].map((alg): BadKey =>
    [`alg ${JSON.stringify(alg)}`, { ...ec, alg }, 'for an algorithm that is not configured (option "algorithms")']),
  ['another algorithm', { ...ec, alg: 'ECDH-ES' }, 'for an algorithm that is not configured (option "algorithms")'],
  ['no object', 'key', 'not an object'],
  ['null', null, 'not an object']
]

t.test('keys that cannot be used are ignored, and the others are used', async (t) => {
  for (const [what, key, reason] of badKeys) {
    const issuer = await createIssuer({ mode: 'jwks', t })
    const bad = typeof key === 'object' && key !== null ? { kid: 'bad', ...key } : key
    issuer.answer = sendJson({ keys: [bad, issuer.keys[0]?.jwk] })
    const { status, warnings, info } = await host(t, issuer)
    t.equal(await status(await issuer.token('alice')), 200, what)
    t.same(info()?.keys, ['key-1'], what)
    const msg = 'issuer keys that cannot be used were ignored'
    t.match(warnings(), sameLength([{ msg, issuer: issuer.url, count: 1, ignored: [{ reason }] }]), what)
  }
})

t.test('only the public parts of a key are kept', async (t) => {
  const kept: Array<[what: string, key: object]> = [
    ['nothing stated', ec],
    ['use', { ...ec, use: 'sig' }],
    ['key_ops', { ...ec, key_ops: ['verify'] }],
    ['several key_ops', { ...ec, key_ops: ['encrypt', 'verify'] }],
    ['all', { ...ec, kid: 'k', alg: 'ES256', use: 'sig', key_ops: ['verify'] }],
    ['RSA with exponent 3', rsa({ publicExponent: 3 })],
    ['P-521', publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-521' }))],
    ['Ed25519', publicJwk(generateKeyPairSync('ed25519'))]
  ]
  for (const [what, stated] of kept) {
    const { use, key_ops: operations, ...key } = stated as { use?: string, key_ops?: string[] }
    t.same(usableKeys({ keys: [stated] }, ['ES256']), { keys: [key], ignored: [] }, what)
    const withMore = { ...stated, ext: 'no', x5u: 'https://evil.example', x5c: ['AAAA'], x5t: 'AAAA', oth: [] }
    t.same(usableKeys({ keys: [withMore] }, ['ES256']), { keys: [key], ignored: [] }, `${what}, without certificates`)
  }
})

t.test('a key that states anything but "sig" as its use is ignored', async (t) => {
  for (const use of ['enc', 'SIG', '', null, ['sig'], true]) {
    const ignored = [{ kid: 'k', reason: 'not for signatures (use)' }]
    t.same(usableKeys({ keys: [{ ...ec, kid: 'k', use }] }, ['ES256']), { keys: [], ignored }, JSON.stringify(use))
  }
})

t.test('the log has at most 64 characters of a kid', async (t) => {
  const rows: Array<[kid: unknown, logged: unknown]> = [
    [{ k: 'upstream body' }, null],
    [['upstream body'], null],
    [5, null],
    ['bad', 'bad'],
    ['x'.repeat(64) + 'upstream body', 'x'.repeat(64)]
  ]
  for (const [kid, logged] of rows) {
    const issuer = await createIssuer({ mode: 'jwks', t })
    // Ignored for what it is, and for its twin.
    const twins = typeof kid === 'string' ? [{ ...rsa(), kid }, { ...rsa(), kid }] : []
    issuer.answer = sendJson({ keys: [{ kty: 'oct', kid }, ...twins, issuer.keys[0]?.jwk] })
    const { log, warnings } = await host(t, issuer)
    t.same(new Set(warnings()[0]?.ignored.map(({ kid }) => kid)), new Set([logged]))
    t.notMatch(JSON.stringify(log), 'upstream body')
  }
})

t.test('a set of more than 100 keys is cut, with a warning', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const others = Array.from({ length: 100 }, (_, i) => ({ ...ec, kid: `other-${i}` }))
  const last = await createKey('last')
  for (const [keys, expected] of [[others.slice(1), 200], [others, 401]] as const) {
    issuer.answer = sendJson({ keys: [...keys, last.jwk] })
    const { status, info, warnings } = await host(t, issuer)
    t.equal(info()?.keys.length, 100)
    t.equal(await status(await issuer.token('alice', { key: last })), expected)
    const reason = 'the set has 101 keys; only the first 100 are used'
    t.match(warnings(), expected === 200 ? [] : [{ count: 1, ignored: [{ kid: null, reason }] }])
    t.equal(warnings().length, expected === 200 ? 0 : 1)
  }
})

t.test('the warning does not grow with the set', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const kid = '"'.repeat(400)
  issuer.answer = sendJson({ keys: [issuer.keys[0]?.jwk, ...Array<object>(1000).fill({ kty: 'oct', kid })], kid })
  const { info, warnings } = await host(t, issuer)
  t.same(info()?.keys, ['key-1'])
  t.equal(warnings().length, 1)
  t.match(warnings(), [{ count: 100, ignored: [{ reason: /^the set has 1001 keys/ }] }])
  t.equal(warnings()[0]?.ignored.length, 10)
  t.ok(JSON.stringify(warnings()).length < 4000)
})

t.test('a key for encryption beside others is no reason for a warning', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const encryption = { ...ec, kid: 'enc-1', use: 'enc', alg: 'ECDH-ES' }
  issuer.answer = sendJson({ keys: [encryption, issuer.keys[0]?.jwk] })
  const log: LogLine[] = []
  const stream = { write: (line: string) => { log.push(JSON.parse(line) as LogLine) } }
  const { app } = await build(t, { issuers: [issuer.entry] }, { logger: { level: 'debug', stream } })
  t.same(app.userScope.issuers()[0]?.keys, ['key-1'])
  const line = { level: 20, count: 1, ignored: [{ kid: 'enc-1', reason: 'not for signatures (use)' }] }
  t.match(log.filter(({ ignored }) => ignored), sameLength([line]))

  issuer.answer = sendJson({ keys: [encryption, { ...ec, kid: 5 }, issuer.keys[0]?.jwk] })
  t.match((await host(t, issuer)).warnings(), sameLength([{ count: 2 }]), 'another key is one')
})

t.test('a set of keys for encryption alone is warned of, and an empty set has nothing more to tell', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const failed = 'issuer keys could not be fetched; none are left'
  for (const [keys, warned] of [
    [[{ ...ec, use: 'enc' }], ['issuer keys that cannot be used were ignored', failed]],
    [[], [failed]]
  ] as const) {
    issuer.answer = sendJson({ keys })
    const { send, log } = await build(t, { issuers: [{ ...issuer.entry, lazy: true }] })
    t.match(await send({ url: '/api/me', headers: bearer(await issuer.token('alice')) }), { status: 503 })
    const warnings = log.filter(({ level }) => level === 40)
    t.same(warnings.map(({ msg }) => msg), warned)
    const unusable = sameLength([{ reason: 'not for signatures (use)' }])
    t.match(warnings.map(({ ignored }) => ignored), sameLength(keys.length > 0 ? [unusable, undefined] : [undefined]))
  }
})

t.test('certificates and URLs in a key are not used', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const more = { x5u: 'https://evil.example', x5c: ['AAAA'], use: 'sig', key_ops: ['verify'] }
  issuer.answer = sendJson({ keys: [{ ...issuer.keys[0]?.jwk, ...more }] })
  const { status } = await host(t, issuer)
  t.equal(await status(await issuer.token('alice')), 200)
})

t.test('a key may state more operations than verify', async (t) => {
  for (const alg of ['EdDSA', 'RS256', 'ES256', 'ES384'] as const) {
    const issuer = await createIssuer({ mode: 'jwks', t, alg })
    for (const operations of [['sign', 'verify'], ['verify', 'encrypt'], ['verify', 'verify'], ['verify', 'other']]) {
      issuer.answer = sendJson({ keys: [{ ...issuer.keys[0]?.jwk, key_ops: operations }] })
      const { status, warnings } = await host(t, issuer)
      t.equal(await status(await issuer.token('alice')), 200, `${alg} ${operations.join()}`)
      t.same(warnings(), [])
    }
  }
})

t.test('of two keys with the same kid neither verifies, unless alg tells them apart', async (t) => {
  const [a, b, c] = [await createKey('same'), await createKey('same'), await createKey('other')]
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [a, b, c] })
  const { status } = await host(t, issuer)
  const by = async (key: typeof a) => status(await issuer.token('alice', { key }))
  t.same([await by(a), await by(b), await by(c)], [401, 401, 200])

  // What the alg of a token tells apart (RFC 7517 §4.5): by kind, by curve, and by the algorithms that are stated.
  const algs = ['EdDSA', 'RS256', 'PS256', 'ES256', 'ES384']
  const alternatives = await Promise.all(algs.map((alg) => createKey('same', alg)))
  const several = await createIssuer({ mode: 'jwks', t, keys: alternatives })
  const all = await host(t, several)
  for (const key of alternatives) t.equal(await all.status(await several.token('alice', { key })), 200, key.alg)
  t.same(all.warnings(), [])
  const [, rs256] = alternatives
  const { alg, ...forAny } = (await createKey('same', 'RS384')).jwk
  several.answer = sendJson({ keys: [rs256?.jwk, forAny, c.jwk] })
  const mixed = await host(t, several)
  t.equal(await mixed.status(await several.token('alice', { key: rs256! })), 401, 'one of them may be for any')

  const twice = await createIssuer({ mode: 'jwks', t, keys: [a, a] })
  const same = await host(t, twice)
  t.equal(await same.status(await twice.token('alice')), 200, 'one key listed twice is one key')
  twice.answer = sendJson({ keys: [a.jwk, { ...a.jwk, use: 'sig' }, { ...a.jwk, key_ops: ['verify'] }] })
  t.equal(await (await host(t, twice)).status(await twice.token('alice')), 200, 'however much it says of its use')
})

t.test('anything but a key set is a fault', async (t) => {
  for (const set of [null, undefined, 5, 'keys', [], {}, { keys: null }, { keys: {} }, { keys: 'k' }]) {
    t.throws(() => usableKeys(set, ['ES256']), { message: 'not a JWK Set' }, JSON.stringify(set))
  }
})
