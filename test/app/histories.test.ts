/**
 * Random histories of two instances against a model of what each request may be answered: tokens of a secret and of an
 * issuer, keys that come and go, an issuer that is down, revocations, time that passes between requests and during
 * them, and clocks that are set. What the model cannot derive, such as when keys were fetched, the fetch tells it.
 */
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import { SignJWT } from 'jose'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import userScope, { type Revocation } from '../../lib/index.js'
import { createKey, type IssuerKey } from '../../lib/testing/remote-issuer.js'
import { bearer, secret, sign } from '../support/host.js'
import { MemoryStore } from '../support/memory-store.js'
import { property } from '../support/property.js'

const issuer = 'https://issuer.example'
const [maxAge, maxStale, keepFor, lazy] = [600, 1800, 3600, true]
const [cooldown, clockTolerance] = [30, 5] // the defaults
const allKeys = await Promise.all(['k1', 'k2', 'k3', 'k4', 'k5', 'k6'].map(async (kid) => await createKey(kid)))

/** Both clocks, in seconds. */
const clocks = { wall: 0, monotonic: 0 }
const start = { wall: 1_800_000_000, monotonic: 1000 }
t.capture(Date, 'now', () => clocks.wall * 1000)
t.capture(performance, 'now', () => clocks.monotonic * 1000)

/** Lets what was started end: nothing here waits for more than promises. */
const settle = async () => { for (let n = 0; n < 12; n++) await turn() }

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('issue' as const),
      isRemote: fc.constantFrom(true, true, false),
      sub: fc.constantFrom('alice', 'bob'),
      age: fc.constantFrom(0, 0, 10, 300),
      life: fc.constantFrom(60, 600, 3000, 3000, 3601),
      sid: fc.constantFrom('s1', 's2'),
      act: fc.constantFrom(null, null, null, 'alice', 'carol')
    })
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      instance: fc.constantFrom(0, 0, 0, 1),
      token: fc.nat(2), // from the latest on
      to: fc.constantFrom('own', 'own', 'own', 'own', 'alice', 'a:alice'),
      during: fc.constantFrom(null, null, null, null, 6, 61, 'revoke' as const)
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 31, 301, 601) }) },
  fc.record({ do: fc.constant('set' as const), seconds: fc.constantFrom(-3, -100, 3, 100, 4000) }),
  // The keys: one more, the oldest less, a new one instead of all; the issuer down or up again.
  fc.record({ do: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const, 'toggle' as const) }),
  fc.record({
    do: fc.constant('revoke' as const),
    instance: fc.nat(1),
    token: fc.nat(3),
    by: fc.constantFrom('user' as const, 'session' as const),
    isNarrow: fc.boolean()
  })
)
type ValueOf<A> = A extends fc.Arbitrary<infer V> ? V : never
type Step = ValueOf<typeof step>
type StepOf<Name> = Extract<Step, { do: Name }>

const setting = fc.record({
  cache: fc.constantFrom({}, false as const, { max: 1 }, { ttl: 30 }),
  isShared: fc.boolean(), // else each instance has its own list, and clocks may be set
  impersonation: fc.constantFrom('allow' as const, 'refuse' as const)
})

interface Token {
  text: string
  id: string
  by: string
  iat: number
  exp: number
  sid: string
  actor: string | null
  kid: string | null
}
interface Entry { by: 'user' | 'session', id: string, issuer: string | undefined, moment: number }
/** What an instance was last told about the keys, and how often it failed since. */
interface Known { kids: string[], at: typeof clocks, failures: number, tried: typeof clocks }
interface Instance { app: FastifyInstance, keys: Known, revoked: Entry[] }

const since = (at: typeof clocks) => Math.max(clocks.wall - at.wall, clocks.monotonic - at.monotonic)
const never = { wall: -Infinity, monotonic: -Infinity }

/** What a token is refused with if no key of its issuer fits. */
const keyCodes = ['INVALID_TOKEN_SIGNATURE', 'KEYS_UNAVAILABLE']

