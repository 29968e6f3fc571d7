import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope, { type IssuerOptions } from '../../lib/index.js'
import { discoverKeys } from '../../lib/keys/discovery.js'
import { readIssuers, type IssuerSettings } from '../../lib/options/issuers.js'
import { createIssuer } from '../../lib/testing/index.js'
import { holdClocks } from '../support/clock.js'
import { bearer, build } from '../support/host.js'

/** A fetch that knows these documents, and tells what it was asked for. */
function documents (known: Record<string, unknown>) {
  const asked: string[] = []
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url)
    return url in known ? Response.json(known[url]) : new Response('', { status: 404 })
  }
  return { asked, fetch }
}

async function start (t: Test, entry: Partial<IssuerOptions> & { issuer: string }) {
  const { app, send, log } = await build(t, { issuers: [{ audience: 'api', discovery: true, ...entry }] })
  const ask = (token: string) => send({ url: '/api/alice/tasks', headers: bearer(token) })
  return { ask, log, info: () => app.userScope.issuers()[0] }
}

/** Why the boot stopped. */
async function bootError (entry: Partial<IssuerOptions> & { issuer: string }): Promise<Error & { code?: string }> {
  const app = Fastify()
  await app.register(userScope, { issuers: [{ audience: 'api', discovery: true, ...entry }] })
  return await app.ready().then(() => new Error('booted'), (error: Error) => error)
}

const root = 'https://as.example.com'
const jwksUri = `${root}/keys`
const openId = '/.well-known/openid-configuration'
const oauth = '/.well-known/oauth-authorization-server'
const good = { issuer: root, jwks_uri: jwksUri }
const accepted = { status: 200, body: { user: 'alice' } }

