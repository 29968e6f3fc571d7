import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import t from 'tap'
import userScope, { InvalidOptionError, type IssuerOptions, type UserScopeOptions } from '../../lib/index.js'
import { issuerRules, readOptions } from '../../lib/options/settings.js'
import { bearer, build, longSecret, now, secret, sender, sign, tokenFor } from '../support/host.js'
import { sameLength } from '../support/same-length.js'

const entry = { issuer: 'https://issuer.example.com', audience: 'api', jwksUri: 'https://issuer.example.com/jwks' }

const refused: Array<[options: unknown, says: string]> = [
  [{ audiance: 'x' }, 'unknown option "audiance". Did you mean "audience"?'],
  [{ secert: secret }, 'unknown option "secert". Did you mean "secret"?'],
  [{ constructor: 1 }, 'unknown option "constructor". Use one of: secret, '],
  [{ exclude: ['/health'] }, 'cache, openapi; who may call a route stands in its config.access'],
  [{ issuers: [{ ...entry, clockTolerance: 9 }] },
    'allowInsecureJwks, fetch; clockTolerance, maxTokenAge and claims are options of the plugin'],
  [
    { prefix: '/api' },
    'unknown option "prefix". To guard only the routes below a prefix, ' +
      'register the plugin inside a context that has the prefix'
  ],
  // Known to the design, and to nobody yet.
  [{ sources: ['header'] }, 'unknown option "sources"'],
  [{ resource: { url: 'https://api.example.com' } }, 'unknown option "resource"'],
  [{ revocations: { backchannelLogout: {} } }, 'unknown option "revocations.backchannelLogout"'],
  [{ secret: 5 }, 'option "secret" must be a string, or a list of strings with the current secret first'],
  [{ secret: [] }, 'option "secret" must be a string, or a list'],
  [{ secret: [secret, 5] }, 'option "secret" must be a string, or a list'],
  // What @fastify/jwt takes, for keys that are fetched and for a key pair.
  ...[async () => secret, { public: 'pem' }].map((value): typeof refused[number] => (
    [{ secret: value }, 'current secret first (keys of an issuer: option "issuers")']
  )),
  [{ secret: undefined }, 'option "secret" is undefined. Fix: give it a value'],
  [{ audience: undefined }, 'option "audience" is undefined'],
  [{ issuer: '' }, 'option "issuer" must be a non-empty string'],
  ...['https://a.example\n', ' https://a.example', 'https://a.example\r'].flatMap((value): typeof refused => [
    [{ issuer: value }, 'without white space at its ends'],
    [{ audience: value }, 'without white space at its ends'],
    [{ issuers: [{ ...entry, issuer: value }] }, 'option "issuers.0.issuer" must be a non-empty string'],
    [{ issuers: [{ ...entry, audience: [value] }] }, 'option "issuers.0.audience" must be a non-empty string'],
    [{ userIdClaim: value }, 'option "userIdClaim" must be the name of a claim, without white space at its ends']
  ]),
  [{ issuer: null }, 'option "issuer" must be a non-empty string'],
  [{ audience: ['a'] }, 'option "audience" must be a non-empty string'],
  ...['issuer', 'audience'].map((name): typeof refused[number] => (
    [{ [name]: ['a', 'b'] }, 'without white space at its ends (one of several: by a schema in option "claims")']
  )),
  [{ algorithms: [] }, 'option "algorithms" must be a list of HS256, HS384 and HS512'],
  [{ algorithms: ['RS256'] }, 'option "algorithms" must be a list of HS256, HS384 and HS512'],
  [{ algorithms: ['none'] }, 'must be a list of HS256, HS384 and HS512'],
  [{ algorithms: 'HS256' }, 'option "algorithms" must be'],
  [{ algorithms: ['HS256', 'HS256'] }, 'option "algorithms" must be'],
  [{ userIdClaim: '' }, 'option "userIdClaim" must be the name of a claim'],
  ...['email', 'updateTo', 'requestType'].map((userIdClaim): [unknown, string] =>
    [{ userIdClaim }, `option "userIdClaim" is "${userIdClaim}", which other tokens of the same secret carry too`]),
  [{ userIdClaim: 'email', issuers: [{ ...entry, idPrefix: '' }] }, 'option "userIdClaim" is "email"'],
  [{ userIdClaim: 'email' }, 'Fix: state option "issuer" or "audience", or take the id from "sub"'],
  [
    { userIdParam: 'user-id' },
    'option "userIdParam" must be the name of a path parameter: letters, digits and underscores'
  ],
  [{ userIdParam: ':user_id' }, 'option "userIdParam" must be'],
  [{ userIdParam: '__proto__' }, 'option "userIdParam" must be'],
  [{ clockTolerance: -1 }, 'option "clockTolerance" must be a number of seconds from 0 to 3600'],
  [{ clockTolerance: '5' }, 'option "clockTolerance" must be'],
  [{ clockTolerance: Number.NaN }, 'option "clockTolerance" must be'],
  [{ clockTolerance: Infinity }, 'option "clockTolerance" must be'],
  [{ maxTokenAge: 0 }, 'option "maxTokenAge" must be a number of seconds from 1'],
  [{ maxTokenAge: '1h' }, 'option "maxTokenAge" must be'],
  [{ decoratorName: 'not a name' }, 'option "decoratorName" must be a JavaScript identifier'],
  [{ decoratorName: '__proto__' }, 'option "decoratorName" must be'],
  [{ decoratorName: 'validationError' }, 'option "decoratorName" must be a JavaScript identifier, but for'],
  [{ cache: { max: 0 } }, 'option "cache.max" must be a number of tokens from 1 to 10000000'],
  [{ openapi: true },
    'option "openapi" must be left out, or be false, or an object with schemeName, description and decorator'],
  [{ openapi: { schemename: 'x' } }, 'unknown option "openapi.schemename". Did you mean "schemeName"?'],
  [{ openapi: { schemeName: 'a b' } }, 'option "openapi.schemeName" must be a component name'],
  [{ openapi: { description: 5 } }, 'option "openapi.description" must be a string'],
  [{ openapi: { decorator: 5 } }, 'option "openapi.decorator" must be the name of a decorator, or a list of names'],
  [{ openapi: { decorator: '' } }, 'option "openapi.decorator" must be the name of a decorator'],
  [{ openapi: { decorator: [] } }, 'option "openapi.decorator" must be the name of a decorator'],
  [{ openapi: { decorator: ['docs', ''] } }, 'option "openapi.decorator" must be the name of a decorator'],
  [{ openapi: { decorator: undefined } }, 'option "openapi.decorator" is undefined']
]

