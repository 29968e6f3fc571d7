import { PGlite } from '@electric-sql/pglite'
import createError from '@fastify/error'
import { Kysely, PostgresDialect, type Generated, type PostgresPool, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { openFolder } from './data-folder.js'
import type { Settings } from './settings.js'

interface TaskTable {
  id: Generated<number>
  user_id: string
  title: string
  description: string | null
  completed: Generated<boolean>
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

/** Better Auth's tables are its own affair. */
export type Database = Kysely<{ task: TaskTable }>

/** Not for want of a user, a token or a task: to be tried again. */
export class DatabaseUnavailableError extends createError('DATABASE_UNAVAILABLE', 'The database does not answer', 503) {
  readonly headers = { 'retry-after': '5' }
}

/** Opens what the settings name. `database.destroy()` closes it. */
export async function openDatabase (where: Settings['database'], onError: (error: Error) => void): Promise<Database> {
  const pool = where === 'memory' ? embedded(await PGlite.create()) : 'url' in where ? await connect(where.url, onError) : await openFiles(where.folder)
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}

async function connect (connectionString: string, onError: (error: Error) => void): Promise<PostgresPool> {
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 10_000, statement_timeout: 10_000 })
  // An idle connection that breaks, as when the server restarts, is replaced by the pool; unheard, it would end the process.
  pool.on('error', onError)
  await pool.query('select 1').catch(async (error: NodeJS.ErrnoException) => {
    await pool.end()
    throw new Error(`DATABASE_URL cannot be used (${error.message || error.code}): start that PostgreSQL server or mend the URL; without one an embedded database is used`)
  })
  return {
    connect: () => pool.connect().catch((error: Error) => {
      onError(error)
      throw new DatabaseUnavailableError()
    }),
    end: () => pool.end()
  }
}

async function openFiles (folder: string): Promise<PostgresPool> {
  const { database, release } = await openFolder(folder)
  const client = await PGlite.create(database).catch(async (error: Error) => {
    await release()
    throw new Error(`the database in ${folder} cannot be opened (${error.message}): name another folder in DATA_DIR, or delete this one to start anew`)
  })
  return embedded(client, release)
}

/**
 * The embedded server in the shape of a pool. It has one connection, which callers take in turn: otherwise a query would fall into the
 * transaction of another request.
 */
function embedded (client: PGlite, release = async () => {}): PostgresPool {
  let last = Promise.resolve()
  return {
    async connect () {
      const turn = last
      let done = () => {}
      last = new Promise((resolve) => { done = resolve })
      await turn
      return { query: (text: string, values: unknown[]) => client.query(text, [...values]), release: done } as unknown as PostgresPoolClient
    },
    async end () {
      await client.close()
      await release()
    }
  }
}
