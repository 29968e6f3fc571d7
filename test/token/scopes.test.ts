import t from 'tap'
import { readScopes } from '../../lib/token/scopes.js'

t.test('the scopes of a token', async (t) => {
  const rows: Array<[payload: object, scopes: string[], claim?: string]> = [
    [{}, []],
    [{ scope: 'a b' }, ['a', 'b']],
    [{ scope: '  a   b ' }, ['a', 'b']],
    [{ scope: '' }, []],
    [{ scope: ['a', 'b c', ''] }, ['a', 'b c']],
    [{ scope: [] }, []],
    [{ scope: 'a\tb' }, ['a\tb']],
    [{ scope: 'A a' }, ['A', 'a']],
    [{ scp: 'a' }, ['a']],
    [{ scp: ['a'] }, ['a']],
    // The first that is present decides, however it looks.
    [{ scope: 'a', scp: 'b' }, ['a']],
    [{ scope: '', scp: 'b' }, []],
    [{ scope: null, scp: 'b' }, []],
    [{ scope: 7, scp: 'b' }, []],
    ...[null, 7, true, {}, { 0: 'a', length: 1 }, [7], ['a', 7], [['a']], [null]]
      .flatMap((scope): Array<[object, string[]]> => [[{ scope }, []], [{ scp: scope }, []]]),
    // Another claim is never merged in unasked.
    [{ permissions: ['a'], roles: ['a'], scopes: ['a'] }, []],
    [{ permissions: ['a'], scope: 'b', scp: 'c' }, ['a'], 'permissions'],
    [{ scope: 'b', scp: 'c' }, [], 'permissions'],
    [{ permissions: [7], scope: 'b' }, [], 'permissions'],
    [{ scp: 'a', scope: 'b' }, ['a'], 'scp'],
    // Nothing on a prototype is a claim.
    [Object.create({ scope: 'a', scp: 'a' }) as object, []],
    [{}, [], 'toString'],
    [{}, [], '__proto__']
  ]
  for (const [payload, scopes, claim] of rows) {
    t.same(readScopes(payload as Record<string, unknown>, claim), scopes, `${JSON.stringify(payload)} ${claim}`)
  }
})
