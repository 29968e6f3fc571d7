import t from 'tap'
import { assertKnownOptions } from '../../lib/testing/known-options.js'

const check = (options: unknown) => () => assertKnownOptions(options, ['params', 'allow'], 'assertOwnership')

t.test('what is known passes', async (t) => {
  for (const options of [{}, { params: {} }, { allow: undefined, params: {} }]) t.doesNotThrow(check(options))
})

t.test('another name is told, with those that there are', async (t) => {
  t.throws(check({ allow: [], parms: {} }),
    new TypeError('assertOwnership has no option "parms": it has "params", "allow"'))
})

t.test('options are an object', async (t) => {
  for (const options of [undefined, null, 'params', [], () => {}]) {
    t.throws(check(options),
      new TypeError('assertOwnership takes its options as an object: it has "params", "allow"'))
  }
})
