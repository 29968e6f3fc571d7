import {
  constants, createHash, createPublicKey, generateKeyPairSync, type JsonWebKeyInput, type KeyObject, sign as signBytes
} from 'node:crypto'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { IssuerAlgorithm, UserScopeOptions } from '../../lib/index.js'
import { RemoteKeys } from '../../lib/keys/remote-keys.js'
import type { IssuerSettings } from '../../lib/options/issuers.js'
import { readOptions } from '../../lib/options/settings.js'
import { createIssuer, createKey } from '../../lib/testing/index.js'
import { createJwksVerifier } from '../../lib/token/jwks-verifier.js'
import { parseCompactJws } from '../../lib/token/jws.js'
import { bearer, build, now, refusals, sign } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

/** Sends tokens to alice's path, and tells status, code and the reason in the log. */
async function start (t: Test, options: UserScopeOptions) {
  const { app, send, log } = await build(t, options)
  const ask = async (token: string) => {
    const { status, code } = await send({ url: '/api/alice/tasks', headers: bearer(token) })
    return { status, code, reason: refusals(log).at(-1)?.reason }
  }
  return { app, ask, log }
}

t.test('an algorithm that is not configured is refused', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask } = await start(t, { issuers: [{ ...issuer.entry, algorithms: ['EdDSA', 'ES256'] }] })
  const configured = 'header parameter "alg" is not one of those configured for the issuer ' +
    `"${issuer.url}": expected "EdDSA" or "ES256"`
  // No list may have such an algorithm.
  const ofSecret = '. A secret signed it. Fix: let the issuer sign with a private key'
  const rows: Array<[header: object, shown: string, fix?: string]> = [
    [{ alg: 'HS256' }, '"HS256"', ofSecret],
    [{ alg: 'HS2560' }, '"HS2560"'],
    [{ alg: 'RS256' }, '"RS256"'],
    [{ alg: 'none' }, '"none"'],
    [{ alg: 'eddsa' }, '"eddsa"'],
    [{ alg: '' }, '""'],
    [{ alg: 'x'.repeat(300) }, `"${'x'.repeat(199)}…`],
    [{ alg: 'a"\n' }, '"a\\"\\n"'],
    [{}, 'nothing'],
    [{ alg: null }, 'null'],
    [{ alg: ['EdDSA'] }, '["EdDSA"]'],
    // No text can be made of it.
    [{ alg: { toString: null, valueOf: null } }, '{"toString":null,"valueOf":null}'],
    // The algorithm is judged first: "crit" of a token that nobody signed is of no interest.
    [{ alg: 'HS256', crit: ['x'] }, '"HS256"', ofSecret]
  ]
  for (const [header, shown, fix = ' (option "algorithms")'] of rows) {
    const token = sign({ sub: 'alice', iss: issuer.url, aud: 'api', exp: now() + 60 }, { header })
    const reason = `${configured}, received ${shown}${fix}`
    t.same(await ask(token), { status: 401, code: 'INVALID_TOKEN_SIGNATURE', reason }, JSON.stringify(header))
  }
  t.match(await ask(await issuer.token('alice')), { status: 200 })
  t.equal(issuer.requests, 1, 'no key was looked for')
})

t.test('crit is refused in any form, before a key is selected', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask } = await start(t, { issuers: [issuer.entry] })
  for (const crit of [['x'], ['b64'], [], 'exp', null, false]) {
    const claims = { sub: 'alice', iss: issuer.url, aud: 'api', exp: now() + 60 }
    const answer = await ask(sign(claims, { header: { alg: 'EdDSA', kid: 'stranger', crit } }))
    const reason = 'header parameter "crit" is not allowed'
    t.same(answer, { status: 401, code: 'INVALID_CLAIMS', reason }, JSON.stringify(crit))
  }
})

t.test('a kid that is not a string is refused in any form, before a key is selected', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { ask } = await start(t, { issuers: [issuer.entry] })
  for (const kid of [1, null, false, [], ['x'], {}]) {
    const claims = { sub: 'alice', iss: issuer.url, aud: 'api', exp: now() + 60 }
    const answer = await ask(sign(claims, { header: { alg: 'EdDSA', kid } }))
    const reason = 'header parameter "kid" is not a string'
    t.same(answer, { status: 401, code: 'INVALID_CLAIMS', reason }, JSON.stringify(kid))
  }
})

