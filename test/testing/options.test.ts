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

t.test('options are an object', async (t) => {
  for (const options of [undefined, null, 'params', [], () => {}]) {
    t.throws(check(options),
      new TypeError('assertOwnership() must be given an object with its options: params, allow'))
  }
})
