import { resolve } from 'node:path'

/** What the environment says, checked. The variables are explained in .env.example. */
export interface Settings {
  host: string
  port: number
  logLevel: string
  /** The origin by which clients reach the server; `iss` and `aud` of every token. */
  baseURL: string
  /** Pages that may send requests with a session cookie. */
  origins: string[]
  /** Requests to /api/auth in a minute, from one address to one server. */
  authLimit: number
  /** Of those to sign in, and as many to sign up: passwords are not to be guessed. */
  signInLimit: number
  /** Proxies in front, whose word on the client's address is believed. */
  trustProxy: number
  /** A PostgreSQL server, a folder for the embedded one, or its memory alone. */
  database: { url: string } | { folder: string } | 'memory'
  /** What Better Auth signs cookies and encrypts its private keys with. Null: one is kept in the folder. */
  secret: string | null
}

type Environment = Record<string, string | undefined>

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
const newSecret = 'make one with: openssl rand -base64 32'

/** @throws an error of one line, which names the variable and the mend, and no secret. */
export function readSettings (env: Environment): Settings {
  const port = readInteger(env, 'PORT', 3000, 65535)
  const baseURL = readOrigin('BETTER_AUTH_URL', env.BETTER_AUTH_URL || `http://localhost:${port}`)
  // Passwords and tokens go there; the plugin would not take keys from such a place either.
  if (!/^https:|\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(baseURL)) throw new Error('BETTER_AUTH_URL must be https, or http on localhost')
  const trusted = (env.BETTER_AUTH_TRUSTED_ORIGINS || '').split(',').filter(Boolean).map((origin) => readOrigin('BETTER_AUTH_TRUSTED_ORIGINS', origin.trim()))
  const logLevel = env.LOG_LEVEL || 'warn'
  if (!levels.includes(logLevel)) throw new Error(`LOG_LEVEL must be one of ${levels.join(', ')}`)
  const database = readDatabase(env)
  return {
    host: env.HOST || 'localhost',
    port,
    logLevel,
    baseURL,
    origins: [...new Set([baseURL, `http://localhost:${port}`, `http://127.0.0.1:${port}`, ...trusted])],
    authLimit: readInteger(env, 'AUTH_RATE_LIMIT', 60, 1_000_000),
    signInLimit: readInteger(env, 'SIGN_IN_RATE_LIMIT', 10, 1_000_000),
    trustProxy: env.TRUST_PROXY ? readInteger(env, 'TRUST_PROXY', 1, 10) : 0,
    database,
    secret: readSecret(env, typeof database === 'object' && 'url' in database)
  }
}

function readInteger (env: Environment, name: string, byDefault: number, most: number): number {
  const text = env[name] || String(byDefault)
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value < 1 || value > most) throw new Error(`${name} must be a whole number from 1 to ${most}, such as ${byDefault}`)
  return value
}

function readOrigin (name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) throw new Error(`${name} must be an origin without a path, such as http://localhost:3000`)
  return url.origin
}

function readDatabase (env: Environment): Settings['database'] {
  if (!env.DATABASE_URL) return env.DATA_DIR === ':memory:' ? 'memory' : { folder: resolve(env.DATA_DIR || '.data') }
  if (env.DATA_DIR) throw new Error('DATABASE_URL and DATA_DIR are both set: keep the one for a PostgreSQL server, or the other for the embedded database')
  if (!URL.canParse(env.DATABASE_URL) || !/^postgres(ql)?:/.test(env.DATABASE_URL)) {
    throw new Error('DATABASE_URL must be of the form postgres://user:password@host:5432/database')
  }
  return { url: env.DATABASE_URL }
}

function readSecret ({ BETTER_AUTH_SECRETS: list, BETTER_AUTH_SECRET: secret }: Environment, isRequired: boolean): string | null {
  // Better Auth reads the list itself, and would show an entry of another form. The single one then serves for what is older than the list.
  const isFit = !list || list.split(',').every((entry) => /^\s*\d+:\s*\S{32,}\s*$/.test(entry))
  const versions = list?.split(',').map((entry) => Number.parseInt(entry)) ?? []
  if (!isFit || new Set(versions).size < versions.length) throw new Error('BETTER_AUTH_SECRETS must be of the form 2:new,1:old, each version once, with secrets of 32 characters or more')
  if (secret !== undefined && secret.length < 32) throw new Error(`BETTER_AUTH_SECRET is shorter than 32 characters: ${newSecret}`)
  if (secret === undefined && !list && isRequired) throw new Error(`BETTER_AUTH_SECRET is not set, and all servers of one DATABASE_URL need the same: ${newSecret}`)
  return secret ?? null
}
