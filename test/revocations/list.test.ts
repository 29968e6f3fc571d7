import t from 'tap'
import type { Entry } from '../../lib/revocations/entry.js'
import { marks, nextMark, RevocationList } from '../../lib/revocations/list.js'

const entry = (id: string, moment: number, issuer = ''): Entry => ({ kind: 'user', id, issuer, moment })
const all = (list: RevocationList) => [...list.without(-1, 0, 0)]

t.test('of two entries with the same id, the later moment counts', async (t) => {
  const list = new RevocationList()
  let told = 0
  list.onEntry.push(() => { told++ })
  const toldOf = (each: Entry) => {
    const before = told
    list.add(each)
    return told > before
  }
  t.same([entry('a', 5), entry('a', 4), entry('a', 5), entry('a', 6), entry('b', 0)].map(toldOf),
    [true, false, false, true, true])
  t.same(['a', 'b', 'c'].map((id) => list.user.find(id, 'secret')), [6, 0, -1])
  t.equal(list.session.find('a', 'secret'), -1)
  t.equal(list.size, 2)
})

t.test('an entry holds for one issuer or for all', async (t) => {
  const list = new RevocationList()
  list.add(entry('a', 5, 'x'))
  t.same(['x', 'y'].map((issuer) => list.user.find('a', issuer)), [5, -1])
  list.add(entry('a', 3))
  t.same(['x', 'y'].map((issuer) => list.user.find('a', issuer)), [5, 3])
  list.add(entry('a', 7))
  t.same(['x', 'y'].map((issuer) => list.user.find('a', issuer)), [7, 7])
  t.same(all(list), [entry('a', 7), entry('a', 5, 'x')])
})

t.test('each mark is followed by another that fits', async (t) => {
  t.same([0, 1, marks - 2, marks - 1].map(nextMark), [1, 2, marks - 1, 1])
})

t.test('entries with an earlier moment are deleted', async (t) => {
  const list = new RevocationList()
  for (const each of [entry('a', 5), entry('b', 6), entry('c', 5, 'x')]) list.add(each, marks - 1)
  list.deleteBefore(5)
  t.equal(list.size, 3)
  list.deleteBefore(6)
  t.same(all(list), [entry('b', 6)])
  t.same(['a', 'b', 'c'].map((id) => list.user.find(id, 'x')), [-1, 6, -1])
  t.same([...list.user.all()].map(([issuer]) => issuer), [''], 'and with the last one its issuer')
})

t.test('a long list finds its entries and nothing else', async (t) => {
  const list = new RevocationList()
  const ids = (from: number) => Array.from({ length: 6000 }, (_, n) => `user-${from + n}`)
  const find = (from: number, issuer = '') => new Set(ids(from).map((id) => list.user.find(id, issuer)))
  for (const id of ids(0)) list.add(entry(id, 5))
  for (const id of ids(6000)) list.add(entry(id, 7, 'x'))
  t.same([find(0), find(0, 'x'), find(6000, 'x'), find(6000), find(12_000, 'x')],
    [5, 5, 7, -1, -1].map((each) => new Set([each])))
  list.deleteBefore(6)
  t.same([find(0), find(6000, 'x')], [new Set([-1]), new Set([7])])
})

t.test('a mark tells which entries the store lacks', async (t) => {
  const list = new RevocationList()
  const latest = 2 ** 33 - 1
  for (const each of [entry('a', 5), entry('b', 6, 'x'), entry('c', latest), entry('d', 8)]) list.add(each)
  list.add(entry('a', 5), 7)
  list.add(entry('b', 5, 'x'), 7)
  list.add(entry('c', latest), 7)
  t.same([...list.without(7, 0, 0)], [entry('d', 8), entry('b', 6, 'x')], 'an earlier moment is not the same')
  t.same([...list.without(7, 3, 0)], [entry('b', 6, 'x')], 'from the fourth on')
  t.same([...list.without(0, 0, 0)], [entry('a', 5), entry('c', latest)])
  t.same([...list.without(7, 0, 8)], [entry('d', 8)], 'no earlier moment')
  const seen: Entry[] = []
  for (const each of list.without(7, 0, 0)) {
    seen.push(each)
    list.add(entry('b', 6, 'x'), 7)
  }
  t.same(seen, [entry('d', 8)], 'what is shown meanwhile is left out')
  list.add(entry('a', 6))
  t.equal([...list.without(7, 0, 0)].length, 2, 'a later moment was not shown')
})
