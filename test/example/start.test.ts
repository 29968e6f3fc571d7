import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { settings } from '../../examples/todo/plugins/settings.js'
import { freePort, own, run, start } from '../support/example.js'
import { otherSecret, secret } from '../support/host.js'

async function settingsOf (data: NodeJS.ProcessEnv) {
  const app = Fastify()
  await app.register(settings, { data })
  return app.settings
}

t.test('the environment sets what has a default without it', async (t) => {
  const { BETTER_AUTH_SECRET: made, isProxy, ...rest } = await settingsOf({ OTHER: 'x' })
  t.match(made, /^[\w-]{43}$/, 'a secret of its own')
  t.same(rest, {
    HOST: 'localhost',
    PORT: 3000,
    AUTH_RATE_LIMIT: 60,
    SIGN_IN_RATE_LIMIT: 10,
    baseURL: 'http://localhost:3000',
    origins: ['http://localhost:3000', 'http://127.0.0.1:3000']
  })
  const stated = {
    HOST: '0.0.0.0',
    LOG_LEVEL: 'info',
    BETTER_AUTH_URL: 'https://todo.example.com/',
    BETTER_AUTH_TRUSTED_ORIGINS: 'https://app.example.com, https://todo.example.com',
    DATABASE_URL: 'postgresql://u:p@db.example.com/todo',
    BETTER_AUTH_SECRET: secret
  }
  const numbers = { PORT: '80', AUTH_RATE_LIMIT: '5', SIGN_IN_RATE_LIMIT: '4' }
  const { isProxy: isOther, ...others } = await settingsOf({ ...stated, ...numbers })
  t.notOk(isProxy('127.0.0.1') || isOther('127.0.0.1'), 'no proxy is known')
  t.strictSame(others, {
    ...stated,
    PORT: 80,
    AUTH_RATE_LIMIT: 5,
    SIGN_IN_RATE_LIMIT: 4,
    baseURL: 'https://todo.example.com',
    origins: ['https://todo.example.com', 'https://app.example.com'] // and no page of the user's own machine
  })
  const list = { BETTER_AUTH_SECRETS: `2:${otherSecret}, 1:${secret}` }
  t.match(await settingsOf({ ...list, DATABASE_URL: 'postgres://localhost/todo' }), list, 'a list is a secret too')
  const both = { ...list, BETTER_AUTH_SECRET: secret }
  t.match(await settingsOf(both), both, 'for what is older than the list')
})

t.test('only the stated proxies are trusted', async (t) => {
  const { isProxy } = await settingsOf({ TRUST_PROXY: '127.0.0.1, 10.1.0.0/16,fd00::/8' })
  const proxies = ['127.0.0.1', '::ffff:127.0.0.1', '10.1.2.3', 'fd00::7']
  t.same(proxies.filter(isProxy), proxies)
  t.same(['127.0.0.2', '10.2.0.1', '::1', 'unknown', '', '127.0.0.1:80', '127.1'].filter(isProxy), [])
})

t.test('a wrong value stops the start with one line that has the fix and no secret', async (t) => {
  type Case = [variables: Record<string, string>, says: RegExp]
  const cases: Case[] = [
    [
      { BETTER_AUTH_SECRET: 'too-short' },
      /^BETTER_AUTH_SECRET must be 32 characters or longer: make one with: openssl/
    ],
    [{ BETTER_AUTH_SECRET: '' }, /^BETTER_AUTH_SECRET must be 32 characters or longer/],
    [{ BETTER_AUTH_SECRETS: 'too-short' }, /^BETTER_AUTH_SECRETS must be 2:new,1:old/],
    [{ BETTER_AUTH_SECRETS: `2:too-short,1:${secret}` }, /^BETTER_AUTH_SECRETS must be 2:new,1:old/],
    ...[
      'yes', '1', 'true', '*', '', '10.0.0.1,', '10.0.0.1/', '10.0.0.1/33', 'fd00::/129', '0.0.0.0/0', '::/0',
      '10.0.0.0/8/9', '10.0.0.0/0x8', '10.0.0.0/1e1', '10.0.0.0/+8', '10.0.0.0/ 8', '10.0.0.0/-0', '[::1]'
    ].map((value): Case =>
      [{ TRUST_PROXY: value }, /^TRUST_PROXY must be addresses or ranges, such as 10\.0\.0\.1, 10\.1\.0\.0\/16$/]),
    [{ DATABASE_URL: 'postgres://localhost/todo' }, /^BETTER_AUTH_SECRET must be set, .*: make one with/],
    [{ DATABASE_URL: 'mysql://too-short@localhost/todo' }, /^DATABASE_URL must be of the form postgres:/],
    [{ BETTER_AUTH_URL: 'localhost:3000' }, /^BETTER_AUTH_URL must be an origin without a path/],
    [{ BETTER_AUTH_URL: 'http://localhost/api' }, /^BETTER_AUTH_URL must be an origin without a path/],
    [{ BETTER_AUTH_URL: 'http://localhost.example.com' }, /^BETTER_AUTH_URL must be .* https, or http on localhost/],
    [{ BETTER_AUTH_TRUSTED_ORIGINS: 'https://a.example.com,b' }, /^BETTER_AUTH_TRUSTED_ORIGINS must be origins/],
    ...['https://*.example.com', 'https://*', 'https://u:p@a.example.com', 'https://a\\b'].flatMap((value): Case[] => [
      [{ BETTER_AUTH_URL: value }, /^BETTER_AUTH_URL must be an origin without a path/],
      [{ BETTER_AUTH_TRUSTED_ORIGINS: value }, /^BETTER_AUTH_TRUSTED_ORIGINS must be origins without a path/]
    ]),
    [{ BETTER_AUTH_URL: 'https://todo.example.com:99999' }, /^BETTER_AUTH_URL must be an origin without a path/],
    [{ BETTER_AUTH_TRUSTED_ORIGINS: 'https://a.example.com,https://%' }, /^BETTER_AUTH_TRUSTED_ORIGINS must be origins/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be fatal, /],
    [{ HOST: '' }, /^HOST must be an address of this machine$/],
    [{ AUTH_RATE_LIMIT: 'none' }, /^AUTH_RATE_LIMIT must be a whole number from 1 to 1000000$/],
    [{ SIGN_IN_RATE_LIMIT: '0' }, /^SIGN_IN_RATE_LIMIT must be a whole number from 1 to 1000000$/],
    ...['0', '65536', 'http', '-1', '3000.5', ''].map((value): Case =>
      [{ PORT: value }, /^PORT must be a whole number from 1 to 65535$/])
  ]
  for (const [variables, message] of cases) {
    await t.rejects(settingsOf(variables), { message }, JSON.stringify(variables))
    await t.rejects(settingsOf(variables), { message: /^(?!.*too-short).*$/ })
  }
})

