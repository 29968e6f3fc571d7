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

t.test('an added, removed or replaced letter counts as one change', async (t) => {
  const changes = [
    ['abcdef', true], ['abcde', true], ['abcd', true], ['cdef', true], ['abcdefgh', true], ['xyabcdef', true],
    ['abcxef', true], ['xbcxef', true], ['xxcxef', false], ['abcdefghi', false], ['xyzabcdef', false]
  ] as const
  for (const [name, near] of changes) {
    t.equal(nearest(name, ['abcdef']) !== undefined, near, name)
  }
  t.equal(nearest('abcd', ['abxx', 'abcx']), 'abcx', 'the closest of several')
  t.equal(nearest('', ['']), '')
})
