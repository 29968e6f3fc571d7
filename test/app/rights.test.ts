import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { getOwnerId, getUser, type AccessRule, type DelegateQuestion } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { bearer, build, now, secret, sign } from '../support/host.js'

// Rules, tokens and paths, each with each, against an oracle that is written from the contract and not from the code.

const exp = now() + 86_400
const bind = { org_id: ['tenant', 'org'] }

interface Route { url: string, access: AccessRule | undefined }
interface Token { sub: string, scope?: unknown, scp?: unknown, tenant?: unknown, isMachine?: boolean }
/** Decoded; undefined where the route has no such parameter. */
interface Path { user: string | undefined, org: string | undefined }
type Answer = { code: string } | { user: string | null, owner: string | null }

const variants = <T>(...values: T[]): T[] => values
const scopes = variants<AccessRule['scopes']>(undefined, ['a'], ['a', 'b'], { anyOf: ['a', 'b'] })
const delegates = variants<AccessRule['delegates']>(
  undefined, true, { scopes: ['staff'] }, { scopes: ['staff', 'a'], machines: true })

/** Every rule that boots, for every URL: with an owner or not, with a tenant that is bound, unbound or not there. */
function allRoutes (): Route[] {
  const rules: Array<[params: string, rule: AccessRule]> = []
  for (const tenant of ['', 'bound', 'unbound']) {
    const org = tenant === '' ? '' : '/:org_id'
    const unbound = tenant === 'unbound' && { unbound: ['org_id'] }
    for (const required of scopes) {
      const common = { ...unbound, ...required && { scopes: required } }
      for (const who of delegates) rules.push([`/:user_id${org}`, { ...common, ...who && { delegates: who } }])
      for (const user of ['', '/:user_id']) rules.push([user + org, { level: 'user', ...common }])
    }
    if (!unbound) for (const level of ['optional', 'public'] as const) rules.push([`/:user_id${org}`, { level }])
  }
  return rules.map(([params, rule], index) =>
    ({ url: `/r${index}${params}`, access: Object.keys(rule).length > 0 ? rule : undefined }))
}
const routes = allRoutes()

/** Whom the host lets act for whom. */
function verdict (user: string, owner: string): 'yes' | 'no' | 'down' {
  if (owner === 'down') return 'down'
  return user === 'carol' && owner !== 'bob' ? 'yes' : 'no'
}

function mayActFor ({ user, ownerId }: DelegateQuestion): boolean | Promise<boolean> {
  const answer = verdict(user.id, ownerId)
  if (answer === 'down') throw new Error('down')
  // At once or later, and some of what is no yes.
  if (answer === 'yes') return ownerId.length % 2 === 0 ? true : Promise.resolve(true)
  return [1 as unknown as boolean, Promise.resolve('true' as unknown as boolean), false][ownerId.length % 3] as boolean
}

// The oracle.

/** The scopes of a token, by the contract's words. */
function granted (token: Token): Set<string> {
  const claim = [token.scope, token.scp].find((each) => each !== undefined)
  if (typeof claim === 'string') return new Set(claim.split(' '))
  const isList = Array.isArray(claim) && claim.every((each) => typeof each === 'string')
  return new Set(isList ? claim as string[] : [])
}

function holds (token: Token, required: AccessRule['scopes']): boolean {
  const has = granted(token)
  if (required === undefined) return true
  if ('anyOf' in required) return required.anyOf.filter((name) => has.has(name)).length > 0
  return required.filter((name) => !has.has(name)).length === 0
}

function isOfTenant ({ tenant }: Token, org: string): boolean {
  if (org === '' || typeof tenant !== 'object' || tenant === null || Array.isArray(tenant)) return false
  const claim = Object.entries(tenant).find(([name]) => name === 'org')?.[1] as unknown
  return Array.isArray(claim) ? claim.some((each) => each === org) : claim === org
}

function comesInFor ({ sub, isMachine = false, ...token }: Token, owner: string, who: AccessRule['delegates']) {
  if (sub === owner && !isMachine) return 'yes'
  if (who === undefined || owner.trim() === '') return 'no'
  if (who === true) return isMachine ? 'no' : verdict(sub, owner)
  return holds({ sub, ...token }, who.scopes) && (!isMachine || who.machines) ? 'yes' : 'no'
}

