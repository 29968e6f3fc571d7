import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import * as publicNames from '../../lib/index.js'
import { issuerSchema } from '../../lib/options/issuers.js'
import { optionsSchema } from '../../lib/options/options-schema.js'
import { anchorsOf, pageOf, pages, placeOf, root } from '../support/docs.js'

const blocks = pages.flatMap((page) => page.blocks)
const ofLanguage = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language))
const parse = async (path: string) => JSON.parse(await readFile(join(root, path), 'utf8')) as unknown

t.test('every link leads to a file and an anchor, and every page is linked', async (t) => {
  const linked = new Set(['README.md'])
  for (const page of pages) {
    for (const [, target = ''] of page.prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https:|^http:\/\/localhost/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const name = path === '' ? page.name : posix.join(posix.dirname(page.name), path)
      t.ok(existsSync(join(root, name)), `${page.name} links to ${target}`)
      if (anchor !== undefined) t.ok(anchorsOf(pageOf(name)).has(anchor), `${page.name} links to ${target}`)
      linked.add(name)
    }
  }
  for (const { name } of pages) t.ok(linked.has(name), `a page links to ${name}`)
})

t.test('no two headings of a page are equal, as their anchors would depend on the order', async (t) => {
  for (const { name, headings } of pages) {
    if (name !== 'CHANGELOG.md') t.equal(new Set(headings).size, headings.length, name)
  }
})

t.test('every code block has a language that is checked', async (t) => {
  const checked = ['js', 'ts', 'json', 'sh', 'console', 'text', 'mermaid']
  for (const block of blocks) t.ok(checked.includes(block.language), placeOf(block))
})

t.test('a picture is of a kind that GitHub draws', async (t) => {
  const kinds = /^(sequenceDiagram|flowchart (LR|TD))\n/
  for (const block of ofLanguage('mermaid')) t.match(block.code, kinds, placeOf(block))
})

t.test('JSON parses', async (t) => {
  for (const block of ofLanguage('json')) t.doesNotThrow(() => { JSON.parse(block.code) }, placeOf(block))
})

t.test('shell commands parse, and their npm scripts exist', async (t) => {
  const { scripts } = await parse('package.json') as { scripts: object }
  for (const block of ofLanguage('sh')) {
    await t.resolves(promisify(execFile)('bash', ['-nc', block.code]), placeOf(block))
  }
  for (const { name, text } of pages) {
    for (const [command, script] of text.matchAll(/\bnpm (?:run ([\w:-]+)|(?:start|test)\b)/g)) {
      t.ok(Object.hasOwn(scripts, script ?? command.slice('npm '.length)), `${name}: ${command}`)
    }
  }
})

t.test('the examples of the test kit are in files that are run', async (t) => {
  const folder = join(root, 'test/package/kit')
  const files = (await readdir(folder)).filter((name) => /^(tap|node-test|vitest)\b/.test(name))
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
  const quoted = pageOf('docs/testing.md').blocks
    .map(({ code }) => code.split(/^(?=(?:t\.)?test\()/m))
    .filter(({ length }) => length === 2)
  t.equal(quoted.length, files.length)
  for (const [imports = '', text = ''] of quoted) {
    const title = text.split('\n', 1)[0]
    const [file = '', ...others] = texts.filter((each) => each.includes(text))
    t.same(others, [])
    for (const name of imports.match(/'[^']+'/g) ?? ['none']) {
      t.ok(file.includes(` from ${name}\n`), `${name} for ${title}`)
    }
  }
})

/** The cells of the table rows below a heading that begin with a name in code. */
function rowsBelow (name: string, heading: string): string[][] {
  const [, ...parts] = pageOf(name).text.split(/^#+ /m)
  const part = parts.find((each) => each.startsWith(`${heading}\n`)) ?? ''
  return [...part.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => String(row).split(' | '))
}

/** The names in the first cells: a row may be about several. */
function namesBelow (page: string, heading: string): string[] {
  const cells = rowsBelow(page, heading).map(([cell]) => String(cell))
  return cells.flatMap((cell) => [...cell.matchAll(/`([\w/]+)`/g)].map(([, name]) => String(name))).sort()
}

t.test('the tables have every option, error and room', async (t) => {
  const { properties } = optionsSchema
  t.same(namesBelow('docs/options.md', 'Options: what can I configure?'), Object.keys(properties).sort())
  t.same(namesBelow('docs/issuers.md', 'The options of an entry'), Object.keys(issuerSchema.properties).sort())

  const folders = (await readdir(join(root, 'lib'), { withFileTypes: true })).filter((entry) => entry.isDirectory())
  t.same(namesBelow('CONTRIBUTING.md', 'Rooms'), folders.map(({ name }) => `${name}/`).sort())

  const { text } = pageOf('docs/errors.md')
  const listed = rowsBelow('docs/errors.md', 'Errors: what do clients receive, and what does the log say?')
  const refusals: string[][] = []
  for (const [name, Class] of Object.entries(publicNames)) {
    if (!name.endsWith('Error')) continue
    const { code, statusCode, message } = new (Class as new () => Fault)()
    t.ok(text.includes(`\`${name}\``), name)
    t.ok(text.includes(`\`${code}\``), code)
    if (statusCode !== 500) refusals.push([`\`${code}\``, String(statusCode), message])
  }
  t.same(listed.map((cells) => cells.slice(0, 3)).sort(), refusals.sort())
})

interface Fault { code: string, statusCode: number, message: string }

t.test('the figures of the benchmark are those of its last run', async (t) => {
  const { text } = pageOf('docs/performance.md')
  const { date, versions: { node, fastify, ...others }, rows } = await parse('test/benchmark/results.json') as Results
  t.ok(text.includes(`${date}, Node ${node}, Fastify ${fastify}, @fastify/jwt ${others['@fastify/jwt']}`))
  const quoted = text.split('\n').filter((line) => /^\| .* \| [\d,]+ \| \d+ % \|/.test(line))
  t.ok(quoted.length >= 10)
  const measured = rows.map(({ name, requestsPerSecond, toBase, cpuAboveBase }) => {
    const share = `${(toBase * 100).toFixed(0)} %`
    const cells = [name, requestsPerSecond.toLocaleString('en'), share, cpuAboveBase.toFixed(1)]
    return `| ${cells.join(' | ')} |`
  })
  for (const line of quoted) t.ok(measured.includes(line), line)
})

interface Results {
  date: string
  versions: Record<string, string>
  rows: Array<{ name: string, requestsPerSecond: number, toBase: number, cpuAboveBase: number }>
}
