import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { env } from 'node:process'
import { admin, jwt } from 'better-auth/plugins'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { WebSocket as Socket } from 'ws'
import { betterAuth } from '../../lib/index.js'
import { createIssuer, createKey } from '../../lib/testing/index.js'
import { cookiesOf, makeProvider } from '../support/better-auth.js'
import { blockBelow, pageOf, pages, runBlock, type Block } from '../support/docs.js'
import { skipWithout } from '../support/example.js'
import { bearer, build, secret, tokenFor } from '../support/host.js'
import { postgresPrograms, startPostgres } from '../support/postgres.js'

env.BETTER_AUTH_SECRET = secret
delete env.BETTER_AUTH_SECRETS

const run = (t: Test, page: string, heading: string, index = 0) => runBlock(t, blockBelow(page, heading, index))
const recipe = (t: Test, heading: string, index = 0) => run(t, 'docs/recipes.md', heading, index)

type Answer = [status: number, body: unknown]

/** The answer to a GET request by a user, or by nobody. */
async function get (app: FastifyInstance, url: string, user?: string, claims: object = {}): Promise<Answer> {
  const response = await app.inject({ url, ...user !== undefined && { headers: bearer(tokenFor(user, claims)) } })
  const isJson = response.headers['content-type']?.toString().startsWith('application/json')
  return [response.statusCode, isJson ? response.json() : response.body]
}

t.test('recipe: load the user\'s row', async (t) => {
  const app = await recipe(t, 'Load the user\'s row')
  t.same(await get(app, '/api/alice/name', 'alice'), [200, { name: 'Alice' }])
  t.match(await get(app, '/api/alice/name', 'bob'), [403])
})

t.test('recipe: filter records by their owner', async (t) => {
  const app = await recipe(t, 'Filter records by their owner')
  t.match(await get(app, '/api/alice/tasks/1', 'alice'), [200, { title: 'Buy milk' }])
  t.match(await get(app, '/api/alice/tasks/2', 'alice'), [404], "bob's task")
  t.match(await get(app, '/api/alice/tasks/3', 'alice'), [404])
})

t.test('recipe: row level security', { skip: skipWithout(postgresPrograms, 'postgresql') }, async (t) => {
  const postgres = await startPostgres(t, String(postgresPrograms))
  const block = blockBelow('docs/recipes.md', 'Row level security')
  const once = block.code.replace(/^(?!\/\/ [A-Z]{2}).*$|^\/\/ /gm, '').split(';')
  t.equal(once.length, 4)
  await postgres.query('CREATE ROLE api LOGIN', 'CREATE TABLE tasks (id text PRIMARY KEY, user_id text, title text)',
    "INSERT INTO tasks VALUES ('1', 'alice', 'Buy milk'), ('2', 'bob', 'Call home'), ('3', '', 'Nobody')", ...once)
  const url = postgres.url.replace('postgres@', 'api@')
  const app = await runBlock(t, block, (code) => code
    .replace("connectionString: 'postgres://api@localhost/todo'", `connectionString: '${url}', max: 1`)
    .replace('await app.listen', `
      app.get('/all', async () => (await pool.query('SELECT id FROM tasks')).rows)
      const lost = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve))
      app.get('/idle', async () => {
        const removed = lost(pool, 'remove')
        // Until it has a connection: one that is lost before it is ready is not removed.
        while (await pool.query('SELECT 1').then(() => false, () => true));
        await removed
      })
      app.get('/busy', async () => await queryAs('alice', async (client) => { await lost(client, 'end') }))\n$&`))
  const remove = async (task: string) => (await app.inject({
    method: 'DELETE', url: `/api/alice/tasks/${task}`, headers: bearer(tokenFor('alice'))
  })).statusCode
  t.same(await get(app, '/all', 'alice'), [200, []], 'no user, no rows')
  t.same(await get(app, '/api/alice/tasks', 'alice'), [200, [{ id: '1', title: 'Buy milk' }]])
  t.same(await get(app, '/api/bob/tasks', 'bob'), [200, [{ id: '2', title: 'Call home' }]])
  t.same(await get(app, '/all', 'alice'), [200, []], 'on the connection that bob had')
  t.same(await remove('2'), 404, "bob's")
  await postgres.query('REVOKE DELETE ON tasks FROM api')
  t.same(await remove('1'), 500)
  await postgres.query('GRANT DELETE ON tasks TO api')
  t.same(await remove('1'), 204, 'a failed transaction has ended')
  const lost = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'api'"
  for (const [url, status] of [['/idle', 200], ['/busy', 500]] as const) {
    const request = { isAnswered: false }
    const answer = get(app, url, 'alice').finally(() => { request.isAnswered = true })
    while (!request.isAnswered) await postgres.query(lost)
    t.match(await answer, [status], 'a lost connection does not end the process')
  }
  t.same(await get(app, '/api/bob/tasks', 'bob'), [200, [{ id: '2', title: 'Call home' }]])
})

