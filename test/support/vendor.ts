import Fastify from 'fastify'
import t, { type Test } from 'tap'
import userScope, { InvalidOptionError, type IssuerOptions } from '../../lib/index.js'
import { createIssuer, createKey } from '../../lib/testing/index.js'
import { bearer, build, now, refusals } from './host.js'
import { sameLength } from './same-length.js'

export type Overrides = Partial<Omit<IssuerOptions, 'audience'>> & { audience?: string | string[] }

/** What differs from the access token of a user; undefined leaves a member out. */
interface Other { claims?: object, header?: object }

export interface Vendor {
  preset: (overrides: Overrides) => IssuerOptions
  alg: string
  /** All that the vendor signs with. Left out: any. */
  algorithms?: string[]
  /** The user's id in the access token, with small letters, and that token as the vendor documents it. */
  id: string
  header: object
  claims: object
  /** Where not every audience will do. */
  otherAudience?: string
  /** Further tokens of the same user. */
  accepted?: Record<string, Other>
  /** 401 INVALID_CLAIMS unless stated. */
  refused: Record<string, Other & { code?: string }>
  /** Tokens of applications, by their own subject: 403 on owner routes, 200 on others; or refused everywhere. */
  machines: Record<string, Other & { id: string, refused?: boolean }>
}

export const api = 'https://api.example.com'
export const guid = (digit: number) =>
  `${digit}`.repeat(8) + `-${digit}${digit}${digit}${digit}`.repeat(3) + '-' + `${digit}`.repeat(12)

const algorithms = ['RS256', 'PS256', 'EdDSA', 'ES256', 'ES384']
const newKeys = algorithms.map(async (alg) => [alg, await createKey('one', alg)] as const)
const keys = new Map(await Promise.all(newKeys))

/** A host with the preset whose keys are on loopback, and a maker of the vendor's tokens. */
export async function start (t: Test, { preset, alg, header, claims }: Vendor) {
  const issuer = await createIssuer({ mode: 'jwks', t, keys: [...keys.values()].filter((key) => key.alg === alg) })
  const entry = preset({ jwksUri: issuer.entry.jwksUri })
  const host = await build(t, { issuers: [entry] })
  return {
    ...host,
    entry,
    token: (id: string, other: Other = {}) => issuer.token(
      { id, iss: entry.issuer, ...claims, ...other.claims },
      { header: { ...header, ...other.header } }
    ),
    reason: () => String(refusals(host.log).at(-1)?.reason)
  }
}

export const own = (id: string) => `/api/${encodeURIComponent(id)}/tasks`

