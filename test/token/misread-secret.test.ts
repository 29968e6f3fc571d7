import { createHmac, randomBytes } from 'node:crypto'
import { mock } from 'node:test'
import t from 'tap'
import { createSignatureHint } from '../../lib/token/misread-secret.js'
import { bearer, build, refusals } from '../support/host.js'

const start = 1_800_000_000_000
mock.timers.enable({ apis: ['Date'], now: start })

/** Signs as software does that decodes the secret first. */
function sign (key: Buffer | string, claims: object = {}): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const input = `${encode({ alg: 'HS256' })}.${encode({ sub: 'alice', exp: start / 1000 + 60, ...claims })}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

const jwsOf = (token: string, alg = 'HS256') => ({ token, header: { alg }, payload: {} })

const plain = 'the signature does not verify with a configured secret (FAST_JWT_INVALID_SIGNATURE)'
const misread = `${plain}, but with the bytes whose base64 or hex text it is. ` +
  'Fix: let the signer use the text as it stands'

t.test('the log has a hint if the signer decodes the secret', async (t) => {
  for (const encoding of ['base64', 'base64url', 'hex'] as const) {
    const bytes = randomBytes(32)
    const other = 'Qw8eRt5yUi2oPa6sDf3gHj9kLz1xCv7b'
    for (const secret of [bytes.toString(encoding), [other, bytes.toString(encoding)]]) {
      const { send, log } = await build(t, { secret })
      const ask = async (token: string) => {
        const { status, code } = await send({ url: '/api/me', headers: bearer(token) })
        return status === 200 ? 200 : [code, refusals(log).at(-1)?.reason]
      }
      t.equal(await ask(sign(bytes.toString(encoding))), 200)
      t.same(await ask(sign(bytes)), ['INVALID_TOKEN_SIGNATURE', misread], encoding)
      t.notMatch(JSON.stringify(log), bytes.toString(encoding))
      mock.timers.tick(1000)
      t.same(await ask(sign(randomBytes(32))), ['INVALID_TOKEN_SIGNATURE', plain], 'another secret')
    }
  }
})

t.test('the log has a hint if the signer read a line break at the end of the secret', async (t) => {
  const bytes = randomBytes(32)
  const secret = bytes.toString('base64')
  const { send, log } = await build(t, { secret: ['Qw8eRt5yUi2oPa6sDf3gHj9kLz1xCv7b', secret] })
  for (const [key, reason] of [
    [`${secret}\n`, `${plain}, but with it and a line break, as files have at their end. ` +
      'Fix: remove the line break at the signer'],
    [bytes, misread],
    [`${secret} `, plain]
  ] as const) {
    mock.timers.tick(1000)
    t.match(await send({ url: '/api/me', headers: bearer(sign(key)) }), { code: 'INVALID_TOKEN_SIGNATURE' })
    t.equal(refusals(log).at(-1)?.reason, reason)
  }
  t.notMatch(JSON.stringify(log), secret)
})

t.test('it checks once a second, even if the clock is set', async (t) => {
  const bytes = randomBytes(32)
  const hint = createSignatureHint(['no secret', bytes.toString('hex'), 'another'])
  const says = (key: Buffer | string = bytes) => hint(jwsOf(sign(key))) !== ''
  t.same([says(), says()], [true, false])
  mock.timers.tick(999)
  t.equal(says(), false)
  mock.timers.tick(1)
  t.same([says(), says()], [true, false])
  mock.timers.setTime(start - 86_400_000)
  t.same([says(), says()], [true, false])
  mock.timers.tick(1000)
  t.same([says(randomBytes(32)), says()], [false, false], 'a look in vain is one, too')
  mock.timers.tick(1000)
  const forged = { ...jwsOf(sign(randomBytes(32))), payload: { iss: 'x' } }
  t.same([hint(forged), hint(forged)], ['. Its claim "iss" is "x"', ''], 'the issuer is named as seldom')
  t.equal(createSignatureHint([])(jwsOf(sign(bytes))), '')
  t.equal(createSignatureHint(['no secret'])(jwsOf(sign(bytes))), '')
})

t.test('it uses the algorithm of the token', async (t) => {
  const bytes = randomBytes(64)
  const input = 'e30.e30'
  for (const [alg, hash] of [['HS256', 'sha256'], ['HS384', 'sha384'], ['HS512', 'sha512']] as const) {
    const token = `${input}.${createHmac(hash, bytes).update(input).digest('base64url')}`
    t.not(createSignatureHint([bytes.toString('base64')])(jwsOf(token, alg)), '', alg)
    t.equal(createSignatureHint([bytes.toString('base64')])(jwsOf(token, alg === 'HS256' ? 'HS512' : 'HS256')), '')
  }
})