t.test('recipe: files of users', async (t) => {
  // Not `t.testdir`, because nothing is served from below a folder whose name begins with a dot.
  const root = await mkdtemp(join(tmpdir(), 'files-'))
  t.teardown(() => rm(root, { recursive: true }))
  for (const file of ['alice/a.txt', 'bob/b.txt', 'auth0%7Ccarol/c.txt']) {
    await mkdir(join(root, dirname(file)))
    await writeFile(join(root, file), file)
  }
  const block = blockBelow('docs/recipes.md', 'Files of users')
  const app = await runBlock(t, block, (code) => code.replace('/srv/files', root))
  t.same(await get(app, '/files/alice/a.txt', 'alice'), [200, 'alice/a.txt'])
  t.same(await get(app, '/files/auth0%7Ccarol/c.txt', 'auth0|carol'), [200, 'auth0%7Ccarol/c.txt'])
  for (const path of ['b.txt', 'bob/b.txt']) t.match(await get(app, `/files/alice/${path}`, 'alice'), [404])
  t.match(await get(app, '/files/alice/..%2fbob%2fb.txt', 'alice'), [403])
  t.match(await get(app, '/files/bob/b.txt', 'alice'), [403])
  t.match(await get(app, '/files/alice%2F..%2Fbob/b.txt', 'alice/../bob'), [403])
})

t.test('recipe: let support staff in', async (t) => {
  const app = await recipe(t, 'Let support staff in')
  t.same(await get(app, '/api/alice/tasks', 'bob'), [200, { tasksOf: 'alice', readBy: 'bob' }])
  t.same(await get(app, '/api/alice/tasks', 'alice'), [200, { tasksOf: 'alice', readBy: 'alice' }])
  t.match(await get(app, '/api/carol/tasks', 'bob'), [403, { code: 'FORBIDDEN_USER_ACCESS' }])
  t.match(await get(app, '/api/alice/tasks', 'carol'), [403])
  t.match(await get(app, '/api/alice/tasks'), [401])
  t.same(await get(app, '/api/alice/invoices', 'carol', { scope: 'accounting' }), [200, { invoicesOf: 'alice' }])
  t.match(await get(app, '/api/alice/invoices', 'bob'), [403, { code: 'FORBIDDEN_USER_ACCESS' }])
})

t.test('recipe: CORS', async (t) => {
  const app = await recipe(t, 'CORS')
  const origin = 'https://app.example.com'
  const headers = { origin, 'access-control-request-method': 'GET' }
  const preflight = await app.inject({ method: 'OPTIONS', url: '/api/alice/tasks', headers })
  t.equal(preflight.statusCode, 204)
  const refused = await app.inject({ url: '/api/alice/tasks', headers: { origin } })
  t.match([refused.statusCode, refused.headers['access-control-allow-origin']], [401, origin])
})

t.test('recipe: rate limits', async (t) => {
  const app = await recipe(t, 'Rate limits')
  const statuses = new Set<number>()
  for (let i = 0; i < 101; i++) statuses.add((await get(app, '/api/alice/tasks'))[0])
  t.same([...statuses], [401, 429])
})

