import { Type } from '@sinclair/typebox'
import t from 'tap'
import { assertOptions, named } from '../../lib/testing/options.js'

const check = (options: unknown) => () => { assertOptions(named('params', 'allow'), options, 'assertOwnership') }

t.test('what is known passes', async (t) => {
  for (const options of [{}, { params: {} }, { allow: undefined, params: {} }]) t.doesNotThrow(check(options))
})

t.test('another name is told, with the one that was meant, or those that there are', async (t) => {
  t.throws(check({ allow: [], parms: {} }),
    new TypeError('unknown option "assertOwnership.parms". Did you mean "params"?'))
  t.throws(check({ routes: [] }), new TypeError('unknown option "assertOwnership.routes". Use one of: params, allow'))
})

t.test('what is inherited, or a getter of a class, is an option too', async (t) => {
  class Options { get params () { return {} } }
  t.doesNotThrow(check(new Options()))
  const only = Type.Optional(Type.Function([], Type.Unknown(), { expects: 'a function' }))
  t.throws(() => { assertOptions({ only }, Object.create({ only: 1 }), 'assertion') },
    new TypeError('option "assertion.only" must be a function'))
})

t.test('a name that is unknown is told though its value is undefined', async (t) => {
  t.throws(check({ parms: undefined }), new TypeError('unknown option "assertOwnership.parms". Did you mean "params"?'))
})

t.test('options are an object', async (t) => {
  for (const options of [undefined, null, 'params', [], () => {}]) {
    t.throws(check(options),
      new TypeError('assertOwnership() must be given an object with its options: params, allow'))
  }
})