class World {
  readonly instances: Instance[] = []
  readonly tokens: Token[] = []
  keys: IssuerKey[] = allKeys.slice(0, 1)
  isUp = true
  /** Runs between the two checks of the next request. */
  during: (() => Promise<void>) | null = null

  constructor (readonly options: ValueOf<typeof setting>) {}

  async addInstance (store: MemoryStore): Promise<void> {
    const keys: Known = { kids: [], at: never, failures: 0, tried: never }
    const fetch = async () => {
      const at = keys.tried = { ...clocks }
      await turn()
      keys.failures++
      if (!this.isUp) throw new Error('down')
      Object.assign(keys, { kids: this.keys.map(({ kid }) => kid), at, failures: 0 })
      return Response.json({ keys: this.keys.map(({ jwk }) => jwk) })
    }
    const { cache, isShared, impersonation } = this.options
    const app = Fastify()
    await app.register(userScope, {
      secret,
      issuers: [{ issuer, audience: 'api', jwksUri: `${issuer}/jwks`, idPrefix: 'a:', fetch, maxAge, maxStale, lazy }],
      cache,
      impersonation,
      revocations: { keepFor, ...isShared && { store } }
    })
    app.addHook('preValidation', async () => {
      const { during } = this
      this.during = null
      await during?.()
    })
    app.get('/:user_id', async ({ user }) => ({ id: user.id, issuer: user.issuer }))
    await app.ready()
    await settle()
    this.instances.push({ app, keys, revoked: [] })
  }

  async pass (seconds: number): Promise<void> {
    clocks.wall += seconds
    clocks.monotonic += seconds
    await settle()
  }

  async issue ({ isRemote, sub, age, life, sid, act }: StepOf<'issue'>): Promise<void> {
    const [iat, key] = [Math.floor(clocks.wall) - age, this.keys.at(-1) as IssuerKey]
    const claims = { sub, iat, exp: iat + life, sid, ...act !== null && { act: { sub: act } } }
    const prefix = isRemote ? 'a:' : ''
    const text = isRemote
      ? await new SignJWT({ ...claims, iss: issuer, aud: 'api' })
        .setProtectedHeader({ alg: 'EdDSA', kid: key.kid }).sign(key.privateKey)
      : sign(claims)
    this.tokens.unshift({
      text,
      id: prefix + sub,
      by: isRemote ? issuer : 'secret',
      iat,
      exp: iat + life,
      sid,
      actor: act === null ? null : prefix + act,
      kid: isRemote ? key.kid : null
    })
  }

  async revoke ({ instance: index, token: place, by, isNarrow }: Omit<StepOf<'revoke'>, 'do'>): Promise<void> {
    const token = this.tokens[place]
    const instance = this.instances[index]
    if (!token || !instance) return
    const entry = {
      by,
      id: by === 'user' ? token.id : token.sid,
      issuer: isNarrow ? token.by : undefined,
      moment: Math.floor(clocks.wall)
    }
    for (const each of this.instances) if (each === instance || this.options.isShared) each.revoked.push(entry)
    await instance.app.userScope.revoke({ [by]: entry.id, ...isNarrow && { issuer: token.by } } as Revocation)
    await settle()
  }

  async ask ({ instance: index, token: place, to, during }: StepOf<'ask'>): Promise<void> {
    const token = this.tokens[place]
    const instance = this.instances[index]
    if (!token || !instance) return
    const path = to === 'own' ? token.id : to
    if (during === 'revoke') {
      this.during = async () => await this.revoke({ instance: index, token: place, by: 'user', isNarrow: false })
    } else if (during !== null) this.during = async () => await this.pass(during)
    const before = { ...instance.keys }
    const url = `/${encodeURIComponent(path)}`
    const response = await instance.app.inject({ url, headers: bearer(token.text) })
    this.during = null
    const isLong = typeof during === 'number'
    const { must, may } = this.#refusals(token, instance, path, [before, instance.keys])
    const { code = 'none', id, issuer: by } = response.json<{ code?: string, id?: string, issuer?: string }>()
    if (code === 'none') {
      // The keys may have become old since the first check, which is the only one that looks at them.
      const missed = must.filter((each) => !isLong || !keyCodes.includes(each))
      if (missed.length > 0) throw new Error(`${url} was admitted instead of ${missed.join(', ')}`)
      if (id !== token.id || by !== token.by) throw new Error(`${url} has the user ${id} of ${by}`)
      return
    }
    if (![...must, ...may].includes(code) && !(isLong && token.kid && keyCodes.includes(code))) {
      throw new Error(`${url} was refused with ${code}`)
    }
    // Whose path it is only matters for a token that is good.
    if (code === 'FORBIDDEN_USER_ACCESS' && !isLong && must.some((each) => each !== code)) {
      throw new Error(`${url} was refused with ${code} before ${must.join(', ')}`)
    }
  }

