import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { env, version } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { bearer } from './host.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }

// Each file that runs at the same time has ports of its own, so that none takes what another has found free. They are
// above 10080, which fetch and browsers refuse.
const portsOfJob = 5000
const firstPort = 11_000 + Number(env.TAP_JOB_ID ?? 0) % 4 * portsOfJob
let nextPort = Math.floor(Math.random() * portsOfJob)

/** A port that nobody is given by chance, unlike those that the system hands out, and that is given once. */
export async function freePort (): Promise<number> {
  const port = firstPort + nextPort++ % portsOfJob
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, () => resolve(true))
  })
  if (!isFree) return freePort()
  server.close()
  await once(server, 'close')
  return port
}

export interface Run {
  /** What was printed, once that matches; rejects where the process ends before. */
  prints: (pattern: RegExp) => Promise<string>
  /** Exit code and what was written to stderr. */
  ended: Promise<{ code: number | null, stderr: string }>
  kill: (signal: NodeJS.Signals) => void
  pid: number | undefined
}

/**
 * Runs a script, by default what `npm start` runs. Without the NODE_OPTIONS with which the test runner puts loaders and
 * coverage into every process. Some releases of Node 20.19 warn that Ed25519 is experimental.
 */
export function run (t: Test, variables: Record<string, string>, cwd: string, script = scripts.start): Run {
  // The script's own path is relative to the repository, wherever it runs.
  const words = script.split(' ').map((part) => part.endsWith('.ts') ? join(root, part) : part)
  return spawned(t, words, variables, cwd)
}

/** The same as seen in a terminal. */
const runInTerminal = (t: Test, variables: Record<string, string>, cwd: string): Run =>
  spawned(t, ['script', '-qfec', `exec ${scripts.start}`, '/dev/null'], { ...variables, NO_COLOR: '1' }, cwd)

function spawned (t: Test, words: string[], variables: Record<string, string>, cwd: string): Run {
  const hasWarning = version.startsWith('v20.19.')
  const options = hasWarning ? ['NODE_OPTIONS=--disable-warning=ExperimentalWarning'] : ['-u', 'NODE_OPTIONS']
  const child = spawn('env', [...options, ...words], { cwd, env: { PATH: env.PATH, ...variables } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    prints: (pattern) => new Promise((resolve, reject) => {
      const look = () => { if (pattern.test(stdout)) resolve(stdout) }
      child.stdout.on('data', look)
      look()
      ended.then(({ code }) => { reject(new Error(`ended with ${code}: ${stderr}`)) }, reject)
    }),
    ended,
    kill: (signal) => child.kill(signal),
    pid: child.pid
  }
}

interface Request { method?: string, token?: string, body?: object, headers?: Record<string, string> }
interface Answer { status: number, body: unknown, headers: Headers }

/** A user who is signed in. */
export interface SignedIn { id: string, token: string, cookie: string, sessionToken: string }

export interface Example extends Run {
  printed: string
  /** Where it listens. */
  address: string
  /** Where it says to be reached. */
  baseURL: string
  password: string
  send: (path: string, request?: Request) => Promise<Answer>
  signUp: (name: string, headers?: Record<string, string>) => Promise<SignedIn>
  signIn: (name: string, headers?: Record<string, string>) => Promise<SignedIn>
}

/** The running example, and what it says about itself. */
export const start = (t: Test, variables: Record<string, string> = {}, cwd = join(root, 'test')): Promise<Example> =>
  started(run, t, variables, cwd)

export const startInTerminal = (t: Test): Promise<Example> => started(runInTerminal, t, {}, root)

async function started (runner: typeof run, t: Test, variables: Record<string, string>, cwd: string): Promise<Example> {
  const port = variables.PORT ?? String(await freePort())
  const running = runner(t, { PORT: port, ...variables }, cwd)
  const printed = await running.prints(/^# Stop with Ctrl\+C\.\r?$/m)
  const find = (pattern: RegExp) => String(pattern.exec(printed)?.[1])
  const address = `http://${variables.HOST ?? '127.0.0.1'}:${port}`
  const baseURL = find(/^# Todo API on (https?:\S+),/m)
  const password = 'demo-password-1234'

  const send: Example['send'] = async (path, { method = 'GET', token, body, headers } = {}) => {
    const response = await fetch(address + path, {
      method,
      headers: { ...token && bearer(token), ...body && { 'content-type': 'application/json' }, ...headers },
      ...body && { body: JSON.stringify(body) }
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, body: isJson ? JSON.parse(text) as unknown : text, headers: response.headers }
  }

  const signedIn = async (path: string, body: object, headers = {}): Promise<SignedIn> => {
    const answer = await send(path, { method: 'POST', body, headers: { origin: baseURL, ...headers } })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    const { user, token: sessionToken } = answer.body as { user: { id: string }, token: string }
    const cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
    const { token } = (await send('/api/auth/token', { headers: { cookie, ...headers } })).body as { token: string }
    return { id: user.id, token, cookie, sessionToken }
  }

  return {
    ...running,
    printed,
    address,
    baseURL,
    password,
    send,
    signUp: (name, headers) =>
      signedIn('/api/auth/sign-up/email', { name, email: `${name}@example.com`, password }, headers),
    signIn: (name, headers) => signedIn('/api/auth/sign-in/email', { email: `${name}@example.com`, password }, headers)
  }
}

/** The URL of a user's tasks, and the token for it. */
export const own = ({ id, token }: SignedIn) => [`/api/${id}/tasks`, { token }] as const

export const add = ({ send }: Example, { id, token }: SignedIn, title: string) =>
  send(`/api/${id}/tasks`, { method: 'POST', token, body: { title } })

/** Of the first page of a user's tasks. */
export async function titles ({ send }: Example, user: SignedIn): Promise<string[]> {
  const { body } = await send(...own(user))
  return (body as { tasks: Array<{ title: string }> }).tasks.map(({ title }) => title)
}

export async function end (running: Example, signal: NodeJS.Signals): Promise<void> {
  running.kill(signal)
  await running.ended
}

/** The lines about the demo users. */
export const idsIn = ({ printed }: Example) => printed.match(/\w+@example\.com has the id \w+/g)

/** Why a test is skipped where a program is missing, or false. In CI that is a failure: nobody would notice. */
export function skipWithout (program: string | null | undefined, debianPackage: string): string | false {
  if (program) return false
  const reason = `install the Debian package ${debianPackage} to run this`
  if (env.CI === 'true') throw new Error(reason)
  return reason
}