t.test('a key or signature that does not fit is refused', async (t) => {
  const [key, twin, other] = [await createKey('one'), await createKey('one'), await createKey('two')]
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [key] })
  const { ask } = await start(t, { issuers: [issuer.entry] })
  const says = `the signature does not verify with a key of the issuer "${issuer.url}"`
  for (const [wrong, code] of [
    [twin, '(ERR_JWS_SIGNATURE_VERIFICATION_FAILED)'],
    [other, '(ERR_JWKS_NO_MATCHING_KEY): none fits its "kid" ("two") and "alg" (the issuer has ["one"]; new ' +
      'keys are looked for once per "cooldown")']
  ] as const) {
    const answer = await ask(await issuer.token('alice', { key: wrong }))
    t.same(answer, { status: 401, code: 'INVALID_TOKEN_SIGNATURE', reason: `${says} ${code}` })
  }
})

t.test('if the claims do not fit, the log names the issuer whose key has verified them', async (t) => {
  const [one, two] = [await createIssuer({ mode: 'jwks', t }), await createIssuer({ mode: 'jwks', t })]
  const { ask } = await start(t, { issuers: [one, two].map(({ entry }) => ({ ...entry, idPrefix: '' })) })
  for (const { url, token } of [one, two]) {
    for (const [claims, code, reason] of [
      [{ iat: -1 }, 'INVALID_CLAIMS', 'claim "iat" is not a number of seconds since 1970'],
      [{ nonce: 'x' }, 'INVALID_CLAIMS', 'an ID token (claim "nonce"): send the access token instead'],
      [{ sub: 7 }, 'MISSING_UID_CLAIM', 'claim "sub" is not a string. Fix: write it as a text, as in String(id)']
    ] as const) {
      const answer = await ask(await token({ id: 'alice', ...claims }))
      t.same(answer, { status: 401, code, reason: `${reason}. Its claim "iss" is "${url}"` })
    }
  }
})

t.test('the same header is judged by the entry of each issuer', async (t) => {
  const [one, two] = [await createIssuer({ mode: 'jwks', t }), await createIssuer({ mode: 'jwks', t })]
  const issuers = [{ ...one.entry, typ: 'at+jwt', idPrefix: '' }, { ...two.entry, idPrefix: '' }]
  const { ask } = await start(t, { issuers, cache: false })
  for (const [typ, expected] of [['at+jwt', ['ok', 'INVALID_CLAIMS']], ['JWT', ['INVALID_CLAIMS', 'ok']]] as const) {
    const tokens = await Promise.all([one, two].map((issuer) => issuer.token('alice', { header: { typ } })))
    t.equal(new Set(tokens.map((token) => token.split('.')[0])).size, 1, 'to the letter')
    const codes = []
    for (const token of [...tokens, ...tokens]) codes.push((await ask(token)).code ?? 'ok')
    t.same(codes, [...expected, ...expected], typ)
  }
})

t.test('an error of the claims reader that is no refusal stays as it is', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { issuers: [settings] } = readOptions(issuer.options, {})
  const keys = new RemoteKeys(settings as IssuerSettings, Fastify().log, () => {})
  const error = new TypeError('a bug')
  const verify = createJwksVerifier(keys, () => { throw error })
  await t.rejects(verify(parseCompactJws(await issuer.token('alice'))) as Promise<unknown>, error)
})

t.test('a token without kid is only accepted if the issuer has a single key', async (t) => {
  const keys = [await createKey('one'), await createKey('two')]
  const [one, two] = [await createIssuer({ mode: 'jwks', t }), await createIssuer({ mode: 'jwks', t, keys })]
  const nameless = { header: { kid: undefined } }
  const ask = async (issuer: typeof one) => {
    const { ask } = await start(t, { issuers: [issuer.entry] })
    return await ask(await issuer.token('alice', nameless))
  }
  t.match(await ask(one), { status: 200 })
  const says = `the signature does not verify with a key of the issuer "${two.url}"`
  t.match(await ask(two), {
    code: 'INVALID_TOKEN_SIGNATURE',
    reason: `${says} (ERR_JWKS_MULTIPLE_MATCHING_KEYS): several fit, so its tokens need a "kid" that only one key has`
  })
})

/**
 * A host that trusts an issuer with one key. Its JWK has no "alg": nothing but the signature tells algorithms apart.
 */
async function trust (t: Test, publicKey: KeyObject, algorithms: IssuerAlgorithm[]) {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key' }
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [{ ...await createKey('key'), jwk }] })
  const { ask } = await start(t, { issuers: [{ ...issuer.entry, algorithms }] })
  const says = `the signature does not verify with a key of the issuer "${issuer.url}"`
  return {
    send: (input: string, signature: Buffer) => ask(`${input}.${signature.toString('base64url')}`),
    /** What is signed: header and payload. */
    inputOf (alg: string, sub = 'alice'): string {
      const claims = { sub, iss: issuer.url, aud: 'api', exp: now() + 60 }
      return sign(claims, { header: { alg, kid: 'key' } }).split('.', 2).join('.')
    },
    refusal: (code: string, hint = '') =>
      ({ status: 401, code: 'INVALID_TOKEN_SIGNATURE', reason: `${says} (${code})${hint}` })
  }
}