t.test('without options, every setting has its default', async (t) => {
  const settings = readOptions({ secret }, {})
  t.match(settings, sameLength({
    secrets: [secret],
    issuers: [],
    algorithms: ['HS256'],
    claimRules: {
      issuer: undefined,
      audience: undefined,
      clockTolerance: 5,
      maxTokenAge: undefined,
      userIdClaim: undefined,
      scopeClaim: undefined,
      refusesActors: false,
      idPrefix: '',
      types: ['jwt'],
      verifiedBy: 'secret'
    },
    bind: [],
    mayActFor: undefined,
    impersonation: 'allow',
    logUser: true,
    revocations: null,
    cache: { max: 10_000, ttl: 300 },
    userIdParam: 'user_id',
    requireStatedAccess: false,
    decoratorName: 'user',
    openapi: {
      schemeName: 'bearerAuth',
      description: 'The JWT of a signed-in user.',
      decorators: undefined,
      readOnlyActors: false
    }
  }))
  t.same(settings.claimRules.requiredClaims, {})
  t.equal(readOptions({ secret, openapi: false }, {}).openapi, false)
  const named = { schemeName: 'jwt', description: 'A token.' }
  const openapi = { ...named, decorator: ['a', 'b'] }
  t.match(readOptions({ secret, impersonation: 'read-only', requireStatedAccess: true, openapi }, {}), sameLength({
    requireStatedAccess: true, openapi: { ...named, decorators: ['a', 'b'], readOnlyActors: true }
  }))
  t.match(readOptions({ secret, openapi: { decorator: 'a' } }, {}).openapi, sameLength({ decorators: ['a'] }))
  t.equal(settings.claimRules.faultBySchema({}), null)
  t.match(readOptions({ secret, revocations: true }, {}).revocations, { store: null, keepFor: 2_592_000 })
  t.match(readOptions({ secret, cache: {} }, {}).cache, { max: 10_000, ttl: 300 })
  t.same(readOptions({ secret, cache: { max: 5, ttl: 7 } }, {}).cache, { max: 5, ttl: 7 })
  t.equal(readOptions({ secret, cache: false }, {}).cache, false)
  const environment = { BETTER_AUTH_SECRETS: `1:${secret}`, BETTER_AUTH_SECRET: secret }
  const { issuers: [issuer], secrets } = readOptions({ issuers: [entry] }, environment)
  t.same(secrets, [], 'with issuers the environment is not read')
  t.match(issuer, { userIdClaim: 'sub', scopeClaim: undefined, idPrefix: '' })
})