function expected ({ url, access = {} }: Route, token: Token | null, { user = '', org = '' }: Path): Answer {
  const level = access.level ?? (url.includes(':user_id') ? 'owner' : 'user')
  if (level === 'public') return { user: null, owner: null }
  if (token === null) return level === 'optional' ? { user: null, owner: null } : { code: 'MISSING_TOKEN' }
  if (JSON.stringify(token).includes('"__proto__":')) return { code: 'MALFORMED_TOKEN' }
  if (level === 'owner') {
    const comesIn = comesInFor(token, user, access.delegates)
    if (comesIn === 'down') return { code: 'ACCESS_CHECK_UNAVAILABLE' }
    if (comesIn === 'no') return { code: 'FORBIDDEN_USER_ACCESS' }
  }
  const isBound = url.includes(':org_id') && access.unbound === undefined && level !== 'optional'
  if (isBound && !isOfTenant(token, org)) return { code: 'FORBIDDEN_RESOURCE_ACCESS' }
  if (!holds(token, access.scopes)) return { code: 'INSUFFICIENT_SCOPE' }
  return { user: token.sub, owner: level === 'owner' ? user : null }
}

// The host.

function ownerOf (request: Parameters<typeof getOwnerId>[0]): string | null {
  try {
    return getOwnerId(request)
  } catch {
    return null
  }
}

async function start (t: Test, compile: boolean) {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const entry = { ...issuer.entry, idPrefix: '' }
  const options = { secret, issuers: [entry], bind, mayActFor }
  const server = { logger: false, routerOptions: { maxParamLength: 1000, compile } }
  const { app } = await build(t, options, server, (app: FastifyInstance) => {
    for (const { url, access } of routes) {
      app.get(url, access ? { config: { access } } : {}, async (request) =>
        ({ user: getUser(request)?.id ?? null, owner: ownerOf(request) }))
    }
  })
  const header = async ({ isMachine = false, ...claims }: Token) => bearer(isMachine
    ? await issuer.token({ ...claims, id: claims.sub, client_id: claims.sub })
    : sign({ ...claims, exp }))
  const ask = async (route: Route, headers: object, path: Path,
    encode: (text: string) => string = encodeURIComponent) => {
    const url = route.url.replace(':user_id', encode(path.user ?? '')).replace(':org_id', encode(path.org ?? ''))
    const answer = (await app.inject({ url, headers: { ...headers } })).json<{
      code?: string,
      user: string,
      owner: string
    }>()
    return answer.code === undefined ? { user: answer.user, owner: answer.owner } : { code: answer.code }
  }
  return { header, ask }
}

/** Fastify finds routes in a tree, or by code that it makes of the tree. */
const testWithRouters = (title: string, run: (t: Test, compile: boolean) => Promise<void>) => {
  t.test(title, (t) => run(t, false))
  t.test(`${title} (compiled router)`, (t) => run(t, true))
}

const name = (...parts: unknown[]) => parts.map((part) => JSON.stringify(part)).join(' ')

testWithRouters('every rule, token and path gives what the contract says', async (t, compile) => {
  const { header, ask } = await start(t, compile)
  const tenants = variants<unknown>(undefined, { org: 'acme' }, { org: ['b', 'acme'] }, { org: 7 }, ['acme'], 'acme')
  const tokens: Token[] = [
    ...['alice', 'carol'].flatMap((sub) => variants<unknown>(undefined, 'a', 'b a', ['a', 'staff'], 'A', ['a', 7])
      .map((scope, index): Token => ({ sub, scope, tenant: tenants[index] }))),
    ...tenants.map((tenant): Token => ({ sub: 'bob', scp: 'staff a b', tenant })),
    { sub: 'bob', scope: 7, scp: 'staff a b', tenant: { org: 'acme' } },
    { sub: 'batch', scope: 'staff a b', tenant: { org: 'acme' }, isMachine: true },
    { sub: 'batch', scope: 'staff', tenant: { org: 'acme' }, isMachine: true },
    { sub: 'carol', scope: 'a b', tenant: { org: 'acme' }, isMachine: true }
  ]
  const paths: Path[] = ['alice', 'bob', 'batch', 'down', ''].flatMap((user) =>
    ['acme', 'b', ''].map((org) => ({ user, org })))
  const counts = new Map<string, number>()
  const wrong: string[] = []
  for (const token of [null, ...tokens]) {
    const headers = token ? await header(token) : {}
    for (const route of routes) {
      for (const path of paths) {
        const should = expected(route, token, path)
        const is = await ask(route, headers, path)
        const kind = 'code' in should ? should.code : 'admitted'
        counts.set(kind, (counts.get(kind) ?? 0) + 1)
        if (JSON.stringify(is) !== JSON.stringify(should)) wrong.push(name(route, token, path, is, should))
      }
    }
  }
  t.same(wrong.slice(0, 5), [])
  const rows = [...counts.values()].reduce((sum, count) => sum + count, 0)
  t.comment(`${rows} rows: ${JSON.stringify([...counts])}`)
  t.ok(rows >= 400)
  t.equal(counts.size, 6)
  t.ok([...counts.values()].every((count) => count >= 100), 'each outcome is there often')
})

