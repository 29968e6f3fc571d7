import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, posix, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { pages } from '../support/docs.js'
import { freePort } from '../support/example.js'
import { bearer, secret, tokenFor } from '../support/host.js'
import { runPlain } from '../support/run-plain.js'

const root = join(import.meta.dirname, '../..')
interface Manifest { files: string[], devDependencies: { fastify: string } }
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest

// Outside the repository, and with nothing hoisted: what the package forgot to ask for is not found in a node_modules
// further up.
const dir = await mkdtemp(join(tmpdir(), 'fastify-user-scope-'))
t.teardown(() => rm(dir, { recursive: true, force: true }))
const source = join(dir, 'source')
const project = join(dir, 'project')

const env = { ...process.env, BETTER_AUTH_SECRETS: undefined, BETTER_AUTH_SECRET: secret, TOKEN: tokenFor('alice') }

const run = (cwd: string, file: string, ...args: string[]): Promise<string> => runPlain(file, args, { cwd, env })

/** Runs a script of the project and returns what it printed. */
async function runScript (name: string, text: string): Promise<unknown> {
  await writeFile(join(project, name), text)
  return JSON.parse(await run(project, process.execPath, name))
}

const libFiles = (await readdir(join(root, 'lib'), { recursive: true })).filter((file) => file.endsWith('.ts'))

/** What `npm pack --json` tells of a package. */
interface Packed { filename: string, files: { path: string }[] }
let files: string[]

