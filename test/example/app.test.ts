import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { env } from 'node:process'
import t from 'tap'
import { start, type Example, type SignedIn } from '../support/example.js'
import { sameLength } from '../support/same-length.js'

t.test('the API', async (t) => {
  const example = await start(t, { AUTH_RATE_LIMIT: '1000', SIGN_IN_RATE_LIMIT: '1000' })
  const { printed, send, signIn, signUp, baseURL, password, address } = example

  await t.test('every printed command can be pasted into a shell and gives the status above it', async (t) => {
    const expected = [...printed.matchAll(/^# (\d{3}), /gm)].map(([, status]) => status)
    t.same(expected, ['200', '200', '201', '200', '403', '401', '200', '403', '200', '200', '403', '200'])
    const comments = printed.match(/^#.*$/gm)?.join('\n')
    t.notMatch(comments, /['"`$;&|<>()[\]{}*?!~^\\]/, 'a shell without comments, as zsh, reads no more than words')
    t.same(printed.split('\n').filter((line) => line !== '' && !/^(# |API=|TOKEN=|curl )/.test(line)), [], 'no prompts')

    const pasted = spawn('bash', { cwd: t.testdir({}), env: { PATH: env.PATH } })
    let [stdout, stderr] = ['', '']
    pasted.stdout.on('data', (text) => { stdout += text })
    pasted.stderr.on('data', (text) => { stderr += text })
    pasted.stdin.end(printed)
    t.same(await once(pasted, 'close'), [0, null])
    t.same(stdout.match(/^\d{3}$/gm), expected)
    t.equal(stderr, '')
    const [, id] = /^# alice@example.com has the id (\S+)$/m.exec(printed) ?? []
    t.match(stdout, `\n{"id":"${id}"}\n`)
    t.match(stdout, '"title":"Buy milk"')
  })

  await t.test('the home page has the docs and the walk, a step and a button each', async (t) => {
    const { status, body, headers } = await send('/')
    t.match({ status, body }, { status: 200, body: /<a href="\/docs">/ })
    const steps = [...String(body).matchAll(/<pre>([^<]*)<\/pre><button>Copy<\/button>/g)].map(([, step]) => step)
    t.equal(steps.join('\n\n'), printed.replace('\n\n# Stop with Ctrl+C.\n', ''))
    t.match(await send('/home.js'), { status: 200, body: /clipboard/ })
    t.match(headers.get('content-security-policy'), /script-src 'self';/)
  })

  const [alice, bob] = [await signUp('ann'), await signUp('ben')]
  const own = `/api/${alice.id}/tasks`
  const add = (body: object, { token } = alice) => send(own, { method: 'POST', token, body })

  await t.test('a task is created, read, listed, updated, completed and deleted', async (t) => {
    const { token } = alice
    const created = await add({ title: 'Write', description: 'the report', completed: true })
    t.match(created, {
      status: 201,
      body: {
        id: Number,
        title: 'Write',
        description: 'the report',
        completed: false,
        created_at: /Z$/,
        updated_at: /Z$/
      }
    })
    const { id, created_at: createdAt } = created.body as { id: number, created_at: string }
    const url = `${own}/${id}`
    t.match(await send(url, { token }), { status: 200, body: created.body })
    t.same((await send(own, { token })).body, { tasks: [created.body], next: null })

    const updated = await send(url, { method: 'PUT', token, body: { title: 'Send' } })
    t.match(
      updated,
      { status: 200, body: { id, title: 'Send', description: null, completed: false, created_at: createdAt } },
      'what an update leaves out is gone'
    )

    t.match(
      await send(url, { method: 'PUT', token, body: updated.body as object }),
      { status: 200, body: { title: 'Send', description: null } },
      'as it was read'
    )
    t.match(
      await send(`${url}/complete`, { method: 'PATCH', token }),
      { status: 200, body: { id, title: 'Send', completed: true } }
    )
    t.match(await send(url, { token }), { status: 200, body: { completed: true, created_at: createdAt } })

    t.match(await send(url, { method: 'DELETE', token }), { status: 204, body: '' })
    for (const method of ['GET', 'DELETE']) {
      t.match(
        await send(url, { method, token }),
        { status: 404, body: { statusCode: 404, code: 'TASK_NOT_FOUND', error: 'Not Found' } }
      )
    }
    t.same((await send(own, { token })).body, { tasks: [], next: null })
  })

  await t.test("another user's task cannot be reached by either path and any method", async (t) => {
    const { body: task } = await add({ title: "ann's own" })
    const { id } = task as { id: number }
    const attempts = [
      { path: `/${id}`, method: 'GET' },
      { path: `/${id}`, method: 'PUT', body: { title: 'taken' } },
      { path: `/${id}/complete`, method: 'PATCH' },
      { path: `/${id}`, method: 'DELETE' }
    ]
    for (const { path, ...request } of attempts) {
      t.match(
        await send(own + path, { ...request, token: bob.token }),
        { status: 403, body: { code: 'FORBIDDEN_USER_ACCESS' } },
        `${request.method} her path`
      )
      t.match(
        await send(`/api/${bob.id}/tasks${path}`, { ...request, token: bob.token }),
        { status: 404, body: { code: 'TASK_NOT_FOUND' } },
        `${request.method} his own path`
      )
    }
    t.match(await add({ title: 'planted' }, bob), { status: 403 })
    t.same((await send(`/api/${bob.id}/tasks`, { token: bob.token })).body, { tasks: [], next: null })
    t.same((await send(own, { token: alice.token })).body, { tasks: [task], next: null }, 'untouched')
  })

  await t.test('the support team reads the tasks of all, and writes its own', async (t) => {
    const sam = await signIn('sam')
    const { token } = sam
    const { body: task } = await add({ title: 'Help me' })
    const { id } = task as { id: number }
    t.match(await send(own, { token }), sameLength({ status: 200, body: { tasks: [{ title: "ann's own" }, { id }] } }))
    t.match(await send(`${own}/${id}`, { token }), { status: 200, body: { id } })
    for (const [path, method, body] of [
      ['', 'POST', { title: 'planted' }],
      [`/${id}`, 'PUT', { title: 'taken' }],
      [`/${id}/complete`, 'PATCH'],
      [`/${id}`, 'DELETE']
    ] as const) {
      const request = { method, token, ...body && { body } }
      t.match(await send(own + path, request), { status: 403, body: { code: 'FORBIDDEN_USER_ACCESS' } }, method)
    }
    t.same((await send(`${own}/${id}`, { token: alice.token })).body, task, 'untouched')
    t.match(await send(`/api/${sam.id}/tasks`, { method: 'POST', token, body: { title: 'Answer' } }), { status: 201 })
  })

  await t.test('nobody can join the support team or an organization by themselves', async (t) => {
    const dave = await signUp('dave')
    for (const planted of [{ role: 'support' }, { organization: 'acme' }]) {
      const account = { name: 'eve', email: 'eve@example.com', password, ...planted }
      const request = { method: 'POST', headers: { origin: baseURL, cookie: dave.cookie } }
      t.match(await send('/api/auth/sign-up/email', { ...request, body: account }), { status: 400 })
      t.match(await send('/api/auth/update-user', { ...request, body: planted }), { status: 400 })
    }
    const { token } = (await send('/api/auth/token', { headers: { cookie: dave.cookie } })).body as { token: string }
    t.match(await send(own, { token }), { status: 403, body: { code: 'FORBIDDEN_USER_ACCESS' } })
    const progress = '/api/orgs/acme/progress'
    t.match(await send(progress, { token }), { status: 403, body: { code: 'FORBIDDEN_RESOURCE_ACCESS' } })
    const bob = await signIn('bob')
    const { body } = await send(progress, { token: bob.token })
    const { open } = body as { open: number }
    t.match(body, { completed: 0 })
    for (const title of ['a', 'b']) {
      await send(`/api/${bob.id}/tasks`, { method: 'POST', token: bob.token, body: { title } })
    }
    const { body: { tasks: [first] } } = await send(`/api/${bob.id}/tasks`, { token: bob.token }) as
      { body: { tasks: Array<{ id: number }> } }
    await send(`/api/${bob.id}/tasks/${first?.id}/complete`, { method: 'PATCH', token: bob.token })
    t.same((await send(progress, { token: bob.token })).body, { open: open + 1, completed: 1 })
    t.match(await send(progress), { status: 401 })
  })

  await t.test('an invalid body, id or page is refused, after the check of the user', async (t) => {
    const { token } = alice
    const unfit = [
      {}, { title: '' }, { title: ' \t\u00a0' }, { title: 123 }, { title: null }, { title: 'fit', description: 1 },
      { title: 'fit', description: true }, { title: 'x'.repeat(201) }, { title: 'fit', description: 'x'.repeat(1001) },
      { title: 'nul \0' }
    ]
    for (const body of unfit) {
      t.match(await add(body), { status: 400, body: { statusCode: 400, code: 'FST_ERR_VALIDATION' } })
      t.match(await send(`${own}/1`, { method: 'PUT', token, body }), { status: 400 })
      t.match(await add(body, bob), { status: 403 })
    }
    for (const completed of ['true', 1, null]) {
      t.match(await send(`${own}/1`, { method: 'PUT', token, body: { title: 'fit', completed } }), { status: 400 })
    }
    t.match(
      await send('/api/auth/sign-in/email', { method: 'POST', body: { email: 'ann@example.com', password: 12345678 } }),
      { status: 400, body: { code: 'FST_ERR_VALIDATION' } }
    )
    for (const id of ['first', '0', '2147483648', '1e99']) {
      t.match(await send(`${own}/${id}`, { token }), { status: 400 }, id)
    }
    const numbers = ['limit=Infinity', 'after=Infinity', 'after=-1', 'after=2147483648', 'after=x']
    for (const page of ['limit=0', 'limit=101', 'limit=x', ...numbers]) {
      t.match(await send(`${own}?${page}`, { token }), { status: 400 }, page)
    }
    t.match(await send(`${own}/2147483647`, { token }), { status: 404 })
    t.match(await add({ title: 'x'.repeat(200), description: 'x'.repeat(1000) }), { status: 201 })
  })

  await t.test('a new user has tasks of their own', async (t) => {
    const carol = await signUp('carol')
    const carols = `/api/${carol.id}/tasks`
    t.match(await send(carols, { method: 'POST', token: carol.token, body: { title: 'Begin' } }), { status: 201 })
    const { body } = await send(carols, { token: carol.token })
    t.match(body, sameLength({ tasks: [{ title: 'Begin' }], next: null }))
    t.match(await send(own, { token: carol.token }), { status: 403 })
    t.match(await send('/api/me', { token: carol.token }), { status: 200, body: { id: carol.id } })
    await t.rejects(signUp('carol'), /422/)
    for (const name of ['car\0l', ' ']) await t.rejects(signUp(name), /400/)
  })

  await t.test('other tokens than those for the API are refused', async (t) => {
    t.match(await send('/api/me'), { status: 401, body: { code: 'MISSING_TOKEN' } })
    t.match(
      await send('/api/me', { headers: { cookie: alice.cookie } }),
      { status: 401, body: { code: 'MISSING_TOKEN' } },
      'the session cookie'
    )
    t.match(
      await send('/api/me', { token: alice.sessionToken }),
      { status: 401, body: { code: 'MALFORMED_TOKEN' } },
      'the token of the session'
    )
  })

  await t.test("Better Auth's other routes are served too", async (t) => {
    t.match(await send('/api/auth/ok'), { status: 200, body: { ok: true } })
    t.match(await send('/api/auth/jwks'), { status: 200, body: { keys: [{ alg: 'EdDSA' }] } })
    const session = await send('/api/auth/get-session', { headers: { cookie: alice.cookie } })
    t.match(
      session,
      { status: 200, body: { user: { id: alice.id, email: 'ann@example.com', emailVerified: false } } },
      'with every field'
    )
    const { cookie } = await signIn('ben')
    const out = await send('/api/auth/sign-out', { method: 'POST', body: {}, headers: { cookie, origin: baseURL } })
    t.match(out, { status: 200, body: { success: true } })
    t.ok(out.headers.getSetCookie().length > 1, 'each cookie in a header of its own')
    t.match(await send('/api/auth/token', { headers: { cookie } }), { status: 401 })
    t.match(await send('/api/auth/nothing'), { status: 404 })
    t.match(await send('/nothing'), { status: 404, body: { statusCode: 404, code: 'NOT_FOUND' } })
  })

  await t.test('a page of another origin cannot use the cookie', async (t) => {
    const body = { email: 'ann@example.com', password: 'x'.repeat(12) }
    for (const [origin, status] of [
      ['https://evil.example.com', 403],
      [baseURL, 401],
      [baseURL.replace('localhost', '127.0.0.1'), 401]
    ] as const) {
      const headers = { origin, cookie: alice.cookie }
      t.match(await send('/api/auth/sign-in/email', { method: 'POST', body, headers }), { status }, origin)
    }
    t.match(
      await send('/api/auth/sign-in/email', { method: 'POST', body }),
      { status: 403, body: { code: 'MISSING_OR_NULL_ORIGIN' } },
      'nor a program that does not say where it belongs'
    )
    type Post = { responses: Record<string, { description: string }> }
    const document = (await send('/docs/json')).body as { paths: Record<string, { post: Post }> }
    for (const path of ['/api/auth/sign-in/email', '/api/auth/sign-up/email']) {
      t.match(document.paths[path]?.post.responses['403']?.description, `\`Origin: ${baseURL}\``)
    }
  })

  await t.test('private answers are not cached on the way', async (t) => {
    const { token, cookie } = alice
    const signIn = { method: 'POST', body: { email: 'ann@example.com', password }, headers: { origin: baseURL } }
    for (const [path, request] of [
      ['/api/auth/sign-in/email', signIn],
      ['/api/auth/token', { headers: { cookie } }],
      [own, { token }],
      [`${own}/1`, { token }],
      ['/api/me', { token }]
    ] as const) {
      t.equal((await send(path, request)).headers.get('cache-control'), 'no-store', path)
    }
  })

  await t.test('/health is public and reports the keys', async (t) => {
    t.match(await send('/health'), sameLength({
      status: 200,
      body: { ok: true, issuers: [{ issuer: baseURL, keys: [String], age: Number, lastError: null }] }
    }))
  })

  await t.test('the docs page needs no token', async (t) => {
    const page = await send('/docs')
    t.match(page, { status: 200, body: /<html/ })
    const links = String(page.body).matchAll(/(?:src|href)="\.?(\/[^"]+\.(?:js|css))"/g)
    const assets = [...links].map(([, path]) => String(path))
    t.ok(assets.length > 0)
    for (const path of assets) {
      t.match(await send(path.startsWith('/docs') ? path : `/docs${path}`), { status: 200 }, path)
    }
  })

  await t.test('the document only marks the guarded operations', async (t) => {
    const { body } = await send('/docs/json')
    const document = body as {
      openapi: string
      security?: object[]
      paths: Record<string, Record<string, { security?: object[], responses: object }>>
      components: { securitySchemes: object }
    }
    const refusalsOf = (responses: object) => Object.keys(responses).filter((status) => ['401', '403'].includes(status))
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { security, responses }]) =>
        [`${method} ${path}`, { security, refusals: refusalsOf(responses) }]))
    const owner = { security: [{ bearerAuth: [] }], refusals: ['401', '403'] }
    t.match(document.openapi, /^3\.1\./)
    t.notOk('security' in document)
    t.match(document.components.securitySchemes, {
      bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }
    })
    t.same(Object.fromEntries(operations), {
      'get /api/{user_id}/tasks': owner,
      'post /api/{user_id}/tasks': owner,
      'get /api/{user_id}/tasks/{task_id}': owner,
      'put /api/{user_id}/tasks/{task_id}': owner,
      'delete /api/{user_id}/tasks/{task_id}': owner,
      'patch /api/{user_id}/tasks/{task_id}/complete': owner,
      'get /api/orgs/{org_id}/progress': owner,
      'get /api/me': { security: [{ bearerAuth: [] }], refusals: ['401'] },
      'get /health': { security: undefined, refusals: [] },
      'post /api/auth/sign-up/email': { security: undefined, refusals: ['403'] },
      'post /api/auth/sign-in/email': { security: undefined, refusals: ['401', '403'] },
      'get /api/auth/token': { security: undefined, refusals: ['401'] }
    })
  })

  await t.test('answers have the headers of helmet and CORS', async (t) => {
    for (const path of ['/', '/docs', '/health', own]) {
      const { headers } = await send(path)
      t.match(headers.get('content-security-policy'), /^default-src 'self';/, path)
      t.notMatch(headers.get('content-security-policy'), 'upgrade-insecure-requests')
      t.equal(headers.get('strict-transport-security'), null)
      t.equal(headers.get('x-content-type-options'), 'nosniff')
    }
    for (const [origin, allowed] of [[baseURL, baseURL], ['https://evil.example.com', null]] as const) {
      const preflight = await send(own, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' }
      })
      t.equal(preflight.status, 204)
      t.equal(preflight.headers.get('access-control-allow-origin'), allowed)
      t.match(preflight.headers.get('access-control-allow-methods'), 'PUT')
      const { headers } = await send(own, { headers: { origin } })
      t.equal(headers.get('access-control-allow-origin'), allowed, 'on a refusal too')
      t.equal(headers.get('access-control-expose-headers'), 'WWW-Authenticate, Retry-After')
    }
  })

  await t.test('a body that is too large for a sign-in is refused', async (t) => {
    const body = { email: 'ann@example.com', password: 'x'.repeat(20_000) }
    const large = { method: 'POST', body, headers: { origin: baseURL } }
    for (const path of ['/sign-in/email', '/sign-up/email', '/verify-password', '/update-user']) {
      const { status, body } = await send(`/api/auth${path}`, large)
      t.match({ status, body }, { status: 413, body: { code: 'FST_ERR_CTP_BODY_TOO_LARGE' } }, path)
    }
  })

  await t.test('the header of an untrusted proxy is ignored', async (t) => {
    const from = (client: string) => ({ 'x-forwarded-for': client })
    t.equal(await ipOf(example, await signIn('ann', from('192.0.2.1')), from('192.0.2.1')), '127.0.0.1')
    const left = async (client: string) => {
      const { headers } = await send('/api/auth/ok', { headers: from(client) })
      return Number(headers.get('x-ratelimit-remaining'))
    }
    let taken = -1
    while (taken < 0) taken = await left('192.0.2.2') - await left('192.0.2.3') // a new minute begins a new count
    t.equal(taken, 1, 'one count for all')
  })

  await t.test('a request that never ends does not keep the process alive', async (t) => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1')
    const head = [
      'POST /api/auth/sign-in/email HTTP/1.1', 'host: x', 'content-type: application/json', 'content-length: 100'
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n{"e`)
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    example.kill('SIGTERM')
    t.same(await example.ended, { code: 0, stderr: '' })
  })
})

t.test('behind a proxy, the client\'s address is used', async (t) => {
  const limits = { AUTH_RATE_LIMIT: '4', SIGN_IN_RATE_LIMIT: '1' }
  const example = await start(t, { ...limits, TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'trace', NODE_ENV: 'test' })
  const { send, signIn, signUp, baseURL, password, address, prints, kill, ended } = example
  const from = (client: string) => ({ 'x-forwarded-for': client })
  const guessed = { email: 'alice@example.com', password: 'guessed-password' }
  await signUp('alice', from('192.0.2.50')) // a demo user does not exist behind a proxy
  const guess = (client: string) => ({ method: 'POST', headers: { origin: baseURL, ...from(client) }, body: guessed })

  await t.test('each client has its own limit and address', async (t) => {
    t.equal(await ipOf(example, await signIn('alice', from('192.0.2.1')), from('192.0.2.1')), '192.0.2.1')
    const forged = from('192.0.2.66, 192.0.2.2')
    const ip = await ipOf(example, await signIn('alice', forged), forged)
    t.equal(ip, '192.0.2.2', 'as the proxy says, not the client before it')
    const status = async (client: string) => (await send('/api/auth/ok', { headers: from(client) })).status
    t.same([await status('192.0.2.1'), await status('192.0.2.1'), await status('192.0.2.1')], [200, 200, 429])
    t.equal(await status('192.0.2.3'), 200)
    const ports = ['192.0.2.4:1', '192.0.2.4:2', '[2001:db8::1]:1', '[2001:db8::1]:2', 'unknown']
    const answers = await Promise.all(ports.map(status))
    t.same(answers.sort(), [200, 200, 200, 200, 429], 'what is no address does not add a limit')
  })

  const limited = '/api/auth is limited, each route that asks for a password by itself, and the tasks are not'
  await t.test(limited, async (t) => {
    const client = from('192.0.2.10')
    const { id, token, cookie } = await signIn('alice', client)
    const verify = {
      method: 'POST',
      body: { password: 'guessed-password' },
      headers: { origin: baseURL, cookie, ...client }
    }
    t.match(await send('/api/auth/verify-password', verify), { status: 400 })
    t.match(await send('/api/auth/change-password', verify), { status: 400 })
    for (let i = 0; i < 3; i++) t.match(await send('/api/auth/ok', { headers: client }), { status: 200 })
    for (const [path, request] of [
      ['/api/auth/ok', { headers: client }],
      ['/api/auth/sign-in/email', guess('192.0.2.10')],
      ['/api/auth/verify-password', verify],
      ['/api/auth/change-password', verify]
    ] as const) {
      const { status, body, headers } = await send(path, request)
      const error = { statusCode: 429, code: 'TOO_MANY_REQUESTS', error: 'Too Many Requests', message: String }
      t.match({ status, body }, { status: 429, body: error }, path)
      t.ok(Number(headers.get('retry-after')) > 0)
    }
    t.match(await send('/api/auth/sign-up/email', guess('192.0.2.10')), { status: 400 })
    for (let i = 0; i < 5; i++) t.match(await send(`/api/${id}/tasks`, { token, headers: client }), { status: 200 })
  })

  await t.test('no other spelling of the path avoids its limit', async (t) => {
    const { hostname, port, host } = new URL(address)
    const headers = { 'content-type': 'application/json', ...from('192.0.2.20') }
    const status = async (path: string) => {
      const sent = request({ hostname, port, path, method: 'POST', headers })
      const [{ statusCode }] = await once(sent.end(JSON.stringify(guessed)), 'response') as [IncomingMessage]
      return statusCode
    }
    t.equal(await status('/api/auth/sign-in/email'), 401)
    t.equal(await status('/api/auth/verify-password'), 401)
    for (const path of [
      '/sign-in/email', '/%73ign-in/email', '/./sign-in/email', '/%2E/sign-in/email', '/x/../sign-in/email',
      '/x\\..\\sign-in/email', '//sign-in/email', '/sign-in%2Femail', '/../../api/auth/sign-in/email', '/SIGN-IN/email',
      '/sign-in/email/', '/%76erify-password', '/verify-password/'
    ]) {
      t.match(await status(`/api/auth${path}`), /404|429/, path)
    }
    t.match(await status(`http://${host}/api/auth/sign-in/email`), /404|429/)
  })

  await t.test('a fault behind the sign-in routes has the common error body', async (t) => {
    const { cookie } = await signIn('alice', from('192.0.2.30'))
    const usual = { 'content-type': 'application/json', origin: baseURL, cookie, ...from('192.0.2.31') }
    const post = (path: string, body: string, headers: Record<string, string> = {}) =>
      fetch(`${address}/api/auth${path}`, { method: 'POST', body, headers: { ...usual, ...headers } })
    for (const [path, body] of [['/update-user', '{"name":"B\\u0000ob"}'],
      ['/reset-password', '{"token":"\\u0000","newPassword":"guessed-password"}']] as const) {
      const unfit = await (await post(path, body, from('192.0.2.32'))).json()
      t.match(unfit, { statusCode: 400, code: 'INVALID_TEXT', error: 'Bad Request' }, path)
    }
    const deep = (half: number) => `{"email":"a@example.com","password":${'['.repeat(half)}${']'.repeat(half)}}`
    for (const path of ['/update-user', '/sign-in/email']) {
      t.match(await (await post(path, deep(7000), from('192.0.2.33'))).json(), { statusCode: 413 }, path)
      t.match((await post(path, deep(2000), from('192.0.2.34'))).status, 400, path)
    }
    t.ok((await post('/sign-out', 'x', { 'content-type': 'text/x' })).status >= 400)
    t.equal((await post('/sign-out', '')).status, 200, 'no body')
    const credentials = JSON.stringify({ email: 'alice@example.com', password })
    const foreign = await post('/sign-in/email', credentials, { origin: 'https://evil.example' })
    t.equal(foreign.status, 403, 'whatever NODE_ENV says')
    t.match(await send('/api/auth/ok', { headers: from('192.0.2.31') }), { status: 200 })
    t.equal((await fetch(`${address}/api/auth/ok`, { method: 'HEAD', headers: from('192.0.2.31') })).status, 404)
  })

  await t.test('the log is structured, and shows no header, query, token, password or value', async (t) => {
    const client = from('192.0.2.40')
    const { id, token, cookie, sessionToken } = await signUp('walter', client)
    // `fetch` sends a Sec-Fetch-Mode of its own.
    const crossSite = request(`${address}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: {
        ...client, 'content-type': 'application/json', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate'
      }
    })
    crossSite.end(JSON.stringify({ email: 'nobody@example.com', password }))
    const [{ statusCode }] = await once(crossSite, 'response') as [IncomingMessage]
    t.equal(statusCode, 403)
    await send('/api/auth/callback/x?state=%00&code=in-query', { headers: from('192.0.2.41') })
    const secrets = ['in-query', 'in-path', 'in-url', 'in-header', 'B\\u0000ob', 'guessed-password']
    for (const path of [
      '/api/auth/reset-password/in-path', '/api/auth/verify-email?token=in-query', '/?access_token=in-query',
      '/nowhere?access_token=in-query', '/%?access_token=in-query'
    ]) {
      await send(path, { headers: { 'x-api-key': 'in-header', ...client } })
    }
    // As clients write it to a proxy (RFC 9112 §3.2.2).
    const whole = 'http://user:in-url@localhost/api/auth/reset-password/in-path'
    const [{ statusCode: unknown }] =
      await once(request(address, { path: whole, headers: client }).end(), 'response') as [IncomingMessage]
    t.equal(unknown, 404)
    await send(`/api/${id}/tasks?limit=7`, { token, headers: { cookie, 'user-agent': 'in-header', ...client } })
    t.match(await send('/api/nobody/tasks', { token, headers: client }), { status: 403 })
    await send('/health')
    const log = (await prints(/"url":"\/health".*"msg":"answered"/)).split('\n').filter((line) => line.startsWith('{'))
    type Line = { method?: string, url?: string, ip?: string, msg: string, code?: string, err?: object }
    const lines = log.map((line) => JSON.parse(line) as Line)
    const answers = lines.filter(({ msg }) => msg === 'answered').map(({ method, url, ip }) => ({ method, url, ip }))
    const pages = ['/api/auth/reset-password/*', '/api/auth/verify-email', '/', '/nowhere']
    const urls = [...pages, pages[0], `/api/${id}/tasks`, '/api/nobody/tasks']
    t.same(answers.slice(-urls.length - 1, -1), urls.map((url) => ({ method: 'GET', url, ip: '192.0.2.40' })))
    const debug = ['answered', 'token verified']
    t.match(lines.filter(({ url, msg }) => url === '/api/nobody/tasks' && !debug.includes(msg)), sameLength([
      { method: 'GET', msg: 'request refused', code: 'FORBIDDEN_USER_ACCESS', reason: String }
    ]), 'one line for a refusal')
    const blocked = lines.find(({ msg }) => msg.startsWith('Better Auth: Blocked cross-site')) ?? {}
    t.same(Object.keys(blocked), ['level', 'time', 'pid', 'hostname', 'msg'], 'no details')
    const fault = lines.find(({ msg }) => msg === 'Better Auth: Failed to parse state') // the database refuses it
    t.match(fault, { err: { type: String, message: String, stack: /\n +at / } })
    const members = lines.flatMap(({ err }) => Object.keys(err ?? {}))
    t.same([...new Set(members)].sort(), ['code', 'message', 'stack', 'type'])
    const parts = [...token.split('.'), sessionToken, cookie.split('=')[1]]
    const hidden = [...secrets, ...parts, password, 'nobody@example.com', 'undefined']
    for (const told of hidden) t.notMatch(log.join('\n'), told)
    kill('SIGTERM')
    t.same(await ended, { code: 0, stderr: '' })
  })
})

/** The address that the session of a user has. */
async function ipOf ({ send }: Example, { cookie }: SignedIn, headers: Record<string, string>): Promise<string> {
  const { body } = await send('/api/auth/get-session', { headers: { cookie, ...headers } })
  return (body as { session: { ipAddress: string } }).session.ipAddress
}
