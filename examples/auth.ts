import { betterAuth, type BetterAuthOptions } from 'better-auth'
import { jwt } from 'better-auth/plugins'
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from './database.js'
import type { Settings } from './settings.js'

export type Auth = ReturnType<typeof createAuth>

type AuthSettings = Pick<Settings, 'baseURL' | 'origins'> & { secret: string }

/** For Better Auth with e-mail and password; `jwt()` at its defaults signs tokens with EdDSA and keeps its keys in the database. */
export function authOptions (db: Database, { baseURL, origins, secret }: AuthSettings, log: FastifyBaseLogger) {
  return {
    baseURL,
    secret, // BETTER_AUTH_SECRETS, where set, goes before it
    database: { db, type: 'postgres' },
    emailAndPassword: { enabled: true },
    plugins: [jwt()],
    trustedOrigins: origins,
    // The routes have a limit of their own, which answers as all routes do.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // It would let every origin in where NODE_ENV is `test`.
    advanced: { disableOriginCheck: false },
    // A fault goes to the error handler of the app, and not to the console.
    onAPIError: { throw: true },
    logger: { level: 'warn', log: (level, message, ...details) => { log[level]({ details }, message) } }
  } satisfies BetterAuthOptions
}

/** It looks for its tables at once. */
export const createAuth = (options: ReturnType<typeof authOptions>) => betterAuth(options)
