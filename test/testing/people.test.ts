import { decodeJwt } from 'jose'
import t from 'tap'
import type { AppRoute } from '../../lib/testing/app-routes.js'
import { createIssuer } from '../../lib/testing/issuer.js'
import {
  authorize, claimsFor, expired, namesOf, readIds, tokensFor, tokensOf, type People, type TokenSource
} from '../../lib/testing/people.js'
import { now } from '../support/host.js'

const issuer = createIssuer()
const ids = { alice: 'alice', bob: 'bob' }

t.test('two users are given by ids or with claims', async (t) => {
  t.same(readIds({ issuer, ...ids }), ids)
  t.same(readIds({ issuer, alice: { id: 'alice', role: 'admin' }, bob: { id: 'bob' } }), ids)
  const twice = new TypeError('alice and bob must be two users: give each an id of its own')
  t.throws(() => readIds({ issuer, alice: 'a', bob: 'a' }), twice)
  t.throws(() => readIds({ issuer, alice: 'a', bob: { id: 'a' } }), twice)
})

t.test('a user without a usable id is a TypeError', async (t) => {
  for (const nobody of ['', 1, { id: 1 }, { id: '' }, {}, null, undefined]) {
    t.throws(() => readIds({ issuer, alice: nobody, bob: 'b' } as People),
      new TypeError('alice must be a user: the id as a string that is not empty, or an object with such an "id"'))
    t.throws(() => readIds({ issuer, alice: 'a', bob: nobody } as People), /^bob must be a user/)
  }
})

t.test('the issuer signs their tokens', async (t) => {
  const alice = { id: 'alice', role: 'admin' }
  const { good, expired, forged } = await tokensOf('alice', { issuer, alice, bob: 'bob' })
  t.match([good, expired, forged], [/^ey/, /^ey/, /^ey/])
  const payloadOf = (token: string) => JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString())
  t.match(payloadOf(good), { sub: 'alice', role: 'admin' })
  t.match(payloadOf((await tokensOf('bob', { issuer, ...ids })).good), { sub: 'bob' })
})

t.test('with tokens of the host a forged one is made, an expired one is not', async (t) => {
  const token = 'aa.bb.Cc-d'
  const tokens = (person: object) => tokensOf('alice', { alice: { id: 'alice', token, ...person }, bob: 'bob' })
  t.same(await tokens({}), { good: token, expired: undefined, forged: 'aa.bb.Ac-d' })
  const changed = { token: 'aa.bb.Ac-d', expired: 'e' }
  t.same(await tokens(changed), { good: 'aa.bb.Ac-d', expired: 'e', forged: 'aa.bb.Bc-d' })
  t.equal((await tokens({ forged: 'f' })).forged, 'f')
  const both = { alice: { id: 'alice', token }, bob: { id: 'bob', token: 'b' } } as People
  t.equal((await tokensOf('bob', both)).good, 'b')
})

t.test('an issuer that signs no token of a kind is a TypeError, because nothing would be tried with it', async (t) => {
  const sources: Record<string, () => unknown> = { token: () => 'a', expired: () => 'b', forged: () => 'c' }
  const from = (source: object) => tokensOf('alice', { issuer: source as TokenSource, ...ids })
  t.same(await from(sources), { good: 'a', expired: 'b', forged: 'c' })
  for (const kind of Object.keys(sources)) {
    const fault = new TypeError(`issuer.${kind}() must return a token for alice, as a string`)
    for (const value of [undefined, null, { token: 'a' }]) {
      await t.rejects(from({ ...sources, [kind]: async () => value }), fault)
    }
    if (kind !== 'token') await t.rejects(from({ ...sources, [kind]: undefined }), fault)
  }
})

t.test('without an issuer and a token it is a TypeError', async (t) => {
  const wrong: unknown[] = [
    { alice: 'a', bob: 'b' }, { alice: { id: 'a' }, bob: 'b' }, { alice: { id: 'a', token: 1 }, bob: 'b' },
    { issuer: null, alice: 'a', bob: 'b' }, { issuer: {}, alice: 'a', bob: 'b' }
  ]
  for (const people of wrong) {
    for (const name of ['alice', 'bob'] as const) {
      await t.rejects(tokensOf(name, people as People),
        new TypeError(`give an issuer that signs tokens, or ${name} as { id, token }`))
    }
  }
  await t.rejects(tokensOf('alice', { issuer: Promise.resolve(issuer), ...ids } as unknown as People),
    new TypeError("await the issuer: with mode 'jwks' it comes by a promise"))
})

const people = { issuer, alice: 'alice', bob: 'bob' }
const known = { alice: 'alice', bob: 'bob', good: issuer.token('alice'), forged: 'f', expired: 'e' }
type Rule = Parameters<typeof tokensFor>[0]
const none: Rule = { scopes: null, delegates: null, bound: [] }
const bind = (param: string, ...path: string[]): AppRoute['bound'] => [{ param, path, isInUrl: true }]
const read = (token?: string) => {
  const { iat, exp, ...claims } = decodeJwt(String(token))
  return claims
}

t.test('without a rule no token is signed', async (t) => {
  const tenants = { hers: {}, his: {}, others: {} }
  t.strictSame(await tokensFor(none, known, people), { ...known, stranger: known.good, tenants })
  t.match(await tokensFor({ ...none, delegates: true }, known, people), { stranger: known.good, delegate: undefined })
})

