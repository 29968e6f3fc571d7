import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { add, end, freePort, idsIn, root, run, start, titles } from '../support/example.js'
import { otherSecret } from '../support/host.js'

t.test('the folder', async (t) => {
  const folder = t.testdir({})
  const data = { DATA_DIR: folder, PORT: String(await freePort()) }

  await t.test('keeps users, keys and tasks when the process is killed, and when it ends well', async (t) => {
    const first = await start(t, data)
    const [alice, carol] = [await first.signIn('alice'), await first.signUp('carol')]
    t.match(await add(first, alice, 'of alice'), { status: 201 })
    t.match(await add(first, carol, 'of carol'), { status: 201 })
    await end(first, 'SIGKILL')

    const second = await start(t, data)
    t.same(idsIn(second), idsIn(first), 'the demo users are the same')
    t.equal(idsIn(second)?.length, 2)
    t.same(await titles(second, alice), ['of alice'], 'the token of before is good')
    t.match(await second.send('/api/auth/token', { headers: { cookie: carol.cookie } }), { status: 200, body: { token: String } }, 'so is the session')
    t.same(await titles(second, await second.signIn('carol')), ['of carol'])
    await end(second, 'SIGTERM')
  })

  await t.test('keeps the secret for its owner alone', async (t) => {
    const file = join(folder, 'secret')
    t.equal((await stat(file)).mode & 0o777, 0o600)
    t.equal((await stat(join(folder, 'postgres'))).mode & 0o777, 0o700, 'and the database')
    t.match(await readFile(file, 'utf8'), /^[\w-]{43}$/)
  })

  await t.test('is one process\'s', async (t) => {
    const first = await start(t, data)
    t.match(await run(t, { ...data, PORT: String(await freePort()) }, folder).ended, { code: 1, stderr: new RegExp(`^Cannot start: ${folder} is in use by another server: stop that.*\\n$`) })
    t.equal((await first.send('/health')).status, 200)
    await end(first, 'SIGTERM')
  })

  await t.test('opens with its own secret only, or with that beside the new ones', async (t) => {
    const kept = await readFile(join(folder, 'secret'), 'utf8')
    const { code, stderr } = await run(t, { ...data, BETTER_AUTH_SECRET: otherSecret }, folder).ended
    t.equal(code, 1)
    t.match(stderr, /^Cannot start: .*BETTER_AUTH_SECRET.*\n$/)
    const rotated = await start(t, { ...data, BETTER_AUTH_SECRET: kept, BETTER_AUTH_SECRETS: `2:${otherSecret}` })
    t.same(await titles(rotated, await rotated.signIn('alice')), ['of alice'])
    await end(rotated, 'SIGTERM')
  })

  await t.test("keeps what one request writes out of another's transaction", async (t) => {
    const { prints } = run(t, { FOLDER: folder, EMAIL: 'carol@example.com' }, root, 'node --import tsx test/support/transaction.ts')
    t.same(JSON.parse(await prints(/\n$/)), ['of carol', 'beside'])
  })

  await t.test('of ten thousand tasks, each stands on one page', async (t) => {
    const embedded = await PGlite.create(join(folder, 'postgres'))
    const { rows: [user] } = await embedded.query<{ id: string }>('select id from "user" where email = \'bob@example.com\'')
    await embedded.query("insert into task (user_id, title) select $1, 'task ' || n from generate_series(1, 10000) n", [user?.id])
    await embedded.close()

    const server = await start(t, data)
    const bob = await server.signIn('bob')
    const seen: string[] = []
    let pages = 0
    let after = 0
    for (let next: number | null = 0; next !== null; pages++) {
      after = next
      const { status, body } = await server.send(`/api/${bob.id}/tasks?limit=100&after=${after}`, { token: bob.token })
      if (status !== 200) throw new Error(String(status))
      const page = body as { tasks: Array<{ title: string }>, next: number | null }
      seen.push(...page.tasks.map(({ title }) => title))
      next = page.next
    }
    t.equal(pages, 100)
    t.same(seen, Array.from({ length: 10_000 }, (_, index) => `task ${index + 1}`))
    t.match(await server.send(`/api/${bob.id}/tasks?after=2147483647`, { token: bob.token }), { body: { tasks: [], next: null } })
    t.equal((await titles(server, bob)).length, 20)
    t.same(await titles(server, await server.signIn('alice')), ['of alice'])
  })
})
