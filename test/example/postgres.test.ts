import t, { type Test } from 'tap'
import { add, end, freePort, idsIn, own, run, skipWithout, start, titles, type Example } from '../support/example.js'
import { otherSecret, secret } from '../support/host.js'
import { postgresPrograms, startPostgres } from '../support/postgres.js'

const skip = skipWithout(postgresPrograms, 'postgresql')
t.test('several servers can share one PostgreSQL server', { skip }, async (t: Test) => {
  const postgres = await startPostgres(t, String(postgresPrograms))
  const [portA, portB] = [String(await freePort()), String(await freePort())]
  // What stands before them, a proxy say, has one address.
  const shared = { DATABASE_URL: postgres.url, BETTER_AUTH_SECRET: secret, BETTER_AUTH_URL: 'http://localhost' }
  const [a, b] = await Promise.all([start(t, { ...shared, PORT: portA }), start(t, { ...shared, PORT: portB })])
  t.same(idsIn(a), idsIn(b), 'the demo users are the same, though both started at once')
  t.match(a.printed, '# Data: on the server of DATABASE_URL\n')

  await t.test("each server accepts the other's tokens", async (t) => {
    const [atA, atB] = [await a.signIn('alice'), await b.signIn('alice')]
    t.match(await add(a, atB, 'by A'), { status: 201 })
    t.match(await add(b, atA, 'by B'), { status: 201 })
    for (const server of [a, b]) for (const user of [atA, atB]) t.same(await titles(server, user), ['by A', 'by B'])
    const bob = await b.signIn('bob')
    t.match(await a.send(`/api/${atA.id}/tasks`, { token: bob.token }), { status: 403 })
  })

  await t.test('a user who signs up at one server can sign in at the other', async (t) => {
    const carol = await a.signUp('carol')
    t.equal((await b.signIn('carol')).id, carol.id)
    t.match(await b.send('/api/me', { token: carol.token }), { status: 200, body: { id: carol.id } })
  })

  await t.test('both servers have the same key', async (t) => {
    const keysOf = async ({ send }: Example) =>
      ((await send('/health')).body as { issuers: Array<{ keys: string[] }> }).issuers[0]?.keys
    const keys = await keysOf(a)
    t.equal(keys?.length, 1)
    t.same(await keysOf(b), keys)
  })

  await t.test('a database user who may not create tables stops the start with the fix', async (t) => {
    await postgres.query('create user guest', 'create database empty')
    const DATABASE_URL = postgres.url.replace('postgres@localhost/postgres', 'guest@localhost/empty')
    const { code, stderr } = await run(t, { ...shared, DATABASE_URL }, t.testdir({})).ended
    t.equal(code, 1)
    t.match(
      stderr,
      /^Cannot start: DATABASE_URL cannot be used \(permission denied for schema public\)\. Fix: let its user own .*\n$/
    )
  })

  await t.test('a lock that is never released blocks neither a start nor a request forever', async (t) => {
    const alice = await b.signIn('alice')
    const release = await postgres.hold('select pg_advisory_lock(7264118935)', 'lock table task, session')
    const starting = run(t, { ...shared, PORT: String(await freePort()) }, t.testdir({}))
    const answers = await Promise.all([
      b.send(`/api/${alice.id}/tasks`, { token: alice.token }),
      b.send('/api/auth/token', { headers: { cookie: alice.cookie } })
    ])
    for (const answer of answers) t.match(answer, { status: 503, body: { code: 'DATABASE_UNAVAILABLE' } })
    const { code, stderr } = await starting.ended
    t.equal(code, 1)
    t.match(stderr, /^Cannot start: DATABASE_URL cannot be used \(.* lock timeout\)\. Fix: .* end locks\n$/)
    await release()
    t.same(await titles(b, alice), ['by A', 'by B'])
  })

  await t.test('each of ten thousand tasks is on exactly one page', async (t) => {
    const bob = await b.signIn('bob')
    const rows = `select '${bob.id}', 'task ' || n from generate_series(1, 10000) n`
    await postgres.query(`insert into task (user_id, title) ${rows}`)
    const seen: string[] = []
    let pages = 0
    let after = 0
    for (let next: number | null = 0; next !== null; pages++) {
      after = next
      const { status, body } = await b.send(`/api/${bob.id}/tasks?limit=100&after=${after}`, { token: bob.token })
      if (status !== 200) throw new Error(String(status))
      const page = body as { tasks: Array<{ title: string }>, next: number | null }
      seen.push(...page.tasks.map(({ title }) => title))
      next = page.next
    }
    t.equal(pages, 100)
    t.same(seen, Array.from({ length: 10_000 }, (_, index) => `task ${index + 1}`))
    const last = await b.send(`/api/${bob.id}/tasks?after=2147483647`, { token: bob.token })
    t.same(last.body, { tasks: [], next: null })
    t.equal((await titles(b, bob)).length, 20)
    t.same(await titles(b, await b.signIn('alice')), ['by A', 'by B'])
  })

  await t.test('if one server stops, the other goes on', async (t) => {
    await end(a, 'SIGTERM')
    t.same(await a.ended, { code: 0, stderr: '' })
    const alice = await b.signIn('alice')
    t.same(await titles(b, alice), ['by A', 'by B'])
  })

  const restarted = 'PostgreSQL stops and starts again: no answer tells where it is, and then all is as before'
  await t.test(restarted, async (t) => {
    const alice = await b.signIn('alice')
    await postgres.hold('lock table task')
    const cutOff = b.send(...own(alice))
    // It fails until there is one.
    const waiting = "select 1 / count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    const untilItWaits = (): Promise<void> => postgres.query(waiting).catch(untilItWaits)
    await untilItWaits()
    await postgres.stop()
    t.match(await cutOff, { status: 500, body: { code: 'INTERNAL_ERROR' } }, 'in the middle of its query')
    const session = { headers: { cookie: alice.cookie } }
    const signIn = {
      method: 'POST',
      body: { email: 'alice@example.com', password: b.password },
      headers: { origin: b.baseURL }
    }
    for (const [path, request] of [
      ['/health', {}],
      [`/api/${alice.id}/tasks`, { token: alice.token }],
      ['/api/auth/token', session],
      ['/api/auth/get-session', session],
      ['/api/auth/sign-out', { method: 'POST', body: {}, headers: { ...session.headers, origin: b.baseURL } }],
      ['/api/auth/sign-in/email', signIn]
    ] as const) {
      const { status, body, headers } = await b.send(path, request)
      t.equal(status, 503, path)
      t.same(body, {
        statusCode: 503,
        code: 'DATABASE_UNAVAILABLE',
        error: 'Service Unavailable',
        message: 'The database does not answer'
      }, path)
      t.equal(headers.get('retry-after'), '5')
      t.same(headers.getSetCookie(), [], 'who is signed in stays so')
    }
    t.match(await b.send('/api/auth/token'), { status: 401 }, 'who is not signed in')
    t.match(await b.send('/api/nobody/tasks', { token: alice.token }), { status: 403 }, 'the guard needs no database')
    await postgres.start()
    t.same(await titles(b, alice), ['by A', 'by B'])
    t.match(await b.send('/health'), { status: 200 })
    t.match(await b.send('/api/auth/token', { headers: { cookie: alice.cookie } }), { status: 200 })
  })

  const killed = 'kill -9 loses nothing; a new start needs the secret of the keys, alone or beside new ones'
  await t.test(killed, async (t) => {
    const alice = await b.signIn('alice')
    t.match(await add(b, alice, 'before the kill'), { status: 201 })
    await end(b, 'SIGKILL')

    const wrong = run(t, { ...shared, PORT: portA, BETTER_AUTH_SECRET: otherSecret }, t.testdir({})).ended
    const [c, rotated] = await Promise.all([
      start(t, { ...shared, PORT: portB }),
      start(t, { ...shared, PORT: String(await freePort()), BETTER_AUTH_SECRETS: `2:${otherSecret}` })
    ])
    const { code, stderr } = await wrong
    t.equal(code, 1)
    t.match(stderr, /^Cannot start: tokens cannot be signed \(.*\)\. Fix: set the BETTER_AUTH_SECRET .*\n$/)
    t.same(idsIn(c), idsIn(b), 'the demo users are the same')
    t.same(await titles(c, alice), ['by A', 'by B', 'before the kill'], 'the token of before is good')
    const session = await c.send('/api/auth/token', { headers: { cookie: alice.cookie } })
    t.match(session, { status: 200, body: { token: String } }, 'so is the session')
    t.same(await titles(rotated, await rotated.signIn('alice')), ['by A', 'by B', 'before the kill'])
    t.match(await rotated.signIn('carol'), { id: String })
    await Promise.all([end(c, 'SIGTERM'), end(rotated, 'SIGTERM')])
  })

  await t.test('there are no demo users if other machines can connect', async (t) => {
    // The server takes any address but those of localhost for one that others reach.
    const d = await start(t, { ...shared, PORT: portA, HOST: '127.0.0.2' })
    t.match(d.printed, /^# No demo users, /m)
    t.notMatch(d.printed, d.password)
    for (const name of ['alice', 'bob']) await t.rejects(d.signIn(name), /401/)
    t.match(await d.signIn('carol'), { id: String }, 'others stay')
    await d.signUp('sam')
    await end(d, 'SIGTERM')
    const e = await start(t, { ...shared, PORT: portA })
    const { token } = await e.signIn('sam')
    t.match(await e.send('/api/nobody/tasks', { token }), { status: 403 }, 'who has taken the name is no support team')
  })
})
