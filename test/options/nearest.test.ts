import t from 'tap'
import { optionsSchema } from '../../lib/options/options-schema.js'
import { issuerSchema } from '../../lib/options/issuers.js'
import { nearest } from '../../lib/options/nearest.js'

const rows: Array<[name: string, meant: string | undefined]> = [
  ['secert', 'secret'],
  ['secrets', 'secret'],
  ['Secret', 'secret'],
  ['isuers', 'issuers'],
  ['audiance', 'audience'],
  ['algorithm', 'algorithms'],
  ['userIDClaim', 'userIdClaim'],
  ['userIdParm', 'userIdParam'],
  ['clock_tolerance', 'clockTolerance'],
  ['clocktolerence', 'clockTolerance'],
  ['decorator', undefined],
  ['foo', undefined],
  ['key', undefined],
  ['', undefined]
]

t.test('a misspelt name finds the one that was meant', async (t) => {
  const names = Object.keys(optionsSchema.properties)
  for (const [name, meant] of rows) t.equal(nearest(name, names), meant, name)
  for (const name of names) t.equal(nearest(name, names), name)
  const ofIssuer = Object.keys(issuerSchema.properties)
  t.equal(nearest('jwksURL', ofIssuer), 'jwksUri')
  t.equal(nearest('requiredClaim', ofIssuer), 'requiredClaims')
  t.equal(nearest('x', []), undefined)
})

t.test('one letter may be added, removed or replaced, or two be swapped', async (t) => {
  const names = [
    ['abcdef', true], ['abcde', true], ['abcd', false], ['bcdef', true], ['abcdefg', true], ['xabcdef', true],
    ['abcxef', true], ['xbcxef', false], ['abcdefgh', false], ['xyabcdef', false], ['bacdef', true], ['abcdfe', true],
    ['abdcxf', false], ['abxydef', false], ['cbadef', false], ['', false]
  ] as const
  for (const [name, near] of names) {
    t.equal(nearest(name, ['abcdef']) !== undefined, near, name)
  }
  t.equal(nearest('abcd', ['abcx', 'abc_D']), 'abc_D', 'the closest of several')
  t.equal(nearest('', ['']), '')
})
