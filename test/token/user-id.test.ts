import t from 'tap'
import { readOptions } from '../../lib/options/settings.js'
import { faultOfId, isForeign } from '../../lib/token/user-id.js'
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

t.test('an id that begins with the prefix of another issuer is foreign', async (t) => {
  const entry = { issuer: 'https://b.example', audience: 'api', jwksUri: 'https://b.example/jwks', idPrefix: 'b:' }
  const { claimRules } = readOptions({ secret, issuers: [entry] }, {})
  t.same(['b:alice', 'alice', 'B:alice', 'b'].map((id) => isForeign(id, claimRules)), [true, false, false, false])
})
