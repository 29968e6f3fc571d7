import t from 'tap'
import { atEnd } from '../lib/test-context.js'

t.test('what the test ends with is told to the runner, by the name that it has there', async (t) => {
  const calls: string[] = []
  const cleanUp = async () => { calls.push('cleaned') }
  const named = (name: string) => (given: () => Promise<void>) => { calls.push(name); return given() }
  atEnd({ teardown: named('teardown') }, cleanUp)
  atEnd({ after: named('after') }, cleanUp)
  atEnd({ onTestFinished: named('onTestFinished') }, cleanUp)
  t.same(calls, ['teardown', 'cleaned', 'after', 'cleaned', 'onTestFinished', 'cleaned'])
})
