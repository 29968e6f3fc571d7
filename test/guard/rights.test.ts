import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { getOwnerId, requireScopes, type AccessRule, type MayActFor, type RequiredScopes } from '../../lib/index.js'
import type { Judgement } from '../../lib/guard/judgement.js'
import { detailsOf } from '../../lib/contract/errors.js'
import { createRightsCheck, judgeScopes } from '../../lib/guard/rights.js'
import { readOptions } from '../../lib/options/settings.js'
import { judgeRoute } from '../../lib/routes/access.js'
import type { Verified } from '../../lib/token/verifier.js'
import { createIssuer } from '../../lib/testing/index.js'
import { bearer, build, refusals, secret, sign, tokenFor } from '../support/host.js'

const alice = bearer(tokenFor('alice'))

t.test('the check returns a promise only if the host does', async (t) => {
  const user = { id: 'bob', issuer: 'secret', scopes: ['a'], actor: null, claims: { exp: 1e10, org_id: 'acme' } }
  const verified: Verified = { user, isMachine: false, expiresAt: 1e10, weight: 0 }
  const bind = { org_id: 'org_id' }
  const judge = (access: AccessRule | undefined, params: object, mayActFor: MayActFor) => {
    const settings = readOptions({ secret, bind, mayActFor }, {})
    const url = `/${Object.keys(params).map((name) => `:${name}`).join('/')}`
    const demand = judgeRoute({ url, method: 'GET', ...access && { config: { access } } }, settings)
    t.equal(demand.fault, null)
    const request = { method: 'GET', url: '/', params, routeOptions: { url, method: 'GET' }, log: { error: () => {} } }
    return createRightsCheck(settings)(request as unknown as FastifyRequest, demand, verified, true)
  }
  const never = () => { throw new Error('asked') }
  const rows: Array<[what: string, judgement: unknown, expected: object]> = [
    ['own path', judge(undefined, { user_id: 'bob' }, never), { refusal: null, owner: 'bob' }],
    ['own path of a route with delegates', judge({ delegates: true }, { user_id: 'bob' }, never),
      { refusal: null, owner: 'bob' }],
    ["another's", judge(undefined, { user_id: 'alice' }, never),
      { refusal: { code: 'FORBIDDEN_USER_ACCESS' }, verified, demand: { level: 'owner' }, owner: 'alice' }],
    ['scopes', judge({ scopes: ['a'] }, {}, never), { refusal: null, owner: null }],
    ['a tenant', judge(undefined, { org_id: 'acme' }, never),
      { refusal: null, boundValues: new Map([['org_id', 'acme']]) }],
    ['a delegate by scope', judge({ delegates: { scopes: ['a'] } }, { user_id: 'alice' }, never),
      { owner: 'alice', delegated: { method: 'GET', params: { user_id: 'alice' } } }],
    ['a delegate by scope for what is no id', judge({ delegates: { scopes: ['a'] } }, { user_id: ' ' }, never),
      { refusal: { code: 'FORBIDDEN_USER_ACCESS' }, owner: null }],
    ['a delegate by a plain answer', judge({ delegates: true }, { user_id: 'alice' }, () => true),
      { owner: 'alice', delegated: { method: 'GET', params: { user_id: 'alice' } } }]
  ]
  for (const [what, judgement, expected] of rows) {
    t.notOk(judgement instanceof Promise, what)
    t.match(judgement, expected, what)
  }
  const asked = judge({ delegates: true }, { user_id: 'alice' }, async () => true)
  t.ok(asked instanceof Promise)
  t.match(await asked, { refusal: null, owner: 'alice', delegated: { method: 'GET', params: { user_id: 'alice' } } })
  // A route that asks for nothing beyond its level is judged as if there were no rules.
  const { demand, ...plain } = judge(undefined, {}, never) as Judgement
  t.match(demand, { level: 'user', source: 'default' })
  t.same(plain, { refusal: null, verified, owner: null, boundValues: new Map(), delegated: undefined, cached: true })
})

