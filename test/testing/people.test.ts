import t from 'tap'
import { readIds, tokensOf, type People } from '../../lib/testing/people.js'
import { createIssuer } from '../../lib/testing/issuer.js'

const issuer = createIssuer()
const ids = { alice: 'alice', bob: 'bob' }

t.test('two users, told by ids or with claims', async (t) => {
  t.same(readIds({ issuer, ...ids }), ids)
  t.same(readIds({ issuer, alice: { id: 'alice', role: 'admin' }, bob: { id: 'bob' } }), ids)
  const twice = new TypeError('alice and bob must be two users: give each an id of its own')
  t.throws(() => readIds({ issuer, alice: 'a', bob: 'a' }), twice)
  t.throws(() => readIds({ issuer, alice: 'a', bob: { id: 'a' } }), twice)
})

t.test('who has no id that a token could carry', async (t) => {
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

t.test('tokens of the host: a forged one is made, an expired one cannot be', async (t) => {
  const token = 'aa.bb.Cc-d'
  const tokens = (person: object) => tokensOf('alice', { alice: { id: 'alice', token, ...person }, bob: 'bob' })
  t.same(await tokens({}), { good: token, expired: undefined, forged: 'aa.bb.Ac-d' })
  t.match(await tokens({ token: 'aa.bb.Ac-d', expired: 'e' }), { expired: 'e', forged: 'aa.bb.Bc-d' })
  t.match(await tokens({ forged: 'f' }), { forged: 'f' })
  const both = { alice: { id: 'alice', token }, bob: { id: 'bob', token: 'b' } } as People
  t.match(await tokensOf('bob', both), { good: 'b' })
})

t.test('nobody signs', async (t) => {
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
