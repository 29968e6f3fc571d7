import { betterAuth, type BetterAuthOptions } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { jwt } from 'better-auth/plugins'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { sql } from 'kysely'
import type { Database } from './database.js'

declare module 'fastify' { interface FastifyInstance { betterAuth: ReturnType<typeof createAuth> } }

// Columns that users cannot set when they sign up or edit their profile.
const byServer = { type: 'string', required: false, input: false } as const

/** The claims of a user for the API. The only scope is that of the support team. */
const claimsOf = ({ role, organization }: Record<string, unknown>) =>
  ({ ...role === 'support' && { scope: role }, ...Boolean(organization) && { org_id: organization } })

/** E-mail and password. `jwt()` at its defaults signs tokens with EdDSA and keeps its keys in the database. */
const optionsFor = ({ settings: { baseURL, origins, BETTER_AUTH_SECRET }, log }: FastifyInstance, db: Database) => ({
  baseURL,
  secret: String(BETTER_AUTH_SECRET),
  database: { db, type: 'postgres' },
  emailAndPassword: { enabled: true },
  user: { additionalFields: { role: byServer, organization: byServer } },
  plugins: [jwt({ jwt: { definePayload: ({ user }) => claimsOf(user) } })],
  trustedOrigins: origins,
  rateLimit: { enabled: false }, // the routes have one, which answers as all routes do
  advanced: { disableOriginCheck: false }, // otherwise any origin is accepted if NODE_ENV is `test`
  onAPIError: { throw: true }, // to the app's error handler, not to the console
  // Only errors of the details are logged, by the app's serializer: others may have a session token.
  logger: { log: (level, text, ...details) => { log[level]({ err: details.find(isError) }, inOneLine(text)) } }
} satisfies BetterAuthOptions)

/** Clients may choose parts of it. */
const inOneLine = (text: string) => `Better Auth: ${text.replace(/\p{C}/gu, ' ')}`
const isError = (detail: unknown) => detail instanceof Error
const createAuth = (app: FastifyInstance, db: Database) => betterAuth(optionsFor(app, db))

/** Creates the tables and the first key. Servers that start at the same time do it one after the other. */
async function prepare (app: FastifyInstance, db: Database): Promise<void> {
  await sql`begin`.execute(db) // a failure ends the process, and with it the transaction
  await sql`select set_config('lock_timeout', '10s', true), set_config('statement_timeout', '0', true)`.execute(db)
  await sql`select pg_advisory_xact_lock(7264118935)`.execute(db)
  await (await getMigrations(optionsFor(app, db))).runMigrations()
  await sql`create table if not exists task (id integer primary key generated always as identity,
    user_id text not null references "user" on delete cascade, title text not null, description text,
    completed boolean not null default false,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now())`.execute(db)
  await sql`create index if not exists task_user_id_id on task (user_id, id)`.execute(db)
  // A wrong secret fails here, before the first user signs in.
  await createAuth(app, db).api.signJWT({ body: { payload: {} } }).catch(({ message }: Error) => {
    throw new Error(`tokens cannot be signed (${message}). Fix: set the BETTER_AUTH_SECRET of when the keys were made`)
  })
  await sql`commit`.execute(db)
}

export const auth = fp(async (app) => {
  await app.db.connection().execute((connection) => prepare(app, connection)).catch((error: Error) => {
    if (!('code' in error)) throw error
    throw new Error(`DATABASE_URL cannot be used (${error.message}). Fix: let its user own the database, and end locks`)
  })
  app.decorate('betterAuth', createAuth(app, app.db))
})
