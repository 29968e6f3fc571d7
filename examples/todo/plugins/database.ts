import { PGlite } from '@electric-sql/pglite'
import { dataDir } from '@electric-sql/pglite-prepopulatedfs'
import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import { Kysely, PostgresDialect, type Generated, type PostgresPool, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import type { TaskRow } from '../schemas.js'
import { DatabaseUnavailableError } from './errors.js'

type Stated = Pick<TaskRow, 'title' | 'description'> & { user_id: string }
type Generable = { [Column in Exclude<keyof TaskRow, keyof Stated>]: Generated<TaskRow[Column]> }

/** The other tables and columns belong to Better Auth. */
export interface Tables { task: Stated & Generable, user: { id: string, organization: string | null } }
export type Database = Kysely<Tables>

declare module 'fastify' { interface FastifyInstance { db: Database } }

/** The PostgreSQL server of DATABASE_URL, or an embedded one in the memory of this process. */
export const database = fp(async (app) => {
  const { DATABASE_URL } = app.settings
  // The embedded one starts from prepared files, because creating them takes seconds.
  const pool = DATABASE_URL
    ? await connect(DATABASE_URL, app.log)
    : embedded(await PGlite.create({ loadDataDir: await dataDir() }))
  app.decorate('db', new Kysely({ dialect: new PostgresDialect({ pool }) }))
  app.addHook('onClose', () => app.db.destroy())
})

async function connect (connectionString: string, log: FastifyBaseLogger): Promise<PostgresPool> {
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 10_000, statement_timeout: 10_000 })
  // The pool replaces a broken connection. Its error would end the process without a listener: the pool listens to idle
  // ones and reports theirs, but to none during a query.
  pool.on('connect', (client) => { client.on('error', (error) => { log.error(error) }) })
  pool.on('error', () => {})
  const ask = async () => await pool.query('select 1') // it throws if the URL is none
  await ask().catch(({ message, code }: NodeJS.ErrnoException) => {
    throw new Error(`DATABASE_URL cannot be used (${message || code}). Fix: start that server or correct the URL`)
  })
  const unavailable = (error: Error) => {
    log.error(error)
    throw new DatabaseUnavailableError()
  }
  return { connect: () => pool.connect().catch(unavailable), end: () => pool.end() }
}

/** The embedded server has one connection. Callers take turns, so no query joins another request's transaction. */
function embedded (client: PGlite): PostgresPool {
  const query = (text: string, values: unknown[]) => client.query(text, [...values])
  let free = Promise.resolve()
  const connect = async () => {
    let release = () => {}
    const turn = free
    free = new Promise((resolve) => { release = resolve })
    await turn
    return { query, release } as unknown as PostgresPoolClient
  }
  return { connect, end: () => client.close() }
}
