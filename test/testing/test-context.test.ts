import t from 'tap'
import { atEnd } from '../../lib/testing/test-context.js'

t.test('what the test ends with is told to the runner, by the name that it has there', async (t) => {
  const calls: string[] = []
  const cleanUp = async () => { calls.push('cleaned') }
  const named = (name: string) => (given: () => Promise<void>) => { calls.push(name); return given() }
  atEnd({ teardown: named('teardown') }, cleanUp)
  atEnd({ after: named('after') }, cleanUp)
  atEnd({ onTestFinished: named('onTestFinished') }, cleanUp)
  t.same(calls, ['teardown', 'cleaned', 'after', 'cleaned', 'onTestFinished', 'cleaned'])
})

t.test('a context that ends nothing is refused', async (t) => {
  const message =
    'option "t" must be the context of a test, with teardown, after or onTestFinished; that of a hook has none: ' +
    'leave "t" out there, and call stop() when all is over'
  for (const context of [{}, { name: 'a hook' }, { after: undefined }, null, 1]) {
    t.throws(() =>
      atEnd(context as never, async () => {}), new TypeError(message))
  }
})