t.test('recipe: rate limits by user', async (t) => {
  const app = await recipe(t, 'Rate limits', 1)
  const statuses = new Set<number>()
  for (let i = 0; i < 101; i++) statuses.add((await get(app, '/api/alice/tasks', 'alice'))[0])
  t.same([...statuses], [200, 429])
  t.match(await get(app, '/api/bob/tasks', 'bob'), [200])
})

t.test('recipe: WebSockets', async (t) => {
  const app = await run(t, 'docs/realtime.md', 'WebSockets')
  const connect = async (user: string, onInit: (socket: Socket) => void = () => {}) =>
    await app.injectWS('/api/alice/events', { headers: bearer(tokenFor(user)) }, { onInit })
  let heard: Promise<unknown[]> | undefined
  const socket = await connect('alice', (socket) => { heard = once(socket, 'message') })
  t.match(await heard, [Buffer.from('hello alice')])
  socket.terminate()
  await t.rejects(connect('bob'), /403/)
})

t.test('recipe: two kinds of users', async (t) => {
  const app = await recipe(t, 'Two kinds of users')
  t.match(await get(app, '/customers/alice/orders', 'alice', { aud: 'customers' }), [200, { customer: 'alice' }])
  t.match(await get(app, '/suppliers/alice/stock', 'alice', { aud: 'suppliers' }), [200, { supplier: 'alice' }])
  t.match(await get(app, '/suppliers/alice/stock', 'alice', { aud: 'customers' }), [401, { code: 'INVALID_CLAIMS' }])
})

t.test('recipe: an admin area', async (t) => {
  const app = await recipe(t, 'An admin area')
  for (const path of ['/admin/users', '/admin/users/bob']) {
    t.match(await get(app, path, 'alice'), [403, { code: 'INSUFFICIENT_SCOPE' }])
    t.match(await get(app, path, 'alice', { role: 'admin' }), [200])
    t.match(await get(app, path), [401])
  }
})

t.test('migration: routes move one by one', async (t) => {
  const app = await runBlock(t, blockBelow('docs/migration.md', '2. Move routes, one by one'))
  for (const path of ['/old/alice/tasks', '/api/alice/tasks']) {
    t.match(await get(app, path, 'alice'), [200])
    t.match(await get(app, path), [401])
  }
  t.match(await get(app, '/old/bob/tasks', 'alice'), [200], 'as before')
  t.match(await get(app, '/api/bob/tasks', 'alice'), [403])
})

t.test('recipe: sign tokens in the same app', async (t) => {
  const app = await recipe(t, 'Sign tokens in the same app')
  const { token } = (await app.inject({ method: 'POST', url: '/login' })).json<{ token: string }>()
  const response = await app.inject({ url: '/api/alice/tasks', headers: bearer(token) })
  t.match([response.statusCode, response.json()], [200, { owner: 'alice' }])
  t.match(await get(app, '/api/alice/tasks', 'alice', { kind: 'refresh' }), [401, { code: 'INVALID_CLAIMS' }])
})

const registered = (code: string) => `await app.register(userScope)\n${code}`

t.test('access: the levels', async (t) => {
  const app = await runBlock(t, blockBelow('docs/access.md', 'Access: who may call a route?'), registered)
  t.match(await get(app, '/api/alice/tasks', 'alice'), [200, { owner: 'alice' }])
  t.match(await get(app, '/api/%61lice/tasks', 'alice'), [200])
  t.match(await get(app, '/api/Alice/tasks', 'alice'), [403])
  t.match(await get(app, '/api/me', 'bob'), [200, { id: 'bob' }])
  t.match(await get(app, '/api/news'), [200, { for: 'anyone' }])
  t.match(await get(app, '/api/news', 'bob'), [200, { for: 'bob' }])
  t.match(await get(app, '/api/news', 'bob', { exp: 1 }), [401])
  t.match(await get(app, '/health'), [200])
})

t.test('access: a context of its own', async (t) => {
  const app = await run(t, 'docs/access.md', 'Which routes are guarded')
  t.match([await get(app, '/api/alice/tasks'), await get(app, '/health')], [[401], [200]])
})

