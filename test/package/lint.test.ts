import { join } from 'node:path'
import t from 'tap'
import { runPlain } from '../support/run-plain.js'

// In a process of its own, as the loader of TypeScript does not resolve all that eslint imports.
const script = `
  import { ESLint } from 'eslint'
  const eslint = new ESLint()
  const messagesOf = async ([filePath, text]) => (await eslint.lintText(text, { filePath }))[0].messages
  const results = JSON.parse(process.argv[1]).map(messagesOf)
  console.log(JSON.stringify((await Promise.all(results)).map((messages) => messages.map(({ ruleId }) => ruleId))))`

/** The rules that each file breaks, were it written so. */
async function lint (files: Array<[path: string, text: string]>): Promise<string[][]> {
  const args = ['--input-type=module', '--eval', script, JSON.stringify(files)]
  return JSON.parse(await runPlain(process.execPath, args, { cwd: join(import.meta.dirname, '../..') })) as string[][]
}

t.test('imports between the rooms of lib go one way', async (t) => {
  const rows: Array<[file: string, allowed: string[], forbidden: string[]]> = [
    ['lib/contract/x.ts', ['@fastify/error', './errors.js'], ['../options/settings.js', '../plugin.js']],
    ['lib/options/x.ts', ['../contract/errors.js'], ['../routes/access.js', '../token/claims-reader.js']],
    ['lib/routes/x.ts',
      ['../contract/errors.js', '../options/settings.js'], ['../guard/guard.js', '../token/claims-reader.js']],
    ['lib/keys/x.ts', ['../options/settings.js'], ['../token/claims-reader.js', '../presets/index.js']],
    ['lib/token/x.ts', ['../keys/jwk.js'], ['../routes/access.js', '../guard/guard.js', '../presets/index.js']],
    ['lib/revocations/x.ts', ['../keys/stopwatch.js', '../token/cache.js'], ['../guard/guard.js', '../routes/url.js']],
    ['lib/guard/x.ts', ['../revocations/list.js', '../routes/access.js', '../token/claims-reader.js'],
      ['../keys/jwk.js']],
    ['lib/openapi/x.ts', ['../routes/table.js'], ['../token/claims-reader.js', '../guard/guard.js']],
    ['lib/presets/x.ts', ['../options/settings.js'], ['../token/claims-reader.js']],
    ['lib/testing/x.ts', ['../openapi/annotate.js', '../routes/table.js'],
      ['../token/claims-reader.js', '../guard/guard.js']],
    ['lib/x.ts', ['./guard/guard.js', './token/claims-reader.js'], ['./testing/index.js']]
  ]
  const cases = rows.flatMap(([file, allowed, forbidden]) => [
    ...allowed.map((specifier) => ({ file, specifier, rules: [] as string[] })),
    ...forbidden.map((specifier) => ({ file, specifier, rules: ['no-restricted-imports'] }))
  ])
  const found = await lint(cases.map(({ file, specifier }) => [file, `import '${specifier}'\n`]))
  for (const [index, { file, specifier, rules }] of cases.entries()) {
    t.same(found[index], rules, `${file} imports ${specifier}`)
  }
})

t.test('lines have at most 120 columns', async (t) => {
  const files = ['lib/guard/x.ts', 'test/guard/x.test.ts', 'examples/x.ts']
  const lines = (length: number) => files.map((file): [string, string] => [file, `// ${'x'.repeat(length)}\n`])
  const found = await lint([...lines(117), ...lines(118)])
  t.same(found, [[], [], [], ...files.map(() => ['@stylistic/max-len'])])
})
