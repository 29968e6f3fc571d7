import t from 'tap'
import { missingLike, readId, subsets, type ObjectId } from '../../lib/testing/ids.js'

t.test('missingLike returns another id of the same form', async (t) => {
  const ids: Array<[id: ObjectId, missing: ObjectId]> = [
    [7, 2_000_000_007], ['7', '2000000007'], ['n12', 'n2000000012'], [1_999_999_991, 1_900_000_008],
    ['6f1ed002-ab34-4c56-8d78-90abcdef1234', '6f1ed002-ab34-4c56-8d78-90abcdef8765'],
    ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3NDEKTSV4RRFFQ30G4FAV'], ['abc', 'baa'], ['buy-milk', 'aaa-aaaa'],
    ['ёж', 'ёжx'], ['INV-0002', 'INV-9997'], ['0042', '9957'], ['T123', 'T2000000123'], ['T1234567', 'T8765432'],
    ['01ARZ3NDEKTSV4RRFFQABCDEFG', '01ARZ3NDEKTSV4RRFFABAAAAAA'],
    ['T1234', 'T8765'], ['5000', '2000005000'], ['0', '2000000000'], [0, 2_000_000_000]
  ]
  for (const [id, missing] of ids) t.equal(missingLike(id), missing, String(id))
  const made = ['f49.txt', 'f50.txt', 'k49.txt', 'k50.txt', 'a49.aaa']
  for (const [id, missing] of [['f48.txt', 'f51.txt'], ['x-f50.txt', 'x-a50.aaa'], ['k49.txt', 'k49.txtx']] as const) {
    t.equal(missingLike(id, (each) => [...made, 'x-f49.txt'].includes(each)), missing, `${id}, where others are made`)
  }
})

t.test('readId finds an id in an answer', async (t) => {
  const has = (body: unknown, id: ObjectId) => readId(typeof body === 'string' ? body : JSON.stringify(body), id).has
  for (const body of [{ a: 'n1' }, ['n1'], { n1: {} }, { a: [{ b: 'n1' }] }, 'n1', 'a;n1\nb', '"n1"',
    { href: '/api/bob/tasks/n1' }, { href: 'https://a.example/n1?x' }, 'urn:task:n1', ['n1.pdf'], { a: 'bob:n1' }]) {
    t.ok(has(body,
      'n1'), JSON.stringify(body))
  }
  for (const body of [{ a: 'n10' }, { a: 'the n1', b: 1 }, 'n10', 'a-n1', '', {}, null]) {
    t.notOk(has(body, 'n1'),
      JSON.stringify(body))
  }
  t.ok(has('/tasks/n+1+2', 'n+1+2'), 'no pattern')
  t.ok(has({ a: 'the n1' }, 'the n1'))
  t.ok(has({ a: '7f' }, '7f'), 'no number')
  for (const id of ['7', 7]) {
    for (const body of [{ id: 7 }, { task_id: '7' }, { ids: [7] }, [7], [3, 7], { 7: {} }, { ID: 7 }]) {
      t.ok(has(body, id),
        JSON.stringify(body))
    }
    for (const body of ['milk;7', { total: 7 }, { idle: 7 }, { id: 77 }, { list: [{ a: 1 }, 8] }, { 'week 7': 1 },
      [1, 2, 3, 4, 5, 6, 8, 9]]) {
      t.notOk(has(body,
        id), JSON.stringify(body))
    }
  }
  const text = (body: unknown, id: ObjectId) => readId(typeof body === 'string' ? body : JSON.stringify(body), id).text
  t.equal(text({ id: 'n.1', says: 'n.1 n.1 n.10', total: 1 }, 'n.1'), '{"id":"…","says":"… … n.10","total":1}')
  t.equal(text({ id: 7, total: 7, says: 'Task 7 of 77' }, 7), '{"id":"…","total":7,"says":"Task … of 77"}')
  t.equal(text('no task n1', 'n1'), 'no task …')
  t.same([readId('{"task_no":7}', 7).has, readId('{"task_no":7}', 7, 'task_no').has], [false, true])
  for (const id of [7, 17]) t.notOk(has({ href: `/tasks/${id}` }, id), 'a number could be anything')
  for (const id of ['1234567890123456', 'abcdefghijklmnop']) {
    for (const body of [`a_${id}`, { href: `/a/${id}` }, { says: `no ${id}` }, { [`a:${id}`]: 1 }, { [`${id}_`]: 1 }]) {
      t.ok(has(body, id), `nobody writes it by chance: ${JSON.stringify(body)}`)
    }
  }
  t.notOk(has({ a: { b: 1 } }, 'abcdefghijklmnop'))
  t.equal(text({ instance: '/tasks/task%3A2', says: 'no task:2' }, 'task:2'), '{"instance":"/tasks/…","says":"no …"}')
})

t.test('subsets', async (t) => {
  t.same(subsets(['a', 'b', 'c']), [['a'], ['b'], ['c'], ['a', 'b'], ['a', 'c'], ['b', 'c'], ['a', 'b', 'c']])
  t.same(subsets([]), [])
  t.equal(subsets(['a', 'b', 'c', 'd']).length, 15)
  const sizes = subsets(['a', 'b', 'c', 'd', 'e']).map(({ length }) => length)
  t.same(sizes, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 5], 'not 31')
})