t.test('access: a wrapper with fastify-plugin', async (t) => {
  const app = await runBlock(t, blockBelow('docs/access.md', 'Which routes are guarded', 1),
    (code) => `${code.replace('export default', 'await app.register(')})
      app.get('/api/:user_id/tasks', async () => 'in')`)
  t.match([await get(app, '/api/alice/tasks'), await get(app, '/api/alice/tasks', 'alice')], [[401], [200]])
})

t.test('access: levels that must be stated', async (t) => {
  const block = blockBelow('docs/access.md', 'What stops the boot')
  const app = await runBlock(t, block)
  t.match(await get(app, '/api/alice/tasks/1', 'alice'), [200])
  for (const level of ['user', 'owner']) {
    const unstated = (code: string) => code.replace(`{ config: { access: '${level}' } }, `, '')
    const another = { ...block, line: block.line + level.length } // a module is loaded once by its name
    await t.rejects(runBlock(t, another, unstated), { code: 'FST_USER_SCOPE_INVALID_ROUTE' })
  }
})

t.test('access: the list of the routes', async (t) => {
  const printed = t.capture(console, 'log')
  await run(t, 'docs/access.md', 'List the routes')
  t.same(printed().map(({ args }) => args), [[blockBelow('docs/access.md', 'List the routes', 1).code]])
})

t.test('access: a guarded 404', async (t) => {
  const app = await runBlock(t, blockBelow('docs/access.md', 'Unknown URLs'), registered)
  t.match([await get(app, '/nowhere'), await get(app, '/nowhere', 'alice')], [[401], [404, { error: 'Not Found' }]])
})

t.test('access: routes of other plugins', async (t) => {
  const app = await runBlock(t, blockBelow('docs/access.md', 'Routes of other plugins'), (code) => `
    import swagger from '@fastify/swagger'
    await app.register(swagger)
    await app.register(userScope)
    app.get('/api/me', async () => 'in')
    ${code}`)
  t.match([await get(app, '/docs/json'), await get(app, '/api/me')], [[200], [401]])
})

t.test('access: the route of a plugin for the whole app', async (t) => {
  const app = await runBlock(t, blockBelow('docs/access.md', 'Routes of other plugins', 2), (code) => `
    ${code}
    app.get('/metrics', async () => 'numbers')
    await app.register(userScope)
    app.get('/api/me', async () => 'in')`)
  t.match([await get(app, '/metrics'), await get(app, '/api/me')], [[200], [401]])
  t.match(await get(app, '/%6detrics'), [200], 'as Deployment says of proxies')
})

t.test('errors: the body, the log line and the handler', async (t) => {
  const [body, line] = pageOf('docs/errors.md').blocks
    .filter(({ language }) => language === 'json')
    .map(({ code }) => JSON.parse(code) as object)
  const app = await runBlock(t, blockBelow('docs/errors.md', 'Handle them yourself'), (code) => `
    const lines = []
    const app = Fastify({ logger: { stream: { write: (line) => { lines.push(JSON.parse(line)) } } } })
    await app.register(userScope)
    app.decorate('lines', { getter: () => lines })
    app.get('/api/:user_id/tasks', async () => 'in')
    app.get('/odd', async () => { throw 'no error' })
    ${code}`)
  t.same(await get(app, '/api/bob/tasks', 'alice'), [404, { error: 'Not Found' }])
  t.same(await get(app, '/odd', 'alice'), [500, 'no error'])
  t.match(await get(app, '/api/alice/tasks'), [401, { code: 'MISSING_TOKEN' }])
  t.same(await get(await recipe(t, 'CORS'), '/api/bob/tasks', 'alice'), [403, body])
  const { lines } = app as unknown as { lines: Array<{ code?: string }> }
  t.match(lines.find(({ code }) => code === 'MISSING_TOKEN'), { ...line, reqId: /^req-/ })
})

t.test('openapi: the padlocks', async (t) => {
  const app = await run(t, 'docs/openapi.md', 'OpenAPI: how do padlocks get into my API docs?')
  const { paths } = (app as unknown as { swagger: () => Document }).swagger()
  const shown = Object.entries(paths).map(([path, { get: { security, responses } }]) =>
    [path, security, Object.keys(responses).filter((status) => status.startsWith('4'))])
  t.same(shown, [
    ['/api/{user_id}/tasks', [{ bearerAuth: [] }], ['401', '403']],
    ['/api/me', [{ bearerAuth: [] }], ['401']],
    ['/health', undefined, []]
  ])
})