t.before(async () => {
  // A copy is built and packed, as a build empties `dist`, and other tests and programs read that.
  const ignored = new Set(['.git', '.tap', '.data', 'dist', 'node_modules'])
  await cp(root, source, { recursive: true, filter: (path) => !ignored.has(basename(path)) })
  const tsc = 'node_modules/typescript/bin/tsc'
  await run(root, process.execPath, tsc, '-p', 'tsconfig.build.json', '--outDir', join(source, 'dist'))
  await mkdir(project)
  const report = await run(source, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', project)
  const [packed] = JSON.parse(report) as [Packed]
  files = packed.files.map(({ path }) => path)
  await writeFile(join(project, 'package.json'), '{ "private": true }')
  const options = ['--install-strategy=nested', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  const wanted = [`./${packed.filename}`, `fastify@${manifest.devDependencies.fastify}`, 'typescript@~5.4']
  await run(project, 'npm', 'install', ...options, ...wanted)
  // What a host does with the plugin, however it came by it.
  await writeFile(join(project, 'exercise.mjs'), `
    import Fastify from 'fastify'

    export async function exercise (plugin) {
      const app = Fastify()
      await app.register(plugin)
      app.get('/api/:user_id/tasks', async (request) => request.user.id)
      const owner = { authorization: 'Bearer ' + process.env.TOKEN }
      const answers = [
        await app.inject('/api/alice/tasks'),
        await app.inject({ url: '/api/bob/tasks', headers: owner }),
        await app.inject({ url: '/api/alice/tasks', headers: owner })
      ]
      await app.close()
      return answers.map(({ statusCode }) => statusCode)
    }`)
})

t.test('the package has the build and the listed files only', async (t) => {
  const built = libFiles.flatMap((file) => ['.js', '.d.ts'].map((ending) => `dist/${file.replace(/\.ts$/, ending)}`))
  const listed = manifest.files.filter((file) => file !== 'dist')
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  const kept = entries.filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(source, join(parentPath, name)))
    .filter((file) => listed.some((each) => file === each || file.startsWith(`${each}/`)))
  t.same(files.sort(), ['LICENSE', 'README.md', 'package.json', ...built, ...kept].sort())
})

t.test('the links and pictures of README and docs lead to files of the package', async (t) => {
  for (const page of pages) {
    t.ok(files.includes(page.name), page.name)
    if (!/^(README|docs)\b/.test(page.name)) continue // the others are about the repository
    for (const [, target = ''] of page.prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      if (/^https?:/.test(target)) continue
      const name = posix.join(posix.dirname(page.name), target)
      t.ok(files.some((file) => file === name || file.startsWith(`${name}/`)), `${page.name} links to ${target}`)
    }
  }
})

t.test('the exports are exactly those that are meant', async (t) => {
  t.same(await runScript('exports.mjs', `
    import * as all from 'fastify-user-scope'
    console.log(JSON.stringify(Object.keys(all)))`), [
    'AccessCheckUnavailableError',
    'AlreadyRegisteredError',
    'ForbiddenResourceAccessError',
    'ForbiddenUserAccessError',
    'InsufficientScopeError',
    'InvalidClaimsError',
    'InvalidHeaderFormatError',
    'InvalidOptionError',
    'InvalidRouteError',
    'InvalidTokenSignatureError',
    'KeysUnavailableError',
    'KeysUnreachableError',
    'MalformedTokenError',
    'MissingTokenError',
    'MissingUidClaimError',
    'NoOwnerError',
    'RevocationsUnavailableError',
    'RevocationsUnreachableError',
    'TokenExpiredError',
    'TokenRevokedError',
    'auth0',
    'betterAuth',
    'clerk',
    'cognito',
    'default',
    'entra',
    'getOwnerId',
    'getUser',
    'keycloak',
    'logto',
    'okta',
    'requireScopes',
    'supabase',
    'untilRevoked',
    'userScope'
  ])
  t.same(await runScript('testing.mjs', `
    import * as all from 'fastify-user-scope/testing'
    console.log(JSON.stringify(Object.keys(all)))`), [
    'ScopeAssertionError',
    'assertDocumentMatchesGuards',
    'assertIsolation',
    'assertOwnership',
    'createIssuer',
    'createKey',
    'routeTable',
    'sendJson'
  ])
})

t.test('a host compiles with the oldest compiler that the README names', async (t) => {
  t.match(await readFile(join(root, 'README.md'), 'utf8'), '| ≥ 5.4 (')
  await cp(join(root, 'test/package/types'), join(project, 'types'), { recursive: true })
  await symlink(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'))
  await writeFile(join(project, 'types/package.json'), '{ "type": "module" }')
  const tsc = 'node_modules/typescript/bin/tsc'
  t.match(await run(project, process.execPath, tsc, '--version'), /^Version 5\.4\./)
  await t.resolves(run(project, process.execPath, tsc, '-p', 'types/rights'))
})

t.test('the test kit, in each runner', async (t) => {
  // The runners are the host's, and not what is tested: they are linked rather than installed again.
  for (const name of ['tap', 'vitest']) {
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
  }
  const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href
  const runners: Array<[name: string, args: string[]]> = [
    ['tap', ['--import', tsx, 'tap.ts']],
    ['node:test', ['--test', 'node-test.js']],
    // Its limit for a test is five seconds otherwise.
    ['vitest', [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', '.', '--testTimeout=300000']]
  ]
  const kit = join(project, 'kit')
  await cp(join(root, 'test/package/kit'), kit, { recursive: true, filter: (path) => !path.endsWith('tsconfig.json') })
  await writeFile(join(kit, 'package.json'), '{ "type": "module" }')
  for (const [name, args] of runners) await t.resolves(run(kit, process.execPath, ...args), name)

  const app = await readFile(join(kit, 'app.js'), 'utf8')
  t.match(app, "'/health'")
  await writeFile(join(kit, 'app.js'), app.replace("'/health'", "'/health/:user_id'"))
  for (const [name, args] of runners) {
    const { stdout, stderr } = await run(kit, process.execPath, ...args).then(
      () => ({ stdout: '', stderr: '' }), (error: unknown) => error as { stdout: string, stderr: string }
    )
    t.match(stdout + stderr, /GET, HEAD \/health\/:user_id \(public, stated\)/, `${name}, of a host with a fault`)
  }
})

t.test('the package can be imported without @fastify/swagger', async (t) => {
  t.notOk(existsSync(join(project, 'node_modules/@fastify/swagger')))
  t.same(await runScript('import.mjs', `
    import byDefault, { userScope } from 'fastify-user-scope'
    import { exercise } from './exercise.mjs'
    console.log(JSON.stringify({
      same: byDefault === userScope,
      named: await exercise(userScope),
      dynamic: await exercise(import('fastify-user-scope'))
    }))`),
  { same: true, named: [401, 403, 200], dynamic: [401, 403, 200] })
})

t.test('a host with only a secret loads neither jose nor yaml', async (t) => {
  const own = join(project, 'node_modules/fastify-user-scope/node_modules')
  for (const name of ['jose', 'yaml']) {
    await rename(join(own, name), join(own, `without-${name}`))
    t.teardown(() => rename(join(own, `without-${name}`), join(own, name)))
  }
  t.same(await runScript('lean.mjs', `
    import { userScope } from 'fastify-user-scope'
    import { exercise } from './exercise.mjs'
    console.log(JSON.stringify(await exercise(userScope)))`), [401, 403, 200])
})

t.test('the package can be loaded by require()', async (t) => {
  t.same(await runScript('require.cjs', `
    const scope = require('fastify-user-scope')
    const { exercise } = require('./exercise.mjs')
    async function main () {
      console.log(JSON.stringify({
        whole: await exercise(require('fastify-user-scope')),
        byDefault: await exercise(scope.default),
        named: await exercise(scope.userScope)
      }))
    }
    main()`),
  { whole: [401, 403, 200], byDefault: [401, 403, 200], named: [401, 403, 200] })
})

t.test('the server of the README answers as README says', async (t) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [code = '', signing = ''] = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, text]) => text)
  t.match(code, 'port: 3000')
  const port = await freePort()
  await writeFile(join(project, 'server.mjs'), code.replace('port: 3000', `port: ${port}`))
  // The server awaits `listen`, so that the import is done when it listens.
  await writeFile(join(project, 'start.mjs'), "await import('./server.mjs')\nprocess.send('listening')")
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const
  const server = fork(join(project, 'start.mjs'), { cwd: project, execArgv: [], stdio: [...stdio], env })
  const end = once(server, 'close')
  t.teardown(async () => {
    server.kill()
    await end
  })
  let stderr = ''
  server.stderr?.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const [event] = await Promise.race([once(server, 'message'), end]) as unknown[]
  if (event !== 'listening') throw new Error(`the server did not start: ${stderr}`)

  const status = async (path: string, headers = {}) =>
    (await fetch(`http://localhost:${port}${path}`, { headers })).status
  await writeFile(join(project, 'token.mjs'), signing)
  const owner = bearer((await run(project, process.execPath, 'token.mjs')).trim())
  t.equal(await status('/api/alice/tasks'), 401)
  t.equal(await status('/api/alice/tasks', owner), 200)
  t.equal(await status('/api/bob/tasks', owner), 403)
  t.equal(await status('/api/me', owner), 200)
  t.equal(await status('/health'), 200)
})
