import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { assertFitSecret } from '../../lib/options/secret.js'
import { assertOwnership } from '../../lib/testing/index.js'
import { createIssuer, createSecretIssuer, type SecretIssuerOptions } from '../../lib/testing/issuer.js'
import { bearer, build, now } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const hosts: SecretIssuerOptions[] = [
  {},
  { secret: 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT' },
  { algorithm: 'HS384' },
  { algorithm: 'HS512' },
  { issuer: 'https://issuer.example', audience: 'api', userIdClaim: 'account' }
]

for (const options of hosts) {
  t.test(`the plugin takes its tokens: ${JSON.stringify(options)}`, async (t) => {
    const issuer = createIssuer(options)
    const { send } = await build(t, issuer.options)
    const status = async (token: string, path = '/api/alice/tasks') => {
      const { status, code } = await send({ url: path, headers: bearer(token) })
      return [status, code].filter(Boolean).join(' ')
    }
    t.equal(await status(issuer.token('alice')), '200')
    // Without it, a token with the claims of a link in an e-mail would be taken for one.
    t.equal(decodeProtectedHeader(issuer.token('alice')).typ, 'JWT')
    t.equal(await status(issuer.token({ id: 'alice', role: 'admin' }, { header: { typ: 'jwt' } })), '200')
    t.equal(await status(issuer.token('alice'), '/api/bob/tasks'), '403 FORBIDDEN_USER_ACCESS')
    t.equal(await status(issuer.expired('alice')), '401 TOKEN_EXPIRED')
    t.equal(await status(issuer.forged('alice')), '401 INVALID_TOKEN_SIGNATURE')
    t.equal(await status(issuer.token('alice', { header: { typ: 'other' } })), '401 INVALID_CLAIMS')
    t.equal((await send({ url: '/api/alice/tasks', headers: issuer.authorization('alice') })).status, 200)
  })
}

t.test('each issuer has its own secret, which the plugin accepts', async (t) => {
  const secrets = Array.from({ length: 200 }, () => createSecretIssuer({}).secret)
  t.equal(new Set(secrets).size, 200)
  for (const secret of secrets) assertFitSecret(secret, 'secret', 64)
})

t.test('a claim that is undefined is left out', async (t) => {
  const issuer = createSecretIssuer({})
  const { send } = await build(t, { ...issuer.options, maxTokenAge: 60 })
  t.match(await send({ url: '/api/me', headers: issuer.authorization('alice') }), { status: 200 })
  t.match(await send({ url: '/api/me', headers: issuer.authorization({ id: 'alice', iat: undefined }) }),
    { status: 401, code: 'INVALID_CLAIMS' })
  t.match(await send({ url: '/api/me', headers: issuer.authorization({ id: 'alice', exp: undefined }) }),
    { status: 401, code: 'INVALID_CLAIMS' })
})

t.test('claims behind the user are refused, as they would be lost', async (t) => {
  const says = (names: string) => new TypeError(
    `unknown option "token(user, options).scope". Use one of: ${names} (claims belong to the user: { id, … })`)
  t.throws(() => createSecretIssuer({}).token('alice', { scope: 'tasks:read' } as never), says('header'))
  const issuer = await createIssuer({ mode: 'jwks', t })
  t.equal(['alice', 'bob'].map(createSecretIssuer({}).token as never).length, 2, 'an index is no such argument')
  await t.rejects(issuer.token('alice', { scope: 'tasks:read' } as never), says('header, key'))
})

t.test('an undefined secret is refused', async (t) => {
  t.throws(() => createSecretIssuer({ secret: undefined } as never), {
    name: 'TypeError',
    message: 'createIssuer: secret is undefined, and so is perhaps an environment variable. ' +
      'Fix: set it, or leave secret out for a random one'
  })
})

t.test('by default it signs with a secret, synchronously', async (t) => {
  t.type(createIssuer().token('alice'), 'string')
  t.equal(createIssuer({ secret: 'a' }).secret, 'a')
  t.equal(createIssuer({ mode: 'secret', secret: 'b' }).secret, 'b')
})

t.test('with mode \'jwks\' it publishes its keys', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  t.type(await issuer.token('alice'), 'string')
  t.same((await (await fetch(issuer.entry.jwksUri)).json() as { keys: unknown[] }).keys.length, 1)
})

