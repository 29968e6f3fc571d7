import type { BetterAuthOptions } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { Migrator, sql, type Migration } from 'kysely'
import type { Database } from './database.js'

// Never edited once released: what changes is a new entry.
const migrations: Record<string, Migration> = {
  '2026-11-20-task': {
    async up (db) {
      await db.schema.createTable('task')
        .addColumn('id', 'integer', (column) => column.primaryKey().generatedAlwaysAsIdentity())
        .addColumn('user_id', 'text', (column) => column.notNull().references('user.id').onDelete('cascade'))
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('description', 'text')
        .addColumn('completed', 'boolean', (column) => column.notNull().defaultTo(false))
        .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
        .addColumn('updated_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
        .execute()
      // A page of somebody's tasks is a piece of this, however many there are.
      await db.schema.createIndex('task_user_id_id').on('task').columns(['user_id', 'id']).execute()
    }
  }
}

// What whoever runs the database can mend, by the code that it gives.
const mends: Record<string, string> = {
  42501: 'let its user make tables: GRANT CREATE ON SCHEMA public, or make it the owner of the database',
  '55P03': 'a start of another server or a transaction of somebody else holds a lock: wait for it, or end it'
}

/** Better Auth's tables first, as tasks refer to its users. */
export async function migrate (db: Database, options: BetterAuthOptions): Promise<void> {
  await (await getMigrations(options)).runMigrations()
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest()
  if (error) throw error
}

/** Runs `work` on one connection while no other server of this database does: two that start at once would migrate twice. */
export async function alone<T> (db: Database, work: (connection: Database) => Promise<T>): Promise<T> {
  const lock = 7_264_118_935
  return db.connection().execute(async (connection) => {
    // What takes long may take long, but somebody who never ends is not waited for.
    await sql`select set_config('lock_timeout', '10s', false), set_config('statement_timeout', '0', false)`.execute(connection)
    try {
      await sql`select pg_advisory_lock(${lock})`.execute(connection)
      return await work(connection)
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      const mend = mends[String(code)]
      throw mend ? new Error(`DATABASE_URL cannot be used (${message}): ${mend}`) : error
    } finally {
      await sql`select pg_advisory_unlock(${lock})`.execute(connection)
      await sql`reset all`.execute(connection)
    }
  })
}
