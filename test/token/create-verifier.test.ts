import t from 'tap'
import { detailsOf, type Refusal } from '../../lib/contract/errors.js'
import type { UserScopeOptions } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { chooseByIssuer } from '../../lib/token/create-verifier.js'
import { CompactJws } from '../../lib/token/jws.js'
import type { Verified } from '../../lib/token/verifier.js'
import { bearer, build, now, otherSecret, refusals, secret, sign, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

t.test('tokens of a secret, of issuers, or of both are verified', async (t) => {
  const remote = await createIssuer({ mode: 'jwks', t })
  const issuers = [{ ...remote.entry, idPrefix: '' }]
  const tokens = { secret: tokenFor('alice'), remote: await remote.token('alice') }
  const rows: Array<[options: UserScopeOptions, statuses: number[]]> = [
    [{ secret }, [200, 401]],
    [{ issuers }, [401, 200]],
    [{ secret, issuers }, [200, 200]],
    [{ secret, issuer: 'https://s.example', issuers }, [401, 200]]
  ]
  for (const [options, expected] of rows) {
    const { send } = await build(t, options)
    const requests = Object.values(tokens).map((token) => ({ url: '/api/alice/tasks', headers: bearer(token) }))
    const answers = await Promise.all(requests.map(send))
    t.same(answers.map(({ status }) => status), expected, Object.keys(options).join())
  }
  // No key is tried on it, as there is no secret, or one that has an issuer too.
  const foreignRows: Array<[options: UserScopeOptions, code: string, reason: RegExp]> = [
    [{ issuers }, 'INVALID_CLAIMS', /option "secret" is not set$/],
    [{ secret, issuer: 'https://s.example', issuers }, 'INVALID_CLAIMS', /"https:\/\/x\.example"$/],
    [{ secret, issuer: 'https://s.example' }, 'INVALID_TOKEN_SIGNATURE', /signature/]
  ]
  for (const [options, code, reason] of foreignRows) {
    const { send, log } = await build(t, options)
    const foreign = sign({ sub: 'alice', iss: 'https://x.example', exp: now() + 60 }, { key: otherSecret })
    t.match(await send({ url: '/api/me', headers: bearer(foreign) }), { status: 401, code })
    t.match(refusals(log), sameLength([{ reason }]))
  }
})

t.test('a token of another environment is told by its issuer, not by its kind of key', async (t) => {
  const [remote, staging] = await Promise.all([createIssuer({ mode: 'jwks', t }), createIssuer({ mode: 'jwks', t })])
  const options = { secret, issuer: 'https://s.example', issuers: [{ ...remote.entry, idPrefix: '' }] }
  const { send, log } = await build(t, options)
  const headers = bearer(await staging.token('alice'))
  t.match(await send({ url: '/api/me', headers }), { status: 401, code: 'INVALID_CLAIMS' })
  t.same(refusals(log).map(({ reason }) => reason), ['claim "iss" is not a configured issuer: expected ' +
    `"${remote.url}" or "https://s.example", received "${staging.url}"`])
  const cache = bearer(await staging.token({ id: 'alice', session: {}, user: {} }))
  await send({ url: '/api/me', headers: cache })
  t.match(refusals(log).at(-1)?.reason, 'a session cache token of Better Auth', 'its form still tells')
})

const verifier = (name: string) => () => ({ user: { id: name } }) as Verified
const byIssuer = new Map([['https://a.example', verifier('a')], ['https://b.example', verifier('b')]])
const jws = (payload: object, header = {}) => new CompactJws('', header, JSON.stringify(payload))
const token = (iss?: unknown) => jws({ iss })

t.test('the token\'s issuer chooses the verifier', async (t) => {
  const rows: Array<[secretIssuer: string | undefined, iss: unknown, verifiedBy: string]> = [
    [undefined, 'https://a.example', 'a'],
    [undefined, 'https://b.example', 'b'],
    [undefined, 'https://c.example', 'secret'],
    [undefined, undefined, 'secret'],
    ['https://c.example', 'https://c.example', 'secret'],
    ['https://c.example', 'https://a.example', 'a']
  ]
  for (const [issuer, iss, verifiedBy] of rows) {
    const verify = chooseByIssuer(byIssuer, { verify: verifier('secret'), issuer }, [])
    t.match(verify(token(iss)), { user: { id: verifiedBy } }, `${issuer} ${String(iss)}`)
  }
})

t.test('no key is tried on a token of an unknown issuer', async (t) => {
  const fits = ({ payload }: { payload: object }) => 'car' in payload
  const others = [{ says: 'a parking ticket', fits, fitsText: () => false }]
  const reason = (ofSecret: Parameters<typeof chooseByIssuer>[1], payload: Record<string, unknown>, alg?: unknown) => {
    try {
      chooseByIssuer(byIssuer, ofSecret, others)(jws(payload, { alg }))
    } catch (error) {
      return `${(error as Refusal).code}: ${detailsOf(error as Refusal).reason}`
    }
    return undefined
  }
  const known = '"https://a.example" or "https://b.example"'
  const says = 'INVALID_CLAIMS: claim "iss" is not a configured issuer: expected'
  t.equal(reason(undefined, { iss: 'https://c.example' }), `${says} ${known}, received "https://c.example"`)
  t.equal(reason(undefined, {}), `${says} ${known}, received nothing`)
  t.equal(reason(undefined, { iss: ['https://a.example'] }), `${says} ${known}, received ["https://a.example"]`)
  const ofSecret = { verify: verifier('secret'), issuer: 'https://s.example' }
  t.equal(reason(ofSecret, { iss: 'x' }), `${says} ${known} or "https://s.example", received "x"`)
  t.equal(reason(ofSecret, {}, 'HS256'), `${says} ${known} or "https://s.example", received nothing`)
  t.equal(reason(undefined, {}, 'HS256'), `${says} ${known}, received nothing. The token is signed with a secret ` +
    '(HS256), and option "secret" is not set')
  for (const alg of ['HS256x', 'xHS256', 'ES256', ['HS256'], { toString: 1 }, null]) {
    t.equal(reason(undefined, {}, alg), `${says} ${known}, received nothing`)
  }
  t.equal(reason(undefined, { car: 1 }), 'INVALID_CLAIMS: a parking ticket')
})
