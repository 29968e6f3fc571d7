import t from 'tap'
import { IdMap } from '../../lib/revocations/id-map.js'

t.test('of any size, it has what was set and nothing else', async (t) => {
  const map = new IdMap()
  for (const size of [0, 1, 4096, 4097, 8192, 20_000]) {
    for (let n = map.size; n < size; n++) map.set(`user-${n}`, n)
    t.equal(map.size, size)
    const found = Array.from({ length: size }, (_, n) => map.get(`user-${n}`))
    t.ok(found.every((value, n) => value === n), `${size} ids`)
    const others = Array.from({ length: 5000 }, (_, n) => map.get(`other-${n}`))
    t.ok(others.every((value) => value === undefined))
  }
  map.set('user-7', -7)
  t.same([map.get('user-7'), map.size], [-7, 20_000])
  t.same([...map].slice(6, 9), [['user-6', 6], ['user-7', -7], ['user-8', 8]])

  map.deleteIf((value) => value % 2 === 0)
  t.same([map.size, map.get('user-8'), map.get('user-9')], [10_000, undefined, 9])
  map.deleteIf((value) => value > 9)
  t.same([...map], [['user-1', 1], ['user-3', 3], ['user-5', 5], ['user-7', -7], ['user-9', 9]])
  map.deleteIf(() => false)
  t.same([map.size, map.get('user-9'), map.get('user-11')], [5, 9, undefined])
})
