import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import * as testing from '../lib/testing.js'

const lib = join(import.meta.dirname, '../lib')

/** The files of the library that one of them loads, by whatever way round. */
async function loadedBy (file: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(file)) return found
  found.add(file)
  const text = await readFile(join(lib, file), 'utf8')
  const names = [...text.matchAll(/^(?:import|export)(?! type)[^']*?'\.\/([\w-]+)\.js'|import\('\.\/([\w-]+)\.js'\)/gm)].map((match) => match[1] ?? match[2])
  for (const name of names) await loadedBy(`${String(name)}.ts`, found)
  return found
}

t.test('what the test kit exports', async (t) => {
  t.same(Object.keys(testing).sort(), ['ScopeAssertionError', 'assertDocumentMatchesGuards', 'assertOwnership', 'createIssuer', 'createKey', 'routeTable', 'sendJson'])
})

t.test('the plugin loads nothing of it', async (t) => {
  const [plugin, kit] = [await loadedBy('index.ts'), await loadedBy('testing.ts')]
  t.ok(plugin.has('guard.ts') && kit.has('held-requests.ts'))
  const own = ['testing', 'test-issuer', 'secret-issuer', 'remote-issuer', 'test-tokens', 'test-context', 'ownership', 'held-requests', 'document-drift', 'app-routes', 'findings', 'people', 'known-options', 'request-body', 'sample-body', 'sample-value', 'schema-refs']
  for (const name of own) {
    t.ok(kit.has(`${name}.ts`), name)
    t.notOk(plugin.has(`${name}.ts`), name)
  }
})
