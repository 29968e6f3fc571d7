/**
 * Header value → user, without a server: the steps of this plugin one by one, and then this plugin with and without its
 * cache, jose, fast-jwt and jsonwebtoken, for each algorithm.
 */
import './install.js'
import { createSecretKey } from 'node:crypto'
import { audience, issuer, keySet, makeToken, publicKey, secret } from './tokens.js'

// Behind the installation, so not as static imports.
const { bench, do_not_optimize: use, run, summary } = await import('mitata')
const { createVerifier } = await import('fast-jwt')
const { jwtVerify } = await import('jose')
const { default: jsonwebtoken } = await import('jsonwebtoken')

const dist = (file) => import(new URL(`../../dist/${file}.js`, import.meta.url).href)
const { parseBearer } = await dist('token/authorization')
const { createClaimsReader } = await dist('token/claims-reader')
const { parseCompactJws } = await dist('token/jws')
const { createJwksVerifier } = await dist('token/jwks-verifier')
const { issuerRules, readOptions } = await dist('options/settings')
const { RemoteKeys } = await dist('keys/remote-keys')
const { createSecretVerifier } = await dist('token/secret-verifier')
const { TokenCache } = await dist('token/cache')
const { judgeRoute } = await dist('routes/access')
const { createRightsCheck } = await dist('guard/rights')
const { default: Fastify } = await import('fastify')

const app = Fastify()
const secretVerifier = await createSecretVerifier(app, readOptions({ secret, issuer, audience }, {}))

async function verifierOf (algorithm) {
  if (algorithm === 'HS256') return secretVerifier
  const options = {
    issuer,
    audience,
    algorithms: [algorithm],
    jwksUri: 'https://issuer.example/jwks',
    fetch: async () => Response.json(keySet)
  }
  const settings = readOptions({ issuers: [options] }, {})
  const keys = new RemoteKeys(settings.issuers[0], app.log, () => {})
  await keys.load()
  return createJwksVerifier(keys, createClaimsReader(issuerRules(settings, keys.settings)))
}

/**
 * Goes round many tokens, so that nothing can know the next one but by verifying it. Each time as a new text, as a
 * parser makes one of each request: Node has not hashed it yet.
 */
function cycle (algorithm) {
  const headers = Array.from(
    { length: algorithm === 'RS256' ? 200 : 1000 },
    (_, index) => Buffer.from(`Bearer ${makeToken(algorithm, `user-${index}`)}`)
  )
  let turn = 0
  return () => headers[turn++ % headers.length].latin1Slice()
}

const rounds = cycle('HS256')
const jwsOf = () => parseCompactJws(parseBearer(rounds(), []))
const readClaims = createClaimsReader(readOptions({ secret, issuer, audience }, {}).claimRules)
const keeper = new TokenCache({ max: 500, ttl: 300 })
const someone = await secretVerifier(jwsOf())
const judgeRights = createRightsCheck(readOptions({ secret, issuer, audience }, {}))
const demandOf = (access) =>
  judgeRoute({ url: '/api/:user_id/tasks', method: 'GET', config: { access } }, readOptions({ secret }, {}))
const [noRule, scopesRule] = ['owner', { level: 'owner', scopes: ['tasks:read', 'tasks:write'] }].map(demandOf)
const scoped = { ...someone, user: { ...someone.user, scopes: ['openid', 'profile', 'tasks:read', 'tasks:write'] } }
const ownRequest = { method: 'GET', url: `/api/${someone.user.id}/tasks`, params: { user_id: someone.user.id } }
const signatureOnly = createVerifier({ key: secret, algorithms: ['HS256'], cache: false, ignoreExpiration: true })

summary(() => {
  bench('a new token, all steps', () => use(secretVerifier(jwsOf()).user))
  bench('step: header', () => use(parseBearer(rounds(), [])))
  bench('step: header, parse', () => use(jwsOf()))
  bench('step: signature, by fast-jwt', () => use(signatureOnly(rounds().slice(7))))
  // Reading freezes the claims, so each wants its own.
  bench('steps: header, parse, claims, freeze', () => use(readClaims(jwsOf()).user))
  bench('step: cache, keep', () => use(keeper.keep(rounds(), someone, keeper.generation)))
  bench('step: cache, find', () => use(keeper.find(rounds())))
  bench('step: rights, no rule', () => use(judgeRights(ownRequest, noRule, scoped, true)))
  bench('step: rights, two of four scopes', () => use(judgeRights(ownRequest, scopesRule, scoped, true)))
})

for (const algorithm of ['HS256', 'EdDSA', 'ES256', 'RS256']) {
  const verify = await verifierOf(algorithm)
  const cache = new TokenCache({ max: 10_000, ttl: 300 })
  const key = algorithm === 'HS256' ? createSecretKey(secret, 'utf8') : publicKey(algorithm)
  const pem = algorithm === 'HS256' ? secret : key.export({ type: 'spki', format: 'pem' })
  const rules = { key: pem, algorithms: [algorithm], allowedIss: issuer, allowedAud: audience }
  const fastJwt = createVerifier({ ...rules, cache: false })
  const cachingFastJwt = createVerifier({ ...rules, cache: true })
  const next = cycle(algorithm)
  const one = next()
  cache.keep(one, await verify(parseCompactJws(parseBearer(one))), cache.generation)
  const bare = (header) => header.slice(7)

  summary(() => {
    bench(`${algorithm} fastify-user-scope, known token`, () => use(cache.find(one).user)).baseline(true)
    bench(`${algorithm} fast-jwt, known token`, () => use(cachingFastJwt(bare(one)).sub))
  })
  summary(() => {
    const verifyNow = () => use(verify(parseCompactJws(parseBearer(next()))).user)
    const verifyLater = async () => use((await verify(parseCompactJws(parseBearer(next())))).user)
    bench(`${algorithm} fastify-user-scope, new token`, algorithm === 'HS256' ? verifyNow : verifyLater).baseline(true)
    bench(`${algorithm} fast-jwt`, () => use(fastJwt(bare(next())).sub))
    const expected = { algorithms: [algorithm], issuer, audience }
    bench(`${algorithm} jose`, async () => use((await jwtVerify(bare(next()), key, expected)).payload.sub))
    // It has no EdDSA.
    if (algorithm !== 'EdDSA') {
      bench(`${algorithm} jsonwebtoken`, () => use(jsonwebtoken.verify(bare(next()), key, expected).sub))
    }
  })
}

await run()
await app.close()
