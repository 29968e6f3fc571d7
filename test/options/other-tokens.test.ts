import { Type } from '@sinclair/typebox'
import t from 'tap'
import Fastify from 'fastify'
import userScope, { auth0, betterAuth, type IssuerOptions, type OtherToken } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { compileOtherTokens } from '../../lib/options/other-tokens.js'
import { readOptions } from '../../lib/options/settings.js'
import { bearer, build, refusals } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const entry: IssuerOptions = {
  issuer: 'https://issuer.example.com',
  audience: 'api',
  jwksUri: 'https://issuer.example.com/jwks'
}

t.test('tokens are recognized by header, payload, both, or text', async (t) => {
  const header = Type.Object({ typ: Type.Literal('x') })
  const payload = Type.Object({ kind: Type.Literal('y') })
  const tokens = [{ header }, { payload }, { header, payload }, { text: '^z+$' }]
  const forms = compileOtherTokens(tokens.map((form) => ({ says: 's', ...form })), 'o')
  const rows: Array<[jws: { header: object, payload: object }, fits: boolean[]]> = [
    [{ header: { typ: 'x' }, payload: {} }, [true, false, false, false]],
    [{ header: {}, payload: { kind: 'y' } }, [false, true, false, false]],
    [{ header: { typ: 'x' }, payload: { kind: 'y' } }, [true, true, true, false]],
    [{ header: {}, payload: {} }, [false, false, false, false]]
  ]
  for (const [jws, fits] of rows) t.same(forms.map((form) => form.fits(jws)), fits)
  t.same(forms.map((form) => form.fitsText('zz')), [false, false, false, true])
  t.same(forms.map((form) => form.fitsText('')), [false, false, false, false])
  t.match(forms, [{ says: 's' }])
})

t.test('members of a schema may be undefined', (t) => {
  const payload = Type.Object({ kind: Type.Literal('y') }, { description: undefined as never })
  t.ok(readOptions({ issuers: [{ ...entry, otherTokens: [{ says: 's', payload }] }] }, {}))
  t.end()
})

t.test('a pattern or schema that does not compile stops the boot', async (t) => {
  const says = 'x'
  const rows: Array<[otherTokens: unknown, message: string]> = [
    [{}, 'option "issuers.0.otherTokens" must be a list of { says, text } or { says, header, payload }'],
    [[5], 'option "issuers.0.otherTokens.0" must be an object: { says, text }, or { says, header, payload }'],
    [[{ text: 'x' }], 'option "issuers.0.otherTokens.0.says" must be a text for the log'],
    [[{ says: '', text: 'x' }], 'option "issuers.0.otherTokens.0.says" must be'],
    [[{ says, text: /x/ }], 'option "issuers.0.otherTokens.0.text" must be a regular expression, written as a text'],
    [[{ says, form: 'x' }], 'unknown option "issuers.0.otherTokens.0.form"'],
    [[{ says, payload: 5 }], 'option "issuers.0.otherTokens.0.payload" must be an object schema of @sinclair/typebox'],
    [
      [{ says, text: 'x' }, { says, text: '(' }],
      'option "issuers.0.otherTokens.1" does not compile: "text" must be a regular expression'
    ],
    [[{ says, payload: { type: 'object' } }], 'option "issuers.0.otherTokens.0" does not compile'],
    [[{ says, header: Type.Ref('X') }], 'option "issuers.0.otherTokens.0" does not compile'],
    [[{ says }], 'option "issuers.0.otherTokens.0" does not compile']
  ]
  for (const [otherTokens, message] of rows) {
    const boot = Fastify().register(userScope, { issuers: [{ ...entry, otherTokens: otherTokens as OtherToken[] }] })
    const error = await boot.then(() => null, (error: Error) => error)
    t.ok(error?.message.includes(message), `${message}: ${error?.message}`)
  }
})

t.test('other tokens of an issuer are refused and named in the log', async (t) => {
  const [own, other] = [await createIssuer({ mode: 'jwks', t }), await createIssuer({ mode: 'jwks', t })]
  const otherTokens = [{ says: 'an invitation', payload: Type.Object({ invitation: Type.String() }) }]
  const { send, log } = await build(t, {
    issuers: [{ ...own.entry, otherTokens, idPrefix: '' }, { ...other.entry, idPrefix: '' }]
  })
  const invitation = { id: 'alice', invitation: 'x' }
  t.match(await send({ url: '/api/me', headers: bearer(await own.token('alice')) }), { status: 200 })
  t.match(await send({ url: '/api/me', headers: bearer(await other.token(invitation)) }), { status: 200 })
  t.match(
    await send({ url: '/api/me', headers: bearer(await own.token(invitation)) }),
    { status: 401, code: 'INVALID_CLAIMS' }
  )
  t.match(refusals(log), sameLength([{ reason: 'an invitation' }]))
  log.length = 0
  t.match(
    await send({ url: '/api/me', headers: bearer(await own.token({ ...invitation, iss: 'x' })) }),
    { code: 'INVALID_CLAIMS' }
  )
  t.match(refusals(log), sameLength([{ reason: 'an invitation' }]), 'under an unknown issuer too')
})

t.test('advice on Better Auth is only given where it is configured', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { jwksUri } = issuer.entry
  const opaque = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF'
  const others = [
    opaque, `${opaque}.${Buffer.alloc(32, 7).toString('base64')}`, 'a.b.c.d.e',
    Buffer.from('{"session":{}}').toString('base64url'), `${opaque}.YUU1g%2BLVJ7E%3D`,
    await issuer.token({ id: 'alice', session: {}, user: {} }),
    await issuer.token({ id: 'alice', email: 'a@example.org', uid: 'b' }),
    await issuer.token({ id: 'alice', iss: 'https://other.example.com', session: {}, user: {} })
  ]
  const rows: Array<[options: Parameters<typeof build>[1], advice: RegExp | null]> = [
    [{}, /GET \/api\/auth\/token/],
    [
      { issuers: [betterAuth({ baseURL: 'https://auth.example.com', basePath: '/auth/', jwksUri })] },
      /GET \/auth\/token/
    ],
    [{ issuers: [auth0({ domain: 'tenant.eu.auth0.com', audience: 'api', jwksUri, algorithms: ['EdDSA'] })] }, null],
    [{ issuers: [issuer.entry] }, null]
  ]
  for (const [options, advice] of rows) {
    const { send, log } = await build(t, options)
    for (const token of others) await send({ url: '/api/me', headers: bearer(token) })
    const reasons = refusals(log).map(({ reason }) => String(reason))
    t.ok(reasons.length >= 5, String(reasons.length))
    for (const reason of reasons) if (advice === null) t.notMatch(reason, /Better Auth|\/token/)
    if (advice) t.ok(reasons.filter((reason) => advice.test(reason)).length >= 5, reasons.join('\n'))
  }
})
