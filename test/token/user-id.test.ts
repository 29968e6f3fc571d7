import t from 'tap'
import { readOptions } from '../../lib/options/settings.js'
import { faultOfId, prefixedId } from '../../lib/token/user-id.js'
import { secret } from '../support/host.js'

t.test('an id is a string that is not blank and has no control characters', async (t) => {
  for (const id of ['alice', ' alice', '0', '🦊', 'a/b']) t.equal(faultOfId(id), undefined, id)
  for (const id of ['', ' ', '\u00a0', '\n']) t.equal(faultOfId(id), 'is blank', JSON.stringify(id))
  for (const id of [7, null, undefined, {}, ['alice'], true]) {
    t.equal(faultOfId(id), 'is not a string', JSON.stringify(id))
  }
  for (const id of ['a\u0000', 'a\nb', 'a\u0085', '\u007fa']) {
    t.equal(faultOfId(id), 'has control characters',
      JSON.stringify(id))
  }
})

t.test('of all characters, the 65 control characters alone are refused, wherever they stand', async (t) => {
  const all = Array.from({ length: 0x1_0000 }, (_, code) => code)
  const controls = all.filter((code) => code < 0x20 || (code > 0x7e && code < 0xa0))
  t.equal(controls.length, 65)
  for (const idWith of [
    (each: string) => `${each}alice`, (each: string) => `al${each}ice`, (each: string) => `alice${each}`
  ]) {
    t.same(all.filter((code) => faultOfId(idWith(String.fromCharCode(code)))), controls, JSON.stringify(idWith('_')))
  }
})

t.test('an id that begins with the prefix of another issuer is foreign', async (t) => {
  const entry = { issuer: 'https://b.example', audience: 'api', jwksUri: 'https://b.example/jwks', idPrefix: 'b:' }
  const { claimRules } = readOptions({ secret, issuers: [entry] }, {})
  const read = (id: string) => prefixedId(id, 'claim "sub"', 'MISSING_UID_CLAIM', claimRules)
  t.same(['alice', 'B:alice', 'b'].map(read), ['alice', 'B:alice', 'b'])
  t.throws(() => read('b:alice'), { code: 'INVALID_CLAIMS' })
})