interface Document { paths: Record<string, { get: { security?: object[], responses: object } }> }

t.test('every block that lists issuers boots', async (t) => {
  const { jwk } = await createKey('key-1', 'RS256')
  t.intercept(globalThis, 'fetch', {
    value: async (url: string) => {
      const [, issuer] = /^(.*)\/\.well-known\/openid-configuration$/.exec(url) ?? []
      return Response.json(issuer ? { issuer, jwks_uri: `${issuer}/jwks` } : { keys: [jwk] })
    }
  })
  env.JWT_SECRET = secret
  t.teardown(() => { delete env.JWT_SECRET })
  const isComplete = ({ code }: Block) => code.includes('issuers: [') && !code.includes('better-auth')
  const blocks = pages.flatMap((page) => page.blocks).filter(isComplete)
  t.ok(blocks.length >= 12)
  for (const block of blocks) {
    await t.test(`${block.page}:${block.line}`, async (t) => {
      const app = await runBlock(t, block)
      const issuers = app.userScope.issuers()
      t.ok(issuers.length > 0 && issuers.every(({ keys }) => keys.length > 0))
    })
  }
})

t.test('deployment: health', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const app = await runBlock(t, blockBelow('docs/deployment.md', 'Health'),
    (code) => `await app.register(userScope, { issuers: [${JSON.stringify(issuer.entry)}] })\n${code}`)
  t.same(await get(app, '/health'), [200, { waiting: [] }])
})

/** A database that is there without a server. */
function inMemory (code: string): string {
  const tables = ['user', 'session', 'account', 'verification', 'jwks', 'organization', 'member', 'invitation']
  const database = `memoryAdapter({ ${tables.map((name) => `${name}: []`).join(', ')} })`
  const replaced = code.replace(/new Pool\([^]*?console\.error\)\)/, database)
  return `import { memoryAdapter } from 'better-auth/adapters/memory'\n${replaced}`
}

interface SendOptions { method: 'GET' | 'POST', headers: Record<string, string>, body?: string }
type Send = (path: string, options: SendOptions) => Promise<Response>

/** Signs alice up at a Better Auth and leads to her id and token. */
async function signUp (send: Send, origin: string): Promise<{ id: string, token: string }> {
  const signedUp = await send('/api/auth/sign-up/email', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ name: 'Alice', email: 'alice@example.com', password: 'correct horse battery' })
  })
  const { user } = await signedUp.json() as { user: { id: string } }
  const cookie = signedUp.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const answer = await send('/api/auth/token', { method: 'GET', headers: { cookie } })
  return { id: user.id, token: (await answer.json() as { token: string }).token }
}

