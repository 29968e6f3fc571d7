import t from 'tap'
import { parseEntry, writeEntry, type Entry } from '../../lib/revocations/entry.js'

t.test('an entry can be written and parsed', async (t) => {
  const entries: Entry[] = [
    { kind: 'user', id: 'alice', issuer: '', moment: 0 },
    { kind: 'session', id: '"\\ é \u{1f600}', issuer: 'https://a.example', moment: 1_800_000_000 },
    { kind: 'token', id: '__proto__', issuer: 'secret', moment: 5 }
  ]
  for (const entry of entries) t.same(parseEntry(writeEntry(entry, 60)), { ...entry, keepFor: 60 })
})

t.test('anything else is not an entry', async (t) => {
  const good = { kind: 'user', id: 'alice', issuer: '', moment: 5, keepFor: 60 }
  const longest = { ...good, id: 'a'.repeat(65_536 - JSON.stringify({ ...good, id: '' }).length) }
  const texts = [
    undefined, null, 5, {}, '', 'null', '5', '[]', '{}', '{', '"user"', `${JSON.stringify(good)}x`,
    ...[
      { kind: 'group' }, { kind: 'constructor' }, { id: '' }, { id: 5 }, { issuer: null }, { moment: -1 },
      { moment: 0.5 }, { moment: '5' },
      { moment: null }, { moment: 1e300 }, { keepFor: 0 }, { keepFor: undefined }, { keepFor: 'x' },
      { keepFor: '60' }, { keepFor: true }, { keepFor: [60] },
      { id: `${longest.id}a` }
    ].map((change) => JSON.stringify({ ...good, ...change })),
    `{"__proto__":${JSON.stringify(good)}}`,
    JSON.stringify(good).replace('60', '1e400')
  ]
  for (const each of [good, longest]) t.ok(parseEntry(JSON.stringify(each)))
  for (const text of texts) t.equal(parseEntry(text), null, String(text).slice(0, 100))
})