type Row = [what: string, signature: Buffer]

/** Not quite a signature. */
function damaged (good: Buffer): Row[] {
  const spoiled = Buffer.from(good)
  const middle = good.length >> 1
  spoiled.writeUInt8(spoiled.readUInt8(middle) ^ 1, middle)
  return [
    ['a spoiled bit', spoiled],
    ['a byte more', Buffer.concat([good, Buffer.alloc(1)])],
    ['a byte less', good.subarray(1)],
    ['nothing', Buffer.alloc(0)]
  ]
}

/** Only the good signature is let in, and for no other claims. */
async function onlyLetsIn (
  t: Test, { send, inputOf, refusal }: Awaited<ReturnType<typeof trust>>, alg: string, input: string, good: Buffer,
  wrong: Row[]
): Promise<void> {
  const refused = refusal('ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
  t.match(await send(input, good), { status: 200, code: undefined }, alg)
  for (const [what, bytes] of [...damaged(good), ...wrong]) t.same(await send(input, bytes), refused, `${alg}: ${what}`)
  t.same(await send(inputOf(alg, 'bob'), good), refused, `${alg}: other claims`)
}

const { RSA_PKCS1_PADDING: pkcs1, RSA_PKCS1_PSS_PADDING: pss } = constants
const rsa = ([256, 384, 512] as const).flatMap((bits) =>
  (['RS', 'PS'] as const).map((family) => ({ alg: `${family}${bits}` as const, bits, family })))

t.test('the public key of a PEM text, which the entry hands out itself', async (t) => {
  const key = await createKey('k', 'RS256')
  const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' } as JsonWebKeyInput)
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  const jwk = createPublicKey(pem).export({ format: 'jwk' })
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [key] })
  const host = async (keys: object[]) => start(t, {
    issuers: [{ ...issuer.entry, jwksUri: 'https://keys.example/none', fetch: async () => Response.json({ keys }) }]
  })
  const [named, unnamed] = [await issuer.token('alice'), await issuer.token('alice', { header: { kid: undefined } })]
  const [bare, withKid] = [await host([jwk]), await host([{ ...jwk, kid: 'k' }])]
  t.same([(await bare.ask(unnamed)).status, (await bare.ask(named)).status], [200, 401])
  t.same([(await withKid.ask(unnamed)).status, (await withKid.ask(named)).status], [200, 200])
  t.equal(issuer.requests, 0)
})

t.test('RSA: padding, hash and salt are those of the algorithm (RFC 7518 §3.3, §3.5)', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const host = await trust(t, publicKey, rsa.map(({ alg }) => alg))
  for (const { alg, bits, family } of rsa) {
    const input = host.inputOf(alg)
    const own = { hash: `sha${bits}`, padding: family === 'PS' ? pss : pkcs1, saltLength: bits / 8, key: privateKey }
    const make = (other: Partial<typeof own> = {}) => {
      const { hash, ...key } = { ...own, ...other }
      return signBytes(hash, Buffer.from(input), key)
    }
    await onlyLetsIn(t, host, alg, input, make(), [ // each of PSS is another, by its salt
      ['the other padding', make({ padding: family === 'PS' ? pkcs1 : pss })],
      ['another hash', make({ hash: bits === 256 ? 'sha512' : 'sha256' })],
      ['another key', make({ key: stranger })],
      ['the hash alone', createHash(own.hash).update(input).digest()],
      ...family === 'PS'
        ? [0, 20, bits / 8 - 1, bits / 8 + 1].map((saltLength): Row =>
            [`a salt of ${saltLength} bytes`, make({ saltLength })])
        : []
    ])
  }
})

t.test('RSA: a signature is as long as the modulus (RFC 8017 §8.1.2, §8.2.2)', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { send, inputOf } = await trust(t, publicKey, ['RS256', 'PS256'])
  for (const [alg, padding] of [['RS256', pkcs1], ['PS256', pss]] as const) {
    let [input, signature] = ['', Buffer.alloc(1, 1)]
    for (let i = 0; signature[0] !== 0; i++) { // one of 256 begins with a zero
      input = inputOf(alg, `alice-${i}`)
      signature = signBytes('sha256', Buffer.from(input), { key: privateKey, padding, saltLength: 32 })
    }
    const codes = []
    for (const bytes of [signature.subarray(1), signature]) codes.push((await send(input, bytes)).code)
    // The whole one is good: whose path it is comes after that.
    t.same(codes, ['INVALID_TOKEN_SIGNATURE', 'FORBIDDEN_USER_ACCESS'], alg)
  }
})

