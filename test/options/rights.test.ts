import t from 'tap'
import type { UserScopeOptions } from '../../lib/index.js'
import { isSafe, readRights } from '../../lib/options/rights.js'
import { readOptions } from '../../lib/options/settings.js'
import { secret } from '../support/host.js'

t.test('defaults apply, and stated options replace them', async (t) => {
  t.same(readRights({}), { bind: [], mayActFor: undefined, impersonation: 'allow', logUser: true })
  const mayActFor = () => true
  const bind = { org_id: 'org_id', team: ['o', 'id'] }
  const settings = readOptions({
    secret,
    bind,
    mayActFor,
    impersonation: 'refuse',
    logUser: false,
    scopeClaim: 'permissions'
  }, {})
  t.match(settings, { mayActFor, impersonation: 'refuse', logUser: false })
  t.same(settings.bind, [{ param: 'org_id', path: ['org_id'] }, { param: 'team', path: ['o', 'id'] }])
  t.match(settings.claimRules, { scopeClaim: 'permissions', refusesActors: true })
  // The host's own list may change later.
  bind.team.push('x')
  t.same(settings.bind[1]?.path, ['o', 'id'])
  t.ok(Object.isFrozen(settings.bind) && Object.isFrozen(settings.bind[0]) && Object.isFrozen(settings.bind[0]?.path))
})

t.test('only GET, HEAD and OPTIONS are safe methods', async (t) => {
  const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND', 'get', '']
  t.same(methods.filter(isSafe), ['GET', 'HEAD', 'OPTIONS'])
})

t.test('wrong rights options stop the boot', async (t) => {
  const params = 'must be an object: path parameter (letters, digits and underscores, no colon) to the name of a ' +
    'claim, or to a list of names that leads to a nested one; at least one parameter'
  const rows: Array<[options: object, says: string]> = [
    [{ bind: {} }, `option "bind" ${params}`],
    [{ bind: [] }, `option "bind" ${params}`],
    [{ bind: 'org_id' }, `option "bind" ${params}`],
    ...['*', 'org-id', '', 'a b', ':org_id',
      '__proto__x y'].map((name): [object, string] => [{ bind: { [name]: 'org_id' } }, 'option "bind']),
    [JSON.parse('{ "bind": { "__proto__": "x" } }') as object, 'option "bind'],
    ...['', [], ['o', ''], 7, undefined].map((claim): [object, string] => [{ bind: { org_id: 'o', team: claim } },
      'option "bind.team" must be the name of a claim, or a list of names that leads to a nested one']),
    [{ bind: { user_id: 'sub' } }, 'option "bind.user_id" is the owner\'s parameter'],
    [{ bind: { account: 'sub' }, userIdParam: 'account' }, 'option "bind.account" is the owner\'s parameter'],
    [{ mayActFor: true },
      'option "mayActFor" must be a function that answers { user, ownerId, method, route, params }'],
    [{ mayActFor: undefined }, 'option "mayActFor" is undefined'],
    [{ scopeClaim: '' }, 'option "scopeClaim" must be the name of a claim'],
    [{ scopeClaim: ['realm_access', 'roles'] }, '(one inside another claim cannot be read)'],
    [{ impersonation: 'readonly' },
      'option "impersonation" must be \'allow\', \'read-only\' or \'refuse\'. Did you mean "read-only"?'],
    [{ impersonation: false }, 'option "impersonation" must be'],
    [{ logUser: 'no' }, 'option "logUser" must be true or false'],
    [{ mayActfor: () => true }, 'unknown option "mayActfor". Did you mean "mayActFor"?']
  ]
  for (const [options, says] of rows) {
    const text = JSON.stringify(options)
    let fault: Error | null = null
    try {
      readOptions({ secret, ...options } as UserScopeOptions, {})
    } catch (error) {
      fault = error as Error
    }
    t.match(fault, { code: 'FST_USER_SCOPE_INVALID_OPTION' }, text)
    t.ok(fault?.message.includes(says), `${text}: ${fault?.message}`)
  }
  const entry = { issuer: 'https://a.example', audience: 'api', jwksUri: 'https://a.example/jwks' }
  t.throws(() => readOptions({ issuers: [entry], scopeClaim: 'scp' }, {}),
    /option "scopeClaim" is for tokens signed with a secret/)
  t.equal(readOptions({ issuers: [{ ...entry, scopeClaim: 'scp' }] }, {}).issuers[0]?.scopeClaim, 'scp')
})
