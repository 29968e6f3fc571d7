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
  const wrong: Array<[options: object, message: RegExp]> = [
    [{ mode: 'nope' }, /^createIssuer has no mode "nope": it has 'secret', the default, and 'jwks'$/],
    [{ alg: 'ES256' }, /^createIssuer with mode 'secret' has no option "alg": it has "mode", "secret", "algorithm", "issuer", "audience", "userIdClaim", "expiresIn"$/],
    [{ mode: 'jwks', algorithm: 'ES256' }, /^createIssuer with mode 'jwks' has no option "algorithm": it has "mode", "t", "alg", "audience", "keys", "userIdClaim", "expiresIn"$/],
    [null as unknown as object, /^createIssuer with mode 'secret' takes its options as an object/]
  ]
  for (const [options, message] of wrong) t.throws(() => createIssuer(options as SecretIssuerOptions), { name: 'TypeError', message })
})
