import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { issuerSchema } from '../../lib/options/issuers.js'
import { optionsSchema } from '../../lib/options/options-schema.js'

const takes = (options: unknown) => Value.Check(optionsSchema, options)
const issuer = (more: object) => ({ issuers: [{ issuer: 'https://a.example', audience: 'api', ...more }] })

t.test('all options are optional, and unknown ones are refused', async (t) => {
  t.ok(takes({}))
  t.notOk(takes({ secert: 'x' }))
  t.notOk(takes({ cache: { ttl: 60, maxAge: 60 } }))
  t.notOk(takes({ openapi: { scheme: 'x' } }))
})

t.test('all options can be given together', async (t) => {
  const all = {
    ...issuer({
      jwksUri: 'https://a.example/jwks',
      discovery: false,
      algorithms: ['RS256'],
      idPrefix: 'a:',
      userIdClaim: 'sub',
      scopeClaim: 'scope',
      typ: 'at+jwt',
      requiredClaims: { tid: 'x' },
      machine: { gty: 'client-credentials' },
      otherTokens: [],
      lazy: true,
      timeout: 1,
      maxAge: 1,
      cooldown: 1,
      maxStale: 1,
      maxBytes: 1024,
      allowInsecureJwks: false,
      fetch
    }),
    secret: ['x', 'y'],
    issuer: 'x',
    audience: 'x',
    algorithms: ['HS256', 'HS384', 'HS512'],
    userIdClaim: 'sub',
    userIdParam: 'user_id',
    requireStatedAccess: true,
    claims: { type: 'object' },
    clockTolerance: 1,
    maxTokenAge: 1,
    bind: { org_id: ['org', 'id'] },
    mayActFor: () => true,
    scopeClaim: 'scope',
    impersonation: 'refuse',
    logUser: false,
    revocations: true,
    decoratorName: 'user',
    cache: { max: 1, ttl: 1 },
    openapi: { schemeName: 'x', description: 'x', decorator: ['swagger', 'docs'] }
  }
  t.ok(takes(all))
  t.same(Object.keys(all).sort(), Object.keys(optionsSchema.properties).sort())
  t.same(Object.keys({ ...all.issuers[0] }).sort(), Object.keys(issuerSchema.properties).sort())
})

t.test('lists of one entry are accepted, and features can be turned off', async (t) => {
  for (const options of [
    { secret: 'x' }, { secret: ['x'] }, { algorithms: ['HS512'] }, { cache: {} }, { cache: false }, { openapi: {} },
    { openapi: false }, { openapi: { decorator: 'docs' } }, { openapi: { decorator: ['docs'] } }, { bind: { x: 'x' } },
    { bind: { x: ['x'] } }, { revocations: {} }, issuer({ audience: false }), issuer({ audience: ['api'] }),
    issuer({ typ: ['jwt'] }), issuer({ idPrefix: '' }), issuer({ requiredClaims: { x: true, y: ['z'] } })
  ]) t.ok(takes(options), JSON.stringify(options))
})

t.test('numbers must be within their bounds', async (t) => {
  const rows: Array<[name: string, least: number, greatest: number, options: (value: unknown) => object]> = [
    ['clockTolerance', 0, 3600, (value) => ({ clockTolerance: value })],
    ['maxTokenAge', 1, 315_576_000, (value) => ({ maxTokenAge: value })],
    ['cache.max', 1, 10_000_000, (value) => ({ cache: { max: value } })],
    ['cache.ttl', 1, 86_400, (value) => ({ cache: { ttl: value } })],
    ['timeout', 0.1, 60, (value) => issuer({ timeout: value })],
    ['maxAge', 1, 86_400, (value) => issuer({ maxAge: value })],
    ['cooldown', 1, 3600, (value) => issuer({ cooldown: value })],
    ['maxStale', 0, 604_800, (value) => issuer({ maxStale: value })],
    ['maxBytes', 1024, 16_777_216, (value) => issuer({ maxBytes: value })]
  ]
  for (const [name, least, greatest, options] of rows) {
    for (const value of [least, greatest]) t.ok(takes(options(value)), `${name}: ${value}`)
    for (const value of [least - 1, least - 0.01, greatest + 0.01, greatest + 1, NaN, Infinity, String(least), null]) {
      t.notOk(takes(options(value)), `${name}: ${value}`)
    }
    const isCount = ['cache.max', 'maxBytes'].includes(name)
    t.equal(takes(options(least + 0.5)), !isCount, `${name} is ${isCount ? 'whole' : 'any number'}`)
  }
})