  /** Codes of which one must come, and those that may come instead of an admission. */
  #refusals (token: Token, { revoked }: Instance, path: string, keys: Known[]): { must: string[], may: string[] } {
    const [must, may]: [string[], string[]] = [[], []]
    const { iat, exp, kid } = token
    if (exp + clockTolerance <= clocks.wall) must.push('TOKEN_EXPIRED')
    if (iat > clocks.wall + clockTolerance) must.push('INVALID_CLAIMS')
    if (exp - iat > keepFor) must.push('INVALID_CLAIMS')
    if (token.actor !== null && this.options.impersonation === 'refuse') must.push('INVALID_CLAIMS')
    if (path !== token.id) must.push('FORBIDDEN_USER_ACCESS')
    for (const { by, id, issuer: narrow, moment } of revoked) {
      const fits = by === 'session' ? token.sid === id : iat <= moment && [token.id, token.actor].includes(id)
      if (!fits || (narrow !== undefined && narrow !== token.by)) continue
      // A session is forgotten when no token can be valid that was issued before.
      const isKept = by === 'user' || iat <= moment || clocks.wall <= moment + keepFor
      ;(isKept ? must : may).push('TOKEN_REVOKED')
    }
    if (kid !== null) {
      const lifetime = ({ failures }: Known) => failures > 0 ? Math.max(maxAge, maxStale) : maxAge
      const verifies = (known: Known) => known.kids.includes(kid) && since(known.at) < lifetime(known)
      if (!keys.some(verifies)) must.push(...keyCodes)
      const isPublished = this.keys.some((each) => each.kid === kid)
      // A new key is looked for once per cooldown.
      const isUnknown = keys.some((known) => !known.kids.includes(kid) && since(known.tried) <= cooldown)
      if (!isPublished || isUnknown) may.push('INVALID_TOKEN_SIGNATURE')
      if (keys.some((known) => known.failures > 0 && !verifies(known))) may.push('KEYS_UNAVAILABLE')
    }
    return { must, may }
  }

  async run (each: Step): Promise<void> {
    if (each.do === 'issue') await this.issue(each)
    else if (each.do === 'ask') await this.ask(each)
    else if (each.do === 'pass') await this.pass(each.seconds)
    else if (each.do === 'revoke') await this.revoke(each)
    else if (each.do === 'set') clocks.wall += this.options.isShared ? 0 : each.seconds
    else if (each.do === 'toggle') this.isUp = !this.isUp
    else if (each.do === 'remove') this.keys = this.keys.slice(this.keys.length > 1 ? 1 : 0)
    else {
      const next = allKeys[(allKeys.indexOf(this.keys.at(-1) as IssuerKey) + 1) % allKeys.length] as IssuerKey
      if (!this.keys.includes(next)) this.keys = [...each.do === 'add' ? this.keys : [], next]
    }
  }
}

t.test('no history admits what must be refused, or refuses what must be admitted', async (t) => {
  const history = fc.tuple(setting, fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }))
  await property(t, history, async ([options, steps]) => {
    const world = new World(options)
    const store = Object.assign(new MemoryStore(), { maxStale: 86_400 })
    Object.assign(clocks, start)
    try {
      for (let n = 0; n < 2; n++) await world.addInstance(store)
      for (const each of steps) await world.run(each)
    } finally {
      for (const { app } of world.instances) await app.close()
    }
  }, 100)
})