t.test('a missing scope is refused, and named in the challenge', async (t) => {
  const { send, log } = await build(t, {}, {}, (app) => {
    app.get('/all', { config: { access: { scopes: ['a', 'b'] } } }, async () => 'in')
    app.get('/any', { config: { access: { scopes: { anyOf: ['a', 'b'] } } } }, async () => 'in')
    app.get('/:user_id/own', { config: { access: { scopes: ['a'] } } }, async () => 'in')
  })
  const challenge = (scope: string) =>
    `Bearer realm="api", error="insufficient_scope", error_description="Insufficient scope", scope="${scope}"`
  const rows: Array<[url: string, scope: unknown, challenge: string | null]> = [
    ['/all', 'a b', null], ['/all', 'c b a', null], ['/all', ['a', 'b'], null],
    ['/all', 'a', challenge('a b')], ['/all', '', challenge('a b')], ['/all', undefined, challenge('a b')],
    ['/all', 'A B', challenge('a b')], ['/all', 'ab', challenge('a b')], ['/all', ['a b'], challenge('a b')],
    ['/any', 'a', null], ['/any', 'b', null], ['/any', 'c', challenge('a')],
    ['/alice/own', 'a', null], ['/alice/own', 'b', challenge('a')]
  ]
  for (const [url, scope, expected] of rows) {
    const {
      status, code, body,
      headers
    } = await send({ url, headers: bearer(sign({ sub: 'alice', exp: 1e10, scope })) })
    t.same([status, code, headers['www-authenticate']],
      expected === null ? [200, undefined, undefined] : [403, 'INSUFFICIENT_SCOPE', expected],
        `${url} ${JSON.stringify(scope)}`)
    if (expected) t.match(body, { statusCode: 403, error: 'Forbidden', message: 'Insufficient scope' })
  }
  // Ownership is judged first, and no consent would cure it.
  const other = await send({ url: '/bob/own', headers: alice })
  t.match(other, { status: 403, code: 'FORBIDDEN_USER_ACCESS' })
  t.notOk('www-authenticate' in other.headers)
  t.match(await send('/all'), { status: 401, headers: { 'www-authenticate': 'Bearer realm="api"' } })
  t.match(refusals(log)[0],
    { user: 'alice', reason: /^the token has the scopes \["a"\], and needs all of \["a","b"\]$/ })
  t.ok(refusals(log).some(({ reason }) => reason === 'the token has the scopes ["c"], and needs one of ["a","b"]'))
})

/** What is refused to a user with these scopes. */
const refusedScopes = (required: RequiredScopes, scopes: string[], claims: object = {}) => {
  const user = { id: 'alice', issuer: 'secret', scopes, actor: null, claims: { exp: 1e10, ...claims } }
  const refusal = judgeScopes(user, required)
  return refusal && detailsOf(refusal)
}

t.test('names that a header cannot hold are left out of the challenge', async (t) => {
  t.match(refusedScopes(['a', 'b"c', 'b\\c', 'd e', 'f\r\nx: y', '', 'é', '!~'], []), { scope: 'a !~' })
  t.match(refusedScopes({ anyOf: ['b', 'a'] }, []), { scope: 'b' })
  t.match(refusedScopes({ anyOf: ['b"c', 'a'] }, []), { scope: 'a' })
  t.equal(refusedScopes([], ['a']), null)
  t.match(refusedScopes({ anyOf: [] }, ['a']), { scope: '' })
})

t.test('the log says which other claim may have the scopes', async (t) => {
  const reasonOf = (...given: Parameters<typeof refusedScopes>) => refusedScopes(...given)?.reason
  const plain = 'the token has the scopes [] (in the claim of option "scopeClaim", by default "scope" or "scp"), and ' +
    'needs all of ["a"]'
  for (const claim of ['scope', 'scp', 'permissions', 'scopes', 'roles']) {
    const hint = `. Its claim "${claim}" counts only if option "scopeClaim" names it`
    t.equal(reasonOf(['a'], [], { iss: 'x', [claim]: ['a'] }), plain + hint)
    const beside = 'the token has the scopes ["b"], and needs all of ["a"]'
    t.equal(reasonOf(['a'], ['b'], { [claim]: ['a', 'c'] }), beside + hint, 'beside others')
    t.equal(reasonOf({ anyOf: ['a', 'b'] }, [], { [claim]: ['b'] })?.endsWith(hint), true)
    t.equal(reasonOf(['a'], [], { [claim]: ['b'] }), plain, 'it lacks them, too')
  }
  for (const claims of [{ rights: ['a'] }, { roles: [] }, { roles: 1 }]) t.equal(reasonOf(['a'], [], claims), plain)
  const { send, log } = await build(t, {}, {}, (app) => {
    app.get('/a', { config: { access: { scopes: ['a'] } } }, async () => 'in')
    app.get('/b', async (request) => { requireScopes(request, 'a' as never) })
  })
  const headers = bearer(sign({ sub: 'alice', exp: 1e10, permissions: ['a'] }))
  for (const url of ['/a', '/b']) await send({ url, headers })
  for (const { reason } of refusals(log)) t.match(reason, /Its claim "permissions" counts only/)
  t.equal(refusals(log).length, 2)
})