const dotEnv = '.env is read, the shell overrules it, nothing is left behind, and a signal ends the process well'
t.test(dotEnv, async (t) => {
  const folder = t.testdir({ '.env': 'LOG_LEVEL=loud\nSIGN_IN_RATE_LIMIT=7\n' })
  t.match(await run(t, {}, folder).ended, { code: 1, stderr: /^Cannot start: LOG_LEVEL must be .*\n$/ })
  const example = await start(t, { LOG_LEVEL: 'error' }, folder)
  t.match(example.printed, '# Data: in memory, gone when it stops\n')
  const carol = await example.signUp('carol')
  t.match(await example.send(...own(carol)), { status: 200 })
  t.equal((await example.send('/api/auth/sign-in/email', { method: 'POST' })).headers.get('x-ratelimit-limit'), '7')
  example.kill('SIGINT')
  t.same(await example.ended, { code: 0, stderr: '' })
  t.same(readdirSync(folder), ['.env'])
})

t.test('a fault that only shows at the start is one line too', async (t) => {
  const cwd = t.testdir({ folder: { '.env': {} } })
  const port = await freePort()
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const unreachable = { DATABASE_URL: 'postgres://u:too-short@127.0.0.1:1/todo', BETTER_AUTH_SECRET: secret }
  const cases: Array<[variables: Record<string, string>, says: RegExp, folder?: string]> = [
    [{}, /.*'\.env'.*/, `${cwd}/folder`],
    [unreachable, /DATABASE_URL cannot be used \(.*ECONNREFUSED.*\)\. Fix: start that server or correct the URL/],
    [{ ...unreachable, DATABASE_URL: 'postgres://u:too-short#@127.0.0.1/todo' },
      /DATABASE_URL cannot be used \(Invalid URL\)\. Fix: start that server or correct the URL/],
    [{ PORT: String(port) }, new RegExp(`listen EADDRINUSE.*127\\.0\\.0\\.1:${port}\\. Fix: choose another PORT`)],
    [{ ...unreachable, DATABASE_URL: 'postgres://nowhere.invalid/todo' },
      /DATABASE_URL cannot be used \(.*nowhere\.invalid\)\. Fix: start that server or correct the URL(?!\. Fix)/],
    [{ HOST: 'nowhere.invalid' }, /getaddrinfo E.* nowhere\.invalid\. Fix: choose another PORT or HOST/],
    [{ HOST: '192.0.2.1' }, /listen EADDRNOTAVAIL.* 192\.0\.2\.1.*\. Fix: choose another PORT or HOST/]
  ]
  await Promise.all(cases.map(async ([variables, says, folder = cwd]) => {
    const { code, stderr } = await run(t, variables, folder).ended
    t.equal(code, 1)
    t.match(stderr, new RegExp(`^Cannot start: ${says.source}.*\\n$`), JSON.stringify(variables))
    t.notMatch(stderr, 'too-short')
  }))
})

t.test('there are no demo users where a proxy makes a loopback address public', async (t) => {
  for (const proxy of [{ BETTER_AUTH_URL: 'https://todo.example.com' }, { TRUST_PROXY: '127.0.0.1' }]) {
    const { printed, password, signIn, signUp } = await start(t, proxy)
    t.match(printed, /^# No demo users, /m)
    t.notMatch(printed, password)
    for (const name of ['alice', 'bob', 'sam']) await t.rejects(signIn(name), /401/, name)
    t.match(await signUp('carol'), { id: String })
  }
})
