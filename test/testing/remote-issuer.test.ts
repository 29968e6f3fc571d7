import { env } from 'node:process'
import { mock } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decodeProtectedHeader } from 'jose'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope, { clerk } from '../../lib/index.js'
import { assertOwnership } from '../../lib/testing/ownership.js'
import { createKey, createRemoteIssuer, sendJson, type RemoteIssuerOptions } from '../../lib/testing/remote-issuer.js'
import { bearer, build } from '../support/host.js'
import { runPlain } from '../support/run-plain.js'

async function host (t: Test, options: Partial<RemoteIssuerOptions> = {}) {
  const issuer = await createRemoteIssuer({ mode: 'jwks', t, ...options })
  const { send } = await build(t, issuer.options)
  const status = async (token: Promise<string>, path = '/api/alice/tasks') => {
    const { status, code } = await send({ url: path, headers: bearer(await token) })
    return [status, code].filter(Boolean).join(' ')
  }
  return { issuer, status }
}

for (const alg of [undefined, 'ES256', 'RS256', 'PS512'] as const) {
  t.test(`the plugin takes its tokens: ${alg ?? 'EdDSA by default'}`, async (t) => {
    const { issuer, status } = await host(t, alg && { alg })
    t.match(issuer.keys[0], { alg: alg ?? 'EdDSA', jwk: { alg: alg ?? 'EdDSA' } })
    t.equal(await status(issuer.token('alice')), '200')
    t.equal(await status(issuer.token('alice'), '/api/bob/tasks'), '403 FORBIDDEN_USER_ACCESS')
    t.equal(await status(issuer.expired('alice')), '401 TOKEN_EXPIRED')
    t.equal(await status(issuer.forged('alice')), '401 INVALID_TOKEN_SIGNATURE')
    t.equal(await status(issuer.token('alice', { header: { typ: 'other' } })), '401 INVALID_CLAIMS')
    t.match(decodeProtectedHeader(await issuer.forged('alice', { header: { typ: 'other' } })), { typ: 'other' })
    t.match(await issuer.authorization('alice'), { authorization: /^Bearer / })
    t.equal(issuer.requests, 1)
  })
}

t.test('it uses the given claims, audience and keys', async (t) => {
  const keys = [await createKey('a', 'ES256'), await createKey('b')]
  const { issuer, status } = await host(t, { keys, audience: 'other', userIdClaim: 'account', expiresIn: 60 })
  t.equal(await status(issuer.token({ id: 'alice' })), '200')
  t.equal(await status(issuer.token('alice', { key: keys[1]! })), '200')
  t.equal(await status(issuer.forged('alice', { key: keys[1]! })), '401 INVALID_TOKEN_SIGNATURE')
  t.same(issuer.options, { issuers: [issuer.entry] })
  await t.rejects(createRemoteIssuer({ mode: 'jwks', keys: [] }),
    { name: 'RangeError', message: /^option "keys" is empty/ })
  for (const sign of [issuer.token, issuer.expired, issuer.forged]) {
    await t.rejects(sign({} as { id: string }),
      /^a token needs a user/)
  }
})

t.test('ids have the prefix', async (t) => {
  const { issuer, status } = await host(t, { idPrefix: 'b:', userIdClaim: 'account' })
  t.match(issuer.entry, { idPrefix: 'b:', userIdClaim: 'account' })
  t.equal(await status(issuer.token('b:alice'), '/api/b:alice/tasks'), '200')
  t.equal(await status(issuer.token('b:alice'), '/api/alice/tasks'), '403 FORBIDDEN_USER_ACCESS')
  await t.rejects(issuer.token('alice'), /^"alice" lacks the prefix of this issuer: give the whole id, "b:alice"$/)
  t.notOk('idPrefix' in (await createRemoteIssuer({ mode: 'jwks', t })).entry)
})

t.test('rotate signs with a new key', async (t) => {
  const { issuer, status } = await host(t)
  const old = issuer.token('alice')
  await old
  await issuer.rotate({ keep: true })
  t.same(issuer.keys.map(({ kid }) => kid), ['key-2', 'key-1'])
  const start = Date.now()
  mock.timers.enable({ apis: ['Date'], now: start })
  t.teardown(() => mock.timers.reset())
  t.equal(await status(issuer.token('alice')), '401 INVALID_TOKEN_SIGNATURE', 'within the cooldown')
  mock.timers.setTime(start + 30_000)
  t.equal(await status(issuer.token('alice')), '200')
  t.equal(await status(old), '200')
  await issuer.rotate()
  t.same(issuer.keys.map(({ kid }) => kid), ['key-3', 'key-1'])
})

