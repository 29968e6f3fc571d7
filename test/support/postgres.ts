import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, getuid } from 'node:process'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Test } from 'tap'

const debian = '/usr/lib/postgresql'
const folders = [
  ...(env.PATH ?? '').split(':'),
  ...existsSync(debian) ? readdirSync(debian).sort().reverse().map((version) => join(debian, version, 'bin')) : []
]

/** Where the server's programs are, if anywhere. */
export const postgresPrograms = folders.find((folder) =>
  existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')))

interface Postgres {
  url: string
  /** Each statement by itself, as its superuser. */
  query: (...statements: string[]) => Promise<void>
  /** The same in a transaction, which lasts until what it gives back is called. */
  hold: (...statements: string[]) => Promise<() => Promise<void>>
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** A PostgreSQL server of the test's own, on a socket in a folder of its own. */
export async function startPostgres (t: Test, programs: string): Promise<Postgres> {
  // Not below the repository: the path of a socket may have about a hundred characters.
  const dir = await mkdtemp(join(tmpdir(), 'postgres-'))
  const data = join(dir, 'data')
  // initdb refuses to run as root.
  const isRoot = getuid?.() === 0
  const idOf = (kind: '-u' | '-g') => Number(execFileSync('id', [kind, 'postgres']))
  if (isRoot) await chown(dir, idOf('-u'), idOf('-g'))
  const call = async (program: string, ...args: string[]) => {
    const command = [join(programs, program), ...args]
    const [runner, options] = isRoot ? ['runuser', ['-u', 'postgres', '--']] : ['env', []]
    await promisify(execFile)(runner, [...options, ...command], { cwd: dir })
  }
  const settings = `-c listen_addresses= -c fsync=off -k ${dir}`
  const start = () => call('pg_ctl', 'start', '-w', '-D', data, '-l', join(dir, 'log'), '-o', settings)
  const stop = () => call('pg_ctl', 'stop', '-w', '-D', data, '-m', 'immediate')
  t.teardown(async () => {
    if (existsSync(join(data, 'postmaster.pid'))) await stop()
    await rm(dir, { recursive: true, force: true })
  })
  await call('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync')
  await start()
  const url = `postgres://postgres@localhost/postgres?host=${dir}`
  const hold = async (...statements: string[]) => {
    const client = new pg.Client(url).on('error', () => {}) // the server may stop before it
    await client.connect()
    for (const statement of statements) await client.query(statement)
    return () => client.end()
  }
  const query = async (...statements: string[]) => (await hold(...statements))()
  return { url, query, hold: (...statements) => hold('begin', ...statements), start, stop }
}
