/** From the samples of all rounds to the table, the ratios, results.json and results.svg. */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { directory } from './processes.js'
import { median, quantile } from './quantile.js'
import { base, reference, type Row } from './rows.js'

export interface Sample {
  /** Requests per second. */
  readonly rate: number
  /** Microseconds of a request in the process of the server, without the kernel's. */
  readonly cpu: number
  /** Milliseconds. */
  readonly p99: number
  /** How much of a core other processes took meanwhile. */
  readonly others: number
}

/** By the name of a row, in the order of rounds. */
export type Samples = ReadonlyMap<string, readonly Sample[]>

/** What a row is measured against, and how much of it is wanted. */
const targets: Array<[row: string, against: string, wanted: number]> = [
  ['fastify-user-scope, one token', 'floor, one token', 0.97],
  ['fastify-user-scope, 5,000 tokens', 'floor, 5,000 tokens', 0.95],
  ['fastify-user-scope, each token new', '@fastify/jwt, each token new', 0.95],
  ['fastify-user-scope, cache: false', '@fastify/jwt', 0.95],
  ['fastify-user-scope, forged', '@fastify/jwt, forged', 1.3],
  ['fastify-user-scope, expired', '@fastify/jwt, expired', 1.7],
  ['fastify-user-scope, no token', '@fastify/jwt, no token', 1.7]
]

/** Medians over the rounds, each of which saw every row. */
function summarize (each: Row, samples: Samples) {
  const of = (what: keyof Sample, name = each.name) => median(samples.get(name)?.map((sample) => sample[what]) ?? [])
  return {
    name: each.name,
    group: each.group,
    requestsPerSecond: Math.round(of('rate')),
    toBase: of('rate') / of('rate', base),
    toReference: of('rate') / of('rate', reference),
    cpuMicroseconds: of('cpu'),
    cpuAboveBase: of('cpu') - of('cpu', base),
    p99Milliseconds: of('p99'),
    others: Math.max(0, of('others'))
  }
}

/** Ratios within a round, as what slows a whole round down is not in them. Half of them lie between from and to. */
function ratiosOf (samples: Samples) {
  return targets.flatMap(([name, against, wanted]) => {
    const [own = [], theirs = []] = [samples.get(name), samples.get(against)]
    const ratios = own.flatMap(({ rate }, round) => rate / (theirs[round]?.rate ?? NaN))
    if (ratios.length === 0 || theirs.length === 0) return []
    return { name, against, ratio: median(ratios), from: quantile(ratios, 0.25), to: quantile(ratios, 0.75), wanted }
  })
}

function versions (): Record<string, string> {
  const packagesOf = (lock: string) =>
    (JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, { version?: string }> }).packages
  const installed = {
    ...packagesOf(`${directory}../../package-lock.json`),
    ...packagesOf(`${directory}package-lock.json`)
  }
  const names = [
    'fastify', '@fastify/jwt', 'fast-jwt', 'jose', 'fastify-jwt-jwks', 'hono', '@hono/node-server', 'express',
    'express-oauth2-jwt-bearer', 'autocannon'
  ]
  return Object.fromEntries([
    ['node', process.versions.node],
    ...names.map((name) => [name, installed[`node_modules/${name}`]?.version ?? 'none'])
  ])
}

export function resultsOf (rows: readonly Row[], samples: Samples, settings: object) {
  return {
    date: new Date().toISOString().slice(0, 10),
    versions: versions(),
    cpus: availableParallelism(),
    ...settings,
    rows: rows.map((each) => summarize(each, samples)),
    ratios: ratiosOf(samples)
  }
}

type Results = ReturnType<typeof resultsOf>

const fixed = (value: number, digits: number) => Number(value.toFixed(digits))

export function print ({ date, versions, rows, ratios }: Results): void {
  console.table(Object.fromEntries(rows.map((each) => [each.name, {
    'req/s': each.requestsPerSecond,
    '× no auth': fixed(each.toBase, 2),
    '× @fastify/jwt': fixed(each.toReference, 2),
    'CPU µs/req': fixed(each.cpuMicroseconds, 1),
    'µs of auth': fixed(each.cpuAboveBase, 1),
    'p99 ms': each.p99Milliseconds,
    'other CPU': fixed(each.others, 2)
  }])))
  console.table(Object.fromEntries(ratios.map(({ name, against, ratio, from, to, wanted }) => [name, {
    against,
    ratio: fixed(ratio, 3),
    'half from': fixed(from, 2),
    'half to': fixed(to, 2),
    wanted
  }])))
  const installed = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  console.log(`${date}; ${installed.join(', ')}`)
}

export async function write (results: Results): Promise<void> {
  const rounded = (_key: string, value: unknown) => typeof value === 'number' ? Number(value.toPrecision(4)) : value
  writeFileSync(`${directory}results.json`, `${JSON.stringify(results, rounded, 2)}\n`)
  const chart = new URL('chart.mjs', import.meta.url).href
  const { draw } = await import(chart) as { draw: (given: Results) => Promise<string> }
  writeFileSync(`${directory}results.svg`, await draw(results))
}
