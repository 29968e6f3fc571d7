import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFolder } from './folder-lock.js'

interface DataFolder {
  /** Where the embedded database keeps its files. */
  database: string
  release: () => Promise<void>
}

/** Opens the folder for this process alone: the embedded database does not notice a second one, and both would overwrite each other's rows. */
export async function openFolder (folder: string): Promise<DataFolder> {
  const unusable = (error: Error) => { throw new Error(`DATA_DIR cannot be used (${error.message}): name a folder that can be written to`) }
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unusable)
  const release = await lockFolder(folder, endAtOnce).catch(unusable)
  if (!release) throw new Error(`${folder} is in use by another server: stop that, or name another folder in DATA_DIR (several servers share a DATABASE_URL)`)
  const database = join(folder, 'postgres')
  // The embedded database lets everybody read and write most of its files.
  await mkdir(database, { recursive: true })
  await chmod(database, 0o700)
  return { database, release }
}

/** Without another write. */
function endAtOnce (): never {
  console.error('The data folder was taken by another server, as this one had stopped for seconds')
  process.exit(1)
}

/** The secret of the folder, made where it has none. With another one Better Auth could not read its keys after a restart. */
export async function secretOf (folder: string): Promise<string> {
  const file = join(folder, 'secret')
  await create(file, randomBytes(32).toString('base64url'))
  return readFile(file, 'utf8')
}

/** Writes a file for its owner alone, which nobody sees half written, unless there is one. */
async function create (file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, text, { mode: 0o600 })
  try {
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft)
  }
}
