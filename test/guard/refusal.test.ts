import { LogController } from 'fastify'
import t from 'tap'
import { refuse, type RefusalCode } from '../../lib/contract/errors.js'
import { refusalHeaders } from '../../lib/guard/refusal.js'
import type { UserScopeOptions } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { bearer, build, challengeOf, refusals, sign, tokenFor, type LogLine } from '../support/host.js'
import { blockBelow } from '../support/docs.js'
import { sameLength } from '../support/same-length.js'

const challenge = 'Bearer realm="api"'
const noStore = { 'cache-control': 'no-store' }

t.test('each refusal has the header fields of RFC 6750 §3', async (t) => {
  const rows: Array<[code: RefusalCode, headers: object]> = [
    ['MISSING_TOKEN', { 'www-authenticate': challenge, 'cache-control': 'no-store' }],
    ['INVALID_HEADER_FORMAT', {
      'www-authenticate':
        `${challenge}, error="invalid_request", error_description="Invalid authorization header format"`,
      'cache-control': 'no-store'
    }],
    ['TOKEN_EXPIRED', {
      'www-authenticate': `${challenge}, error="invalid_token", error_description="Token expired"`,
      'cache-control': 'no-store'
    }],
    ['FORBIDDEN_USER_ACCESS', noStore],
    ['FORBIDDEN_RESOURCE_ACCESS', noStore],
    ['KEYS_UNAVAILABLE', noStore]
  ]
  for (const [code, headers] of rows) t.same(refusalHeaders(refuse(code, 'with "quotes" of a token')), headers, code)
})

t.test('the challenge names all scopes that the route requires', async (t) => {
  t.same(refusalHeaders(refuse('INSUFFICIENT_SCOPE', 'x', { scope: 'tasks:read tasks:write' })), {
    'www-authenticate': `${challenge}, error="insufficient_scope", error_description="Insufficient scope", ` +
      'scope="tasks:read tasks:write"',
    ...noStore
  })
})

t.test('a 503 says when to try again, if that is known', async (t) => {
  t.same(refusalHeaders(refuse('KEYS_UNAVAILABLE', 'x', { retryAfter: 30 })), { 'retry-after': '30', ...noStore })
})

t.test('the host\'s error handler cannot lose status and header fields', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.setErrorHandler(async () => ({ mine: true }))
    app.get('/api/:user_id/tasks', async () => 'in')
  })
  const expired = bearer(sign({ sub: 'alice', exp: 1 }))
  t.match(await send({ url: '/api/alice/tasks', headers: expired }), {
    status: 401, headers: { 'www-authenticate': challengeOf('Token expired'), 'cache-control': 'no-store' }
  })
})

t.test('a refusal of a route that may be cached is not', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'public, max-age=60') })
    app.get('/api/:user_id/tasks', async () => 'in')
  })
  const { status, headers } = await send({ url: '/api/bob/tasks', headers: bearer(tokenFor('alice')) })
  t.match({ status, headers }, { status: 403, headers: { 'cache-control': 'no-store' } })
})

t.test('each refusal writes one line to the log', async (t) => {
  const { send, log } = await build(t)
  await send('/api/me')
  await send({ url: '/api/bob/tasks', headers: bearer(tokenFor('alice')) })
  t.match(refusals(log), sameLength([
    { code: 'MISSING_TOKEN', reason: 'no Authorization header', user: undefined },
    { code: 'FORBIDDEN_USER_ACCESS', reason: 'path parameter "user_id" is not the user\'s id', user: 'alice' }
  ]))
  const { time, pid, hostname, ...line } = refusals(log)[0] as LogLine
  t.same(line, JSON.parse(blockBelow('docs/errors.md', 'The reason').code), 'as the docs show it')
})

t.test('a serializer of the host that throws does not change the answer', async (t) => {
  const lines: string[] = []
  // As for the host's own users, with an object in the field `user`.
  const user = (user: { email: string }) => ({ email: user.email.toLowerCase() })
  const logger = { serializers: { user }, stream: { write: (line: string) => { lines.push(line) } } }
  const remote = await createIssuer({ mode: 'jwks', t })
  const mayActFor = async () => true
  const kinds: Array<[options: UserScopeOptions, token: string]> = [
    [{ mayActFor: () => true }, tokenFor('alice')], [{ mayActFor }, tokenFor('alice')],
    [{ ...remote.options, mayActFor }, await remote.token('alice')]
  ]
  for (const [options, token] of kinds) {
    const { send } = await build(t, options, { logger }, (app) => {
      app.get('/own/:user_id', async () => 'in')
      app.get('/api/:user_id', { config: { access: { delegates: true } } }, async () => 'in')
    })
    lines.length = 0
    const headers = bearer(token)
    t.match(await send({ url: '/own/bob', headers }), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
    t.match(await send({ url: '/api/bob', headers }), { status: 200, body: 'in' })
    const written = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
    const failed = '(the logger could not write its fields): '
    t.match(written.find((msg) => msg.startsWith('request refused')),
      `request refused ${failed}{"code":"FORBIDDEN_USER_ACCESS","reason":"path parameter`)
    t.match(written.find((msg) => msg.startsWith('delegate admitted')),
      `delegate admitted ${failed}{"user":"alice","owner":"bob","route":"/api/:user_id"}`)
  }
})

t.test('a logger that throws does not change the answer', async (t) => {
  const other = () => {}
  // Fastify takes a hook that throws undefined for one that is done.
  for (const error of [new Error('full'), undefined]) {
    const info = () => { throw error }
    const logger = { level: 'info', info, fatal: other, error: other, warn: other, debug: info, trace: other }
    const loggerInstance = { ...logger, silent: other, child: () => loggerInstance } as never
    const logController = new LogController({ disableRequestLogging: true })
    const server = { logger: undefined as never, loggerInstance, logController }
    for (const mayActFor of [() => false, async () => false]) {
      const { send } = await build(t, { mayActFor, revocations: true }, server, (app) => {
        app.addHook('preValidation', async ({ user: { id } }) => {
          if (id === 'carol') await app.userScope.revoke({ user: id })
        })
        app.get('/api/:user_id', { config: { access: { delegates: true } } }, async () => 'in')
      })
      const get = (name: string, user = name) => send({ url: `/api/${name}`, headers: bearer(tokenFor(user)) })
      t.match(await get('alice'), { status: 200, body: 'in' })
      t.match(await get('bob', 'alice'), { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
      t.match(await get('carol'), { status: 401, code: 'TOKEN_REVOKED' }, 'in the hook before the handler')
    }
  }
})
