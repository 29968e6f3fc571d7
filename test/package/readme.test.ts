import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { env } from 'node:process'
import { promisify } from 'node:util'
import t from 'tap'
import { root, start } from '../support/example.js'

const readme = await readFile(join(root, 'README.md'), 'utf8')
const blocks = (language: string) => [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => String(text))

/** What stands in README for text that differs each time, or that is left out. */
const pattern = (text: string) => new RegExp(`^${text.trim().split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('[^]*')}$`)

const [started = '', walk = ''] = blocks('console')

t.test('the walk: each command gives what stands below it', async (t) => {
  const example = await start(t, { DATA_DIR: join(t.testdir({}), '.data') })
  t.match(example.printed.trim().replaceAll(example.baseURL, 'http://localhost:3000'), pattern(started.replace('$ npm start\n', '')))

  const steps = walk.split(/^\$ /m).slice(1).map((step) => step.trimEnd().split('\n') as [string, ...string[]])
  t.ok(steps.length >= 8)
  const script = steps.map(([command]) => `${command.replace('http://localhost:3000', example.baseURL)}; printf '\\n--\\n'`).join('\n')
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: t.testdirName, env: { PATH: env.PATH } })
  const answers = stdout.split('\n--\n')
  for (const [index, [command, ...answer]] of steps.entries()) t.match(answers[index], pattern(answer.join('\n')), command)
})

t.test('the examples of the test kit stand in files that are run', async (t) => {
  const folder = join(root, 'test/package/kit')
  const files = (await readdir(folder)).filter((name) => /^(tap|node-test|vitest)\b/.test(name))
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
  const quoted = [...blocks('js'), ...blocks('ts')].map((text) => text.split(/^(?=(?:t\.)?test\()/m)).filter(({ length }) => length === 2)
  t.equal(quoted.length, files.length)
  for (const [imports = '', text = ''] of quoted) {
    const [file = '', ...others] = texts.filter((each) => each.includes(text))
    t.same(others, [])
    for (const name of imports.match(/'[^']+'/g) ?? ['none']) t.ok(file.includes(` from ${name}\n`), `${name} for ${text.split('\n', 1)[0]}`)
  }
})

t.test('the figures of the benchmark are those of its last run', async (t) => {
  const { date, versions, rows } = JSON.parse(await readFile(join(root, 'test/benchmark/results.json'), 'utf8')) as Results
  t.ok(readme.includes(`${date}, Node ${versions.node}, Fastify ${versions.fastify}, @fastify/jwt ${versions['@fastify/jwt']}`))
  const quoted = readme.split('\n').filter((line) => /^\| .* \| [\d,]+ \| \d+ % \|/.test(line))
  t.ok(quoted.length >= 10)
  const measured = rows.map(({ name, requestsPerSecond, toBase, cpuAboveBase }) =>
    `| ${name} | ${requestsPerSecond.toLocaleString('en')} | ${(toBase * 100).toFixed(0)} % | ${cpuAboveBase.toFixed(1)} |`)
  for (const line of quoted) t.ok(measured.includes(line), line)
})

interface Results {
  date: string
  versions: Record<string, string>
  rows: Array<{ name: string, requestsPerSecond: number, toBase: number, cpuAboveBase: number }>
}
