import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { optionsSchema } from '../../lib/options/options-schema.js'

t.test('all options are optional, and no other is known', async (t) => {
  t.ok(Value.Check(optionsSchema, {}))
  t.notOk(Value.Check(optionsSchema, { secert: 'x' }))
  t.notOk(Value.Check(optionsSchema, { cache: { ttl: 60, maxAge: 60 } }))
  t.notOk(Value.Check(optionsSchema, { openapi: { scheme: 'x' } }))
})
