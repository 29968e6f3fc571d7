import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')
const files = (await readdir(join(root, 'lib'), { recursive: true })).filter((file) => file.endsWith('.ts'))

/** What is left of a file once its types are erased. */
async function codeOf (file: string): Promise<string> {
  const text = await readFile(join(root, 'lib', file), 'utf8')
  const compilerOptions = { target: ts.ScriptTarget.ES2022, removeComments: true }
  const { outputText } = ts.transpileModule(text, { compilerOptions })
  return outputText.replace(/^export \{\};?$/m, '').trim()
}

t.test('each file of lib has its test at the same path, unless it holds types or names alone', async (t) => {
  for (const file of files) {
    const code = await codeOf(file)
    const isBarrel = code.split('\n').every((line) => /^(export (\{|\*)|import )/.test(line))
    if (code === '' || isBarrel) continue
    t.ok(existsSync(join(root, 'test', file.replace(/\.ts$/, '.test.ts'))), file)
  }
})

t.test('no file of lib has more than 200 lines', async (t) => {
  for (const file of files) {
    const lines = (await readFile(join(root, 'lib', file), 'utf8')).trimEnd().split('\n')
    t.ok(lines.length <= 200, `${file}: ${lines.length}`)
  }
})