testWithRouters('no change of claims or path admits more than the contract', async (t, compile) => {
  const numRuns = Number(process.env.RIGHTS_CASES ?? 2000)
  const { ask } = await start(t, compile)
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', ' ', '0', '%', 'é', '+', '"'), maxLength: 4 })
  const person = fc.constantFrom('alice', 'bob', 'carol', 'Alice', 'acme', 'down', '7', 'true', 'null', 'é')
  const word = fc.oneof(person, text)
  const scope = fc.oneof(
    fc.subarray(['a', 'b', 'staff', 'A', 'ab']).map((names) => names.join(' ')),
    fc.subarray(['a', 'b', 'staff', 'a b']),
    text, fc.array(fc.oneof(text, fc.constantFrom('a', 'staff', null, 7))), fc.jsonValue({ maxDepth: 2 }))
  const org = fc.oneof(word, fc.array(fc.oneof(word, fc.jsonValue({ maxDepth: 1 }))), fc.jsonValue({ maxDepth: 2 }))
  const tenant = fc.oneof(
    { weight: 4, arbitrary: org.map((org) => ({ org })) },
    org, org.map((org) => [org]), fc.dictionary(fc.constantFrom('org', 'Org', 'constructor', 'length', '0'), org))
  const token = fc.record<Token>({
    sub: word.filter((sub) => sub.trim() !== ''), scope, scp: scope, tenant
  }, { requiredKeys: ['sub'] })
  /** Percent-encoded here and there, which decodes to the same. */
  const encoding = fc.integer({ min: 0, max: 255 }).map((mask) => (value: string) =>
    [...value].map((letter, index) => mask & (1 << (index % 8)) && /[a-zA-Z0-9]/.test(letter)
      ? `%${letter.charCodeAt(0).toString(16)}`
      : encodeURIComponent(letter)).join(''))
  const counts = new Map<string, number>()
  // Often on the own path and tenant, so that what comes after them is reached.
  const aimed = fc.record({ own: fc.boolean(), member: fc.boolean(), user: word, org: word })
  const each = 8 // routes for a token, as it is the token that takes the time
  const first = fc.nat(routes.length - 1)
  await fc.assert(fc.asyncProperty(first, token, aimed, encoding, async (first, token, aim, encode) => {
    const claim = (token.tenant as { org?: unknown } | null | undefined)?.org
    const [member = claim] = Array.isArray(claim) ? claim as unknown[] : []
    const org = aim.member && typeof member === 'string' ? member : aim.org
    const path = { user: aim.own ? token.sub : aim.user, org }
    // Dot segments are the subject of another test.
    fc.pre(!/[./\\\p{C}]/u.test(path.user + path.org))
    const headers = bearer(sign({ ...token, exp }))
    for (let i = 0; i < each; i++) {
      const route = routes[(first + i * 7) % routes.length] as Route
      const should = expected(route, token, path)
      const is = await ask(route, headers, path, encode)
      const kind = 'code' in should ? should.code : 'admitted'
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (JSON.stringify(is) !== JSON.stringify(should)) throw new Error(name(route, is, should))
    }
    // Injected requests end in microtasks: the event loop must turn for what they allocate to be freed.
    await new Promise((resolve) => setImmediate(resolve))
  }), { numRuns: Math.ceil(numRuns / each) })
  t.comment(`${numRuns} cases: ${JSON.stringify([...counts])}`)
  t.ok(['admitted', 'FORBIDDEN_USER_ACCESS', 'FORBIDDEN_RESOURCE_ACCESS', 'INSUFFICIENT_SCOPE']
    .every((kind) => (counts.get(kind) ?? 0) > numRuns / 50))
})
