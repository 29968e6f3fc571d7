import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { assertOptions, named, readTask, type Settings, type Task } from '../../lib/testing/settings.js'

async function read (t: Test, settings: Settings, known: string[] = []) {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const url of ['/a', '/b', '/docs/json']) app.get(url, async () => {})
  app.post('/a', async () => {})
  return await readTask(app, settings, named(...known), 'assertion')
}

/** What the task says at its end: of each name, its notes. An entry of options has no method of its own. */
function said ({ findings, conclude }: Task) {
  try { conclude('are wrong') } catch {}
  return findings.map(({ method, url, notes }) => [method + url, ...notes])
}

t.test('routes are allowed by name, HEAD with GET, or by expression', async (t) => {
  const task = await read(t, { allow: ['GET /a', 'HEAD /b', /^\w+ \/docs/g, 'GET /gone'] })
  const isAllowed = (method: string, url: string) => task.isAllowed({ method, url })
  t.same([isAllowed('GET', '/a'), isAllowed('HEAD', '/a'), isAllowed('POST', '/a')], [true, true, false])
  t.equal(isAllowed('GET', '/a/b'), false, 'a name is no expression')
  t.same([isAllowed('HEAD', '/b'), isAllowed('GET', '/b')], [true, false])
  t.same([isAllowed('GET', '/docs/json'), isAllowed('GET', '/docs/json')], [true, true],
    'a global expression does not go on where it was')
  t.same(said(task),
    [['GET /gone', 'allow names it, and it needs no exception: it is sound, or does not exist. ' +
      'Fix: remove it, or write its method, too: \'GET /api/…\'']])
})

t.test('entries for routes that another call judges count as used', async (t) => {
  const task =
    await read(t, { only: ({ method, url }) => `${method} ${url}` === 'POST /a', allow: ['GET /b', 'POST /a'] })
  t.same(task.judged.map(({ method, url }) => [method, url]), [['POST', '/a']])
  t.equal(task.routes.length, 7)
  t.same(said(task).map(([url]) => url), ['POST /a'])
})

t.test('params for unknown routes are reported', async (t) => {
  const task = await read(t, { params: { '*': {}, 'GET /a': {}, 'HEAD /a': {}, 'PUT /a': {} } })
  t.same(said(task),
    [['PUT /a', 'params name it, and the app has no such route. A name has its method: \'GET /api/…\'']])
})

t.test('the body of a request is not checked', async (t) => {
  const row: Record<string, unknown> = { title: 'x', note: undefined, toJSON: () => ({ title: 'x' }) }
  row.self = row
  for (const body of [row, Buffer.alloc(10), [undefined, 1], undefined]) {
    await t.resolves(read(t, { params: { 'GET /a': { body, query: undefined } } } as unknown as Settings))
  }
})

t.test('options of a wrong type are refused', async (t) => {
  const names =
    new TypeError("option \"allow\" must be a list of routes: allow: ['GET /users/:user_id', /^GET \\/docs/]")
  for (const allow of ['GET /a', /a/, null, {}, [undefined], ['GET /a', 1]]) {
    await t.rejects(read(t, { allow } as Settings), names)
  }
  await t.rejects(read(t, { alow: [] } as Settings, ['t']),
    new TypeError('unknown option "assertion.alow". Did you mean "allow"?'))
  await t.rejects(read(t, { params: { 'GET /a': { pat: {} } } } as unknown as Settings),
    new TypeError('unknown option "assertion.params.GET /a.pat". Did you mean "path"?'))
  for (const part of ['path', 'query', 'headers']) {
    await t.rejects(read(t, { params: { '*': { [part]: () => ({}) } } } as unknown as Settings),
      new TypeError(`option "assertion.params.*.${part}" must be an object: values by name`))
  }
  await t.rejects(read(t, { params: { '*': 'x' } } as unknown as Settings),
    new TypeError('option "assertion.params.*" must be an object: { path, query, headers, body }'))
  await t.rejects(read(t, { only: ['GET /a'] } as unknown as Settings),
    new TypeError('option "assertion.only" must be a function: ({ method, url }) => boolean'))
  await t.rejects(read(t, { params: null } as unknown as Settings),
    new TypeError('option "assertion.params" must be an object: what requests need, by route'))
})

const check = (options: unknown) => () => { assertOptions(named('params', 'allow'), options, 'assertOwnership') }

t.test('known options pass', async (t) => {
  for (const options of [{}, { params: {} }, { allow: undefined, params: {} }]) t.doesNotThrow(check(options))
})

t.test('an unknown option is named, with the one that was meant or the known ones', async (t) => {
  t.throws(check({ allow: [], parms: {} }),
    new TypeError('unknown option "assertOwnership.parms". Did you mean "params"?'))
  t.throws(check({ routes: [] }), new TypeError('unknown option "assertOwnership.routes". Use one of: params, allow'))
})

t.test('an inherited option or getter is accepted', async (t) => {
  class Options { get params () { return {} } }
  t.doesNotThrow(check(new Options()))
  const only = Type.Optional(Type.Function([], Type.Unknown(), { expects: 'a function' }))
  t.throws(() => { assertOptions({ only }, Object.create({ only: 1 }), 'assertion') },
    new TypeError('option "assertion.only" must be a function'))
})

t.test('an unknown option is named even if it is undefined', async (t) => {
  t.throws(check({ parms: undefined }), new TypeError('unknown option "assertOwnership.parms". Did you mean "params"?'))
})

t.test('options must be an object', async (t) => {
  for (const options of [undefined, null, 'params', [], () => {}]) {
    t.throws(check(options),
      new TypeError('assertOwnership() must be given an object with its options: params, allow'))
  }
})
