/**
 * Changes the core one piece at a time, and reports what its tests do not notice. The working tree stays as it is.
 *
 *   npm run mutate                                all modules of the rooms below: hours
 *   npm run mutate -- lib/token/claims-reader.ts         one module, or several
 *   npm run mutate -- lib/token/claims-reader.ts:40,52   some lines, such as those of survivors
 *   npm run mutate -- --sample 20                 at most so many mutants of each module
 *   npm run mutate -- --jobs 1                    at a time; default: 2
 *
 * A mutant is run against the test of its module (test/token/claims-reader.test.ts) and, if that passes, against the
 * others of its room and its suites: first those that noticed most of the module's mutants, then the shortest. One
 * that runs much longer than the module as it is counts as noticed. A survivor wants a row in a test, or an entry with
 * the reason in equivalent.ts. The exit code is 1 below 97 %.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { equivalents } from './equivalent.js'
import { mutantsOf, transpile, type Mutant } from './mutants.js'

const leastRate = 97

/** Besides the tests of a room: what shows its effect on requests. */
const suites: Record<string, string[]> = {
  lib: [
    'test/guard/guard.test.ts', 'test/routes/table.test.ts', 'test/keys/remote-keys.test.ts',
    'test/openapi/documents.test.ts', 'test/revocations/revocations.test.ts', 'test/revocations/feed.test.ts',
    'test/app/hosts.test.ts', 'test/app/late-load.test.ts', 'test/options/settings.test.ts',
    'test/guard/until-revoked.test.ts'
  ],
  'lib/token': ['test/guard/guard.test.ts', 'test/app/better-auth.test.ts', 'test/app/fuzz.test.ts'],
  'lib/guard': [
    'test/plugin.test.ts', 'test/token/actor.test.ts', 'test/routes/dot-segments.test.ts',
    'test/revocations/feed.test.ts', 'test/app/hosts.test.ts', 'test/app/late-load.test.ts'
  ],
  'lib/routes': [
    'test/guard/guard.test.ts', 'test/plugin.test.ts', 'test/app/late-load.test.ts', 'test/testing/app-routes.test.ts'
  ],
  'lib/openapi': ['test/app/late-load.test.ts'],
  'lib/keys': ['test/keys/remote-keys.test.ts', 'test/app/better-auth-jwks.test.ts'],
  'lib/options': ['test/options/settings.test.ts', 'test/app/id-prefix.test.ts']
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: 'string' }, jobs: { type: 'string', default: '2' } }
})

const roomOf = (path: string) => path.slice(0, path.lastIndexOf('/'))
const filesIn = (room: string) =>
  readdirSync(room).filter((name) => name.endsWith('.ts')).map((name) => `${room}/${name}`)
const modules = positionals.length > 0
  ? positionals
  : Object.keys(suites).flatMap(filesIn)

const testOf = (path: string) => path.replace(/^lib(.*)\.ts$/, 'test$1.test.ts')

/** That of the module comes first. */
function testsOf (path: string): string[] {
  const room = roomOf(testOf(path))
  // The files of `test` itself are those of whole rooms.
  const others = room !== 'test' && existsSync(room) ? filesIn(room) : []
  const lengthOf = (test: string) => statSync(test).size
  const further = [...others, ...suites[roomOf(path)] ?? []].sort((a, b) => lengthOf(a) - lengthOf(b))
  return [...new Set([testOf(path), ...further])].filter((test) => existsSync(test))
}

/** The working tree as JavaScript, in which one mutant at a time lies: without a loader a test starts much faster. */
function layLane (lane: string): void {
  rmSync(lane, { recursive: true, force: true })
  for (const name of readdirSync('.').filter((name) => !/^\.|^node_modules$/.test(name))) {
    cpSync(name, join(lane, name), { recursive: true, filter: (from) => !from.includes('node_modules') })
  }
  for (const top of ['lib', 'test', 'examples']) {
    for (const name of readdirSync(top, { recursive: true, encoding: 'utf8' })) {
      const path = join(top, name)
      if (!/(?<!\.d)\.ts$/.test(path) || path.includes('node_modules')) continue
      const source = readFileSync(path, 'utf8').replaceAll('lib/index.ts', 'lib/index.js') // hosts that a test writes
      writeFileSync(inLane(lane, path), transpile(source) ?? '')
    }
  }
}
const inLane = (lane: string, path: string) => join(lane, path.replace(/\.ts$/, '.js'))

