import t from 'tap'
import { createSecretIssuer, type SecretIssuerOptions } from '../../lib/testing/secret-issuer.js'
import { assertFitSecret } from '../../lib/options/secret.js'
import { bearer, build } from '../support/host.js'

const hosts: SecretIssuerOptions[] = [
  {},
  { secret: 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT' },
  { algorithm: 'HS512' },
  { issuer: 'https://issuer.example', audience: 'api', userIdClaim: 'account' }
]

for (const options of hosts) {
  t.test(`the plugin takes its tokens: ${JSON.stringify(options)}`, async (t) => {
    const issuer = createSecretIssuer(options)
    const { send } = await build(t, issuer.options)
    const status = async (token: string, path = '/api/alice/tasks') => {
      const { status, code } = await send({ url: path, headers: bearer(token) })
      return [status, code].filter(Boolean).join(' ')
    }
    t.equal(await status(issuer.token('alice')), '200')
    t.equal(await status(issuer.token({ id: 'alice', role: 'admin' }, { header: { typ: 'jwt' } })), '200')
    t.equal(await status(issuer.token('alice'), '/api/bob/tasks'), '403 FORBIDDEN_USER_ACCESS')
    t.equal(await status(issuer.expired('alice')), '401 TOKEN_EXPIRED')
    t.equal(await status(issuer.forged('alice')), '401 INVALID_TOKEN_SIGNATURE')
    t.equal(await status(issuer.token('alice', { header: { typ: 'other' } })), '401 INVALID_CLAIMS')
    t.equal((await send({ url: '/api/alice/tasks', headers: issuer.authorization('alice') })).status, 200)
  })
}

t.test('each has a secret of its own, which the plugin takes', async (t) => {
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

t.test('a secret that is undefined is no random one', async (t) => {
  t.throws(() => createSecretIssuer({ secret: undefined } as never), {
    name: 'TypeError',
    message: 'createIssuer: secret is undefined, and so is perhaps an environment variable. ' +
      'Fix: set it, or leave secret out for a random one'
  })
})
