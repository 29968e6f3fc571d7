import { cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { secret, tokenFor } from '../support/host.js'
import { runPlain } from '../support/run-plain.js'

const root = join(import.meta.dirname, '../..')
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { dependencies: object }
const libFiles = (await readdir(join(root, 'lib'), { recursive: true })).filter((file) => file.endsWith('.ts'))

// Outside the repository, so that nothing is found in its node_modules.
const dir = await realpath(await mkdtemp(join(tmpdir(), 'fastify-user-scope-')))
t.teardown(() => rm(dir, { recursive: true, force: true }))

/** The package as it is published, with JavaScript instead of TypeScript and nothing else compiled into it. */
async function writePackage (folder: string): Promise<void> {
  await cp(join(root, 'package.json'), join(folder, 'package.json'), { recursive: true })
  await build({
    entryPoints: libFiles.map((file) => join(root, 'lib', file)), outdir: join(folder, 'dist'), format: 'esm'
  })
}

/** Installs packages into a folder's node_modules, as links. */
async function link (folder: string, packages: Record<string, string>): Promise<void> {
  for (const [name, target] of Object.entries(packages)) {
    const path = join(folder, 'node_modules', name)
    await mkdir(dirname(path), { recursive: true })
    await symlink(target, path)
  }
}

const installed = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, join(root, 'node_modules', name)]))
const dependencies = installed('fastify', ...Object.keys(manifest.dependencies))

const env = { ...process.env, BETTER_AUTH_SECRET: secret, TOKEN: tokenFor('alice') }

/** Runs a script and returns what it printed. */
async function run (script: string): Promise<unknown> {
  return JSON.parse(await runPlain(process.execPath, [script], { cwd: dirname(script), env }))
}

const host = (hasSwagger: boolean) => `
  import Fastify from 'fastify'
  import userScope from 'fastify-user-scope'
  ${hasSwagger ? "import swagger from '@fastify/swagger'" : ''}

  async function main () {
    const app = Fastify()
    ${hasSwagger ? "await app.register(swagger, { openapi: { info: { title: 'Tasks', version: '1' } } })" : ''}
    await app.register(userScope)
    app.get('/api/:user_id', async (request) => request.user.id)
    const headers = { authorization: 'Bearer ' + process.env.TOKEN }
    const answers = [
      await app.inject('/api/alice'),
      await app.inject({ url: '/api/bob', headers }),
      await app.inject({ url: '/api/alice', headers })
    ]
    console.log(JSON.stringify({
      statuses: answers.map(({ statusCode }) => statusCode),
      security: ${hasSwagger ? "app.swagger().paths['/api/{user_id}'].get.security" : 'null'},
      yaml: ${hasSwagger ? "app.swagger({ yaml: true }).includes('bearerAuth: []')" : 'null'}
    }))
    await app.close()
  }
  main()`

const guarded = { statuses: [401, 403, 200], security: null, yaml: null }
const documented = { ...guarded, security: [{ bearerAuth: [] }], yaml: true }

t.test('a host bundled by esbuild works', async (t) => {
  for (const hasSwagger of [true, false]) {
    await t.test(`${hasSwagger ? 'with' : 'without'} @fastify/swagger`, async (t) => {
      const project = join(dir, `bundle-${String(hasSwagger)}`)
      await writePackage(join(project, 'node_modules/fastify-user-scope'))
      await link(project, { ...dependencies, ...hasSwagger && installed('@fastify/swagger') })
      await writeFile(join(project, 'host.mjs'), host(hasSwagger))
      // Nothing is installed where the bundle stands.
      const bundle = join(dir, `out-${String(hasSwagger)}`, 'host.cjs')
      const { warnings } = await build({
        entryPoints: [join(project, 'host.mjs')], outfile: bundle, bundle: true, platform: 'node', logLevel: 'silent'
      })
      t.same(warnings, [])
      t.same(await run(bundle), hasSwagger ? documented : guarded)
    })
  }
})

t.test('a workspace works in which only the host finds @fastify/swagger', async (t) => {
  const workspace = join(dir, 'workspace')
  const api = join(workspace, 'packages/api')
  const scope = join(workspace, 'packages/fastify-user-scope')
  await writePackage(scope)
  await link(workspace, { ...dependencies, 'fastify-user-scope': scope })
  await link(api, installed('@fastify/swagger'))
  await writeFile(join(api, 'host.mjs'), host(true))
  await writeFile(join(scope, 'dist/find.js'), "await import('@fastify/swagger')")
  await t.rejects(run(join(scope, 'dist/find.js')), /ERR_MODULE_NOT_FOUND/, 'the plugin does not find it')
  t.same(await run(join(api, 'host.mjs')), documented)
})