t.test('anyOf on Object.prototype does not turn "all of" into "one of"', async (t) => {
  const { prototype } = Object
  t.teardown(() => { Reflect.deleteProperty(prototype, 'anyOf') })
  Object.defineProperty(prototype, 'anyOf', { value: ['a'], configurable: true })
  t.match(refusedScopes(['a', 'b'], ['a']), { scope: 'a b' })
})

t.test('a token of an application never owns a path', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const options = { issuers: [issuer.entry], mayActFor: () => true, bind: { org_id: 'org_id' } }
  const { send, log } = await build(t, options, {},
    (app) => {
      const rules: Record<string, AccessRule> = {
        own: {},
        ask: { delegates: true },
        staff: { delegates: { scopes: ['staff'] } },
        machines: { delegates: { scopes: ['staff'], machines: true } }
      }
      for (const [name, rule] of Object.entries(rules)) {
        app.get(`/${name}/:user_id?`, Object.keys(rule).length > 0 ? { config: { access: rule } } : {},
          async (request) => getOwnerId(request))
      }
      app.get('/orgs/:org_id', async () => 'acme')
    })
  const client = { sub: 'batch', client_id: 'batch' }
  const rows: Array<[url: string, claims: object, answer: string]> = [
    ['/own/alice', { scope: 'staff' }, 'FORBIDDEN_USER_ACCESS'],
    ['/own/batch', { scope: 'staff' }, 'FORBIDDEN_USER_ACCESS'],
    ['/ask/alice', { scope: 'staff' }, 'FORBIDDEN_USER_ACCESS'],
    ['/staff/alice', { scope: 'staff' }, 'FORBIDDEN_USER_ACCESS'],
    ['/machines/alice', { scope: 'staff' }, 'alice'],
    ['/machines/batch', { scope: 'staff' }, 'batch'],
    ['/machines/', { scope: 'staff' }, 'FORBIDDEN_USER_ACCESS'],
    ['/machines', { scope: 'staff' }, 'FORBIDDEN_USER_ACCESS'],
    ['/machines/alice', { scope: 'other' }, 'FORBIDDEN_USER_ACCESS'],
    ['/machines/batch', {}, 'FORBIDDEN_USER_ACCESS'],
    ['/orgs/acme', { org_id: 'acme' }, 'acme'],
    ['/orgs/acme', {}, 'FORBIDDEN_RESOURCE_ACCESS']
  ]
  for (const [url, claims, answer] of rows) {
    const {
      code,
      body
    } = await send({ url, headers: bearer(await issuer.token({ id: 'batch', ...client, ...claims })) })
    t.equal(code ?? body, answer, `${url} ${JSON.stringify(claims)}`)
  }
  const { prototype } = Object
  t.teardown(() => { Reflect.deleteProperty(prototype, 'machines') })
  // Not enumerable, because others in this process go through the members of their objects.
  Object.defineProperty(prototype, 'machines', { value: true, configurable: true })
  const headers = bearer(await issuer.token({ id: 'batch', ...client, scope: 'staff' }))
  t.match(await send({ url: '/staff/alice', headers }), { code: 'FORBIDDEN_USER_ACCESS' }, 'no member of the rule')
  Reflect.deleteProperty(prototype, 'machines')
  const reason = 'the token is of an application and not of a user'
  const reasons = refusals(log).map((line) => line.reason)
  t.match(reasons.slice(0, 4), [reason, reason, reason, reason])
  const another = 'path parameter "user_id" is not the user\'s id'
  const lacking = (scopes: string) =>
    `${another}, and as a delegate's the token needs all of ["staff"]: it has ${scopes}`
  t.strictSame(reasons.slice(4, 8), [another, another, lacking('["other"]'), lacking('[]')])
})

