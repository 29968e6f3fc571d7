import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import * as testing from '../../lib/testing/index.js'

const lib = join(import.meta.dirname, '../../lib')

/** The files of the library that one of them loads, directly or through others. */
async function loadedBy (file: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(file)) return found
  found.add(file)
  const text = await readFile(join(lib, file), 'utf8')
  for (const [, name = ''] of text.matchAll(/^(?:import|export)(?! type)[^']*?'(\.[^']*)\.js'/gm)) {
    await loadedBy(join(dirname(file), `${name}.ts`), found)
  }
  return found
}

t.test('the test kit exports exactly these names', async (t) => {
  t.same(Object.keys(testing).sort(), [
    'ScopeAssertionError', 'assertDocumentMatchesGuards', 'assertIsolation', 'assertOwnership', 'createIssuer',
    'createKey',
    'routeTable', 'sendJson'
  ])
})

t.test('the plugin does not load the test kit', async (t) => {
  const [plugin, kit] = [await loadedBy('index.ts'), await loadedBy('testing/index.ts')]
  t.ok(plugin.has('guard/guard.ts') && kit.has('testing/ownership.ts'))
  t.same([...plugin].filter((file) => file.startsWith('testing/')), [])
})