t.test('it can be slow, answer differently, stop and restart', async (t) => {
  const issuer = await createRemoteIssuer({ mode: 'jwks', t })
  const get = async (path = '/jwks') => {
    const response = await fetch(issuer.url + path)
    t.equal(response.headers.get('content-type'), 'application/json')
    return response.json()
  }
  issuer.slow(1)
  t.same(await get(), { keys: issuer.keys.map(({ jwk }) => jwk) })
  issuer.slow(0)
  issuer.answer = sendJson({ keys: [] }, 500)
  t.type(issuer.answer, 'function')
  t.same(await get(), { keys: [] })
  issuer.answer = undefined
  t.equal(issuer.requests, 2)
  t.same(await get('/.well-known/openid-configuration'), { issuer: issuer.url, jwks_uri: issuer.entry.jwksUri })
  t.equal(issuer.requests, 2)
  await t.rejects(fetch(issuer.url.replace('127.0.0.1', '[::1]')), { message: 'fetch failed' }, 'of this address alone')
  await issuer.stop()
  await t.rejects(get(), { message: 'fetch failed' })
  await issuer.restart()
  t.same((await get() as { keys: unknown[] }).keys, issuer.keys.map(({ jwk }) => jwk))
})

t.test('stop does not wait for slow answers', async (t) => {
  const issuer = await createRemoteIssuer({ mode: 'jwks', t })
  issuer.slow(3_600_000)
  let answered = false
  const slow = fetch(issuer.entry.jwksUri).then(() => { answered = true })
  const waiting = t.rejects(slow, { message: 'fetch failed' })
  while (issuer.requests === 0) await new Promise((resolve) => setImmediate(resolve))
  issuer.slow(0)
  t.equal((await fetch(issuer.entry.jwksUri)).status, 200)
  t.equal(answered, false)
  await issuer.stop()
  await waiting
})

t.test('it stops with its test', async (t) => {
  let url = ''
  await t.test('a test', async (t) => { ({ url } = await createRemoteIssuer({ mode: 'jwks', t })) })
  await t.rejects(fetch(url), { message: 'fetch failed' })
})

t.test('it stops by the hook of each runner', async (t) => {
  for (const name of ['teardown', 'after', 'onTestFinished']) {
    let stop = async () => {}
    const context = { [name]: (given: () => Promise<void>) => { stop = given } }
    const { url } = await createRemoteIssuer({ mode: 'jwks', t: context as never })
    t.equal((await fetch(url)).status, 200, name)
    await stop()
    await t.rejects(fetch(url), { message: 'fetch failed' })
  }
  const message =
    'option "t" must be the context of a test, with teardown, after or onTestFinished; that of a hook has none: ' +
    'leave "t" out there, and call stop() when all is over'
  for (const context of [{}, { name: 'a hook' }, { after: undefined }, null, 1]) {
    await t.rejects(createRemoteIssuer({ mode: 'jwks', t: context as never }), new TypeError(message))
  }
})

/** Runs a script in a process of its own. What keeps it alive keeps it for an hour, and is killed before. */
async function run (script: string): Promise<string> {
  const file = fileURLToPath(new URL('../../lib/testing/remote-issuer.ts', import.meta.url))
  const text = `import { createRemoteIssuer } from ${JSON.stringify(file)}\n${script}`
  const args = ['--import', 'tsx', '--input-type=module', '-e', text]
  return (await runPlain(process.execPath, args, { timeout: 600_000, env: { PATH: env.PATH } })).trim()
}

// Not in this process: fetch() does not clear its own timers while they are replaced.
t.test('it answers at once where a test has stopped the clock', async (t) => {
  t.equal(await run(`
    import { mock } from 'node:test'
    const issuer = await createRemoteIssuer({ mode: 'jwks' })
    mock.timers.enable({ apis: ['setTimeout'] })
    console.log((await fetch(issuer.entry.jwksUri)).status)
    process.exit()`), '200')
})

t.test('it does not keep a process alive', async (t) => {
  t.equal(await run(`
    const issuer = await createRemoteIssuer({ mode: 'jwks' })
    issuer.slow(3_600_000)
    const pending = fetch(issuer.entry.jwksUri).catch(() => console.log('gone'))
    while (issuer.requests === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await issuer.stop()
    await pending`), 'gone')
  t.equal(await run("await createRemoteIssuer({ mode: 'jwks', t: {} }).catch(({ name }) => console.log(name))"),
    'TypeError')
})

t.test('a preset with the keys of a test issuer is tested with what production states', async (t) => {
  const issuer = await createRemoteIssuer({ mode: 'jwks', t, alg: 'RS256' })
  const stated = { frontendApi: 'https://clerk.example.com', authorizedParties: 'https://app.example.com' }
  const claims = { azp: stated.authorizedParties, sid: 'session', sts: 'active', role: 'admin' }
  const people = { issuer, alice: { id: 'alice', ...claims }, bob: { id: 'bob', ...claims } }
  for (const scopeClaim of ['role', 'roles']) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(userScope, { issuers: [clerk({ ...stated, scopeClaim, ...issuer.entry })] })
    app.get('/api/:user_id/tasks', { config: { access: { scopes: ['admin'] } } }, async () => [])
    const tested = assertOwnership(app, people)
    if (scopeClaim === 'role') await tested
    else await t.rejects(tested, /the token has the scopes \[\] \(in the claim of option "scopeClaim"/)
  }
})
