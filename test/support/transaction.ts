// Two requests on the embedded database: one writes while another's transaction is open, which is then rolled back.
// Prints what is left. A process of its own, as the example's files are not for the coverage of the library.
import Fastify from 'fastify'
import { sql } from 'kysely'
import { database } from '../../examples/todo/plugins/database.js'
import { settings } from '../../examples/todo/plugins/settings.js'

const app = Fastify({ pluginTimeout: 0 })
await app.register(settings, { data: {} })
await app.register(database)
const { db } = app
await sql`create table note (text text)`.execute(db)
const write = (to: typeof db, text: string) => sql`insert into note values (${text})`.execute(to)

let beside: Promise<unknown> = Promise.resolve()
await db.transaction().execute(async (transaction) => {
  beside = write(db, 'beside')
  await write(transaction, 'rolled back')
  throw new Error('undone')
}).catch((error: Error) => { if (error.message !== 'undone') throw error })
await beside

const { rows } = await sql<{ text: string }>`select text from note`.execute(db)
await app.close()
console.log(JSON.stringify(rows.map(({ text }) => text)))
