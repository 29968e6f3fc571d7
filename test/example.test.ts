import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { bearer, otherSecret, secret, tokenFor } from './helper.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
// What the script names by a path is named from anywhere, as the tests run it in other directories.
const [command = '', ...args] = scripts.start.split(' ').map((part) => part.endsWith('.ts') ? join(root, part) : part)
const noEnvFile = t.testdir({})

interface Run {
  /** Resolves once everything is printed; rejects where the process ends before. */
  started: Promise<string>
  /** Exit code and what was written to stderr. */
  ended: Promise<{ code: number | null, stderr: string }>
  kill: (signal: NodeJS.Signals) => void
}

/** Runs what `npm start` runs. Without NODE_OPTIONS, by which the test runner puts loaders and coverage into every process. */
function run (t: Test, variables: Record<string, string> = {}, cwd = noEnvFile): Run {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', command, ...args], { cwd, env: { PATH: env.PATH, PORT: '0', ...variables } })
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }))
  const started = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (stdout.endsWith('Stop with Ctrl+C.\n')) resolve(stdout)
    })
    ended.then(({ code }) => { reject(new Error(`ended with ${code}: ${stderr}`)) }, reject)
  })
  started.catch(() => {}) // some tests are about the end alone
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { started, ended, kill: (signal) => child.kill(signal) }
}

interface Api {
  printed: string
  address: string
  tokens: { alice: string, bob: string }
  send: (path: string, request?: { method?: string, token?: string, body?: object }) => Promise<{ status: number, body: unknown }>
}

/** The running example, and what it says about itself. */
async function start (t: Test, variables?: Record<string, string>, cwd?: string): Promise<Api> {
  const printed = await run(t, variables, cwd).started
  const find = (pattern: RegExp) => String(pattern.exec(printed)?.[1])
  const address = find(/^Todo API on (http:\S+),/m)
  return {
    printed,
    address,
    tokens: { alice: find(/^alice: (\S+)$/m), bob: find(/^bob: (\S+)$/m) },
    send: async (path, { method = 'GET', token, body } = {}) => {
      const response = await fetch(address + path, {
        method,
        headers: { ...token && bearer(token), ...body && { 'content-type': 'application/json' } },
        ...body && { body: JSON.stringify(body) }
      })
      const text = await response.text()
      return { status: response.status, body: response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) as unknown : text }
    }
  }
}

t.test('each printed curl line gives the answer that stands above it', async (t) => {
  const { printed } = await start(t)
  const lines = [...printed.matchAll(/^(\d{3}), .*\n(curl .*)$/gm)]
  t.same(lines.map(([, status]) => status), ['201', '200', '200', '200', '401', '403'])
  for (const [, status = '', line = ''] of lines) {
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { env: { PATH: env.PATH } })
    t.equal(/^HTTP\/1\.1 (\d{3})/.exec(stdout)?.[1], status, line)
  }
})

