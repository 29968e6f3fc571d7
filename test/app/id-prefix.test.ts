import fc from 'fast-check'
import Fastify from 'fastify'
import t from 'tap'
import userScope, { type IssuerOptions } from '../../lib/index.js'
import { issuerRules, readOptions } from '../../lib/options/settings.js'
import { createIssuer } from '../../lib/testing/index.js'
import { createClaimsReader } from '../../lib/token/claims-reader.js'
import { bearer, build, now, secret, sign } from '../support/host.js'

const exp = now() + 86_400
const iss = 'https://tokens.of.the.secret.example' // it does not say who vouched

/** One list of verifiers: the idPrefix of each issuer, and whether a secret verifies too. */
const hosts: Array<{ prefixes: string[], withSecret: boolean }> = [
  { prefixes: [''], withSecret: true },
  { prefixes: ['a:'], withSecret: true },
  { prefixes: ['', ''], withSecret: false },
  { prefixes: ['', 'b:'], withSecret: false },
  { prefixes: ['a:', 'b:'], withSecret: false },
  { prefixes: ['b:', 'b:'], withSecret: true },
  { prefixes: ['', 'b:'], withSecret: true },
  { prefixes: [':', 'b:'], withSecret: true }
]
const subs = [
  'alice', 'a:alice', 'b:alice', 'b:b:alice', 'b:', ':alice', 'B:alice', 'b\uff1aalice', 'b\ua789alice',
  'b%3Aalice', '', ' '
]

/** What the contract says of a token: the id, or the code of its refusal. */
function expected (prefix: string, sub: string, prefixes: readonly string[]): { id: string } | { code: string } {
  if (sub.trim() === '') return { code: 'MISSING_UID_CLAIM' }
  if (prefix === '' && prefixes.some((other) => other !== '' && sub.startsWith(other))) {
    return { code: 'INVALID_CLAIMS' }
  }
  return { id: prefix + sub }
}

for (const { prefixes, withSecret } of hosts) {
  t.test(`nobody opens another's path: ${JSON.stringify(prefixes)}${withSecret ? ' and a secret' : ''}`, async (t) => {
    const issuers = await Promise.all(prefixes.map(() => createIssuer({ mode: 'jwks', t })))
    const entries = issuers.map(({ entry }, index) => ({ ...entry, idPrefix: prefixes[index] as string }))
    const { send } = await build(t, { issuers: entries, ...withSecret && { secret } }, {}, (app) => {
      app.get('/u/:user_id', async ({ user: { id, issuer } }) => ({ id, issuer }))
    })
    const verifiers = issuers.map((issuer, index) => ({
      name: issuer.url,
      prefix: prefixes[index] as string,
      token: async (sub: string) => await issuer.token({ id: 'x', sub })
    }))
    if (withSecret) verifiers.push({ name: 'secret', prefix: '', token: async (sub) => sign({ iss, sub, exp }) })
    const ids = subs.flatMap((sub) => [...prefixes, ''].map((prefix) => prefix + sub))
    const paths = new Set(ids.filter((id) => id.trim() !== ''))
    for (const { name, prefix, token } of verifiers) {
      for (const sub of subs) {
        const headers = bearer(await token(sub))
        const outcome = expected(prefix, sub, prefixes)
        for (const path of paths) {
          const { code, body } = await send({ url: `/u/${encodeURIComponent(path)}`, headers })
          const isOwn = 'id' in outcome && outcome.id === path
          const refusal = 'code' in outcome ? outcome.code : 'FORBIDDEN_USER_ACCESS'
          t.same(isOwn ? body : code, isOwn ? { id: path, issuer: name } : refusal, `${prefix}|${sub} on ${path}`)
        }
      }
    }
  })
}

