/**
 * Changes the core one piece at a time, and reports what its tests do not notice. The working tree stays as it is.
 *
 *   npm run mutate                                all modules of the rooms below: hours
 *   npm run mutate -- lib/token/claims-reader.ts         one module, or several
 *   npm run mutate -- lib/token/claims-reader.ts:40,52   some lines, such as those of survivors
 *   npm run mutate -- --sample 20                 at most so many mutants of each module
 *   npm run mutate -- --jobs 1                    at a time; default: 2
 *
 * A mutant is run against the test of its module (test/token/claims-reader.test.ts) and, if that passes, against the suites of
 * its room. One that runs much longer than the module as it is counts as noticed. A survivor wants a row in a test, or
 * an entry with the reason in equivalent.ts. The exit code is 1 below 97 %.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { equivalents } from './equivalent.js'
import { mutantsOf, transpile, type Mutant } from './mutants.js'

const leastRate = 97

/** Besides the test of a module itself: what shows its effect on requests. */
const suites: Record<string, string[]> = {
  'lib/token': ['test/guard/guard.test.ts', 'test/app/better-auth.test.ts', 'test/app/fuzz.test.ts'],
  'lib/guard': ['test/guard/guard.test.ts', 'test/plugin.test.ts'],
  'lib/routes': ['test/guard/guard.test.ts', 'test/plugin.test.ts'],
  'lib/keys': ['test/keys/remote-keys.test.ts', 'test/app/better-auth-jwks.test.ts'],
  'lib/options': ['test/options/settings.test.ts']
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: 'string' }, jobs: { type: 'string', default: '2' } }
})

const roomOf = (path: string) => path.slice(0, path.lastIndexOf('/'))
const modules = positionals.length > 0
  ? positionals
  : Object.keys(suites).flatMap((room) => readdirSync(room).map((name) => `${room}/${name}`))

function testsOf (path: string): string[] {
  const own = path.replace(/^lib(.*)\.ts$/, 'test$1.test.ts')
  return [...new Set([own, ...suites[roomOf(path)] ?? []])].filter((test) => existsSync(test))
}

/** A place where one mutant at a time lies, with folders of its own for tests that write files. */
const lanes = Array.from({ length: Number(values.jobs) }, (_, index) => resolve('.tap/mutate', String(index)))
for (const lane of lanes) mkdirSync(lane, { recursive: true })

// Interrupted, it ends by itself, and the tests that run end with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

/** Runs a test with JavaScript in the place of a module. */
function passes (lane: string, test: string, path: string, javascript: string, limit: number): Promise<boolean> {
  const file = `${lane}/mutant.mjs`
  writeFileSync(file, javascript)
  const child = spawn(process.execPath, [test], {
    stdio: 'ignore',
    detached: true, // a group of its own, so that its children end with it
    env: {
      ...process.env,
      NODE_OPTIONS: `--import tsx --import ${new URL('swap.mjs', import.meta.url).href}`,
      MUTANT_URL: pathToFileURL(path).href,
      MUTANT_FILE: file,
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

type Limits = Map<string, number>

async function isNoticed (lane: string, path: string, javascript: string, limits: Limits): Promise<boolean> {
  for (const [test, limit] of limits) {
    if (!await passes(lane, test, path, javascript, limit)) return true
  }
  return false
}

/** The tests of a module that pass with it as it is, and how long each may take. */
async function limitsOf (path: string, lane: string, javascript: string): Promise<Limits> {
  const limits: Limits = new Map()
  for (const test of testsOf(path)) {
    if (await passes(lane, test, path, 'throw new Error()', 60_000)) continue // does not load the module
    const start = performance.now()
    if (!await passes(lane, test, path, javascript, 600_000)) throw new Error(`${test} fails as it is`)
    limits.set(test, 3 * (performance.now() - start) + 10_000)
  }
  return limits
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
  const limits = await limitsOf(path, lanes[0] as string, transpile(source) as string)
  if (limits.size === 0) {
    console.log(`${path}: no test loads it`)
    continue
  }
  const all = mutantsOf(source)
    .filter((mutant) => !isEquivalent(path, mutant) && (!lines || lines.split(',').includes(String(mutant.line))))
  const mutants = sampleOf(all, Number(values.sample ?? all.length))
  const queue = mutants.values()
  let survivors = 0
  await Promise.all(lanes.map(async (lane) => {
    for (const { line, code, change, javascript } of queue) {
      if (await isNoticed(lane, path, javascript, limits)) continue
      console.log(`${path}:${line}  ${change}\n    ${code}`)
      survivors++
    }
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