t.test('tokens are signed with and without the scopes of a rule, and for a delegate', async (t) => {
  const rule: Rule = { ...none, scopes: ['a', 'b'], delegates: { scopes: ['b', 'staff'] } }
  const alice = { id: 'alice', scope: 'x staff', roles: ['a', 'z'], name: 'a', age: 7 }
  const tokens = await tokensFor(rule, known, { ...people, alice })
  t.same(read(tokens.good), { sub: 'alice', scope: 'x staff a b', roles: ['a', 'z'], name: 'a', age: 7 })
  t.same(read(tokens.stranger), { sub: 'alice', scope: 'x a', roles: ['a', 'z'], name: 'a', age: 7 },
    'whatever the rule says of owners')
  t.same(read(tokens.poor), { sub: 'alice', scope: 'x staff', roles: ['z'], name: '', age: 7 }, 'in whatever claim')
  t.same(read(tokens.delegate), { sub: 'bob', scope: 'x staff a b b staff', roles: ['a', 'z'], name: 'a', age: 7 })
  t.same([tokens.expired, tokens.forged], ['e', 'f'])
  const anyOf = await tokensFor({ ...none, scopes: { anyOf: ['a', 'b'] } }, known, { ...people, bob: { id: 'bob' } })
  t.same([read(anyOf.good).scope, read(anyOf.poor).scope, anyOf.delegate], ['a b', '', undefined], 'no empty one')
  const entra = { ...people, alice: { id: 'alice', scp: ['c', 'd'] } }
  const inScp = await tokensFor({ ...none, scopes: ['a'] }, known, entra)
  t.same(read(inScp.good), { sub: 'alice', scope: 'c d a', scp: ['c', 'd'] })
  const same = await tokensFor({ ...none, delegates: { scopes: ['alice'] } }, known, people)
  t.same([read(same.stranger).sub, read(same.delegate).scope], ['alice', 'alice'], 'an id is no scope')
  const bound = { ...none, scopes: ['admin'], bound: bind('role', 'role') }
  const admin = { id: 'alice', role: 'admin', roles: ['admin'] }
  const { poor } = await tokensFor(bound, { ...known, good: issuer.token(admin) }, { ...people, alice: admin })
  t.same(read(poor), { sub: 'alice', scope: '', role: 'admin', roles: [] },
    'the claim of a tenant stays, or the tenant would be refused')
  const both = { id: 'alice', groups: ['g1', 'admin'] }
  const inOne = await tokensFor({ ...none, scopes: ['admin'], bound: bind('group', 'groups') },
    { ...known, good: issuer.token(both) }, { ...people, alice: both })
  t.same(read(inOne.poor), { sub: 'alice', scope: '', groups: ['g1'] }, 'of a claim with both, the tenant stays')
})

t.test('tenants are hers, his, and one that is not hers', async (t) => {
  const bound = [...bind('org_id', 'o', 'id'), ...bind('team', 'teams')]
  const alice = { id: 'alice', o: { id: 'acme' }, teams: [1, 'red', 'blue'] }
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

t.test('the names of all scopes are listed', async (t) => {
  t.same([null, ['a', 'b'], { anyOf: ['a', 'b'] }].map(namesOf), [[], ['a', 'b'], ['a', 'b']])
})

t.test('a token has the given claims', async (t) => {
  const at = now()
  const { iat, exp, ...rest } = claimsFor('alice', {}, { iss: 'a' }) as Record<string, number>
  t.same(rest, { sub: 'alice', iss: 'a' })
  t.ok(Number(iat) >= at && Number(iat) <= now())
  t.equal(Number(exp) - Number(iat), 3600)
  const claims = claimsFor({ id: 'alice', role: 'admin', iss: 'b' }, { userIdClaim: 'uid', expiresIn: 5 }, { iss: 'a' })
  t.match(claims, { uid: 'alice', role: 'admin', iss: 'b' })
  t.equal(Number(claims.exp) - Number(claims.iat), 5)
  t.notOk('id' in claims)
  t.equal(claimsFor({ id: 'alice', exp: 1 }, {}, {}).exp, 1)
})

t.test('an id without the issuer\'s prefix is a TypeError', async (t) => {
  const claims = (id: string) => claimsFor(id, { idPrefix: 'b:' }, {})
  t.equal(claims('b:alice').sub, 'alice')
  t.equal(claims('b:b:alice').sub, 'b:alice')
  t.throws(() => claims('alice'),
    new TypeError('"alice" lacks the prefix of this issuer: give the whole id, "b:alice"'))
  t.equal(claimsFor('alice', { idPrefix: '' }, {}).sub, 'alice')
})

t.test('an expired token is beyond every tolerance', async (t) => {
  const { iat, exp } = expired(claimsFor({ id: 'alice', exp: now() + 1 }, {}, {})) as { iat: number, exp: number }
  t.ok(exp < now() - 3600)
  t.ok(iat < exp)
})

t.test('authorize returns the header', async (t) => { t.same(authorize('a.b.c'), { authorization: 'Bearer a.b.c' }) })

t.test('a subject without an id is a TypeError', async (t) => {
  const wrong: unknown[] = [
    { sub: 'alice' }, {}, Object.create({ id: 'alice' }), null, undefined, 1, { id: 1 }, { id: null }
  ]
  const message = 'a token needs a user: the id as a string, or an object with an "id" of its own'
  for (const subject of wrong) t.throws(() => claimsFor(subject as string, {}, {}), new TypeError(message))
  const { sub } =
    JSON.parse(JSON.stringify(claimsFor({ id: undefined as unknown as string }, {}, {}))) as { sub?: string }
  t.equal(sub, undefined, 'one that is left out on purpose')
})