t.test('users of two issuers only share an id if their prefixes are equal', async (t) => {
  // A short run with each test run; ID_PREFIX_CASES=1000000 for a long one.
  const numRuns = Number(process.env.ID_PREFIX_CASES ?? 20_000)
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '\uff1a', '%3A', 'A'), maxLength: 6 })
  const prefix = fc.oneof(fc.constant(''), text.map((start) => `${start}:`))
  const entry = (name: string, idPrefix: string): IssuerOptions =>
    ({ issuer: `https://${name}.example`, audience: 'api', jwksUri: 'https://keys.example/', idPrefix })
  let judged = 0
  let same = 0
  fc.assert(fc.property(prefix, prefix, fc.boolean(), text, text, (first, second, withSecret, one, other) => {
    let settings
    try {
      settings = readOptions({ issuers: [entry('a', first), entry('b', second)], ...withSecret && { secret } }, {})
    } catch { // one prefix begins another
      return first !== second && (first.startsWith(second) || second.startsWith(first)) && first !== '' && second !== ''
    }
    const rules = [
      ...settings.issuers.map((issuer) => ({ prefix: issuer.idPrefix, rules: issuerRules(settings, issuer) })),
      ...withSecret ? [{ prefix: '', rules: settings.claimRules }] : []
    ]
    const ids = rules.map(({ rules }) => [one, other].map((sub) => {
      try {
        const payload = { sub, exp, iss: rules.issuer, aud: 'api' }
        return createClaimsReader(rules)({ token: '', header: { alg: 'none' }, payload } as never).user.id
      } catch {
        return null
      }
    }))
    judged++
    return ids.every((a, i) => ids.every((b, j) => a.every((idA, m) => b.every((idB, n) => {
      if (idA === null || idA !== idB || (i === j && m === n)) return true
      same++
      return rules[i]?.prefix === rules[j]?.prefix && [one, other][m] === [one, other][n]
    }))))
  }), { numRuns })
  t.comment(`${numRuns} cases, ${judged} hosts that boot, ${same} pairs that are one user`)
  t.ok(judged > numRuns / 4 && same > 0)
})

t.test('missing and overlapping prefixes stop the boot', async (t) => {
  const entry = { audience: 'api', jwksUri: 'https://keys.example/', lazy: true }
  const a = { ...entry, issuer: 'https://a.example' }
  const b = { ...entry, issuer: 'https://b.example' }
  const advice = new RegExp('option "issuers\\.0\\.idPrefix" is missing: .* whose users these are:\\n' +
    ' {2}idPrefix: \'\' .* the users of the others .*\\n {2}idPrefix: \'b:\' .* in request\\.user\\.id and in paths$')
  const rows: Array<[what: string, options: object, says: RegExp | null]> = [
    ['two issuers', { issuers: [a, b] }, advice],
    ['a second issuer alone', { issuers: [{ ...a, idPrefix: '' }, b] }, /"issuers\.1\.idPrefix" is missing/],
    ['an issuer and a secret', { issuers: [a], secret }, /"issuers\.0\.idPrefix" is missing/],
    [
      'no colon',
      { issuers: [{ ...a, idPrefix: 'a' }] },
      /"issuers\.0\.idPrefix" must be an empty string, or a text that ends in ":"/
    ],
    ['a control character', { issuers: [{ ...a, idPrefix: 'a\n:' }] }, /"issuers\.0\.idPrefix" must be/],
    [
      'one begins another',
      { issuers: [{ ...a, idPrefix: 'a:b:' }, { ...b, idPrefix: 'a:' }] },
      /"issuers\.0\.idPrefix" begins with another entry.s, ".+", so that two users could have one id/
    ],
    [
      'the first begins the second',
      { issuers: [{ ...a, idPrefix: 'a:' }, { ...b, idPrefix: 'a:b:' }] },
      /"issuers\.1\.idPrefix" begins with another entry.s/
    ],
    ['undefined', { issuers: [{ ...a, idPrefix: undefined }] }, /"issuers\.0\.idPrefix" is undefined/],
    ['a sole issuer', { issuers: [a] }, null],
    ['a sole issuer that states one', { issuers: [{ ...a, idPrefix: 'a:' }] }, null],
    ['shared', { issuers: [{ ...a, idPrefix: 'a:' }, { ...b, idPrefix: 'a:' }], secret }, null]
  ]
  for (const [what, options, says] of rows) {
    const app = Fastify()
    const error = await app.register(userScope, options).then(() => null, (error: Error) => error)
    if (says === null) t.equal(error, null, what)
    else t.match(error, { code: 'FST_USER_SCOPE_INVALID_OPTION', message: says }, what)
  }
})
