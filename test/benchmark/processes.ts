import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const directory = fileURLToPath(new URL('.', import.meta.url))
const python = '/usr/bin/python3'

/**
 * Seconds so far. Only those of the user are the server's work: the kernel's have the waking of the peer, which sleeps
 * while it waits for a slow server.
 */
export interface CpuTime { readonly user: number, readonly system: number }

/** A server in a process of its own. */
export interface Server {
  readonly port: number
  cpu (): Promise<CpuTime>
  stop (): void
}

/** A contender of contenders.mjs. With BENCH_PROFILE=directory each server leaves a CPU profile there. */
export async function startServer (name: string, settings: object): Promise<Server> {
  const { BENCH_PROFILE: profiles } = process.env
  const file = `${name.replace('/', '-')}-${Date.now()}.cpuprofile`
  const flags = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${file}`] : []
  const child = startNode('server.mjs', [name, JSON.stringify(settings)], flags)
  const { port } = await answerOf<{ port: number }>(child)
  return {
    port,
    cpu: async () => {
      child.send('cpu')
      return await answerOf<CpuTime>(child)
    },
    stop: () => child.disconnect()
  }
}

/** Whether Debian's packages of the FastAPI contender are there. */
export const hasFastApi = () =>
  spawnSync(python, ['-c', 'import fastapi, uvicorn, jose'], { timeout: 20_000 }).status === 0

export async function startFastApi (settings: object): Promise<Server> {
  const child = spawn(
    python,
    [`${directory}todo_api.py`, JSON.stringify(settings)],
    { stdio: ['pipe', 'pipe', 'inherit'] }
  )
  const lines = createInterface({ input: child.stdout })
  const [port] = await once(lines, 'line', { signal: AbortSignal.timeout(20_000) }) as [string]
  return {
    port: Number(port),
    cpu: async () => {
      child.stdin.write('\n')
      const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(20_000) }) as [string]
      const [user = NaN, system = NaN] = line.split(' ').map(Number)
      return { user, system }
    },
    stop: () => child.stdin.end()
  }
}

/** A script of this directory; it ends when it is disconnected, or when this process ends. */
export function startNode (script: string, args: string[] = [], execArgv: string[] = []): ChildProcess {
  return fork(`${directory}${script}`, args, { execArgv, env: { ...process.env, NODE_ENV: 'production' } })
}

export async function answerOf<T> (child: ChildProcess, milliseconds = 20_000): Promise<T> {
  const ended = new AbortController()
  const onExit = () => ended.abort()
  child.once('exit', onExit)
  try {
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(milliseconds)])
    const [message] = await once(child, 'message', { signal }) as [T]
    return message
  } catch {
    throw new Error(`no answer from ${child.spawnargs.slice(1).join(' ')}`)
  } finally {
    child.off('exit', onExit)
  }
}