t.test('tokens of an issuer are judged by the rules of its entry', async (t) => {
  const stated = { typ: 'at+jwt', userIdClaim: 'oid', scopeClaim: 'roles', requiredClaims: { azp: 'web' } }
  const settings = readOptions({ secret, scopeClaim: 'scp', issuers: [{ ...entry, ...stated, idPrefix: 'a:' }] }, {})
  const [issuer] = settings.issuers
  const { typ: _, ...rest } = stated
  t.match(issuerRules(settings, issuer!), sameLength({
    ...rest,
    ...{ issuer: entry.issuer, verifiedBy: entry.issuer, audience: ['api'], idPrefix: 'a:', types: ['at+jwt'] },
    ...{ isMachine: issuer!.isMachine, otherTokens: issuer!.otherTokens, requiredClaims: { azp: ['web'] } },
    isRemote: true
  }))
  t.match(settings.claimRules, { scopeClaim: 'scp', isRemote: false })
  const [plain] = readOptions({ secret, issuers: [{ ...entry, idPrefix: '' }] }, {}).issuers
  t.equal(issuerRules(settings, plain!).scopeClaim, undefined, 'that of the secret does not count')
})

for (const [options, says] of refused) {
  t.test(`stops the boot: ${says}`, async (t) => {
    const app = Fastify()
    const boot = app.register(userScope, { secret, ...options as UserScopeOptions })
    const error = await boot.then(() => null, (error: Error) => error)
    t.ok(error instanceof InvalidOptionError)
    t.ok(error?.message.includes(says), String(error?.message))
  })
}

t.test('an inherited or computed option that is undefined stops the boot', async (t) => {
  class Options { secret = secret; get audience () { return undefined } }
  for (const options of [
    new Options(),
    Object.create({ secret, audience: undefined }) as object,
    Object.defineProperty({ secret }, 'audience', { value: undefined })
  ]) {
    const boot = async () => { await Fastify().register(userScope, options as unknown as UserScopeOptions) }
    await t.rejects(boot, { message: /option "audience" is undefined/ })
  }
})

t.test('a promise, a Map or another object without options stops the boot', async (t) => {
  const store = { publish: async () => {}, follow: async function * () { yield [] } }
  const rows: Array<[options: unknown, says: string]> = [
    [Promise.resolve({ secret, audience: 'api' }), 'the options must be an object. Fix: '],
    [new Map([['secret', secret]]), 'the options must be an object. Fix: '],
    [{ secret, revocations: Promise.resolve(store) }, 'option "revocations.store" must be a store'],
    [{ secret, revocations: new Map() }, 'option "revocations.store" must be a store'],
    [{ secret, revocations: { store: Promise.resolve(store) } }, 'option "revocations.store" must be a store'],
    [{ secret, cache: new Map([['max', 1]]) }, 'option "cache" must be left out, or be false, or an object'],
    [{ secret, openapi: Promise.resolve({}) }, 'option "openapi" must be left out, or be false, or an object'],
    [{ secret, bind: new Map([['org', 'org']]) }, 'option "bind" must be'],
    [{ issuers: [{ ...entry, requiredClaims: new Map() }] }, 'option "issuers.0.requiredClaims" must be an object'],
    [{ issuers: [{ ...entry, machine: new Map() }] }, 'option "issuers.0.machine" must be an object']
  ]
  for (const [options, says] of rows) {
    const boot = async () => { await Fastify().register(userScope, options as UserScopeOptions) }
    await t.rejects(boot, { code: 'FST_USER_SCOPE_INVALID_OPTION', message: says })
  }
})

t.test('options that a class inherits count', async (t) => {
  class Options {
    secret = secret
    get impersonation () { return 'read-only' as const }
    mayActFor () { return false }
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userScope, new Options())
  app.post('/api/:user_id', { config: { access: { delegates: true } } }, async () => 'written')
  const headers = bearer(sign({ sub: 'alice', exp: now() + 60, act: { sub: 'admin' } }))
  const { statusCode } = await app.inject({ method: 'POST', url: '/api/alice', headers })
  t.equal(statusCode, 403, 'an actor may only read')
  class Unused { issuers = [entry]; get audience () { return 'api' } }
  const boot = async () => { await Fastify().register(userScope, new Unused()) }
  await t.rejects(boot, { message: /option "audience"/ })
})

t.test('userIdClaim may be "email" if a verification link cannot pass for a token', async (t) => {
  const rows = [[{ issuer: 'app' }, { iss: 'app' }], [{ audience: 'api' }, { aud: 'api' }]] as const
  for (const [options, claims] of rows) {
    const { send } = await build(t, { userIdClaim: 'email', ...options })
    const headers = bearer(sign({ email: 'a@example.org', exp: now() + 60, ...claims }))
    t.match(await send({ url: '/api/me', headers }), { status: 200, body: { user: 'a@example.org' } })
    t.match(
      await send({ url: '/api/me', headers: bearer(sign({ email: 'a@example.org', exp: now() + 60 })) }),
      { status: 401 }
    )
  }
  await build(t, { userIdClaim: 'exp' })
  await build(t, { userIdClaim: 'userId' }) // of links whose header is another
  const app = Fastify()
  await app.register(userScope, { issuers: [{ ...entry, userIdClaim: 'email', lazy: true }] })
})

