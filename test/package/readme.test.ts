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

t.test('the walk: each command gives what is written below it', async (t) => {
  const [started = '', walk = ''] = blocks.filter(({ language }) => language === 'console').map(({ code }) => code)
  const example = await start(t, { DATA_DIR: `${t.testdir({})}/.data` })
  const local = (text: string) => text.replaceAll(example.baseURL, 'http://localhost:3000')
  t.match(local(example.printed.trim()), pattern(started.replace(/^\$ .*\n/, '')))

  const steps = walk.split(/^\$ /m).slice(1).map((step) => step.trimEnd().split('\n') as [string, ...string[]])
  t.ok(steps.length >= 8)
  const commands = steps.map(([command]) => command.replace('http://localhost:3000', example.baseURL))
  const script = commands.map((command) => `${command}; printf '\\n--\\n'`).join('\n')
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: t.testdirName, env: { PATH: env.PATH } })
  const answers = stdout.split('\n--\n')
  for (const [index, [command, ...answer]] of steps.entries()) {
    t.match(answers[index], pattern(answer.join('\n')), command)
  }
})
