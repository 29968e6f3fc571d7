import t from 'tap'
import { bobsToken, readPeople, type People, type PeopleWithTokens } from '../../lib/testing/people.js'
import { createIssuer } from '../../lib/testing/test-issuer.js'

t.test('by an issuer: ids, or the claims of alice', async (t) => {
  const issuer = createIssuer()
  const tokens = await readPeople({ issuer, alice: { id: 'alice', role: 'admin' }, bob: 'bob' })
  t.match(tokens, { alice: 'alice', bob: 'bob', good: String, expired: String, forged: String })
  t.match(JSON.parse(Buffer.from(String(tokens.good.split('.')[1]), 'base64url').toString()),
    { sub: 'alice', role: 'admin' })
})

t.test('by tokens: a forged one is made, an expired one cannot be', async (t) => {
  const token = 'aa.bb.Cc-d'
  t.same(await readPeople({ alice: { id: 'alice', token }, bob: { id: 'bob' } }),
    { alice: 'alice', bob: 'bob', good: token, expired: undefined, forged: 'aa.bb.Ac-d' })
  t.match(await readPeople({ alice: { id: 'alice', token: 'aa.bb.Ac-d', expired: 'e' }, bob: 'bob' }),
    { expired: 'e', forged: 'aa.bb.Bc-d' })
  t.match(await readPeople({ alice: { id: 'alice', token, forged: 'f' }, bob: 'bob' }), { forged: 'f' })
})

t.test('two users, or none', async (t) => {
  const issuer = createIssuer()
  const wrong: People[] = [{ issuer, alice: 'a', bob: 'a' }, { issuer, alice: 'a', bob: { id: 'a' } }]
  for (const people of wrong) {
    await t.rejects(readPeople(people),
      new TypeError('alice and bob must be two users: give each an id of its own'))
  }
})

t.test('who has no id that a token could carry', async (t) => {
  const issuer = createIssuer()
  const wrong: unknown[] = ['', 1, { id: 1 }, { id: '' }, {}, null, undefined]
  for (const nobody of wrong) {
    await t.rejects(readPeople({ issuer, alice: nobody, bob: 'b' } as People),
      new TypeError('alice must be a user: the id as a string that is not empty, or an object with such an "id"'))
    await t.rejects(readPeople({ issuer, alice: 'a', bob: nobody } as People), /^bob must be a user/)
  }
})

t.test('options that lack an issuer, a token or everything', async (t) => {
  const mend = new TypeError('give an issuer that signs tokens, or alice as { id, token }')
  const wrong: unknown[] = [
    { alice: 'a', bob: 'b' }, { alice: { id: 'a' }, bob: 'b' }, { alice: { id: 'a', token: 1 }, bob: 'b' },
    { issuer: null, alice: 'a', bob: 'b' },
    { issuer: {}, alice: 'a', bob: 'b' }
  ]
  for (const people of wrong) await t.rejects(readPeople(people as People), mend)
  await t.rejects(readPeople({ issuer: Promise.resolve(createIssuer()), alice: 'a', bob: 'b' } as unknown as People),
    new TypeError("await the issuer: with mode 'jwks' it comes by a promise"))
  await t.rejects(readPeople({}), /^alice must be a user/)
})

t.test('a token of bob\'s', async (t) => {
  const issuer = createIssuer()
  t.match(await bobsToken({ issuer, alice: 'alice', bob: 'bob' }), /^ey/)
  t.equal(await bobsToken({ alice: { id: 'alice', token: 'a' }, bob: { id: 'bob', token: 'b' } }), 'b')
  const people = { alice: { id: 'alice', token: 'a' }, bob: 'bob' } as unknown as PeopleWithTokens
  await t.rejects(bobsToken(people), new TypeError('give an issuer that signs tokens, or bob as { id, token }'))
})