t.test('scopes, actors and tenants are claims, in either mode', async (t) => {
  for (const issuer of [createIssuer(), await createIssuer({ mode: 'jwks', t })]) {
    const { app, send } = await build(t, { ...issuer.options, bind: { org_id: 'org_id' } }, {}, (app) => {
      app.get('/:org_id/:user_id', { config: { access: { scopes: ['tasks:write'] } } }, async ({ user }) => user)
    })
    const claims = { id: 'alice', scope: 'tasks:write', act: { sub: 'support-7' }, org_id: 'acme' }
    const headers = await issuer.authorization(claims)
    t.match(await send({ url: '/acme/alice', headers }), sameLength({
      status: 200,
      body: { id: 'alice', scopes: ['tasks:write'], actor: { id: 'support-7' }, claims: { org_id: 'acme' } }
    }))
    t.match(await send({ url: '/umbrella/alice', headers }), { code: 'FORBIDDEN_RESOURCE_ACCESS' })
    const without = await issuer.authorization({ ...claims, scope: undefined })
    t.match(await send({ url: '/acme/alice', headers: without }), { code: 'INSUFFICIENT_SCOPE' })
    await app.close()
  }
})

t.test('a host with revocations accepts its tokens until they are revoked', async (t) => {
  for (const issuer of [createIssuer(), await createIssuer({ mode: 'jwks', t })]) {
    const { app, send } = await build(t, { ...issuer.options, revocations: true })
    await assertOwnership(app, { issuer, alice: 'alice', bob: 'bob' })
    const ask = async (claims: { id: string, [claim: string]: unknown }) => {
      const { status, code } = await send({ url: '/api/me', headers: await issuer.authorization(claims) })
      return [status, code].filter(Boolean).join(' ')
    }
    const alice = { id: 'alice', sid: 's1', jti: 't1', iat: now() } // each of her tokens is of before the revocation
    const bob = { id: 'bob', sid: 's2', jti: 't2' }
    t.same([await ask(alice), await ask(bob)], ['200', '200'])
    await app.userScope.revoke({ user: 'alice' })
    await app.userScope.revoke({ session: 's2' })
    t.same([await ask(alice), await ask(bob)], ['401 TOKEN_REVOKED', '401 TOKEN_REVOKED'])
    t.equal(await ask({ ...bob, sid: 's3' }), '200')
    await app.userScope.revoke({ token: 't2' })
    t.equal(await ask({ ...bob, sid: 's3' }), '401 TOKEN_REVOKED')
    t.equal(await ask({ ...alice, iat: now() + 2 }), '200', 'signed in again')
    await app.close()
  }
})

t.test('a token that outlives keepFor is refused', async (t) => {
  const issuer = createIssuer({ expiresIn: 61 })
  const { send } = await build(t, { ...issuer.options, revocations: { keepFor: 60 } })
  const headers = issuer.authorization('alice')
  t.match(await send({ url: '/api/me', headers }), { status: 401, code: 'INVALID_CLAIMS' })
  const shorter = createIssuer({ expiresIn: 60 })
  const { send: ask } = await build(t, { ...shorter.options, revocations: { keepFor: 60 } })
  t.match(await ask({ url: '/api/me', headers: shorter.authorization('alice') }), { status: 200 })
})

t.test('unknown options are named, in either mode', async (t) => {
  const names = {
    secret: 'mode, secret, algorithm, issuer, audience, userIdClaim, expiresIn',
    jwks: 'mode, t, alg, audience, idPrefix, keys, userIdClaim, expiresIn'
  }
  const wrong: Array<[options: object, message: string]> = [
    [{ mode: 'nope' }, 'createIssuer has no mode "nope": it has \'secret\', the default, and \'jwks\''],
    [{ alg: 'ES256' }, `unknown option "createIssuer({ mode: 'secret' }).alg". Use one of: ${names.secret}`],
    [{ mode: 'jwks', secret: 'a' },
      `unknown option "createIssuer({ mode: 'jwks' }).secret". Use one of: ${names.jwks}`],
    [{ secrt: undefined }, 'unknown option "createIssuer({ mode: \'secret\' }).secrt". Did you mean "secret"?'],
    [{ algorithm: 'RS256' }, 'option "createIssuer({ mode: \'secret\' }).algorithm" must be HS256, HS384 or HS512, ' +
      'or mode must be \'jwks\', with option "alg". Did you mean "HS256"?'],
    ...[null, 5, Buffer.alloc(32)].map((secret): [object, string] =>
      [{ secret }, 'option "createIssuer({ mode: \'secret\' }).secret" must be a string']),
    [{ mode: 'jwks', alg: 'HS256' }, 'option "createIssuer({ mode: \'jwks\' }).alg" must be one of: EdDSA, Ed25519, ' +
      'ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512'],
    [{ expiresIn: '1h' } as never, 'option "createIssuer({ mode: \'secret\' }).expiresIn" must be a number of seconds'],
    [null as never, `createIssuer({ mode: 'secret' }) must be given an object with its options: ${names.secret}`]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => createIssuer(options as SecretIssuerOptions), new TypeError(message))
  }
})