t.test('discovery finds the keys', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const keys = { keys: issuer.keys.map(({ jwk }) => jwk) }

  t.test('discovery works over a socket', async (t) => {
    const { ask } = await start(t, { issuer: issuer.url })
    t.match(await ask(await issuer.token('alice')), accepted)
    t.equal(issuer.requests, 1)
  })

  const found: Array<[issuer: string, path: string, asked: string[]]> = [
    [root, openId, [openId]],
    [`${root}/`, openId, [openId]],
    [`${root}/tenant`, `/tenant${openId}`, [`/tenant${openId}`]],
    [root, oauth, [openId, oauth]],
    [`${root}/`, oauth, [openId, oauth]],
    [`${root}/tenant`, `${oauth}/tenant`, [`/tenant${openId}`, `${oauth}/tenant`]],
    [`${root}/tenant/`, `${oauth}/tenant`, [`/tenant${openId}`, `${oauth}/tenant`]]
  ]
  for (const [iss, path, paths] of found) {
    t.test(`${iss} at ${path}`, async (t) => {
      const { fetch, asked } = documents({ [root + path]: { issuer: iss, jwks_uri: jwksUri }, [jwksUri]: keys })
      const { ask } = await start(t, { issuer: iss, fetch })
      t.match(await ask(await issuer.token({ id: 'alice', iss })), accepted)
      t.match(await ask(await issuer.token({ id: 'alice', iss })), accepted)
      t.same(asked, [...paths.map((each) => root + each), jwksUri])
    })
  }

  const another = 'the metadata is of another issuer: its "issuer" is'
  const nameless = 'the metadata names no jwks_uri'
  const insecure = 'jwks_uri is neither https nor http on loopback'
  const withCredentials = { ...good, jwks_uri: 'https://user:password@as.example.com/keys' }
  const bad: Array<[what: string, metadata: unknown, says: string, entry?: Partial<IssuerOptions>]> = [
    ['another issuer', { ...good, issuer: 'https://evil.example.com' }, `${another} "https://evil.example.com"`],
    ['a slash more', { ...good, issuer: `${root}/` }, `${another} "${root}/"`],
    ['another case', { ...good, issuer: 'https://AS.example.com' }, `${another} "https://AS.example.com"`],
    ['a long one', { ...good, issuer: 'x'.repeat(100_000) }, `${another} "${'x'.repeat(199)}… (if it is yours`],
    ['no issuer', { jwks_uri: jwksUri }, `${another} nothing`],
    ['a list of issuers', { ...good, issuer: [root] }, `${another} ["${root}"]`],
    ['no object', null, `${another} nothing`],
    ['a list', [good], `${another} nothing`],
    ['no jwks_uri', { issuer: root }, nameless],
    ['jwks_uri no string', { ...good, jwks_uri: [jwksUri] }, nameless],
    ['plain http', { ...good, jwks_uri: 'http://as.example.com/keys' }, insecure],
    ['another scheme', { ...good, jwks_uri: 'data:application/json,{"keys":[]}' }, insecure],
    ['credentials', withCredentials, 'jwks_uri has credentials in it'],
    ['a relative jwks_uri', { ...good, jwks_uri: '/keys' }, 'jwks_uri is not a URL'],
    ['a relative jwks_uri where http is allowed', { ...good, jwks_uri: '/keys' }, '', { allowInsecureJwks: true }]
  ]
  for (const [what, metadata, says, beside] of bad) {
    t.test(`${what} stops the boot`, async (t) => {
      const known = {
        [root + openId]: metadata,
        [root + oauth]: good,
        [jwksUri]: keys,
        'http://as.example.com/keys': keys
      }
      const { fetch, asked } = documents(known)
      const { code, message } = await bootError({ issuer: root, fetch, ...beside })
      t.equal(code, 'FST_USER_SCOPE_KEYS_UNREACHABLE')
      t.match(message, `issuer "${root}": its keys cannot be fetched (${says}`)
      t.match(message, `${root + openId}). Fix: `, 'the URL that is to blame')
      t.notMatch(message, 'password')
      t.same(asked, [root + openId], 'nothing else was asked')
    })
  }

  t.test('the message says how to name the issuer of the metadata', async (t) => {
    const { fetch } = documents({ [root + openId]: { ...good, issuer: `${root}/` } })
    const { message } = await bootError({ issuer: root, fetch })
    const advice = 'if it is yours, option "issuer" must be the same to the letter'
    t.match(message, `(${another} "${root}/" (${advice}), ${root + openId}). Fix: `)
  })

  t.test('metadata that is unavailable stops the boot', async (t) => {
    const { fetch, asked } = documents({})
    const { code, message } = await bootError({ issuer: root, fetch })
    t.equal(code, 'FST_USER_SCOPE_KEYS_UNREACHABLE')
    t.match(message, `(status 404 at ${root + openId}, and status 404, ${root + oauth})`)
    t.same(asked, [root + openId, root + oauth])
  })

  t.test('both places are named with how they failed', async (t) => {
    const fetch = async (url: string) => new Response('', { status: url === root + openId ? 503 : 404 })
    const { message } = await bootError({ issuer: root, fetch })
    t.match(message, `(status 503 at ${root + openId}, and status 404, ${root + oauth})`)
  })

  t.test('both have one time limit, and the errors of both are not quoted', async (t) => {
    const signals = new Set<unknown>()
    const fetch: IssuerOptions['fetch'] = async (_url, { signal }) => {
      signals.add(signal)
      throw new TypeError('secret-body')
    }
    const [settings] = readIssuers([{ issuer: root, audience: 'api', discovery: true, fetch }], false)
    const message = `TypeError at ${root + openId}, and TypeError`
    await t.rejects(discoverKeys(settings as IssuerSettings), { message })
    t.equal(signals.size, 1)
  })

  t.test('metadata may come later, and is then kept', async (t) => {
    const known: Record<string, unknown> = {}
    const { fetch, asked } = documents(known)
    // Time only passes where the test says so, or a busy machine would end the cooldown.
    const { pass } = holdClocks(t)
    const { ask, log, info } = await start(t, { issuer: root, fetch, lazy: true, cooldown: 1, maxAge: 1 })
    t.match(await ask(await issuer.token({ id: 'alice', iss: root })), { status: 503 })
    const reason = `status 404 at ${root + openId}, and status 404`
    t.match(log.find(({ level }) => level === 40), { issuer: root, url: root + oauth, reason })
    Object.assign(known, { [root + openId]: good, [jwksUri]: keys })
    for (let fetches = 1; fetches <= 3; fetches++) {
      pass(fetches)
      t.match(await ask(await issuer.token({ id: 'alice', iss: root })), accepted)
      t.same(asked.slice(2), [root + openId, ...Array<string>(fetches).fill(jwksUri)])
    }
    t.match(info(), { lastError: null })
  })

  t.test('plain http is possible with allowInsecureJwks', async (t) => {
    const plain = 'http://as.example.com/keys'
    const { fetch } = documents({ [root + openId]: { ...good, jwks_uri: plain }, [plain]: keys })
    const { ask } = await start(t, { issuer: root, fetch, allowInsecureJwks: true })
    t.match(await ask(await issuer.token({ id: 'alice', iss: root })), accepted)
  })

  t.test('an issuer on loopback names no keys elsewhere over plain http', async (t) => {
    const local = 'http://127.0.0.1:3000'
    const plain = 'http://as.example.com/keys'
    const { fetch, asked } = documents({ [local + openId]: { issuer: local, jwks_uri: plain }, [plain]: keys })
    const { code, message } = await bootError({ issuer: local, fetch })
    t.equal(code, 'FST_USER_SCOPE_KEYS_UNREACHABLE')
    t.match(message, insecure)
    t.same(asked, [local + openId])
  })

  t.test('metadata is not fetched over plain http either', async (t) => {
    for (const [iss, message] of [
      ['http://as.example.com', 'option "issuers.0.issuer"'],
      ['https://user:password@as.example.com', 'option "issuers.0.issuer"'],
      ['http://127.0.0.1:3000', '']
    ] as const) {
      const registered = Fastify().register(userScope, { issuers: [{ issuer: iss, audience: 'api', discovery: true }] })
      const error = await registered.then(() => null, (error: Error & { code?: string }) => error)
      t.equal(error?.code, message ? 'FST_USER_SCOPE_INVALID_OPTION' : undefined)
      t.match(error?.message ?? '', message)
    }
  })
})
