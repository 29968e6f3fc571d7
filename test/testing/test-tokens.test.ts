import t from 'tap'
import { authorize, claimsFor, expired } from '../../lib/testing/test-tokens.js'
import { now } from '../support/host.js'

t.test('the claims of a token', async (t) => {
  const at = now()
  const { iat, exp, ...rest } = claimsFor('alice', {}, { iss: 'a' }) as Record<string, number>
  t.same(rest, { sub: 'alice', iss: 'a' })
  t.ok(Number(iat) >= at && Number(iat) <= now())
  t.equal(Number(exp) - Number(iat), 3600)
  const claims = claimsFor({ id: 'alice', role: 'admin', iss: 'b' }, { userIdClaim: 'uid', expiresIn: 5 }, { iss: 'a' })
  t.match(claims, { uid: 'alice', role: 'admin', iss: 'b' })
  t.notOk('id' in claims)
  t.equal(claimsFor({ id: 'alice', exp: 1 }, {}, {}).exp, 1)
})

t.test('an id without the prefix that the plugin puts before it', async (t) => {
  const claims = (id: string) => claimsFor(id, { idPrefix: 'b:' }, {})
  t.equal(claims('b:alice').sub, 'alice')
  t.equal(claims('b:b:alice').sub, 'b:alice')
  t.throws(() => claims('alice'),
    new TypeError('"alice" lacks the prefix of this issuer: give the whole id, "b:alice"'))
  t.equal(claimsFor('alice', { idPrefix: '' }, {}).sub, 'alice')
})

t.test('expired beyond every tolerance, whatever else is said', async (t) => {
  const { iat, exp } = expired(claimsFor({ id: 'alice', exp: now() + 1 }, {}, {})) as { iat: number, exp: number }
  t.ok(exp < now() - 3600)
  t.ok(iat < exp)
})

t.test('the header', async (t) => { t.same(authorize('a.b.c'), { authorization: 'Bearer a.b.c' }) })

t.test('a subject without an id', async (t) => {
  const wrong: unknown[] = [{ sub: 'alice' }, {}, Object.create({ id: 'alice' }), null, undefined, 1]
  const message = 'a token needs a user: the id as a string, or an object with an "id" of its own'
  for (const subject of wrong) t.throws(() => claimsFor(subject as string, {}, {}), new TypeError(message))
  const { sub } =
    JSON.parse(JSON.stringify(claimsFor({ id: undefined as unknown as string }, {}, {}))) as { sub?: string }
  t.equal(sub, undefined, 'one that is left out on purpose')
})