t.test('RSA: the bits of a modulus need not fill its bytes', async (t) => {
  // With the first, the message that PSS encodes is a byte shorter than the modulus (RFC 8017 §8.1.1).
  for (const modulusLength of [2049, 2052, 2055]) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
    const host = await trust(t, publicKey, ['RS256', 'PS256'])
    for (const [alg, padding] of [['RS256', pkcs1], ['PS256', pss]] as const) {
      const input = host.inputOf(alg)
      const good = signBytes('sha256', Buffer.from(input), { key: privateKey, padding, saltLength: 32 })
      await onlyLetsIn(t, host, alg, input, good, [])
    }
  }
})

const signEc = (hash: string | null, input: string, key: KeyObject) =>
  signBytes(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })

t.test('ECDSA, EdDSA: curve, hash, encoding are those of the algorithm (RFC 7518 §3.4, RFC 8037 §3.1)', async (t) => {
  for (const [alg, hash, curve] of [
    ['ES256', 'sha256', 'P-256'], ['ES384', 'sha384', 'P-384'], ['ES512', 'sha512', 'P-521'],
    ['EdDSA', null, 'Ed25519'], ['Ed25519', null, 'Ed25519']
  ] as const) {
    const pair = (namedCurve: string) =>
      hash === null ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve })
    const { publicKey, privateKey } = pair(curve)
    const host = await trust(t, publicKey, [alg])
    const input = host.inputOf(alg)
    const good = signEc(hash, input, privateKey)
    const ofCurves = (): Row[] => [
      ['another hash', signEc(hash === 'sha512' ? 'sha256' : 'sha512', input, privateKey)],
      ['another curve', signEc(hash, input, pair(alg === 'ES256' ? 'P-384' : 'P-256').privateKey)],
      ['as DER', signBytes(hash, Buffer.from(input), privateKey)]
    ]
    await onlyLetsIn(t, host, alg, input, good, [
      ['another key', signEc(hash, input, pair(curve).privateKey)],
      ['zeros', Buffer.alloc(good.length)],
      ...hash === null ? [] : ofCurves()
    ])
  }
})

t.test('a key of another curve than the algorithm\'s is refused', async (t) => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
  for (const [alg, hash, { publicKey, privateKey }] of [
    ['ES256', 'sha256', ec('P-384')], ['ES384', 'sha384', ec('P-256')], ['EdDSA', null, ec('P-256')]
  ] as const) {
    const { send, inputOf, refusal } = await trust(t, publicKey, [alg])
    const input = inputOf(alg)
    const { namedCurve } = publicKey.asymmetricKeyDetails ?? {}
    const hint = ': none fits its "kid" ("key") and "alg" (the issuer has ["key"]; new keys are looked for once ' +
      'per "cooldown")'
    t.same(await send(input, signEc(hash, input, privateKey)), refusal('ERR_JWKS_NO_MATCHING_KEY', hint),
      `${alg} with ${namedCurve}`)
  }
})

t.test('keys that are unavailable: the reason says why, and names the URL without its query', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const jwksUri = 'https://keys.example/jwks?key=secret-key#x'
  const fetch = async () => new Response('secret-body', { status: 500 })
  const { ask, log } = await start(t, { issuers: [{ ...issuer.entry, jwksUri, fetch, lazy: true }] })
  const reason = `the keys of the issuer "${issuer.url}" are unavailable (status 500, https://keys.example/jwks)`
  t.same(await ask(await issuer.token('alice')), { status: 503, code: 'KEYS_UNAVAILABLE', reason })
  const line = { issuer: issuer.url, url: 'https://keys.example/jwks', reason: 'status 500', failures: 1 }
  t.match(log.filter(({ level, url }) => level === 40 && url), sameLength([line]))
  t.notMatch(JSON.stringify(log), 'secret')
})

t.test('a user is cached no longer than the token is valid and the keys are fresh', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const start = Date.now()
  let passed = 0
  t.capture(Date, 'now', () => start + passed * 1000)
  const { app, send, log } = await build(t, { cache: {}, issuers: [{ ...issuer.entry, maxAge: 100 }] })
  app.log.level = 'debug'
  const verified = () => log.filter(({ msg }) => msg === 'token verified').length
  const exp = Math.floor(start / 1000) + 1000
  const token = await issuer.token({ id: 'alice', exp })
  for (const [seconds, times] of [[0, 1], [50, 1], [90, 1], [100, 2], [150, 2], [190, 2], [200, 3]] as const) {
    passed = seconds
    t.match(await send({ url: '/api/alice/tasks', headers: bearer(token) }), { status: 200 })
    t.equal(verified(), times, `after ${seconds} s`)
  }
})
