import createError from '@fastify/error'
import type { Database } from './database.js'

export interface Task {
  id: number
  title: string
  description: string | null
  completed: boolean
  created_at: string
  updated_at: string
}

type Fields = Pick<Task, 'title'> & { description?: string | null }

// Another user's task is answered like one that does not exist, so that ids cannot be probed.
const TaskNotFoundError = createError('TASK_NOT_FOUND', 'Task not found', 404)

const columns = ['id', 'title', 'description', 'completed', 'created_at', 'updated_at'] as const

type Row = Omit<Task, 'created_at' | 'updated_at'> & { created_at: Date, updated_at: Date }
const toTask = (row: Row): Task => ({ ...row, created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() })

/** Every query asks for the owner too: the guard checks the path, and the id of a task says nothing about whose it is. */
export class TaskStore {
  readonly #db: Database

  constructor (db: Database) {
    this.#db = db
  }

  /** The owner's tasks behind the one named `after`, oldest first. By the key, not by an offset: no page gets slower, and none shifts when a task goes. */
  async page (owner: string, { after, limit }: { after: number, limit: number }): Promise<{ tasks: Task[], next: number | null }> {
    const rows = await this.#db.selectFrom('task').select(columns)
      .where('user_id', '=', owner).where('id', '>', after).orderBy('id').limit(limit + 1).execute()
    const tasks = rows.slice(0, limit).map(toTask)
    return { tasks, next: rows.length > limit ? tasks.at(-1)?.id ?? null : null }
  }

  async create (owner: string, { title, description }: Fields): Promise<Task> {
    return toTask(await this.#db.insertInto('task').values({ user_id: owner, title, description: description ?? null }).returning(columns).executeTakeFirstOrThrow())
  }

  /** @throws TaskNotFoundError */
  async get (owner: string, id: number): Promise<Task> {
    return found(await this.#db.selectFrom('task').select(columns).where('user_id', '=', owner).where('id', '=', id).executeTakeFirst())
  }

  /** What is left out is cleared. @throws TaskNotFoundError */
  async replace (owner: string, id: number, { title, description, completed }: Fields & Pick<Task, 'completed'>): Promise<Task> {
    return this.#update(owner, id, { title, description: description ?? null, completed })
  }

  /** @throws TaskNotFoundError */
  async complete (owner: string, id: number): Promise<Task> {
    return this.#update(owner, id, { completed: true })
  }

  /** @throws TaskNotFoundError */
  async delete (owner: string, id: number): Promise<void> {
    const { numDeletedRows } = await this.#db.deleteFrom('task').where('user_id', '=', owner).where('id', '=', id).executeTakeFirstOrThrow()
    if (numDeletedRows === 0n) throw new TaskNotFoundError()
  }

  async #update (owner: string, id: number, values: Partial<Pick<Task, 'title' | 'description' | 'completed'>>): Promise<Task> {
    return found(await this.#db.updateTable('task').set({ ...values, updated_at: new Date() })
      .where('user_id', '=', owner).where('id', '=', id).returning(columns).executeTakeFirst())
  }
}

function found (row: Row | undefined): Task {
  if (!row) throw new TaskNotFoundError()
  return toTask(row)
}
