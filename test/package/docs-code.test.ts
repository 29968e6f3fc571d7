import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { pages, placeOf, prelude, root, type Block } from '../support/docs.js'

/** What a block may use without declaring it. */
const preludeTypes = `
  import type { FastifyInstance } from 'fastify'
  import type * as scope from 'fastify-user-scope'
  declare global {
    const app: FastifyInstance
    ${Object.keys(prelude).filter((name) => !['app', 'Fastify'].includes(name))
      .map((name) => `const ${name}: typeof scope.${name}`).join('\n')}
  }`

/** The reader's own file in the examples of the test kit. */
const appTypes = `
  import type { FastifyInstance } from 'fastify'
  import type { UserScopeOptions } from 'fastify-user-scope'
  export function buildApp (options: UserScopeOptions): Promise<FastifyInstance>`

function describe ({ file, start = 0, messageText }: ts.Diagnostic, blocks: ReadonlyMap<string, Block>): string {
  const block = blocks.get(String(file?.fileName))
  const line = file ? file.getLineAndCharacterOfPosition(start).line : 0
  const place = block ? placeOf({ ...block, line: block.line + line }) : `${file?.fileName}:${line + 1}`
  return `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
}

const parsed = new Map<string, ts.SourceFile | undefined>()

/** @param files that are not on the disk */
function compile (names: string[], options: ts.CompilerOptions, files = new Map<string, string>()): ts.Program {
  const whole: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
    // Those of `tsc --init`.
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    noUncheckedSideEffectImports: true,
    declaration: true,
    skipLibCheck: true,
    ...options
  }
  const host = ts.createCompilerHost(whole)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name)
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name)
  // A library is parsed once for all programs.
  host.getSourceFile = (name, ...settings) => {
    if (!name.includes('/node_modules/')) return getSourceFile.call(host, name, ...settings)
    if (!parsed.has(name)) parsed.set(name, getSourceFile.call(host, name, ...settings))
    return parsed.get(name)
  }
  return ts.createProgram(names, whole, host)
}

t.test('JavaScript and TypeScript of the docs compile against the built types', async (t) => {
  const dir = t.testdir({ 'package.json': '{ "type": "module" }' })
  const lib = join(root, 'lib')
  const types = join(dir, 'types')
  const entries = ['index', 'testing/index', 'redis']
  const sources = entries.map((name) => join(lib, `${name}.ts`))
  compile(sources, { rootDir: lib, outDir: types, emitDeclarationOnly: true, noCheck: true }).emit()
  const [main = [], testing = [], redis = []] = entries.map((name) => [join(types, `${name}.d.ts`)])

  const blocks = new Map<string, Block>()
  for (const block of pages.flatMap((page) => page.blocks)) {
    if (['js', 'ts'].includes(block.language)) blocks.set(join(dir, `${placeOf(block).replace(/\W/g, '-')}.ts`), block)
  }
  const files = new Map([...blocks].map(([file, { code }]) => [file, `${code}\nexport {}`]))
  const around = new Map([[join(dir, 'prelude.d.ts'), preludeTypes], [join(dir, 'app.d.ts'), appTypes]])

  // What a block declares for a whole program must not reach the others.
  const isAlone = (file: string) => /declare module|'@fastify\/jwt'/.test(String(files.get(file)))
  const alone = [...files.keys()].filter(isAlone)
  const together = [...files.keys()].filter((file) => !isAlone(file))
  t.ok(together.length > 20)
  for (const names of [together, ...alone.map((file) => [file])]) {
    const program = compile([...around.keys(), ...names], {
      noEmit: true,
      paths: {
        'fastify-user-scope': main, 'fastify-user-scope/testing': testing, 'fastify-user-scope/redis': redis
      }
    }, new Map([...around, ...files]))
    const faults = ts.getPreEmitDiagnostics(program).map((fault) => describe(fault, blocks))
    t.same(faults, [], names.map((file) => placeOf(blocks.get(file) as Block)).join(', '))
  }
})
