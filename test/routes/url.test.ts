import Fastify from 'fastify'
import t from 'tap'
import { closingBracket, parametersOf } from '../../lib/routes/url.js'

const urls: Array<[url: string, names: string[], words: string[], path: string]> = [
  ['/', [], [], '/'],
  ['/a/:user_id/b', ['user_id'], ['user_id'], '/a/1/b'],
  ['/a/:user_id?', ['user_id'], ['user_id', ''], '/a/1'],
  ['/a/:user-id', ['user'], ['user-id'], '/a/1-id'],
  ['/a/:x(^\\d+$)/b', ['x'], ['x'], '/a/1/b'],
  ['/a/:x(^[1\\)]$)/c', ['x'], ['x'], '/a/1/c'],
  ['/a/:x-:y.json', ['x', 'y'], ['x-', 'y', 'json', 'y', 'json'], '/a/1-1.json'],
  ['/a/:x(\\d+)h:y(\\d+)m', ['x', 'y'], ['x', 'y'], '/a/1h1m'],
  ['/a/:x(\\d):y(\\d)', ['x', 'y'], ['x', 'y'], '/a/12'],
  ['/a/:x(^(?:b|c)$)', ['x'], ['x'], '/a/b'],
  ['/a-:x?', ['x?'], ['x', ''], '/a-1'],
  ['/a/:x-:y?', ['x', 'y'], ['x-', 'y', '', 'y', ''], '/a/1-1'],
  ['/a-:x?y', ['x?y'], ['x', 'y'], '/a-1'],
  ['/a/:x(\\d):y?', ['x', 'y?'], ['x', 'y', ''], '/a/12'],
  ['/a/:x..y', ['x'], ['x', 'y'], '/a/1..y'],
  ['/a::b/:x', ['x'], ['x'], '/a:b/1'],
  ['/a/*', [], [], '/a/1']
]

t.test('parameters are read like the router reads them', async (t) => {
  for (const [url, names, , path] of urls) {
    t.same(parametersOf(url).map(({ name }) => name), names, url)
    const app = Fastify()
    app.get(url, async ({ params }) => Object.keys(params as object).filter((name) => name !== '*'))
    t.same((await app.inject(path)).json(), names, `${url} in the router`)
    await app.close()
  }
})

t.test('words are read like a person reads them', async (t) => {
  for (const [url, , words] of urls) t.same(parametersOf(url).flatMap((parameter) => parameter.words), words, url)
  t.same(parametersOf('/a/:x/b/:y').map(({ before }) => before), ['/a/', '/a/:x/b/'])
})

t.test('a parameter has the URL before it, its pattern and the URL after it', async (t) => {
  t.same(parametersOf('/a/:x(^\\d+$)h/:y-z'), [
    { name: 'x', words: ['x'], before: '/a/', pattern: '^\\d+$', after: 'h/:y-z' },
    { name: 'y', words: ['y-z'], before: '/a/:x(^\\d+$)h/', pattern: '', after: '-z' }
  ])
  t.same(parametersOf('/:/:x').map(({ name }) => name), ['', 'x'], 'without a name')
})

t.test('the end of a parameter\'s expression is found', async (t) => {
  t.same(['(a)b', '((a)b)c', '(\\)a)', '(a'].map((text) => closingBracket(text, 0)), [2, 5, 4, 2])
})
