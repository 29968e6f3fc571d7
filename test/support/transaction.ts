// Two requests on the embedded database: one writes while the transaction of another is open, which is then rolled back. Prints the
// tasks that are left. A process of its own, as the example's files are not for the coverage of the library.
import { sql } from 'kysely'
import { openDatabase } from '../../examples/database.js'

const { FOLDER: folder = '', EMAIL: email = '' } = process.env
const db = await openDatabase({ folder }, () => {})
const { rows: [user] } = await sql<{ id: string }>`select id from "user" where email = ${email}`.execute(db)
const owner = String(user?.id)
const write = (to: typeof db, title: string) => to.insertInto('task').values({ user_id: owner, title }).execute()

let beside: Promise<unknown> = Promise.resolve()
await db.transaction().execute(async (transaction) => {
  beside = write(db, 'beside')
  await write(transaction, 'rolled back')
  throw new Error('undone')
}).catch((error: Error) => { if (error.message !== 'undone') throw error })
await beside

const tasks = await db.selectFrom('task').select('title').where('user_id', '=', owner).orderBy('id').execute()
await db.destroy()
console.log(JSON.stringify(tasks.map(({ title }) => title)))
