import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import type { Test } from 'tap'
import { freePort } from './example.js'

/** The server's program, if it is installed. */
export const redisProgram = (env.PATH ?? '').split(':').flatMap((folder) => ['redis-server', 'valkey-server']
  .map((name) => join(folder, name))).find((file) => existsSync(file))

export interface Redis {
  port: number
  url: string
  start: () => Promise<void>
  /** Ends it, by default in the middle of everything. */
  kill: (signal?: NodeJS.Signals) => Promise<void>
  /** `SIGSTOP` and `SIGCONT`. */
  signal: (signal: NodeJS.Signals) => void
  /** Loses all that it has written to the disk, which a running server does not notice. */
  forget: () => Promise<void>
}

/** A Redis server of the test's own, on a port and in a folder of its own, which writes each command to the disk. */
export async function startRedis (t: Pick<Test, 'teardown'>, program: string, ...options: string[]): Promise<Redis> {
  const dir = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', '--save', '']
  let server: ChildProcess | null = null
  const start = async () => {
    const started = server = spawn(program, [...args, ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
    let printed = ''
    await new Promise<void>((resolve, reject) => {
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        if (/Ready to accept connections/.test(printed)) resolve()
      })
      started.once('close', () => { reject(new Error(`${program} ended: ${printed}`)) })
    })
  }
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    const ending = server
    server = null
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = once(ending, 'close')
    ending.kill(signal)
    await ended
  }
  t.teardown(async () => {
    await kill()
    await rm(dir, { recursive: true, force: true })
  })
  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    signal: (signal) => { server?.kill(signal) },
    forget: () => rm(join(dir, 'appendonlydir'), { recursive: true, force: true })
  }
}
