import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { readSettings } from '../../examples/settings.js'
import { end, freePort, own, run, start } from '../support/example.js'
import { otherSecret, secret } from '../support/host.js'

t.test('what the environment says, and what holds without it', async (t) => {
  t.same(readSettings({}), {
    host: 'localhost',
    port: 3000,
    logLevel: 'warn',
    baseURL: 'http://localhost:3000',
    origins: ['http://localhost:3000', 'http://127.0.0.1:3000'],
    authLimit: 60,
    signInLimit: 10,
    trustProxy: 0,
    database: { folder: join(process.cwd(), '.data') },
    secret: null
  })
  t.same(readSettings({
    HOST: '0.0.0.0',
    PORT: '80',
    LOG_LEVEL: 'info',
    BETTER_AUTH_URL: 'https://todo.example.com/',
    BETTER_AUTH_TRUSTED_ORIGINS: 'https://app.example.com, https://todo.example.com',
    AUTH_RATE_LIMIT: '5',
    SIGN_IN_RATE_LIMIT: '4',
    TRUST_PROXY: '2',
    DATABASE_URL: 'postgresql://u:p@db.example.com/todo',
    BETTER_AUTH_SECRET: secret
  }), {
    host: '0.0.0.0',
    port: 80,
    logLevel: 'info',
    baseURL: 'https://todo.example.com',
    origins: ['https://todo.example.com', 'http://localhost:80', 'http://127.0.0.1:80', 'https://app.example.com'],
    authLimit: 5,
    signInLimit: 4,
    trustProxy: 2,
    database: { url: 'postgresql://u:p@db.example.com/todo' },
    secret
  })
  t.match(readSettings({ DATA_DIR: ':memory:' }), { database: 'memory' })
  const list = { BETTER_AUTH_SECRETS: `2:${otherSecret}, 1:${secret}` }
  t.match(readSettings({ ...list, DATABASE_URL: 'postgres://localhost/todo' }), { secret: null })
  t.match(readSettings({ ...list, BETTER_AUTH_SECRET: secret }), { secret }, 'for what is older than the list')
})

t.test('what stops the start is told in one line, with the mend and no secret', async (t) => {
  const memory = { DATA_DIR: ':memory:' }
  const cases: Array<[variables: Record<string, string>, says: RegExp]> = [
    [{ BETTER_AUTH_SECRET: 'too-short' }, /^BETTER_AUTH_SECRET is shorter than 32 characters: make one with: openssl/],
    [{ BETTER_AUTH_SECRET: '' }, /^BETTER_AUTH_SECRET is shorter than 32 characters/],
    [{ BETTER_AUTH_SECRETS: 'too-short' }, /^BETTER_AUTH_SECRETS must be of the form 2:new,1:old/],
    [{ BETTER_AUTH_SECRETS: `2:too-short,1:${secret}` }, /^BETTER_AUTH_SECRETS must be of the form 2:new,1:old/],
    [{ BETTER_AUTH_SECRETS: `1:${otherSecret},1:${secret}` }, /^BETTER_AUTH_SECRETS must be of the form 2:new,1:old, each version once/],
    [{ TRUST_PROXY: 'yes' }, /^TRUST_PROXY must be a whole number from 1 to 10, such as 1$/],
    [{ DATABASE_URL: 'postgres://localhost/todo' }, /^BETTER_AUTH_SECRET is not set, and .*: make one with/],
    [{ DATABASE_URL: 'mysql://too-short@localhost/todo' }, /^DATABASE_URL must be of the form postgres:/],
    [{ DATABASE_URL: 'postgres://localhost/todo', ...memory }, /^DATABASE_URL and DATA_DIR are both set: keep/],
    [{ BETTER_AUTH_URL: 'localhost:3000' }, /^BETTER_AUTH_URL must be an origin without a path/],
    [{ BETTER_AUTH_URL: 'http://localhost/api' }, /^BETTER_AUTH_URL must be an origin without a path/],
    [{ BETTER_AUTH_URL: 'http://localhost.example.com' }, /^BETTER_AUTH_URL must be https, or http on localhost/],
    [{ BETTER_AUTH_TRUSTED_ORIGINS: 'https://a.example.com,b' }, /^BETTER_AUTH_TRUSTED_ORIGINS must be an origin/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of fatal, /],
    [{ AUTH_RATE_LIMIT: 'none' }, /^AUTH_RATE_LIMIT must be a whole number from 1 to 1000000, such as 60$/],
    [{ SIGN_IN_RATE_LIMIT: '0' }, /^SIGN_IN_RATE_LIMIT must be a whole number from 1 to 1000000, such as 10$/],
    ...['0', '65536', 'http', '-1', '3000.5'].map((value): [Record<string, string>, RegExp] => [{ PORT: value }, /^PORT must be a whole number from 1 to 65535/])
  ]
  for (const [variables, message] of cases) {
    t.throws(() => readSettings(variables), { message }, JSON.stringify(variables))
    t.throws(() => readSettings(variables), { message: /^(?!.*too-short).*$/ })
  }
})