t.test('the API', async (t) => {
  const { send, tokens: { alice, bob } } = await start(t)
  const add = (body: object, token = alice) => send('/api/alice/tasks', { method: 'POST', token, body })

  await t.test('a task is created, read, listed, updated, completed and deleted', async (t) => {
    const created = await add({ title: 'Write', description: 'the report', completed: true })
    t.match(created, { status: 201, body: { id: Number, title: 'Write', description: 'the report', completed: false, created_at: /Z$/, updated_at: /Z$/ } })
    const { id, created_at: createdAt } = created.body as { id: number, created_at: string }
    const url = `/api/alice/tasks/${id}`
    t.same(await send(url, { token: alice }), { status: 200, body: created.body })
    t.same(await send('/api/alice/tasks', { token: alice }), { status: 200, body: [created.body] })

    const updated = await send(url, { method: 'PUT', token: alice, body: { title: 'Send' } })
    t.match(updated, { status: 200, body: { id, title: 'Send', completed: false, created_at: createdAt } })
    t.notHas(updated.body, { description: String }, 'what an update leaves out is gone')

    t.match(await send(`${url}/complete`, { method: 'PATCH', token: alice }), { status: 200, body: { id, title: 'Send', completed: true } })
    t.match(await send(url, { token: alice }), { status: 200, body: { completed: true, created_at: createdAt } })

    t.same(await send(url, { method: 'DELETE', token: alice }), { status: 204, body: '' })
    t.match(await send(url, { token: alice }), { status: 404, body: { statusCode: 404, code: 'TASK_NOT_FOUND', error: 'Not Found' } })
    t.same(await send('/api/alice/tasks', { token: alice }), { status: 200, body: [] })
  })

  await t.test("another user's task is out of reach by either path, whatever the method", async (t) => {
    const { body: task } = await add({ title: "alice's own" })
    const { id } = task as { id: number }
    const attempts = [
      { path: `/${id}`, method: 'GET' },
      { path: `/${id}`, method: 'PUT', body: { title: 'taken' } },
      { path: `/${id}/complete`, method: 'PATCH' },
      { path: `/${id}`, method: 'DELETE' }
    ]
    for (const { path, ...request } of attempts) {
      t.match(await send(`/api/alice/tasks${path}`, { ...request, token: bob }), { status: 403, body: { code: 'FORBIDDEN_USER_ACCESS' } }, `${request.method} her path`)
      t.match(await send(`/api/bob/tasks${path}`, { ...request, token: bob }), { status: 404, body: { code: 'TASK_NOT_FOUND' } }, `${request.method} his own path`)
    }
    t.match(await add({ title: 'planted' }, bob), { status: 403 })
    t.same(await send('/api/bob/tasks', { token: bob }), { status: 200, body: [] })
    t.same(await send('/api/alice/tasks', { token: alice }), { status: 200, body: [task] }, 'untouched')
  })

  await t.test('a body or an id that does not fit is refused, to those only who may know', async (t) => {
    const unfit = [
      {}, { title: '' }, { title: 'x'.repeat(201) }, { title: 'fit', description: 'x'.repeat(1001) }
    ]
    for (const body of unfit) {
      t.match(await add(body), { status: 400, body: { statusCode: 400, code: 'FST_ERR_VALIDATION' } })
      t.match(await send('/api/alice/tasks/1', { method: 'PUT', token: alice, body }), { status: 400 })
      t.match(await add(body, bob), { status: 403 })
    }
    t.match(await send('/api/alice/tasks/first', { token: alice }), { status: 400 })
    t.match(await add({ title: 'x'.repeat(200), description: 'x'.repeat(1000) }), { status: 201 })
  })

  await t.test('/api/me is for any user, /health for anybody', async (t) => {
    t.same(await send('/api/me', { token: bob }), { status: 200, body: { id: 'bob' } })
    t.match(await send('/api/me'), { status: 401, body: { code: 'MISSING_TOKEN' } })
    t.same(await send('/health'), { status: 200, body: { ok: true } })
  })

  await t.test('the docs page needs no token', async (t) => {
    const page = await send('/docs')
    t.match(page, { status: 200, body: /<html/ })
    const assets = [...String(page.body).matchAll(/(?:src|href)="\.?(\/[^"]+\.(?:js|css))"/g)].map(([, path]) => String(path))
    t.ok(assets.length > 0)
    for (const path of assets) t.match(await send(path.startsWith('/docs') ? path : `/docs${path}`), { status: 200 }, path)
  })

  await t.test('the document marks the guarded operations, and no other', async (t) => {
    const { body } = await send('/docs/json')
    const document = body as {
      openapi: string
      security?: object[]
      paths: Record<string, Record<string, { security?: object[], responses: object }>>
      components: { securitySchemes: object }
    }
    const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, { security, responses }]) =>
      [`${method} ${path}`, { security, refusals: Object.keys(responses).filter((status) => ['401', '403'].includes(status)) }]))
    const owner = { security: [{ bearerAuth: [] }], refusals: ['401', '403'] }
    t.match(document.openapi, /^3\.1\./)
    t.notHas(document, { security: Array })
    t.match(document.components.securitySchemes, { bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } })
    t.same(Object.fromEntries(operations), {
      'get /api/{user_id}/tasks': owner,
      'post /api/{user_id}/tasks': owner,
      'get /api/{user_id}/tasks/{task_id}': owner,
      'put /api/{user_id}/tasks/{task_id}': owner,
      'delete /api/{user_id}/tasks/{task_id}': owner,
      'patch /api/{user_id}/tasks/{task_id}/complete': owner,
      'get /api/me': { security: [{ bearerAuth: [] }], refusals: ['401'] },
      'get /health': { security: undefined, refusals: [] }
    })
  })
})

