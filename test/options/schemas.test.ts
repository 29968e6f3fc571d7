import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { flag, seconds, text, texts } from '../../lib/options/schemas.js'

t.test('texts accepts one text or a list of them', async (t) => {
  const word = /^\w+$/
  for (const good of ['a', 'a b', 'é']) t.ok(Value.Check(text('any'), good))
  for (const bad of ['', ' ', '\n', 'a\r', ' a', 'a\u00a0']) t.notOk(Value.Check(text('any'), bad), JSON.stringify(bad))
  t.ok(Value.Check(text('a word', word), 'a'))
  t.notOk(Value.Check(text('a word', word), ' '))
  for (const good of ['a', ['a'], ['a', 'b']]) t.ok(Value.Check(texts('words', word), good))
  for (const bad of ['', [], ['a', ''], [['a']], null]) t.notOk(Value.Check(texts('words', word), bad))
})

t.test('schemas say what an error message expects', async (t) => {
  t.match(text('a word'), { expects: 'a word' })
  t.match(texts('words'), { expects: 'words' })
  t.match(flag, { expects: 'true or false' })
  t.match(seconds(0, 3600, 'an hour'), { expects: 'a number of seconds from 0 to 3600 (an hour)', maximum: 3600 })
  t.match(seconds(1, 60), { expects: 'a number of seconds from 1 to 60', minimum: 1 })
})
