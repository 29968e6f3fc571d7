import t from 'tap'
import type { Entry } from '../../lib/revocations/entry.js'
import { RevocationList } from '../../lib/revocations/list.js'

const entry = (id: string, moment: number, issuer = ''): Entry => ({ kind: 'user', id, issuer, moment })

t.test('of two entries about the same, the later moment counts', async (t) => {
  const list = new RevocationList()
  t.same([entry('a', 5), entry('a', 4), entry('a', 5), entry('a', 6), entry('b', 0)].map((each) => list.add(each)),
    [true, false, false, true, true])
  t.same(['a', 'b', 'c'].map((id) => list.find('user', id, 'secret')), [6, 0, -1])
  t.equal(list.find('session', 'a', 'secret'), -1)
  t.equal(list.size, 2)
})

t.test('an entry of an issuer, and one of all', async (t) => {
  const list = new RevocationList()
  list.add(entry('a', 5, 'x'))
  t.same(['x', 'y'].map((issuer) => list.find('user', 'a', issuer)), [5, -1])
  list.add(entry('a', 3))
  t.same(['x', 'y'].map((issuer) => list.find('user', 'a', issuer)), [5, 3])
  list.add(entry('a', 7))
  t.same(['x', 'y'].map((issuer) => list.find('user', 'a', issuer)), [7, 7])
  t.same([...list.entries()], [entry('a', 7), entry('a', 5, 'x')])
})

t.test('entries leave by their moment', async (t) => {
  const list = new RevocationList()
  for (const each of [entry('a', 5), entry('b', 6), entry('c', 5, 'x')]) list.add(each)
  list.deleteBefore(5)
  t.equal(list.size, 3)
  list.deleteBefore(6)
  t.same([...list.entries()], [entry('b', 6)])
})

t.test('a copy is another list, and what is found leaves it', async (t) => {
  const list = new RevocationList()
  for (const each of [entry('a', 5), entry('b', 6, 'x')]) list.add(each)
  const copy = list.copy()
  t.same([...copy.entries()], [...list.entries()])
  for (const less of [entry('a', 4), entry('b', 5, 'x'), entry('c', 9), entry('a', 9, 'y')]) copy.delete(less)
  t.equal(copy.size, 2)
  for (const each of [entry('a', 5), entry('b', 7, 'x')]) copy.delete(each)
  t.same([copy.size, list.size], [0, 2])
})
