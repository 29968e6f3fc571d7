import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { equivalents } from '../mutate/equivalent.js'

const root = join(import.meta.dirname, '../..')
const files = (await readdir(join(root, 'lib'), { recursive: true })).filter((file) => file.endsWith('.ts'))

/** What is left of a file once its types are erased. */
async function codeOf (file: string): Promise<string> {
  const text = await readFile(join(root, 'lib', file), 'utf8')
  const compilerOptions = { target: ts.ScriptTarget.ES2022, removeComments: true }
  const { outputText } = ts.transpileModule(text, { compilerOptions })
  return outputText.replace(/^export \{\};?$/m, '').trim()
}

t.test('each file of lib has its test at the same path, unless it only has types or names', async (t) => {
  for (const file of files) {
    const code = await codeOf(file)
    const isBarrel = code.split('\n').every((line) => /^(export (\{|\*)|import )/.test(line))
    if (code === '' || isBarrel) continue
    t.ok(existsSync(join(root, 'test', file.replace(/\.ts$/, '.test.ts'))), file)
  }
})

t.test('the tests of each room are run', async (t) => {
  const tests = await readdir(join(root, 'test'), { recursive: true })
  const rooms = new Set(tests.filter((test) => test.endsWith('.test.ts')).map((test) => dirname(test)))
  for (const each of ['.', 'app', 'example', 'package']) rooms.delete(each) // each file in a process of its own
  t.ok(rooms.size >= 10)
  for (const room of rooms) {
    t.match(await readFile(join(root, 'test', `${room}.test.ts`), 'utf8'), `await testRoom('${room}')`, room)
  }
})

t.test('no file of lib has more than 200 lines', async (t) => {
  for (const file of files) {
    const lines = (await readFile(join(root, 'lib', file), 'utf8')).trimEnd().split('\n')
    t.ok(lines.length <= 200, `${file}: ${lines.length}`)
  }
})

t.test('each equivalent mutant is of a line that is still there', async (t) => {
  for (const { path, code } of equivalents) {
    const lines = (await readFile(join(root, path), 'utf8')).split('\n')
    t.ok(lines.some((line) => line.trim() === code), `${path}: ${code}`)
  }
})

const presets = files.filter((file) => /^presets\/(?!(index|preset)\.ts$)/.test(file))
const vendor = new RegExp(`\\b(${presets.map((file) => basename(file, '.ts').replace('-', '.?')).join('|')})`, 'i')
/** Where a vendor may be named outside of lib/presets, and in which words. */
const namesOfVendors: Array<[file: string, text: RegExp]> = [
  ['plugin.ts', /^import \{ secretTokens \} from '\.\/presets\/better-auth\.js';$/m],
  ['options/issuers.ts', /one Better Auth moving from its secret to its keys/], // advice on idPrefix
  ['options/environment.ts', /BETTER_AUTH_SECRETS?/g] // names of environment variables
]

t.test('no code outside of lib/presets names a vendor', async (t) => {
  for (const file of files.filter((file) => !file.startsWith('presets/'))) {
    let code = await codeOf(file)
    for (const [, text] of namesOfVendors.filter(([of]) => of === file)) {
      const without = code.replace(text, '')
      t.not(without, code, `${file}: ${String(text)} is still needed`)
      code = without
    }
    t.equal(vendor.exec(code), null, file)
  }
})
