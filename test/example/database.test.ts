import t from 'tap'
import { root, run } from '../support/example.js'

t.test("the embedded database keeps writes of one request out of another's transaction", async (t) => {
  const { prints, ended } = run(t, {}, root, 'node --import tsx test/support/transaction.ts')
  t.same(JSON.parse(await prints(/\n$/)), ['beside'])
  t.same(await ended, { code: 0, stderr: '' })
})