t.test('an option of an issuer beside the others is told where it belongs', async (t) => {
  for (const name of ['jwksUri', 'idPrefix', 'lazy']) {
    t.throws(() => readOptions({ secret, [name]: 'x' }, {}),
      { message: new RegExp(`unknown option "${name}"\\. It belongs in an entry of option "issuers"$`) })
  }
})

t.test('options that are not an object stop the boot', async (t) => {
  await t.rejects(
    async () => { await Fastify().register(userScope, 5 as unknown as UserScopeOptions) },
    { message: /the options must be an object/ }
  )
})

t.test('a decorator name that is already used stops the boot', async (t) => {
  for (const taken of ['user', 'id', 'params', 'headers', 'routeOptions']) {
    const app = Fastify()
    if (taken === 'user') app.decorateRequest('user')
    await t.rejects(async () => { await app.register(userScope, { secret, decoratorName: taken }) }, {
      code: 'FST_USER_SCOPE_INVALID_OPTION',
      message: `fastify-user-scope: option "decoratorName": the request already has a property "${taken}" ` +
        '(@fastify/jwt and @fastify/passport add one named "user"). Choose another name here or there'
    })
  }
})

t.test('options are never changed, and may be frozen', async (t) => {
  const claims = Type.Object({ role: Type.String() })
  const options: UserScopeOptions = { secret: [secret], algorithms: ['HS256'], openapi: { schemeName: 'jwt' }, claims }
  const copy = structuredClone({ ...options, claims: undefined })
  Object.values(options).forEach(Object.freeze)
  await build(t, Object.freeze(options))
  t.same({ ...options, claims: undefined }, copy)
  t.notOk(Object.isFrozen(claims.properties))
})

t.test('the lists of the host are copied, so the host may still change its own', async (t) => {
  const lists = {
    secret: [secret],
    algorithms: ['HS256'] as UserScopeOptions['algorithms'] & {},
    ofIssuer: ['EdDSA'] as IssuerOptions['algorithms'] & {},
    audience: ['api'],
    typ: ['JWT'],
    azp: ['web'],
    path: ['org', 'id'],
    decorator: ['swagger']
  }
  const { ofIssuer, audience, typ, azp, path, decorator, ...rest } = lists
  const issuers = [{ ...entry, algorithms: ofIssuer, audience, typ, requiredClaims: { azp }, idPrefix: '' }]
  readOptions({ ...rest, issuers, bind: { org_id: path }, openapi: { decorator } }, {})
  for (const [name, list] of Object.entries(lists)) t.notOk(Object.isFrozen(list), name)
})

t.test('decoratorName decides which property has the user', async (t) => {
  const app = Fastify()
  await app.register(userScope, { secret, decoratorName: 'owner' })
  app.get('/api/me', async (request) => ({ owner: request.getDecorator('owner'), hasUser: 'user' in request }))
  t.match(
    await sender(app)({ url: '/api/me', headers: bearer(tokenFor('alice')) }),
    { body: { owner: { id: 'alice' }, hasUser: false } }
  )
})

t.test('userIdParam decides which parameter is the owner\'s', async (t) => {
  const { send } = await build(t, { userIdParam: 'accountId' }, {}, (app) => {
    app.get('/:accountId/:user_id', { config: { access: 'owner' } }, async () => 'in')
  })
  t.match(await send({ url: '/alice/bob', headers: bearer(tokenFor('alice')) }), { status: 200 })
  t.match(await send({ url: '/bob/alice', headers: bearer(tokenFor('alice')) }), { code: 'FORBIDDEN_USER_ACCESS' })
})

t.test('only the algorithms of the list are accepted', async (t) => {
  const lists: Array<UserScopeOptions['algorithms'] & {}> = [['HS256'], ['HS384'], ['HS512'], ['HS256', 'HS512']]
  for (const algorithms of lists) {
    const { send } = await build(t, { secret: longSecret, algorithms })
    for (const size of ['256', '384', '512']) {
      const token = sign(
        { sub: 'alice', exp: now() + 60 },
        { header: { alg: `HS${size}` }, key: longSecret, hash: `sha${size}` }
      )
      const { status, code } = await send({ url: '/api/me', headers: bearer(token) })
      const fits = algorithms.includes(`HS${size}` as 'HS256')
      t.same(
        [status, code],
        fits ? [200, undefined] : [401, 'INVALID_TOKEN_SIGNATURE'],
        `HS${size} with ${algorithms.join()}`
      )
    }
  }
})
