import t from 'tap'
import { isBelow, timeOf } from '../../lib/revocations/stream.js'

t.test('ids are ordered by time, then by number', async (t) => {
  const ids = ['0-0', '9-0', '10-2', '10-10', '1800000000000-0', '1800000000000-18446744073709551615']
  for (const [n, id] of ids.entries()) {
    for (const [m, other] of ids.entries()) t.equal(isBelow(id, other), n < m, `${id} ${other}`)
  }
  t.same(ids.map(timeOf), [0, 9, 10, 10, 18e11, 18e11])
})
