import t, { type Test } from 'tap'
import { add, end, freePort, idsIn, run, skipWithout, start, titles, type Example } from '../support/example.js'
import { secret } from '../support/host.js'
import { postgresPrograms, startPostgres } from '../support/postgres.js'

t.test('several servers on one PostgreSQL server', { skip: skipWithout(postgresPrograms, 'postgresql') }, async (t: Test) => {
  const postgres = await startPostgres(t, String(postgresPrograms))
  const [portA, portB] = [String(await freePort()), String(await freePort())]
  // What stands before them, a proxy say, has one address.
  const shared = { DATABASE_URL: postgres.url, BETTER_AUTH_SECRET: secret, BETTER_AUTH_URL: 'https://todo.example.com' }
  const [a, b] = await Promise.all([start(t, { ...shared, PORT: portA }), start(t, { ...shared, PORT: portB })])
  t.same(idsIn(a), idsIn(b), 'the demo users are the same, though both started at once')
  t.match(a.printed, 'Data: on the server of DATABASE_URL\n')

  await t.test("one user's tasks, with either's tokens", async (t) => {
    const [atA, atB] = [await a.signIn('alice'), await b.signIn('alice')]
    t.match(await add(a, atB, 'by A'), { status: 201 })
    t.match(await add(b, atA, 'by B'), { status: 201 })
    for (const server of [a, b]) for (const user of [atA, atB]) t.same(await titles(server, user), ['by A', 'by B'])
    const bob = await b.signIn('bob')
    t.match(await a.send(`/api/${atA.id}/tasks`, { token: bob.token }), { status: 403 })
  })

  await t.test('who signs up at one signs in at the other', async (t) => {
    const carol = await a.signUp('carol')
    t.equal((await b.signIn('carol')).id, carol.id)
    t.match(await b.send('/api/me', { token: carol.token }), { status: 200, body: { id: carol.id } })
  })

  await t.test('both have one and the same key', async (t) => {
    const keysOf = async ({ send }: Example) => ((await send('/health')).body as { issuers: Array<{ keys: string[] }> }).issuers[0]?.keys
    const keys = await keysOf(a)
    t.equal(keys?.length, 1)
    t.same(await keysOf(b), keys)
  })

  await t.test('a user who may not make tables stops the start, with the mend', async (t) => {
    await postgres.query('create user guest', 'create database empty')
    const { code, stderr } = await run(t, { ...shared, DATABASE_URL: postgres.url.replace('postgres@localhost/postgres', 'guest@localhost/empty') }, t.testdir({})).ended
    t.match({ code, stderr }, { code: 1, stderr: /^Cannot start: DATABASE_URL cannot be used \(permission denied for schema public\): let its user make tables: .*\n$/ })
  })

  await t.test('a lock that is never given back keeps neither a start nor a request for ever', async (t) => {
    const alice = await b.signIn('alice')
    const release = await postgres.hold('select pg_advisory_lock(7264118935)', 'lock table task, session')
    const starting = run(t, { ...shared, PORT: String(await freePort()) }, t.testdir({}))
    const answers = await Promise.all([
      b.send(`/api/${alice.id}/tasks`, { token: alice.token }),
      b.send('/api/auth/token', { headers: { cookie: alice.cookie } })
    ])
    for (const answer of answers) t.match(answer, { status: 503, body: { code: 'DATABASE_UNAVAILABLE' } })
    t.match(await starting.ended, { code: 1, stderr: /^Cannot start: DATABASE_URL cannot be used \(.* lock timeout\): a start of another server .*\n$/ })
    await release()
    t.match(await titles(b, alice), ['by A', 'by B'])
  })

  await t.test('one stops, the other goes on', async (t) => {
    await end(a, 'SIGTERM')
    t.same(await a.ended, { code: 0, stderr: '' })
    const alice = await b.signIn('alice')
    t.same(await titles(b, alice), ['by A', 'by B'])
  })

  await t.test('PostgreSQL stops and starts again: no answer tells where it is, and then all is as before', async (t) => {
    const alice = await b.signIn('alice')
    await postgres.stop()
    const session = { headers: { cookie: alice.cookie } }
    const signIn = { method: 'POST', body: { email: 'alice@example.com', password: b.password }, headers: { origin: b.baseURL } }
    for (const [path, request] of [
      ['/health', {}],
      [`/api/${alice.id}/tasks`, { token: alice.token }],
      ['/api/auth/token', session],
      ['/api/auth/get-session', session],
      ['/api/auth/sign-in/email', signIn]
    ] as const) {
      const { status, body, headers } = await b.send(path, request)
      t.same({ status, body }, { status: 503, body: { statusCode: 503, code: 'DATABASE_UNAVAILABLE', error: 'Service Unavailable', message: 'The database does not answer' } }, path)
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
})
