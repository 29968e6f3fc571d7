import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import ts from 'typescript'
import * as publicNames from '../../lib/index.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  /** Of its first line of code. */
  readonly line: number
  /** The heading above it. */
  readonly heading: string
  readonly language: string
  readonly code: string
}

export interface Page {
  /** Relative to the repository. */
  readonly name: string
  readonly text: string
  readonly headings: readonly string[]
  readonly blocks: readonly Block[]
  /** Everything outside of code: links in a code block are none. */
  readonly prose: string
}

const inDocs = (await readdir(join(root, 'docs'), { recursive: true })).filter((file) => file.endsWith('.md'))

const names = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...inDocs.map((file) => `docs/${file}`)]

/** All pages that people read. */
export const pages: readonly Page[] = await Promise.all(names.map(readPage))

export function pageOf (name: string): Page {
  const page = pages.find((each) => each.name === name)
  if (page === undefined) throw new Error(`there is no page ${name}`)
  return page
}

export const placeOf = ({ page, line }: Block): string => `${page}:${line}`

/** A block of code below a heading. */
export function blockBelow (name: string, heading: string, index = 0): Block {
  const block = pageOf(name).blocks.filter((block) => block.heading === heading)[index]
  if (block === undefined) throw new Error(`${name} has no such block below ${heading}`)
  return block
}

async function readPage (name: string): Promise<Page> {
  const text = await readFile(join(root, name), 'utf8')
  const headings: string[] = []
  const blocks: Block[] = []
  const prose: string[] = []
  let open: { language: string, line: number, code: string } | null = null
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(\w*)$/.exec(line)
    if (open && fence) {
      blocks.push({ ...open, page: name, heading: headings.at(-1) ?? '' })
      open = null
    } else if (fence) open = { language: String(fence[1]), line: index + 2, code: '' }
    else if (open) open.code += `${line}\n`
    else {
      prose.push(line.replace(/`[^`]*`/g, '`…`'))
      const heading = /^#+ (.*)$/.exec(line)
      if (heading) headings.push(String(heading[1]))
    }
  }
  if (open) throw new Error(`${name}: a code block does not end`)
  return { name, text, headings, blocks, prose: prose.join('\n') }
}

/** The anchors of a page, as GitHub makes them: of two equal headings the second gets a number. */
export function anchorsOf ({ headings }: Page): Set<string> {
  const anchors = new Set<string>()
  for (const heading of headings) {
    const slug = heading.toLowerCase().replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-')
    let anchor = slug
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`
    anchors.add(anchor)
  }
  return anchors
}

/** Names that a block may use without declaring them: those of the package, and the app of the reader. */
export const prelude = {
  Fastify: "import Fastify from 'fastify'",
  userScope: "import userScope from 'fastify-user-scope'",
  ...Object.fromEntries(Object.keys(publicNames).filter((name) => !['default', 'userScope'].includes(name))
    .map((name) => [name, `import { ${name} } from 'fastify-user-scope'`])),
  app: 'const app = Fastify()'
}

/**
 * Runs a block as a module of its own, against the sources, and leads to its `app`, which is ready and does not listen.
 * @param edit replaces what the reader's machine has and this one has not
 */
export async function runBlock (t: Test, block: Block, edit = (code: string) => code): Promise<FastifyInstance> {
  const code = edit(block.code).replace(/^await app\.listen\(.*\)$/m, '').replace('logger: true', 'logger: false')
  const declares = (name: string) => new RegExp(`^ *(import|const)\\b[^'=]*\\b${name}\\b`, 'm').test(code)
  const missing = Object.entries(prelude).filter(([name]) => !declares(name)).map(([, line]) => line)
  const whole = [...missing, code, 'await app.ready()', 'export { app }'].join('\n')
  const { outputText } = ts.transpileModule(whole, { compilerOptions: { target: ts.ScriptTarget.ES2022 } })
  const lib = (path: string) => `'${pathToFileURL(join(root, 'lib', path)).href}'`
  const file = `${placeOf(block).replace(/\W/g, '-')}.mjs`
  const dir = t.testdir({
    [file]: outputText
      .replaceAll("'fastify-user-scope'", lib('index.js'))
      .replaceAll("'fastify-user-scope/testing'", lib('testing/index.js'))
      .replaceAll("'fastify-user-scope/redis'", lib('redis.js'))
  })
  const { app } = await import(pathToFileURL(join(dir, file)).href) as { app: FastifyInstance }
  t.teardown(async () => { await app.close() })
  return app
}