const lanes = Array.from({ length: Number(values.jobs) }, (_, index) => resolve('.tap/mutate', String(index)))
for (const lane of lanes) layLane(lane)

// Interrupted, it ends by itself, and the tests that run end with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

/** Runs a test with JavaScript in the place of a module. */
function passes (lane: string, test: string, path: string, javascript: string, limit: number): Promise<boolean> {
  writeFileSync(inLane(lane, path), javascript)
  const child = spawn(process.execPath, [inLane(lane, test)], {
    cwd: lane,
    stdio: 'ignore',
    detached: true, // a group of its own, so that its children end with it
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      TAP_BAIL: '1',
      TAP_TIMEOUT: '0', // the limit below is the only one
      TAP_CWD: lane
    }
  })
  const end = () => { if (child.pid) process.kill(-child.pid, 'SIGKILL') }
  const timer = setTimeout(end, limit)
  process.once('exit', end)
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      clearTimeout(timer)
      process.removeListener('exit', end)
      resolve(code === 0)
    })
  })
}

/** What is known of a test and a module. */
interface Known {
  test: string
  /** How long it may take; null where it does not load the module. Measured when it is needed. */
  limit?: Promise<number | null>
  /** Mutants that it noticed. */
  noticed: number
}

async function isNoticed (lane: string, path: string, mutant: Mutant, unchanged: string, tests: readonly Known[]) {
  for (const known of tests.toSorted((a, b) => b.noticed - a.noticed)) {
    known.limit ??= limitOf(lane, known.test, path, unchanged)
    const limit = await known.limit
    if (limit === null || await passes(lane, known.test, path, mutant.javascript, limit)) continue
    known.noticed++
    return true
  }
  return false
}

async function limitOf (lane: string, test: string, path: string, unchanged: string): Promise<number | null> {
  if (await passes(lane, test, path, 'throw new Error()', 60_000)) return null
  const start = performance.now()
  if (!await passes(lane, test, path, unchanged, 600_000)) throw new Error(`${test} fails as it is`)
  return 3 * (performance.now() - start) + 10_000
}

function sampleOf (mutants: Mutant[], size: number): Mutant[] {
  const step = Math.max(1, mutants.length / size)
  return mutants.filter((_, index) => Math.floor(index / step) > Math.floor((index - 1) / step))
}

const isEquivalent = (path: string, { code, change }: Mutant) => (
  equivalents.some((known) => known.path === path && known.code === code && known.change === change)
)

let [total, missed] = [0, 0]
for (const place of modules) {
  const [path = '', lines] = place.split(':')
  const source = readFileSync(path, 'utf8')
  const unchanged = transpile(source) as string
  const tests = testsOf(path).map((test): Known => ({ test, noticed: 0 }))
  const all = mutantsOf(source)
    .filter((mutant) => !isEquivalent(path, mutant) && (!lines || lines.split(',').includes(String(mutant.line))))
  const mutants = sampleOf(all, Number(values.sample ?? all.length))
  const queue = mutants.values()
  let survivors = 0
  await Promise.all(lanes.map(async (lane) => {
    for (const mutant of queue) {
      if (await isNoticed(lane, path, mutant, unchanged, tests)) continue
      const { line, code, change } = mutant
      console.log(`${path}:${line}  ${change}\n    ${code}`)
      survivors++
    }
    writeFileSync(inLane(lane, path), unchanged)
  }))
  report(path, mutants.length, survivors)
  total += mutants.length
  missed += survivors
}
report('all', total, missed)
process.exitCode = rate(total, missed) < leastRate ? 1 : 0

function rate (count: number, survivors: number): number {
  return count === 0 ? 100 : 100 * (count - survivors) / count
}

function report (what: string, count: number, survivors: number): void {
  console.log(`${what}: ${count - survivors} of ${count} noticed, ${rate(count, survivors).toFixed(1)} %`)
}
