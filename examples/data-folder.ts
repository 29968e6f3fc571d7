import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

interface DataFolder {
  /** Where the embedded database keeps its files. */
  database: string
  release: () => Promise<void>
}

/** Opens the folder for this process alone: the embedded database does not notice a second one, and both would overwrite each other's rows. */
export async function openFolder (folder: string): Promise<DataFolder> {
  const unusable = (error: Error) => { throw new Error(`DATA_DIR cannot be used (${error.message}): name a folder that can be written to`) }
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unusable)
  const lock = join(folder, 'lock')
  while (!await create(lock, String(process.pid)).catch(unusable)) {
    const holder = Number(await readFile(lock, 'utf8').catch(() => 0))
    // What an earlier run left when it was killed. In a container it had the same number as this one.
    if (holder !== process.pid && isRunning(holder)) {
      throw new Error(`${folder} is in use by process ${holder}: stop that, or name another folder in DATA_DIR (several servers share a DATABASE_URL). If it is no server of this folder, delete ${lock}`)
    }
    await takeAway(lock, holder)
  }
  const database = join(folder, 'postgres')
  // The embedded database lets everybody read and write most of its files.
  await mkdir(database, { recursive: true })
  await chmod(database, 0o700)
  return { database, release: () => rm(lock, { force: true }) }
}

/** Removes what `holder` left behind, and nothing that another start has put there since. */
async function takeAway (lock: string, holder: number): Promise<void> {
  const taken = `${lock}.${process.pid}`
  try {
    await rename(lock, taken)
    if (await readFile(taken, 'utf8') !== String(holder)) await link(taken, lock)
    await rm(taken)
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(String((error as NodeJS.ErrnoException).code))) throw error
  }
}

/** The secret of the folder, made where it has none. With another one Better Auth could not read its keys after a restart. */
export async function secretOf (folder: string): Promise<string> {
  const file = join(folder, 'secret')
  await create(file, randomBytes(32).toString('base64url'))
  return readFile(file, 'utf8')
}

/** Writes a file for its owner alone, which nobody sees half written; false where there is one. */
async function create (file: string, text: string): Promise<boolean> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, text, { mode: 0o600 })
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft)
  }
}

function isRunning (pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
