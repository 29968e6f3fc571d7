import { decodeJwt } from 'jose'
import t from 'tap'
import { createIssuer } from '../../lib/testing/index.js'
import { namesOf, tokensFor } from '../../lib/testing/tokens.js'
import type { AppRoute } from '../../lib/testing/app-routes.js'

const issuer = createIssuer()
const people = { issuer, alice: 'alice', bob: 'bob' }
const known = { alice: 'alice', bob: 'bob', good: issuer.token('alice'), forged: 'f', expired: 'e' }
type Rule = Parameters<typeof tokensFor>[0]
const none: Rule = { scopes: null, delegates: null, bound: [] }
const bind = (param: string, ...path: string[]): AppRoute['bound'] => [{ param, path, isInUrl: true }]
const read = (token?: string) => token === undefined ? undefined : decodeJwt(token)

t.test('without a rule nothing is signed', async (t) => {
  const tenants = { hers: {}, his: {}, others: {} }
  t.strictSame(await tokensFor(none, known, people), { ...known, stranger: known.good, tenants })
  t.match(await tokensFor({ ...none, delegates: true }, known, people), { stranger: known.good, delegate: undefined })
})

t.test('scopes of a rule: with them, without them, and for a delegate', async (t) => {
  const rule: Rule = { ...none, scopes: ['a', 'b'], delegates: { scopes: ['b', 'staff'] } }
  const alice = { id: 'alice', scope: 'x staff', roles: ['a', 'z'], name: 'a', age: 7 }
  const tokens = await tokensFor(rule, known, { ...people, alice })
  t.match(read(tokens.good), { sub: 'alice', scope: 'x staff a b', roles: ['a', 'z'], name: 'a', age: 7 })
  t.match(read(tokens.stranger), { sub: 'alice', scope: 'x a', roles: ['a', 'z'] }, 'whatever the rule says of owners')
  t.match(read(tokens.poor), { sub: 'alice', scope: 'x staff', roles: ['z'], name: '', age: 7 }, 'in whatever claim')
  t.match(read(tokens.delegate), { sub: 'bob', scope: 'x staff a b b staff', age: 7 })
  t.same([tokens.expired, tokens.forged], ['e', 'f'])
  const anyOf = await tokensFor({ ...none, scopes: { anyOf: ['a', 'b'] } }, known, { ...people, bob: { id: 'bob' } })
  t.match([read(anyOf.good)?.scope, read(anyOf.poor)?.scope, anyOf.delegate], ['a b', '', undefined])
  const entra = { ...people, alice: { id: 'alice', scp: ['c', 'd'] } }
  const inScp = await tokensFor({ ...none, scopes: ['a'] }, known, entra)
  t.match(read(inScp.good), { scope: 'c d a', scp: ['c', 'd'] })
  const same = await tokensFor({ ...none, delegates: { scopes: ['alice'] } }, known, people)
  t.match([read(same.stranger)?.sub, read(same.delegate)?.scope], ['alice', 'alice'], 'an id is no scope')
})

t.test('tenants: hers, his, and one that is not hers', async (t) => {
  const bound = [...bind('org_id', 'o', 'id'), ...bind('team', 'teams')]
  const alice = { id: 'alice', o: { id: 'acme' }, teams: ['red', 'blue'] }
  const good = { ...known, good: issuer.token(alice) }
  const tenants = async (bob: string | { id: string }) =>
    (await tokensFor({ ...none, bound }, good, { ...people, alice, bob })).tenants
  const hers = { org_id: 'acme', team: 'red' }
  const bob = { id: 'bob', o: { id: 'umbrella' }, teams: ['blue', 'green'] }
  t.same(await tenants(bob), {
    hers, his: { org_id: 'umbrella', team: 'blue' }, others: { org_id: 'umbrella', team: 'green' }
  })
  t.same(await tenants('bob'), { hers, his: hers, others: { org_id: 'baaa', team: 'aaa' } })
  t.same((await tokensFor({ ...none, bound: bind('n', 'x', 'y') }, known, people)).tenants,
    { hers: { n: '1' }, his: { n: '1' }, others: { n: String(2e9 + 1) } }, 'of somebody who has none')
  const ready = { issuer: undefined as never, alice: { id: 'alice', token: good.good } }
  const both = { ...ready, bob: { id: 'bob', token: issuer.token(bob) } }
  t.match(await tokensFor({ ...none, bound }, good, both), { tenants: { others: { org_id: 'umbrella' } } })
  const alone = await tokensFor({ ...none, bound, scopes: ['a'] }, good, { ...ready, bob: 'bob' })
  t.match(alone, { tenants: { hers }, poor: undefined }, 'nobody signs')
})

t.test('the names of scopes', async (t) => {
  t.same([null, ['a', 'b'], { anyOf: ['a', 'b'] }].map(namesOf), [[], ['a', 'b'], ['a', 'b']])
})
