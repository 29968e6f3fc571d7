import { randomBytes } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import env from '@fastify/env'
import { Type, type Static } from '@fastify/type-provider-typebox'
import fp from 'fastify-plugin'

const newSecret = 'make one with: openssl rand -base64 32'
// Better Auth would take a * for any text.
const host = '[^/?#\\s,@*\\\\]+'
const origin = `https?://${host}/?`
const text = (regex: string, description: string) => Type.Optional(Type.String({ pattern: `^${regex}$`, description }))
const integer = (minimum: number, maximum: number, byDefault: number) =>
  Type.Integer({ minimum, maximum, default: byDefault, description: `a whole number from ${minimum} to ${maximum}` })

// The error about a wrong value ends with its description. .env.example explains the variables.
const Environment = Type.Object({
  HOST: Type.String({ default: 'localhost', minLength: 1, description: 'an address of this machine' }),
  PORT: integer(1, 65535, 3000),
  LOG_LEVEL: text('(fatal|error|warn|info|debug|trace|silent)', 'fatal, error, warn, info, debug, trace or silent'),
  // Passwords are sent to it, and the plugin does not fetch keys over plain http either.
  BETTER_AUTH_URL: text(`(https://${host}|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?)/?`,
    'an origin without a path: https, or http on localhost'),
  BETTER_AUTH_TRUSTED_ORIGINS: text(`${origin}(, *${origin})*`, 'origins without a path, separated by commas'),
  BETTER_AUTH_SECRET: text('.{32,}', `32 characters or longer: ${newSecret}`),
  BETTER_AUTH_SECRETS: text('\\d+:[^\\s,]{32,}(, *\\d+:[^\\s,]{32,})*', '2:new,1:old, each 32 characters or longer'),
  DATABASE_URL: text('postgres(ql)?://\\S+', 'of the form postgres://user:password@host:5432/database'),
  AUTH_RATE_LIMIT: integer(1, 1_000_000, 60),
  SIGN_IN_RATE_LIMIT: integer(1, 1_000_000, 10),
  TRUST_PROXY: text('[^]+', 'addresses or ranges, such as 10.0.0.1, 10.1.0.0/16')
})

type IsProxy = (address: string) => boolean
type Settings = Static<typeof Environment> & { baseURL: string, origins: string[], isProxy: IsProxy }
declare module 'fastify' { interface FastifyInstance { settings: Settings } }

const wrong = (name: string) => new Error(`${name} must be ${Environment.properties[name as 'PORT'].description}`)

/** @throws Error if the pattern fits, and it is no URL: its port is too high, say */
function originOf (name: string, url: string): string {
  if (!URL.canParse(url)) throw wrong(name)
  return new URL(url).origin
}

const familyOf = (address: string) => isIP(address) === 6 ? 'ipv6' : 'ipv4'

/**
 * By their addresses, because a mere number of proxies would also trust a client that connects without one.
 * @throws Error if one is neither an address nor a range
 */
function proxiesOf (list: string): IsProxy {
  const known = new BlockList()
  for (const range of list.split(',')) {
    // No /0, which would be everybody.
    const [, address = '', bits] = /^([^/]+)(?:\/([1-9]\d*))?$/.exec(range.trim()) ?? []
    try {
      if (bits === undefined) known.addAddress(address, familyOf(address))
      else known.addSubnet(address, Number(bits), familyOf(address))
    } catch {
      throw wrong('TRUST_PROXY')
    }
  }
  return (address) => isIP(address) !== 0 && known.check(address, familyOf(address))
}

/** Checks the environment. An error names the variable and the fix, and shows no value. */
export const settings = fp<{ data?: NodeJS.ProcessEnv }>(async (app, { data = process.env }) => {
  try {
    await app.register(env, { schema: Environment, confKey: 'settings', env: false, data: { ...data } })
  } catch (error) {
    throw wrong((error as { errors: [{ instancePath: string }] }).errors[0].instancePath.slice(1))
  }
  const { settings, settings: { PORT, DATABASE_URL, BETTER_AUTH_SECRETS, BETTER_AUTH_TRUSTED_ORIGINS } } = app
  if (DATABASE_URL && !settings.BETTER_AUTH_SECRET && !BETTER_AUTH_SECRETS) { // Better Auth reads the second itself
    throw new Error(`BETTER_AUTH_SECRET must be set, to the same for all servers of one DATABASE_URL: ${newSecret}`)
  }
  settings.BETTER_AUTH_SECRET ??= randomBytes(32).toString('base64url')
  const local = `http://localhost:${PORT}`
  const others = BETTER_AUTH_TRUSTED_ORIGINS?.split(',') ?? []
  const trusted = others.map((url) => originOf('BETTER_AUTH_TRUSTED_ORIGINS', url))
  settings.isProxy = settings.TRUST_PROXY === undefined ? () => false : proxiesOf(settings.TRUST_PROXY)
  settings.baseURL = originOf('BETTER_AUTH_URL', settings.BETTER_AUTH_URL ?? local)
  // Where the server is public, what listens on the same port of a user's own machine is somebody else's.
  const own = settings.baseURL.startsWith('https:') ? [] : [local, `http://127.0.0.1:${PORT}`]
  settings.origins = [...new Set([settings.baseURL, ...own.map((url) => new URL(url).origin), ...trusted])]
})
