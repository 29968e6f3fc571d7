import { createSign, generateKeyPairSync } from 'node:crypto'
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import t from 'tap'
import userScope, { type VerifiedUser } from '../../lib/index.js'
import {
  bearer, build, challengeOf, longSecret, now, otherSecret, refusals, secret, sender, sign, tokenFor
} from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const payload = { sub: 'alice', exp: now() + 3600 }
const good = sign(payload)
const [, , signature] = good.split('.') as [string, string, string]
const input = good.slice(0, good.lastIndexOf('.'))
const unsigned = (header: object) => `${sign(payload, { header }).split('.').slice(0, 2).join('.')}.`
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const flipped = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)

const signatureBytes = Buffer.from(signature, 'base64url')
const forged: Array<[what: string, token: string]> = [
  ...['none', 'None', 'NONE', 'nOnE', ' none', ''].flatMap((alg): Array<[string, string]> => [
    [`alg ${alg || 'empty'}, no signature`, unsigned({ alg })],
    [`alg ${alg || 'empty'}, good HMAC`, sign(payload, { header: { alg } })]
  ]),
  ['no alg', sign(payload, { header: { typ: 'JWT' } })],
  ['no alg, no signature', unsigned({})],
  ...[null, true, 256, [], ['HS256'], { alg: 'HS256' }].map(
    (alg): [string, string] => [`alg ${JSON.stringify(alg)}`, sign(payload, { header: { alg } })]
  ),
  ...[
    'hs256', 'HS256 ', 'HS255', 'HS1', 'HS384', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA', 'dir', 'A128KW',
    'toString', '__proto__'
  ].map((alg): [string, string] => [`alg ${alg}, HMAC of SHA-256`, sign(payload, { header: { alg } })]),
  ['another HS size, well signed', sign(payload, { header: { alg: 'HS512' }, hash: 'sha512' })],
  ['RS256, signed with a key of its own', (() => {
    const input = sign(payload, { header: { alg: 'RS256' } }).split('.').slice(0, 2).join('.')
    return `${input}.${createSign('sha256').update(input).sign(rsa.privateKey, 'base64url')}`
  })()],
  ['another secret', sign(payload, { key: otherSecret })],
  ['empty secret', sign(payload, { key: '' })],
  ['no signature', `${input}.`],
  ['signature of nothing but zeros', `${input}.${Buffer.alloc(32).toString('base64url')}`],
  ['signature of another token', `${input}.${tokenFor('bob').split('.')[2]}`],
  ['signature one byte short', `${input}.${signatureBytes.subarray(0, 31).toString('base64url')}`],
  ['signature one byte long', `${input}.${Buffer.concat([signatureBytes, Buffer.alloc(1)]).toString('base64url')}`],
  ['signature twice', `${input}.${Buffer.concat([signatureBytes, signatureBytes]).toString('base64url')}`],
  ['signature changed in front', `${input}.${flipped(signature, 0)}`],
  ['signature changed in the middle', `${input}.${flipped(signature, 20)}`],
  ['SHA-512 under the name of SHA-256', sign(payload, { hash: 'sha512' })],
  ['payload of another', `${input.split('.')[0]}.${tokenFor('bob').split('.')[1]}.${signature}`],
  [
    'a key of its own in jwk',
    sign(payload, {
      header: { alg: 'HS256', jwk: { kty: 'oct', k: Buffer.from(otherSecret).toString('base64url') } },
      key: otherSecret
    })
  ],
  ['a kid that names a file', sign(payload, { header: { alg: 'HS256', kid: '/dev/null' }, key: '' })]
]

t.test('forged tokens are refused', async (t) => {
  for (const secrets of [secret, [secret, 'Mn4bVc7xZa1sDf6gHj3kLq8wEr5tYu2i']]) {
    const { send, log } = await build(t, { secret: secrets })
    for (const [what, token] of forged) {
      log.length = 0
      const { status, code, headers } = await send({ url: '/api/alice/tasks', headers: bearer(token) })
      t.same([status, code], [401, 'INVALID_TOKEN_SIGNATURE'], what)
      t.equal(headers['www-authenticate'], challengeOf('Invalid token signature'), what)
      t.equal(refusals(log).length, 1, what)
    }
  }
})

t.test('each of several secrets verifies', async (t) => {
  const secrets = [otherSecret, secret, 'Mn4bVc7xZa1sDf6gHj3kLq8wEr5tYu2i']
  const { send } = await build(t, { secret: secrets })
  for (const key of secrets) {
    t.match(await send({ url: '/api/alice/tasks', headers: bearer(sign(payload, { key })) }), { status: 200 })
  }
})

t.test('critical extensions that the library knows are refused too', async (t) => {
  const { send, log } = await build(t, { secret: [otherSecret, secret] })
  const header = { alg: 'HS256', crit: ['x'], x: 1 }
  t.match(await send({ url: '/api/me', headers: bearer(sign(payload, { header })) }), { code: 'INVALID_CLAIMS' })
  const forged = sign(payload, { header, key: 'x' })
  t.match(await send({ url: '/api/me', headers: bearer(forged) }), { code: 'INVALID_TOKEN_SIGNATURE' })
  const ofFirst = sign(payload, { header, key: otherSecret })
  t.match(
    await send({ url: '/api/me', headers: bearer(ofFirst) }),
    { code: 'INVALID_CLAIMS' },
    'of the first of two secrets'
  )
  t.match(refusals(log).at(-1), { reason: 'header parameter "crit" is not allowed' })
})

