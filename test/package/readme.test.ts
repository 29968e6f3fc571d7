import { execFile } from 'node:child_process'
import { env } from 'node:process'
import { promisify } from 'node:util'
import t from 'tap'
import { pageOf } from '../support/docs.js'
import { start } from '../support/example.js'

const { text, blocks, headings } = pageOf('README.md')

/** What is written in README for text that differs each time, or that is left out. */
function pattern (text: string): RegExp {
  const parts = text.trim().split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*')}$`)
}

t.test('README can be read in two minutes', async (t) => {
  t.ok(text.trimEnd().split('\n').length <= 220)
  const firstScreen = text.split('\n').slice(0, 25).join('\n')
  t.match(firstScreen, /does \*\*not\*\* do[^]*record behind the path/, 'what it does not do is on the first screen')
  const [first] = blocks.filter(({ language }) => language === 'js')
  t.match(first?.code, /^\/\/ server\.mjs\n[^]*port: 3000/, 'the first example is a module whatever package.json says')
  t.equal(headings[headings.indexOf(String(first?.heading)) + 1], 'With Better Auth', 'Better Auth is right after it')
})

t.test('what the example prints can be pasted, and answers as README shows', async (t) => {
  const [printed = '', answers = ''] = blocks.filter(({ heading }) => heading === 'Example').map(({ code }) => code)
  const example = await start(t)
  t.match(example.printed.trim().replaceAll(example.baseURL, 'http://localhost:3000'), pattern(printed))

  const commands = example.printed.slice(example.printed.indexOf('# Todo API'))
  const shell = { cwd: t.testdir({}), env: { PATH: env.PATH } }
  const { stdout } = await promisify(execFile)('bash', ['-c', commands], shell)
  t.match(stdout.trim(), pattern(answers))
})