t.test('the secret', async (t) => {
  const own = (token: string) => ['/api/alice/tasks', { token }] as const

  await t.test('is made for the run where the environment has none, and the output says so', async (t) => {
    const [first, second] = await Promise.all([start(t), start(t)])
    t.match(first.printed, /^BETTER_AUTH_SECRET is not set: using a random secret, good for this run only\.$/m)
    t.match(await first.send(...own(first.tokens.alice)), { status: 200 })
    t.match(await second.send(...own(first.tokens.alice)), { status: 401, body: { code: 'INVALID_TOKEN_SIGNATURE' } })
  })

  await t.test('is BETTER_AUTH_SECRET', async (t) => {
    const { printed, send, tokens } = await start(t, { BETTER_AUTH_SECRET: secret })
    t.notMatch(printed, 'random')
    t.notMatch(printed, secret)
    for (const token of [tokens.alice, tokenFor('alice')]) t.match(await send(...own(token)), { status: 200 })
  })

  await t.test('is the first of BETTER_AUTH_SECRETS, the others still verify', async (t) => {
    const [rotated, after] = await Promise.all([
      start(t, { BETTER_AUTH_SECRETS: `2:${otherSecret},1:${secret}` }),
      start(t, { BETTER_AUTH_SECRET: otherSecret })
    ])
    for (const token of [rotated.tokens.alice, tokenFor('alice')]) t.match(await rotated.send(...own(token)), { status: 200 })
    t.match(await after.send(...own(rotated.tokens.alice)), { status: 200 })
    t.match(await after.send(...own(tokenFor('alice'))), { status: 401 })
  })

  await t.test('is read from .env, which the shell overrules', async (t) => {
    const cwd = t.testdir({ '.env': `BETTER_AUTH_SECRET=${secret}\n` })
    const [read, overruled] = await Promise.all([start(t, {}, cwd), start(t, { BETTER_AUTH_SECRET: otherSecret }, cwd)])
    t.notMatch(read.printed, 'random')
    t.match(await read.send(...own(tokenFor('alice'))), { status: 200 })
    t.match(await overruled.send(...own(tokenFor('alice'))), { status: 401 })
  })
})

t.test('what stops the start is told in one line', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const cases: Array<[variables: Record<string, string>, says: RegExp]> = [
    [{ BETTER_AUTH_SECRET: 'too-short' }, /^Cannot start: fastify-user-scope: BETTER_AUTH_SECRET is shorter than 32 bytes\..*\n$/],
    [{ BETTER_AUTH_SECRET: '' }, /^Cannot start: fastify-user-scope: BETTER_AUTH_SECRET is empty\..*\n$/],
    [{ BETTER_AUTH_SECRETS: 'too-short' }, /^Cannot start: fastify-user-scope: BETTER_AUTH_SECRETS, entry 1, is not of the form .*\n$/],
    [{ PORT: String(port) }, new RegExp(`^Cannot start: .*EADDRINUSE.* 127\\.0\\.0\\.1:${port}\\n$`)]
  ]
  await Promise.all(cases.map(async ([variables, says]) => {
    const { code, stderr } = await run(t, variables).ended
    t.equal(code, 1)
    t.match(stderr, says)
    t.notMatch(stderr, 'too-short')
  }))
})

t.test('a signal closes the server and ends the process well', async (t) => {
  await Promise.all((['SIGINT', 'SIGTERM'] as const).map(async (signal) => {
    const { started, ended, kill } = run(t)
    await started
    kill(signal)
    t.same(await ended, { code: 0, stderr: '' }, signal)
  }))
})
