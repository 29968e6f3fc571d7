import t from 'tap'
import { basePaths } from '../../lib/testing/base-paths.js'

type Served = Parameters<typeof basePaths>[0]

const variables = { stage: { default: 'v1' } }
const cases: Array<[says: string, served: Omit<Served, 'paths'>, found: string[]]> = [
  ['nothing', {}, ['']],
  ['no servers', { servers: null }, ['']],
  ['a base path', { basePath: '/base' }, ['/base']],
  ['the root', { basePath: '/', servers: [{ url: '/' }, { url: 'https://tasks.example' }] }, []],
  ['servers', { servers: [{ url: '/base' }, { url: 'https://tasks.example/v1' }] }, ['', '/base', '/v1']],
  ['a variable', { servers: [{ url: 'https://tasks.example/{stage}', variables }] }, ['', '/v1']],
  ['a variable without a value', { servers: [{ url: '/{stage}' }, { url: '/{other}', variables }] },
    ['', '/{stage}', '/{other}']]
]

for (const [says, served, found] of cases) {
  t.test(`a document that states ${says}`, async (t) => {
    t.same(basePaths({ paths: {}, ...served }), found)
  })
}