t.test('the host may have a property user of its own on requests', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.decorateRequest('user')
  await app.register(userScope, { secret, decoratorName: 'caller' })
  app.get('/api/me', async (request) => ({ caller: request.getDecorator('caller'), user: request.user }))
  const { body } = await sender(app)({ url: '/api/me', headers: bearer(good) })
  t.match(body, { caller: { id: 'alice' }, user: undefined })
})

t.test('the log names the received algorithm, and the fix for one of public keys', async (t) => {
  const state = 'a token signed with a private key, as those of Better Auth\'s jwt() by default. ' +
    'Fix: state who signs it, as in issuers: [betterAuth({ baseURL })]'
  const { send, log } = await build(t, { algorithms: ['HS256', 'HS512'], secret: longSecret })
  const rows: Array<[alg: unknown, says: string]> = [
    ...['EdDSA', 'RS256', 'PS512', 'ES384'].map((alg): [unknown, string] => [alg, `"${alg}", ${state}`]),
    ['HS384', '"HS384" (option "algorithms")'],
    ['none', '"none" (option "algorithms")'],
    [undefined, 'nothing (option "algorithms")'],
    [['HS256'], '["HS256"] (option "algorithms")'],
    ['x'.repeat(300), `"${'x'.repeat(199)}… (option "algorithms")`]
  ]
  for (const [alg, says] of rows) {
    log.length = 0
    t.match(
      await send({ url: '/api/me', headers: bearer(sign(payload, { header: { alg } })) }),
      { code: 'INVALID_TOKEN_SIGNATURE' }
    )
    t.match(refusals(log),
      sameLength([{ reason: `header parameter "alg" is not one of HS256, HS512: received ${says}` }]))
  }
})

t.test('the log keeps the library\'s code and no text of the token', async (t) => {
  const { send, log } = await build(t)
  const token = sign(payload, { key: otherSecret })
  await send({ url: '/api/me', headers: bearer(token) })
  t.match(refusals(log), sameLength([{
    code: 'INVALID_TOKEN_SIGNATURE',
    reason: 'the signature does not verify with a configured secret (FAST_JWT_INVALID_SIGNATURE)'
  }]))
  for (const text of ['alice', ...token.split('.')]) t.notMatch(JSON.stringify(log), text)
})

t.test('the log names who signed a token that the secret does not verify', async (t) => {
  const { send, log } = await build(t, { issuer: 'https://auth.example' })
  const iss = 'https://staging.example'
  const rows: Array<[token: string, reason: string]> = [
    [
      sign({ ...payload, iss }, { key: otherSecret }),
      'the signature does not verify with a configured secret (FAST_JWT_INVALID_SIGNATURE)'
    ],
    [
      sign({ ...payload, iss }, { header: { alg: 'HS512' } }),
      'header parameter "alg" is not one of HS256: received "HS512" (option "algorithms")'
    ]
  ]
  for (const [token, reason] of rows) {
    log.length = 0
    t.match(await send({ url: '/api/me', headers: bearer(token) }), { code: 'INVALID_TOKEN_SIGNATURE' })
    t.strictSame(refusals(log).map((line) => line.reason), [`${reason}. Its claim "iss" is "${iss}"`])
  }
  // Once per second, so another host is asked.
  const other = await build(t)
  const long = sign({ ...payload, iss: 'i'.repeat(300) }, { key: otherSecret })
  await other.send({ url: '/api/me', headers: bearer(long) })
  t.match(refusals(other.log), sameLength([{ reason: /is "i{199}…$/ }]))
})

t.test('a host with a @fastify/jwt of its own is not disturbed', async (t) => {
  for (const order of ['before', 'after'] as const) {
    const app = Fastify()
    const own = async () => { await app.register(jwt, { secret: otherSecret, decoratorName: 'session' }) }
    if (order === 'before') await own()
    await app.register(userScope, { secret: [secret, 'Mn4bVc7xZa1sDf6gHj3kLq8wEr5tYu2i'] })
    if (order === 'after') await own()
    app.get('/api/me', async (request) => request.user.id)
    app.get('/own', { config: { access: 'public' } }, async (request) => {
      await request.jwtVerify()
      return request.getDecorator<VerifiedUser>('session')
    })
    t.equal(Object.keys(app.jwt).includes('verify'), true)
    const ownToken = app.jwt.sign({ name: 'session' })
    t.match(
      await sender(app)({ url: '/own', headers: bearer(ownToken) }),
      { status: 200, body: { name: 'session' } },
      order
    )
    t.match(
      await sender(app)({ url: '/api/me', headers: bearer(ownToken) }),
      { code: 'INVALID_TOKEN_SIGNATURE' },
      order
    )
    t.match(await sender(app)({ url: '/api/me', headers: bearer(good) }), { status: 200, body: 'alice' }, order)
    t.match(await sender(app)({ url: '/own', headers: bearer(good) }), { status: 401 }, order)
  }
})

t.test('nothing of @fastify/jwt reaches a host that has none', async (t) => {
  const { app } = await build(t, {}, {}, (app) => {
    app.get('/', { config: { access: 'public' } }, async (request, reply) => [
      'jwt' in app,
      'jwtVerify' in request,
      'jwtDecode' in request,
      'jwtSign' in reply,
      'fastifyUserScopeJwt' in request
    ])
  })
  t.same((await app.inject('/')).json(), [false, false, false, false, false])
})

t.test('stacks are captured as before after a forged token', async (t) => {
  const { send } = await build(t)
  const { stackTraceLimit } = Error
  for (const token of [good, sign(payload, { key: otherSecret })]) {
    await send({ url: '/api/me', headers: bearer(token) })
    t.equal(Error.stackTraceLimit, stackTraceLimit)
  }
})
