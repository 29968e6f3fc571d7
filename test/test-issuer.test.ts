import t from 'tap'
import { createIssuer } from '../lib/test-issuer.js'

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