// The database is made once: one server after the other opens it.
const folder = t.testdir({ '.env': 'DATA_DIR=kept\nLOG_LEVEL=loud\n' })
const kept = join(folder, 'kept')

t.test('.env is read, the shell overrules it, and a signal ends the process well', async (t) => {
  t.match(await run(t, {}, folder).ended, { code: 1, stderr: /LOG_LEVEL/ })
  const { printed, kill, ended } = await start(t, { LOG_LEVEL: 'error' }, folder)
  t.match(printed, `Data: ${kept}\n`)
  kill('SIGINT')
  t.same(await ended, { code: 0, stderr: '' })
})

t.test(':memory: keeps nothing', async (t) => {
  const cwd = t.testdir({})
  const running = await start(t, { DATA_DIR: ':memory:' }, cwd)
  const carol = await running.signUp('carol')
  t.match(await running.send(...own(carol)), { status: 200 })
  await end(running, 'SIGTERM')
  t.same(await running.ended, { code: 0, stderr: '' })
  t.same(readdirSync(cwd), [])
})

t.test('so is what shows only at the start', async (t) => {
  const cwd = t.testdir({ file: '', broken: { postgres: { PG_VERSION: '9' } }, folder: { '.env': {} } })
  const port = await freePort()
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const cases: Array<[variables: Record<string, string>, says: RegExp, folder?: string]> = [
    [{ PORT: 'http' }, /PORT must be/],
    [{}, /\.env cannot be read \(.*\): make it a file/, join(cwd, 'folder')],
    [{ DATABASE_URL: 'postgres://u:too-short@127.0.0.1:1/todo', BETTER_AUTH_SECRET: secret }, /DATABASE_URL cannot be used \(.*ECONNREFUSED.*\): start that PostgreSQL server/],
    [{ DATA_DIR: 'file' }, /DATA_DIR cannot be used \(.*EEXIST.*\): name a folder/],
    [{ DATA_DIR: 'broken' }, /the database in .*broken cannot be opened \(.*\): name another folder/],
    [{ PORT: String(port), DATA_DIR: kept }, new RegExp(`port ${port} of localhost is in use: stop what holds it, or choose another with PORT`)],
    [{ PORT: String(port), HOST: '127.0.0.1', DATA_DIR: kept }, new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use`)],
    [{ HOST: '192.0.2.1', DATA_DIR: kept }, /HOST 192\.0\.2\.1 is no address of this machine \(.*EADDRNOTAVAIL.*\): choose/],
    [{ HOST: 'no such host', DATA_DIR: kept }, /HOST no such host is no address of this machine \(.*ENOTFOUND.*\): choose/]
  ]
  for (const [variables, says, folder = cwd] of cases) {
    const { code, stderr } = await run(t, variables, folder).ended
    t.equal(code, 1)
    t.match(stderr, new RegExp(`^Cannot start: ${says.source}.*\\n$`), JSON.stringify(variables))
    t.notMatch(stderr, 'too-short')
  }
})
