import t from 'tap'
import type { SecretIssuerOptions } from '../../lib/testing/secret-issuer.js'
import { createIssuer } from '../../lib/testing/test-issuer.js'

t.test('with a secret by default, at once', async (t) => {
  t.type(createIssuer().token('alice'), 'string')
  t.equal(createIssuer({ secret: 'a' }).secret, 'a')
  t.equal(createIssuer({ mode: 'secret', secret: 'b' }).secret, 'b')
})

t.test('with published keys where it is asked for', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  t.type(await issuer.token('alice'), 'string')
  t.same((await (await fetch(issuer.entry.jwksUri)).json() as { keys: unknown[] }).keys.length, 1)
})

t.test('what it does not have is told, in either mode', async (t) => {
  const names = {
    secret: '"mode", "secret", "algorithm", "issuer", "audience", "userIdClaim", "expiresIn"',
    jwks: '"mode", "t", "alg", "audience", "idPrefix", "keys", "userIdClaim", "expiresIn"'
  }
  const wrong: Array<[options: object, message: string]> = [
    [{ mode: 'nope' }, 'createIssuer has no mode "nope": it has \'secret\', the default, and \'jwks\''],
    [{ alg: 'ES256' }, `createIssuer with mode 'secret' has no option "alg": it has ${names.secret}`],
    [{ mode: 'jwks', secret: 'a' }, `createIssuer with mode 'jwks' has no option "secret": it has ${names.jwks}`],
    [null as never, `createIssuer with mode 'secret' takes its options as an object: it has ${names.secret}`]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => createIssuer(options as SecretIssuerOptions), new TypeError(message))
  }
})
