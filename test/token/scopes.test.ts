import t from 'tap'
import { createIssuer } from '../../lib/testing/index.js'
import { readScopes } from '../../lib/token/scopes.js'
import { bearer, build, secret, tokenFor } from '../support/host.js'

t.test('scopes are read from a string or a list', async (t) => {
  const rows: Array<[payload: object, scopes: string[], claim?: string]> = [
    [{}, []],
    [{ scope: 'a b' }, ['a', 'b']],
    [{ scope: '  a   b ' }, ['a', 'b']],
    [{ scope: '' }, []],
    [{ scope: ['a', 'b c', ''] }, ['a', 'b c']],
    [{ scope: [' a', 'b ', ' '] }, [' a', 'b ', ' ']],
    [{ scope: [] }, []],
    [{ scope: 'a\tb' }, ['a\tb']],
    [{ scope: 'a,b' }, ['a,b']],
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
    [Object.assign(Object.create({ scope: 'a' }) as object, { scp: 'b' }), ['b']],
    [{}, [], 'toString'],
    [{}, [], '__proto__']
  ]
  for (const [payload, scopes, claim] of rows) {
    t.same(readScopes(payload as Record<string, unknown>, claim), scopes, `${JSON.stringify(payload)} ${claim}`)
  }
})

t.test('option scopeClaim is for the secret, and each issuer has its own', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t, idPrefix: 'b:' })
  const options = { secret, scopeClaim: 'permissions', issuers: [{ ...issuer.entry, scopeClaim: 'roles' }] }
  const { send } = await build(t, options, {}, (app) => {
    app.get('/', { config: { access: { scopes: ['a'] } } }, async ({ user }) => user.scopes)
  })
  const rows: Array<[claims: object, ofSecret: number, ofIssuer: number]> = [
    [{ permissions: ['a'] }, 200, 403],
    [{ roles: ['a'] }, 403, 200],
    [{ scope: 'a' }, 403, 403],
    [{ scp: ['a'] }, 403, 403],
    [{ scope: 'a', permissions: [] }, 403, 403],
    [{ permissions: ['a'], roles: ['b'], scope: 'c' }, 200, 403]
  ]
  for (const [claims, ofSecret, ofIssuer] of rows) {
    const tokens = [tokenFor('alice', claims), await issuer.token({ id: 'b:alice', ...claims })]
    const answers = []
    for (const token of tokens) answers.push((await send({ url: '/', headers: bearer(token) })).status)
    t.same(answers, [ofSecret, ofIssuer], JSON.stringify(claims))
  }
})
