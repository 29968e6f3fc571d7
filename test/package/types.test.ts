import { cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Static } from '@sinclair/typebox'
import t from 'tap'
import type { DeepReadonly, UserScopeOptions } from '../../lib/index.js'
import type { optionsSchema } from '../../lib/options/options-schema.js'
import { runPlain } from '../support/run-plain.js'
import type { Equal } from './types/equal.js'

// The interface has the docstrings, the schema is what validates: `npm run typecheck` fails here where they differ.
const optionsAgree: Equal<DeepReadonly<UserScopeOptions>, DeepReadonly<Static<typeof optionsSchema>>> = true

const root = join(import.meta.dirname, '../..')

/** Runs the compiler and returns what is wrong: nothing, or its diagnostics. */
async function tsc (cwd: string, ...args: string[]): Promise<string> {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  return await runPlain(process.execPath, [compiler, ...args], { cwd })
    .then(() => '', ({ code, signal, stdout, stderr }) => `exit ${code ?? signal}\n${stdout}${stderr}`)
}

t.test('hosts compile against the built package, some of them in every file that they load', async (t) => {
  // A package.json of its own, or the name `fastify-user-scope` would mean the repository itself and its last build.
  const dir = t.testdir({ 'package.json': '{ "type": "module" }' })
  const installed = join(dir, 'node_modules/fastify-user-scope')
  await cp(join(root, 'package.json'), join(installed, 'package.json'))
  await cp(join(root, 'test/package/types'), join(dir, 'types'), { recursive: true })
  await cp(join(root, 'test/package/kit'), join(dir, 'kit'), { recursive: true })
  // A dependency that hosts cannot import, as with pnpm: their declarations can only name what this package exports.
  const error = join(installed, 'node_modules/@fastify/error')
  await cp(join(root, 'node_modules/@fastify/error'), error, { recursive: true })
  await writeFile(join(error, 'package.json'), '{ "version": "0.0.0", "types": "types/index.d.ts" }')
  t.equal(await tsc(root, '-p', 'tsconfig.build.json', '--outDir', join(installed, 'dist')), '')
  // One compiler, but a program for each folder: all hosts of one program see each other's module augmentations.
  const entries = await readdir(join(root, 'test/package/types'), { withFileTypes: true })
  const hosts = entries.filter((entry) => entry.isDirectory())
  t.equal(await tsc(join(dir, 'types'), '-b', '../kit', ...hosts.map(({ name }) => name)), '')
  t.ok(optionsAgree)
})