t.test('bound parameters are compared again before the handler', async (t) => {
  const seen: unknown[] = []
  const { send, log } = await build(t, { bind: { org_id: 'orgs', team: ['o', 'team'] } }, {}, (app) => {
    app.addHook('preValidation', async (request) => {
      const { change } = request.query as { change?: string }
      if (change) request.params = { ...request.params as object, ...JSON.parse(change) as object }
    })
    const note = async ({ params }: FastifyRequest) => { seen.push(params); return 'in' }
    app.get('/:org_id/x', note)
    app.get('/:org_id/:team/:user_id', note)
    app.get('/n/:org_id', { schema: { params: { type: 'object', properties: { org_id: { type: 'integer' } } } } }, note)
    app.get('/opt/:org_id?', note)
    app.get('/unbound/:org_id', { config: { access: { level: 'user', unbound: ['org_id'] } } }, note)
    app.get('/open/:org_id', { config: { access: 'optional' } }, note)
    app.get('/public/:org_id', { config: { access: 'public' } }, note)
    app.get('/files/:org_id/*', note)
    app.get('/scoped/:org_id', { config: { access: { scopes: ['a'] } } }, note)
  })
  const headers = bearer(sign({ sub: 'alice', exp: 1e10, orgs: ['acme', 'b', '7'], o: { team: 'red' } }))
  const no = [403, 'FORBIDDEN_RESOURCE_ACCESS']
  const yes = [200, undefined]
  const rows: Array<[url: string, answer: unknown[]]> = [
    ['/acme/x', yes], ['/b/x', yes], ['/ACME/x', no], ['/c/x', no], ['//x', no], ['/%61cme/x', yes],
    ['/acme/red/alice', yes], ['/acme/blue/alice', no], ['/c/red/alice', no],
    ['/acme/red/bob', [403, 'FORBIDDEN_USER_ACCESS']],
    ['/c/blue/bob', [403, 'FORBIDDEN_USER_ACCESS']],
    ['/n/7', yes], ['/n/07', no], ['/opt/', no], ['/opt', no], ['/opt/acme', yes],
    ['/unbound/c', yes], ['/open/c', yes], ['/public/c', yes],
    ['/files/acme/a%2f..%2fb', no], ['/files/acme/a/b', yes],
    ['/scoped/c', no], ['/scoped/acme', [403, 'INSUFFICIENT_SCOPE']],
    ['/acme/x?change={"org_id":"b"}', no], ['/acme/x?change={"org_id":null}', no],
    ['/acme/x?change={"org_id":"acme"}', yes],
    ['/acme/red/alice?change={"team":"blue"}', no],
    ['/acme/red/alice?change={"user_id":"bob"}', [403, 'FORBIDDEN_USER_ACCESS']],
    ['/unbound/c?change={"org_id":"d"}', yes]
  ]
  for (const [url, answer] of rows) {
    seen.length = 0
    const { status, code } = await send({ url: url.replaceAll('"', '%22'), headers })
    t.same([status, code], answer, url)
    t.equal(seen.length, status === 200 ? 1 : 0)
  }
  t.match(refusals(log)[0],
    { user: 'alice', reason: 'path parameter "org_id" does not fit the claim "orgs" (option "bind")' })
  const reasons = refusals(log).map(({ reason }) => reason)
  t.ok(reasons.includes('path parameter "team" does not fit the claim ["o","team"] (option "bind")'))
})

t.test('the log says why a claim can fit no parameter', async (t) => {
  const { send, log } = await build(t, { bind: { org_id: 'org' } }, {}, (app) => {
    app.get('/:org_id/x', async () => 'in')
  })
  const [none, odd] = [', which the token does not have', ', which is no string and no list of strings']
  const rows: Array<[claims: object, says: string]> = [
    [{}, none], [{ org: 7 }, odd], [{ org: [{ id: '7' }] }, odd], [{ org: [] }, odd], [{ org: null }, odd],
    [{ org: '8' }, ''], [{ org: [7, '8'] }, '']
  ]
  for (const [claims, says] of rows) {
    t.match(await send({ url: '/7/x', headers: bearer(sign({ sub: 'alice', exp: 1e10, ...claims })) }), { status: 403 })
    t.equal(refusals(log).at(-1)?.reason, `path parameter "org_id" does not fit the claim "org"${says} (option "bind")`)
  }
})

t.test('a bound parameter that the declared URL does not show is compared too', async (t) => {
  const { send } = await build(t, { bind: { org_id: 'org_id' } }, {}, (app) => {
    app.get('/x/:id', async () => 'in')
  })
  t.match(await send({ url: '/x/1', headers: alice }), { status: 200 })
  t.match(await send({ url: '/x/a%2f..%2fb', headers: alice }), { status: 200 }, 'where nothing is compared')
  const settings = readOptions({ secret, bind: { org_id: 'org_id' } }, {})
  const demand = judgeRoute({ url: '/x/:id', method: 'GET' }, settings)
  const user = { id: 'alice', issuer: 'secret', scopes: [], actor: null, claims: { exp: 1e10, org_id: 'acme' } }
  const judge = (params: object) => createRightsCheck(settings)(
    { method: 'GET', url: '/', params } as unknown as FastifyRequest, demand,
    { user, isMachine: false, expiresAt: 1e10, weight: 0 }, false)
  t.match(judge({ org_id: 'acme' }), { refusal: null })
  t.match(judge({ org_id: 'b' }), { refusal: { code: 'FORBIDDEN_RESOURCE_ACCESS' } })
  t.match(judge({}), { refusal: null })
})
