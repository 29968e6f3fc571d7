import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const beat = 250

// In a thread of its own, as the database keeps the main one busy for seconds. The file is gone where another server took over.
const heart = `
const { parentPort, workerData: { file, beat } } = require('node:worker_threads')
const timer = setInterval(() => {
  const now = new Date()
  try { require('node:fs').utimesSync(file, now, now) } catch { parentPort.postMessage('lost'); clearInterval(timer) }
}, beat)
`

/**
 * Keeps a folder for one server. The holder touches a file as long as it runs, and whoever finds that file watches it for
 * `patience` milliseconds: unlike a process number this tells, in another container too, a server that runs from one that was killed.
 * Of several that come at once one makes the file of the next number; numbers are not used again, so that nobody takes what
 * was looked at for what stands there now.
 * @param onLost called when another server took the folder, as this one was stopped for longer than that
 * @returns frees the folder, or null where another server holds it
 */
export async function lockFolder (folder: string, onLost: () => void, patience = 3000): Promise<(() => Promise<void>) | null> {
  for (;;) {
    const last = (await numbersIn(folder)).at(-1) ?? 0
    if (last > 0 && await isHeld(fileOf(folder, last), patience)) return null
    const file = fileOf(folder, last + 1)
    if (!await create(file)) continue
    const numbers = await numbersIn(folder)
    if (numbers.at(-1) === last + 1) {
      for (const number of numbers.slice(0, -1)) await rm(fileOf(folder, number), { force: true })
      return hold(file, onLost)
    }
    await rm(file, { force: true })
  }
}

function hold (file: string, onLost: () => void): () => Promise<void> {
  const worker = new Worker(heart, { eval: true, execArgv: [], workerData: { file, beat } })
  worker.on('message', onLost)
  worker.unref()
  return async () => {
    await worker.terminate()
    await writeFile(file, 'free').catch(() => {}) // the folder may be gone
  }
}

const isHeld = async (file: string, patience: number): Promise<boolean> => await isTouched(file, patience).catch(falseIf('ENOENT'))

async function isTouched (file: string, patience: number): Promise<boolean> {
  if (await readFile(file, 'utf8') === 'free') return false
  const { mtimeMs } = await stat(file)
  for (let waited = 0; waited < patience; waited += beat) {
    await setTimeout(beat)
    if ((await stat(file)).mtimeMs !== mtimeMs) return true
  }
  return false
}

const create = async (file: string): Promise<boolean> => await writeFile(file, '', { flag: 'wx', mode: 0o600 }).then(() => true, falseIf('EEXIST'))

const falseIf = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === code) return false
  throw error
}

const fileOf = (folder: string, number: number) => join(folder, `lock.${number}`)

const numbersIn = async (folder: string) =>
  (await readdir(folder)).flatMap((name) => /^lock\.(\d+)$/.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b)
