import t from 'tap'
import { sampleText } from '../../lib/testing/sample-text.js'

const patterns = [
  '', '^a$', '^[A-Z]{3}-\\d{4}$', '^\\w+@\\w+\\.com$', '^(foo|bar)+$', '^(?:a|b)?c*d+?$', '^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$',
  '^\\+?[1-9]\\d{1,14}$', '^[^a1]$', '^(?=\\w)\\w{2,}$', '^(?<year>\\d{4})$', '^\\x41\\u0042$', '^\\p{Lu}{2}$', '^\\/a\\.b$', '^[\\]x]{2}$', '^.{3,}$', '\\bword\\b', '^\\s\\S$', '^[é]$', '^\\cA?z$', '^[$§]{2,3}$', '^a{2}b{0}$'
]

for (const pattern of patterns) {
  t.test(pattern, async (t) => {
    t.match(sampleText(pattern), new RegExp(pattern, pattern.includes('\\p') ? 'u' : ''))
  })
}

t.test('as long as is asked for', async (t) => {
  t.equal(sampleText('^[a-z]+$', 5)?.length, 6)
  t.equal(sampleText('^[a-z]*$', 1), 'a')
  t.equal(sampleText('^[a-z]{2,}$', 2), 'aa')
  t.equal(sampleText('^ab$', 5), undefined)
})

t.test('undefined where none is found', async (t) => {
  for (const pattern of ['^(?=.*\\d)\\w{2,}$', '(', '^\\1$x', '^[\\u4e00-\\u9fff]$']) t.equal(sampleText(pattern), undefined, pattern)
})
