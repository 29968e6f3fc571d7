import t from 'tap'
import { quote } from '../../lib/contract/quote.js'

t.test('a value from outside', async (t) => {
  const rows: Array<[value: unknown, quoted: string]> = [
    ['HS256', '"HS256"'],
    ['', '""'],
    ['a"b\n\u001b[31m', '"a\\"b\\n\\u001b[31m"'],
    ['x'.repeat(200), `"${'x'.repeat(200)}"`],
    ['x'.repeat(200) + 'y', `"${'x'.repeat(200)}"`],
    [undefined, 'missing'],
    [null, 'not a string'],
    [5, 'not a string'],
    [['HS256'], 'not a string'],
    [{ toString: () => 'HS256' }, 'not a string']
  ]
  for (const [value, quoted] of rows) t.equal(quote(value), quoted)
})
