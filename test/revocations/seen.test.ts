import { randomBytes, randomUUID } from 'node:crypto'
import { assert, property, array, string } from 'fast-check'
import t from 'tap'
import { Seen } from '../../lib/revocations/seen.js'

t.test('every added id may be there', async (t) => {
  assert(property(array(string({ unit: 'binary', maxLength: 300 }), { maxLength: 100 }), (ids) => {
    const seen = new Seen()
    for (const id of ids) seen.add(id)
    return ids.every((id) => seen.mayHave(id))
  }), { numRuns: 300 })
  const seen = new Seen()
  const ids = Array.from({ length: 100_000 }, () => randomUUID())
  for (const id of ids) seen.add(id)
  t.ok(ids.every((id) => seen.mayHave(id)))
})

t.test('nearly all other ids are known not to be there', async (t) => {
  const shapes: Array<[string, (n: number) => string]> = [
    ['numbers', String],
    ['UUID', () => randomUUID()],
    ['with a prefix', () => `auth0|${randomBytes(12).toString('hex')}`]
  ]
  for (const [name, idOf] of shapes) {
    const seen = new Seen()
    t.notOk(seen.mayHave(idOf(0)), 'nothing was added')
    for (let n = 0; n < 100_000; n++) seen.add(idOf(n))
    const others = Array.from({ length: 10_000 }, (_, n) => idOf(100_000 + n))
    const mistaken = others.filter((id) => seen.mayHave(id)).length
    t.ok(mistaken < 40, `${name}: ${mistaken} of 10,000`)
    seen.clear()
    t.notOk(seen.mayHave(idOf(0)), 'cleared')
  }
})
