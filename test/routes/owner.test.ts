import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { isSame, isStillSame, readParam } from '../../lib/routes/owner.js'

t.test('a path parameter is the user\'s id, string to string', async (t) => {
  const rows: Array<[param: unknown, id: string, own: boolean]> = [
    ['alice', 'alice', true], ['Alice', 'alice', false], ['alice ', 'alice', false], ['', '', false],
    [undefined, '', false], [undefined, 'undefined', false], [null, 'null', false], [7, '7', false],
    [['alice'], 'alice', false], ['caf\u00e9', 'cafe\u0301', false]
  ]
  for (const [param, id, own] of rows) t.equal(isSame(param, id), own, `${String(param)} ${id}`)
})

t.test('after validation the parameter may be a number that is written like the id', async (t) => {
  const rows: Array<[param: unknown, id: string, own: boolean]> = [
    ['alice', 'alice', true], [7, '7', true], [7n, '7', true], [7, '007', false], [1e21, '1e+21', true],
    [NaN, 'NaN', true], [true, 'true', false], ['', '', false], [null, 'null', false]
  ]
  for (const [param, id, own] of rows) t.equal(isStillSame(param, id), own, `${String(param)} ${id}`)
})

t.test('a parameter is read even if a hook has replaced or removed all of them', async (t) => {
  const read = (params: unknown) => readParam({ params } as FastifyRequest, 'user_id')
  t.same([{ user_id: 'a' }, {}, null, undefined].map(read), ['a', undefined, undefined, undefined])
})