/** What holds for the tokens of every vendor. */
export function testVendor (name: string, vendor: Vendor): void {
  t.test(`${name}: access tokens of users`, async (t) => {
    const { send, token } = await start(t, vendor)
    const { typ = 'JWT' } = vendor.header as { typ?: string }
    const accepted = {
      'as documented': {},
      'typ in full': { header: { typ: `application/${typ}` } },
      ...vendor.accepted
    }
    for (const [what, other] of Object.entries(accepted)) {
      const headers = bearer(await token(vendor.id, other))
      t.match(await send({ url: own(vendor.id), headers }), { status: 200, body: { user: vendor.id } }, what)
      t.match(
        await send({ url: own('somebody-else'), headers }),
        { status: 403, code: 'FORBIDDEN_USER_ACCESS' },
        `${what}, the path of another`
      )
      t.match(
        await send({ url: own(vendor.id.toUpperCase()), headers }),
        { status: 403, code: 'FORBIDDEN_USER_ACCESS' },
        `${what}, another case`
      )
    }
  })

  t.test(`${name}: other tokens of the same keys`, async (t) => {
    const { send, token, entry, reason } = await start(t, vendor)
    const { issuer } = entry
    const issuers = [
      issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`,
      issuer.toUpperCase(),
      issuer.replace('https:', 'http:'),
      `${issuer}x`,
      ` ${issuer}`,
      undefined
    ]
    const cases = {
      ...vendor.refused,
      ...Object.fromEntries(issuers.map((iss) => [`iss ${iss}`, { claims: { iss } }])),
      'iss as a list': { claims: { iss: [issuer] } },
      expired: { claims: { exp: now() - 6 }, code: 'TOKEN_EXPIRED' }
    }
    for (const [what, { code = 'INVALID_CLAIMS', ...other }] of Object.entries<Other & { code?: string }>(cases)) {
      const headers = bearer(await token(vendor.id, other))
      for (const url of [own(vendor.id), '/api/me']) {
        t.match(await send({ url, headers }), { status: 401, code }, `${what}: ${reason()}`)
      }
    }
  })

  for (const [what, { id, refused = false, ...other }] of Object.entries(vendor.machines)) {
    t.test(`${name}: the token of an application, ${what}`, async (t) => {
      const { send, token } = await start(t, vendor)
      const headers = bearer(await token(id, other))
      const answer = refused ? { status: 401, code: 'INVALID_CLAIMS' } : { status: 403, code: 'FORBIDDEN_USER_ACCESS' }
      t.match(await send({ url: own(id), headers }), answer, 'its own path')
      t.match(await send({ url: own(vendor.id), headers }), answer, 'the path of a user')
      t.match(
        await send({ url: '/api/me', headers }),
        refused ? answer : { status: 200, body: { user: id } },
        'no path'
      )
    })
  }

  t.test(`${name}: any option of an entry may be stated beside`, async (t) => {
    const { preset } = vendor
    const options: Overrides = {
      issuer: 'https://proxy.example.com',
      audience: vendor.otherAudience ?? ['a'],
      jwksUri: 'https://proxy.example.com/keys',
      algorithms: ['ES256'],
      userIdClaim: 'uid',
      typ: 'x+jwt',
      lazy: true,
      timeout: 1,
      maxAge: 60,
      cooldown: 5,
      maxStale: 0,
      maxBytes: 4096,
      allowInsecureJwks: true,
      fetch: async () => Response.json({ keys: [] })
    }
    const before = { ...preset({}) }
    t.match(preset(options), sameLength(options))
    t.same(preset({}), before, 'the preset is not changed by it')
    t.same(before.algorithms, vendor.algorithms)
    const found = preset({ discovery: true })
    t.equal(found.discovery, true)
    t.notOk('jwksUri' in found, 'discovery takes the place of the URL')
    t.match(preset({ discovery: false }), { jwksUri: preset({}).jwksUri })
    t.same(
      preset({ requiredClaims: { org: 'acme' } }).requiredClaims,
      { ...preset({}).requiredClaims, org: 'acme' },
      'claims are added'
    )
    const otherTokens = [{ says: 'an invitation', text: '^inv_' }]
    t.same(preset({ otherTokens }).otherTokens, [...otherTokens, ...preset({}).otherTokens ?? []], 'and other tokens')
    t.same(preset({ machine: { role: 'bot' } }).machine, { ...preset({}).machine, role: 'bot' }, 'and marks')
    for (const [claim, mark] of Object.entries(preset({}).machine ?? {})) {
      t.same(preset({ machine: { [claim]: ['bot', 'cron'] } }).machine?.[claim], [mark, 'bot', 'cron'].flat())
    }
  })
}

/** In the place of a variable that is not set. */
export const missing = undefined as unknown as string

/** Entries that are missing something, or have it malformed. */
export function testBootErrors (cases: Array<[make: () => IssuerOptions, says: string]>): void {
  t.test('what is missing or malformed stops the boot and is named', async (t) => {
    for (const [make, says] of cases) {
      const boot = async () => { await Fastify().register(userScope, { issuers: [make()] }) }
      const error = await boot().then(() => null, (error: Error) => error)
      t.ok(error instanceof InvalidOptionError && error.message.includes(says), `${says}: ${String(error)}`)
    }
  })
}

/**
 * Values of single options, in a list too where the option takes one.
 * @param options that are good
 */
export function testValues<T extends object> (
  preset: (options: T) => IssuerOptions, options: T, good: Values, bad: Values
): void {
  t.test('what the tokens of the vendor can never match stops the boot', async (t) => {
    for (const [name, values] of Object.entries(good)) {
      for (const value of values) {
        t.doesNotThrow(() => preset({ ...options, [name]: value }), `${name}: ${JSON.stringify(value)}`)
      }
    }
    for (const [name, values] of Object.entries(bad)) {
      const isListed = ['authorizedParties', 'audience', 'clientId'].includes(name)
      const single = isListed ? values.filter((value) => !Array.isArray(value)) : []
      const lists = single.map((value) => [options[name as keyof T], value])
      for (const value of [...values, ...lists]) {
        t.throws(() => preset({ ...options, [name]: value }), {
          code: 'FST_USER_SCOPE_INVALID_OPTION', message: new RegExp(`option "${preset.name}.${name}"`)
        }, `${name}: ${JSON.stringify(value)}`)
      }
    }
  })
}

type Values = Record<string, readonly unknown[]>

export function testPlaces (places: Array<[entry: IssuerOptions, issuer: string, jwksUri: string]>): void {
  t.test('issuer and URL are those that the vendor documents', async (t) => {
    for (const [entry, ...place] of places) t.same([entry.issuer, entry.jwksUri], place)
  })
}
