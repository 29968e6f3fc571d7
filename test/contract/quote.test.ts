import t from 'tap'
import { quote } from '../../lib/contract/quote.js'

t.test('a value from outside is quoted as JSON and cut', async (t) => {
  const rows: Array<[value: unknown, quoted: string]> = [
    ['HS256', '"HS256"'],
    ['', '""'],
    ['a"b\n\u001b[31m', '"a\\"b\\n\\u001b[31m"'],
    ['x'.repeat(198), `"${'x'.repeat(198)}"`],
    ['x'.repeat(199), `"${'x'.repeat(199)}…`],
    ['x'.repeat(9999), `"${'x'.repeat(199)}…`],
    ['a\u0085\u009b\u2028\u202e\u2066b é', '"a\\u0085\\u009b\\u2028\\u202e\\u2066b é"'],
    ['\u2028'.repeat(99), `"${'\\u2028'.repeat(33)}\\…`],
    ['a\u200e\u061c\ufeff\u{e0041}b', '"a\\u200e\\u061c\\ufeff\\udb40\\udc41b"'],
    [undefined, 'nothing'],
    [null, 'null'],
    [5, '5'],
    [['HS256'], '["HS256"]'],
    [{ alg: 'HS256' }, '{"alg":"HS256"}']
  ]
  for (const [value, quoted] of rows) t.equal(quote(value), quoted)
})

t.test('a character of two units is escaped whole, or left out', async (t) => {
  t.equal(quote(`${'x'.repeat(199)}\u{e0041}`), `"${'x'.repeat(199)}…`)
  t.equal(quote(`${'x'.repeat(198)}\u{e0041}`), `"${'x'.repeat(198)}\\…`)
})