/** The server of Better Auth, on a port of its own. */
async function startAuth (t: Test, block: Block): Promise<string> {
  const app = await runBlock(t, block, (code) => `${inMemory(code)
    .replace('createServer(', 'const server = createServer(').replace('listen(3001', 'listen(0')
    .replace("baseURL: 'http://localhost:3001'", "baseURL: 'http://localhost:3001', trustedOrigins: ['*']")}
    app.decorate('auth', { getter: () => server })`)
  const server = (app as unknown as { auth: Server }).auth
  t.teardown(() => { server.close() })
  if (!server.listening) await once(server, 'listening')
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

t.test('better-auth: two servers', async (t) => {
  const address = await startAuth(t, blockBelow('docs/better-auth.md', 'Two servers'))
  const { id, token } = await signUp((path, init) => fetch(address + path, init), 'http://localhost:3001')
  await t.test('the API', async (t) => {
    t.intercept(globalThis, 'fetch', { value: redirect(address) })
    const app = await run(t, 'docs/better-auth.md', 'Two servers', 1)
    const response = await app.inject({ url: `/api/${id}/tasks`, headers: bearer(token) })
    t.match([response.statusCode, response.json()], [200, { owner: id }])
    t.equal((await app.inject({ url: '/api/bob/tasks', headers: bearer(token) })).statusCode, 403)
  })
})

/** Port 3001 may be somebody else's. */
function redirect (address: string): typeof fetch {
  const original = fetch
  return (url, init) => original(String(url).replace('http://localhost:3001', address), init)
}

t.test('better-auth: one server', async (t) => {
  const app = await runBlock(t, blockBelow('docs/better-auth.md', 'One server'), inMemory)
  const send: Send = async (url, { method, headers, body: payload = '' }) => {
    const answer = await app.inject({ method, url, headers, ...method === 'POST' && { payload } })
    const cookies = [answer.headers['set-cookie'] ?? []].flat().map((value): [string, string] => ['set-cookie', value])
    return new Response(answer.body, { status: answer.statusCode, headers: cookies })
  }
  const { id, token } = await signUp(send, 'http://localhost:3000')
  const response = await app.inject({ url: `/api/${id}/tasks`, headers: bearer(token) })
  t.match([response.statusCode, response.json()], [200, { owner: id }])
  t.equal((await app.inject({ url: '/api/bob/tasks', headers: bearer(token) })).statusCode, 403)
  const post = async (path: string, type: string, payload: string) => (await app.inject({
    method: 'POST', url: `/api/auth${path}`, headers: { 'content-type': type, origin: 'http://localhost:3000' }, payload
  })).statusCode
  t.equal(await post('/callback/apple', 'application/x-www-form-urlencoded', 'state=x&code=y'), 302)
  t.equal(await post('/sign-out', 'application/json', ''), 200, 'no body')
})

t.test('better-auth: HS256', async (t) => {
  const baseURL = 'http://localhost:3001'
  const provider = await runBlock(t, blockBelow('docs/better-auth.md', 'HS256 with the shared secret'),
    (code) => `${inMemory(code)}\napp.decorate('auth', { getter: () => auth })`)
  const { auth } = provider as unknown as { auth: { handler: (request: Request) => Promise<Response> } }
  const { id, token } = await signUp((path, init) => auth.handler(new Request(baseURL + path, init)), baseURL)
  await t.test('the API', async (t) => {
    const app = await runBlock(t, blockBelow('docs/better-auth.md', 'HS256 with the shared secret', 1),
      (code) => `${code}\napp.get('/api/:user_id/tasks', async (request) => request.user.id)`)
    const response = await app.inject({ url: `/api/${id}/tasks`, headers: bearer(token) })
    t.match([response.statusCode, response.body], [200, id])
  })
})

t.test('better-auth: impersonation', async (t) => {
  const baseURL = 'http://localhost:3001'
  const { plugin } = await runBlock(t, blockBelow('docs/better-auth.md', 'Impersonation'), (code) =>
    `${code}\napp.decorate('plugin', { getter: () => plugin })`) as unknown as { plugin: ReturnType<typeof jwt> }
  const cases = [['by default', jwt(), 200], ['with the recipe', plugin, 403]] as const
  for (const [name, plugin, asImpersonator] of cases) {
    const { fetch, rows, signUp } = makeProvider(baseURL, { secret, plugins: [plugin, admin()] })
    const [alice, bob] = [await signUp('alice'), await signUp('bob')]
    for (const row of rows.user) if (row['id'] === alice.id) row['role'] = 'admin'
    const { headers } = await alice.post('/admin/impersonate-user', { userId: bob.id })
    const cookie = [...cookiesOf(headers)].map((pair) => pair.join('=')).join('; ')
    const answer = await fetch(`${baseURL}/api/auth/token`, { headers: { cookie } })
    const { token } = await answer.json() as { token: string }
    const options = { issuers: [betterAuth({ baseURL, fetch })], impersonation: 'read-only' } as const
    const { send } = await build(t, options, {}, (app) => {
      app.route({ method: ['GET', 'POST'], url: '/api/:user_id/tasks', handler: async () => ({}) })
    })
    const asBob = async (method: 'GET' | 'POST', token: string) =>
      (await send({ method, url: `/api/${bob.id}/tasks`, headers: bearer(token) })).status
    t.same([await asBob('GET', bob.token), await asBob('POST', bob.token)], [200, 200], name)
    t.same([await asBob('GET', token), await asBob('POST', token)], [200, asImpersonator], `${name}, impersonated`)
  }
})

t.test('recipe: organizations of Better Auth', async (t) => {
  const provider = await runBlock(t, blockBelow('docs/recipes.md', 'Organizations'),
    (code) => `${inMemory(code)}\napp.decorate('auth', { getter: () => auth })`)
  const { auth } = provider as unknown as { auth: OrganizationsAuth }
  const origin = 'http://localhost:3001'
  const send = async (path: string, cookie: string, body?: object) => await auth.handler(new Request(origin + path, {
    method: body ? 'POST' : 'GET',
    headers: { cookie, origin, ...body && { 'content-type': 'application/json' } },
    ...body && { body: JSON.stringify(body) }
  }))
  const enter = async (name: string) => {
    const answer = await send('/api/auth/sign-up/email', '', {
      name, email: `${name}@example.com`, password: 'correct horse battery'
    })
    const { user } = await answer.json() as { user: { id: string } }
    return { user, cookie: answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ') }
  }
  const { user, cookie } = await enter('alice')
  const newToken = async (of = cookie) => (await (await send('/api/auth/token', of)).json() as { token: string }).token
  const before = await newToken()
  const create = async (slug: string) => {
    const answer = await send('/api/auth/organization/create', cookie, { name: slug, slug })
    return (await answer.json() as { id: string }).id
  }
  const [acme, other] = [await create('acme'), await create('other')]
  const select = async (organizationId: string, of = cookie) =>
    await send('/api/auth/organization/set-active', of, { organizationId })
  t.equal((await select(acme)).status, 200)
  const token = await newToken()
  t.not((await select('not-a-member')).status, 200)
  const bob = await enter('bob')
  await auth.api.addMember({ body: { userId: bob.user.id, organizationId: acme, role: 'member' } })
  t.equal((await select(acme, bob.cookie)).status, 200)
  const asMember = await newToken(bob.cookie)
  const member = { memberIdOrEmail: 'bob@example.com', organizationId: acme }
  t.equal((await send('/api/auth/organization/remove-member', cookie, member)).status, 200)
  const asRemoved = await newToken(bob.cookie)

  await t.test('the API', async (t) => {
    const fetch = async (url: string, init: RequestInit) => await auth.handler(new Request(url, init))
    t.intercept(globalThis, 'fetch', { value: fetch })
    const app = await run(t, 'docs/recipes.md', 'Organizations', 1)
    const status = async (url: string, token: string) =>
      (await app.inject({ url, headers: bearer(token) })).statusCode
    t.equal(await status(`/orgs/${acme}/projects`, token), 200)
    t.equal(await status(`/orgs/${other}/projects`, token), 403)
    t.equal(await status(`/orgs/${acme}/projects`, before), 403)
    t.equal(await status(`/orgs/${acme}/projects`, asMember), 200)
    t.equal(await status(`/orgs/${acme}/projects`, asRemoved), 403, 'a new token of who was removed')
    t.equal(await status(`/orgs/${acme}/users/${user.id}`, token), 200)
    t.equal(await status(`/orgs/${acme}/users/bob`, token), 403)
    t.equal(await status(`/orgs/${other}/users/${user.id}`, token), 403)
  })
})

interface OrganizationsAuth {
  handler: (request: Request) => Promise<Response>
  api: { addMember: (input: { body: object }) => Promise<unknown> }
}

t.test('access: owners, support staff, tenants and scopes', async (t) => {
  const app = await run(t, 'docs/access.md', 'Rules')
  const read = { scope: 'tasks:read' }
  t.same(await get(app, '/api/alice/tasks', 'alice', read), [200, { tasksOf: 'alice', readBy: 'alice' }])
  t.same(await get(app, '/api/alice/tasks', 'sam', read), [200, { tasksOf: 'alice', readBy: 'sam' }])
  t.match(await get(app, '/api/alice/tasks', 'sam'), [403, { code: 'INSUFFICIENT_SCOPE' }])
  t.match(await get(app, '/api/bob/tasks', 'sam', read), [403, { code: 'FORBIDDEN_USER_ACCESS' }])
  t.match(await get(app, '/api/alice/tasks', 'bob', read), [403, { code: 'FORBIDDEN_USER_ACCESS' }])
  const post = async (user: string, claims: object) =>
    (await app.inject({ method: 'POST', url: '/api/alice/tasks', headers: bearer(tokenFor(user, claims)) })).statusCode
  const write = { scope: 'tasks:write tasks:read' }
  t.same([await post('alice', write), await post('alice', read), await post('sam', write)], [200, 403, 403])
  t.match(await get(app, '/orgs/acme/plan', 'alice', { org_id: 'acme' }), [200])
  t.match(await get(app, '/orgs/acme/plan', 'alice', { org_id: 'other' }), [403, { code: 'FORBIDDEN_RESOURCE_ACCESS' }])
  t.match(await get(app, '/orgs/acme/plan', 'alice'), [403, { code: 'FORBIDDEN_RESOURCE_ACCESS' }])
  t.match(await get(app, '/staff/orgs/acme', 'sam', { scope: 'support' }), [200])
  t.match(await get(app, '/staff/orgs/acme', 'alice', { org_id: 'acme' }), [403, { code: 'INSUFFICIENT_SCOPE' }])
})

t.test('access: scopes that only a handler knows', async (t) => {
  const app = await runBlock(t, blockBelow('docs/access.md', 'Scopes'), registered)
  const remove = async (query: string, scope: string) => {
    const headers = bearer(tokenFor('alice', { scope }))
    const { statusCode, headers: { 'www-authenticate': challenge } } =
      await app.inject({ method: 'DELETE', url: `/api/alice/tasks/1${query}`, headers })
    return [statusCode, challenge]
  }
  t.match([await remove('', 'x'), await remove('?permanent=1', 'tasks:purge')], [[204], [204]])
  t.match(await remove('?permanent=1', 'x'), [403, /error="insufficient_scope".*scope="tasks:purge"/])
})

t.test('deployment: no cache keeps what a user was answered', async (t) => {
  const app = await runBlock(t, blockBelow('docs/deployment.md', 'Caches'), (block) => registered(`${block}
    const handler = async (request, reply) => { reply.header('cache-control', 'public, max-age=60'); return 'in' }
    app.get('/api/:user_id/tasks', handler)
    app.get('/api/:user_id/late', async (request) => { requireScopes(request, 'x') })
    app.get('/news', { config: { access: 'optional' } }, handler)`))
  const kept = async (url: string, user?: string) => {
    const response = await app.inject({ url, ...user !== undefined && { headers: bearer(tokenFor(user)) } })
    return [response.statusCode, response.headers['cache-control']]
  }
  t.same(await kept('/api/alice/tasks', 'alice'), [200, 'private, no-store'])
  t.same(await kept('/api/alice/tasks', 'bob'), [403, 'no-store'])
  t.same(await kept('/api/alice/tasks'), [401, 'no-store'])
  t.match(await kept('/api/alice/late', 'alice'), [403, /no-store/])
  t.same(await kept('/news', 'alice'), [200, 'private, no-store'])
  t.same(await kept('/news'), [200, 'public, max-age=60'], 'what anyone may have')
})

t.test('deployment: the span of a request', async (t) => {
  const attributes: Array<[string, unknown]> = []
  const code = `export const trace = { getActiveSpan: () => ({
    setAttribute: (...attribute) => { globalThis.spanAttributes.push(attribute) } }) }`
  Object.assign(globalThis, { spanAttributes: attributes })
  t.teardown(() => { Reflect.deleteProperty(globalThis, 'spanAttributes') })
  const app = await runBlock(t, blockBelow('docs/deployment.md', 'Audit'), (block) => registered(`
    ${block.replace("'@opentelemetry/api'", `'data:text/javascript,${encodeURIComponent(code)}'`)}
    app.get('/api/:user_id/tasks', async () => 'in')`))
  await get(app, '/api/bob/tasks', 'alice')
  t.match(Object.fromEntries(attributes), {
    'enduser.id': 'alice', 'app.owner': 'bob', 'app.refusal': 'FORBIDDEN_USER_ACCESS', 'app.request': /^req-/
  })
})
