import t from 'tap'
import { readTarget } from '../../lib/revocations/target.js'

const now = 1_800_000_000.5
const second = Math.floor(now)
const read = (target: object) => readTarget(target as Parameters<typeof readTarget>[0], ['secret', 'https://a'], now, 5)

t.test('a user, session or token becomes an entry in whole seconds', async (t) => {
  const rows: Array<[target: object, entry: object]> = [
    [{ user: 'alice' }, { kind: 'user', id: 'alice', issuer: '', moment: second }],
    [{ session: 's' }, { kind: 'session', id: 's', issuer: '', moment: second }],
    [{ token: 't', issuer: 'https://a' }, { kind: 'token', id: 't', issuer: 'https://a', moment: second }],
    [{ user: 'a', issuedBefore: 5.9 }, { kind: 'user', id: 'a', issuer: '', moment: 5 }],
    [{ user: 'a', issuedBefore: new Date(0) }, { kind: 'user', id: 'a', issuer: '', moment: 0 }],
    [{ user: 'a', issuedBefore: new Date(7999) }, { kind: 'user', id: 'a', issuer: '', moment: 7 }],
    [{ user: 'a', issuedBefore: now + 5 }, { kind: 'user', id: 'a', issuer: '', moment: second + 5 }]
  ]
  for (const [target, entry] of rows) t.same(read(target), entry, JSON.stringify(target))
})

t.test('a call that would revoke something else is refused', async (t) => {
  const code = 'FST_USER_SCOPE_INVALID_OPTION'
  const late = { user: 'a', issuedBefore: now + 5.1 }
  const early = [-1, new Date(-1), new Date(NaN), NaN].map((issuedBefore) => ({ user: 'a', issuedBefore }))
  for (const target of [{}, { user: 'a', session: 's' }, late, ...early, { user: 'a', issuer: 'b' }]) {
    t.throws(() => read(target), { code }, JSON.stringify(target))
  }
  t.throws(() => read({ session: undefined }), { message: /"revoke\.session" is undefined\. Fix: .* a claim missing/ })
  t.throws(() => read({ user: 'a', issuer: 'b' }), { message: /"revoke\.issuer" must be "secret" or "https:\/\/a"$/ })
})

t.test('a whole token is no claim jti: it would revoke nothing', async (t) => {
  const jws = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln'
  for (const token of [jws, `Bearer ${jws}`, `BEARER\t${jws}`, ` ${jws}`, `"${jws}"`, `token=${jws}`]) {
    t.throws(() => read({ token }), { message: /"revoke\.token" must be the claim "jti" of the token, and not the/ })
  }
  const ids = ['eyJ', 'ey.a.b.c', 'Bearer', 'a.b.c', 'eyes-1.node-2.77', 'x'.repeat(300)]
  for (const token of ids) t.equal(read({ token }).id, token)
})

t.test('a long id is read at once, however often it looks like the start of a token', async (t) => {
  const token = 'eyJ'.repeat(100_000) // minutes, if the time grew with the square of the length
  t.equal(read({ token }).id, token)
  t.throws(() => read({ token: `${token}.${token}.` }), { message: /must be the claim "jti"/ })
})
