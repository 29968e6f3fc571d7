import t from 'tap'
import { authorize, claimsFor, expiredClaimsFor } from '../../lib/testing/test-tokens.js'
import { now } from '../support/host.js'

t.test('the claims of a token', async (t) => {
  const [at] = [now()]
  const { iat, exp, ...rest } = claimsFor('alice', {}, { iss: 'a' }) as Record<string, number>
  t.same(rest, { sub: 'alice', iss: 'a' })
  t.ok(Number(iat) >= at && Number(iat) <= now())
  t.equal(Number(exp) - Number(iat), 3600)
  t.match(claimsFor({ id: 'alice', role: 'admin', iss: 'b' }, { userIdClaim: 'uid', expiresIn: 5 }, { iss: 'a' }), { uid: 'alice', role: 'admin', iss: 'b' })
  t.notOk('id' in claimsFor({ id: 'alice' }, {}, {}))
  t.equal(claimsFor({ id: 'alice', exp: 1 }, {}, {}).exp, 1)
})

t.test('expired beyond every tolerance, whatever else is said', async (t) => {
  const { iat, exp } = expiredClaimsFor({ id: 'alice', exp: now() + 1 }, {}, {}) as { iat: number, exp: number }
  t.ok(exp < now() - 3600)
  t.ok(iat < exp)
})

t.test('the header', async (t) => { t.same(authorize('a.b.c'), { authorization: 'Bearer a.b.c' }) })

t.test('a subject without an id', async (t) => {
  const wrong: unknown[] = [{ sub: 'alice' }, {}, Object.create({ id: 'alice' }), null, undefined, 1]
  for (const subject of wrong) t.throws(() => claimsFor(subject as string, {}, {}), new TypeError('a token needs a user: the id as a string, or an object with an "id" of its own'))
  t.notOk('sub' in JSON.parse(JSON.stringify(claimsFor({ id: undefined as unknown as string }, {}, {}))), 'one that is left out on purpose')
})
