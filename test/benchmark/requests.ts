/**
 * Requests per second and CPU time per request (in the process, without the kernel's) of servers that do the same with
 * and without this plugin, and with others: each server in a process of its own, the load from another, all of them by
 * turns. Prints a table, and writes results.json and results.svg.
 * BENCH_SECONDS for each run, 3 by default; BENCH_ROUNDS, 7 by default; BENCH_ONLY=text;text takes the rows whose name
 * has one of the texts, and writes no files; BENCH_PROFILE=directory leaves CPU profiles there.
 */
import './install.js'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { answerOf, directory, hasFastApi, startFastApi, startNode, startServer, type Server } from './processes.js'
import { audience, issuer, keySet, makeToken, secret, type Algorithm } from './tokens.js'

const seconds = Number(process.env.BENCH_SECONDS ?? 3)
const rounds = Number(process.env.BENCH_ROUNDS ?? 7)
const only = process.env.BENCH_ONLY ?? ''
const connections = 10

type Group = 'lets in, HS256' | 'lets in, keys of an issuer (JWKS)' | 'refuses'
/**
 * What the tokens of a run are. `new`: none stands in the cache of 10,000, as each comes again after 20,000 others at
 * the earliest.
 */
type Load = 'one' | 'many' | 'new' | 'forged' | 'expired' | 'none'

interface Row {
  readonly name: string
  readonly group: Group
  readonly contender: string
  readonly algorithm: Algorithm
  readonly load: Load
  readonly cache?: unknown
}

const row = (
  group: Group,
  name: string,
  contender: string,
  load: Load = 'one',
  { algorithm = 'HS256' as Algorithm, cache = undefined as unknown } = {}
): Row =>
  ({ group, name, contender, load, algorithm, ...cache !== undefined && { cache } })

const byKeys = (name: string, contender: string, ...algorithms: Algorithm[]) =>
  algorithms.map((algorithm) =>
    row('lets in, keys of an issuer (JWKS)', `${name}, ${algorithm}`, contender, 'one', { algorithm }))

const base = 'Fastify without auth'
const reference = '@fastify/jwt'
const rows: Row[] = [
  row('lets in, HS256', base, 'no-auth'),
  row('lets in, HS256', 'Fastify without auth, 5,000 tokens', 'no-auth', 'many'),
  row('lets in, HS256', 'fastify-user-scope, one token', 'user-scope'),
  row('lets in, HS256', 'fastify-user-scope, 5,000 tokens', 'user-scope', 'many'),
  row('lets in, HS256', 'fastify-user-scope, each token new', 'user-scope', 'new'),
  row('lets in, HS256', 'fastify-user-scope, cache: false', 'user-scope', 'one', { cache: false }),
  row('lets in, HS256', reference, '@fastify/jwt'),
  row('lets in, HS256', '@fastify/jwt, each token new', '@fastify/jwt', 'new'),
  row('lets in, HS256', '@fastify/jwt, verify.cache: true', '@fastify/jwt', 'one', { cache: true }),
  row('lets in, HS256', 'Hono jwt', 'hono'),
  row('lets in, HS256', 'Express, express-oauth2-jwt-bearer', 'express'),
  row('lets in, HS256', 'FastAPI, python-jose', 'fastapi'),
  row('refuses', 'fastify-user-scope, no token', 'user-scope', 'none'),
  row('refuses', 'fastify-user-scope, forged', 'user-scope', 'forged'),
  row('refuses', 'fastify-user-scope, expired', 'user-scope', 'expired'),
  row('refuses', '@fastify/jwt, forged', '@fastify/jwt', 'forged'),
  ...byKeys('fastify-user-scope', 'user-scope', 'EdDSA', 'ES256', 'RS256'),
  ...byKeys('fastify-jwt-jwks', 'fastify-jwt-jwks', 'EdDSA', 'RS256'),
  ...byKeys('express-oauth2-jwt-bearer', 'express', 'EdDSA', 'ES256', 'RS256'),
  ...byKeys('Hono jwk', 'hono', 'RS256')
].filter(({ name }) => name === base || only.split(';').some((each) => name.includes(each)))

interface Request { method: 'GET', path: string, headers: Record<string, string> }

const request = (user: string, token?: string): Request => ({
  method: 'GET',
  path: `/api/${user}/tasks`,
  headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
})

const counts: Record<Load, number> = { one: 1, many: 5000, new: 20_000, forged: 1, expired: 1, none: 1 }

function requestsOf ({ load, algorithm }: Row): Request[] {
  return Array.from({ length: counts[load] }, (_, index) => {
    const user = `user-${index}`
    if (load === 'none') return request(user)
    return request(user, makeToken(algorithm, user, { forged: load === 'forged', expired: load === 'expired' }))
  })
}

const statusOf = ({ load }: Row) => load === 'one' || load === 'many' || load === 'new' ? 200 : 401

/** That each does the whole work, before any is timed. */
async function check ({ name, contender, algorithm }: Row, { port }: Server): Promise<void> {
  const send = async ({ path, headers }: Request) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers, signal: AbortSignal.timeout(5000) })
    return `${response.status} ${response.status === 200 ? JSON.stringify(await response.json()) : ''}`
  }
  const tasks = [{ id: 1, title: 'Buy milk', completed: false }, { id: 2, title: 'Call the bank', completed: true }]
  const ok = `200 ${JSON.stringify({ tasks })}`
  const cases: Array<[string, string, Request]> = [
    ['the owner', ok, request('alice', makeToken(algorithm, 'alice'))],
    ['somebody else', '403 ', request('bob', makeToken(algorithm, 'alice'))],
    ['no token', '401 ', request('alice')],
    ['a forged token', '401 ', request('alice', makeToken(algorithm, 'alice', { forged: true }))],
    ['an expired token', '401 ', request('alice', makeToken(algorithm, 'alice', { expired: true }))]
  ]
  for (const [what, expected, each] of contender === 'no-auth' ? cases.slice(0, 1) : cases) {
    const found = await send(each)
    if (found !== expected) throw new Error(`${name} answers ${what} with ${found} instead of ${expected}`)
  }
}

interface Run { seconds: number, total: number, statuses: Record<string, number>, failures: number, p99: number }

const load = startNode('load.mjs')

async function run (each: Row, port: number, requests: Request[], time: number): Promise<Run> {
  load.send({ port, requests, connections, seconds: time })
  const result = await answerOf<Run>(load, (time + 20) * 1000)
  const { total, failures, statuses } = result
  if (failures > 0 || statuses[statusOf(each)] !== total) {
    throw new Error(`${each.name}: ${failures} failures, ${JSON.stringify(statuses)} of ${total}`)
  }
  return result
}

interface Sample { rate: number, cpu: number, p99: number }

async function sample (each: Row, server: Server): Promise<Sample> {
  const requests = requestsOf(each)
  // What is to be new must not be known from the warm-up.
  await run(each, server.port, each.load === 'new' ? requestsOf(each) : requests, seconds / 4)
  const before = await server.cpu()
  const { total, seconds: took, p99 } = await run(each, server.port, requests, seconds)
  return { rate: total / took, cpu: (await server.cpu() - before) / total * 1e6, p99 }
}

const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const [low = NaN, high = NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return (low + high) / 2
}

/** Medians over the rounds, each of which saw every row, and their ratios. */
function summarize (each: Row, samples: ReadonlyMap<string, Sample[]>) {
  const of = (what: keyof Sample, name = each.name) => median(samples.get(name)?.map((sample) => sample[what]) ?? [])
  return {
    name: each.name,
    group: each.group,
    requestsPerSecond: Math.round(of('rate')),
    toBase: of('rate') / of('rate', base),
    toReference: of('rate') / of('rate', reference),
    cpuMicroseconds: of('cpu'),
    cpuAboveBase: of('cpu') - of('cpu', base),
    p99Milliseconds: of('p99')
  }
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

const servers = new Map<Row, Server>()
const keyServer = startNode('key-server.mjs', [JSON.stringify(keySet)])
try {
  const { port } = await answerOf<{ port: number }>(keyServer)
  const withFastApi = rows.some(({ contender }) => contender === 'fastapi') && hasFastApi()
  for (const each of rows) {
    const { contender, algorithm, cache } = each
    if (contender === 'fastapi' && !withFastApi) {
      console.log(
        `${each.name}: skipped, as the Debian packages python3-fastapi, python3-jose and uvicorn are not installed`
      )
      continue
    }
    const jwksUri = `http://127.0.0.1:${port}/.well-known/jwks.json`
    const settings = { algorithm, issuer, audience, cache, ...algorithm === 'HS256' ? { secret } : { jwksUri } }
    const server = contender === 'fastapi' ? await startFastApi(settings) : await startServer(contender, settings)
    servers.set(each, server)
    await check(each, server)
  }

  console.log(`${servers.size} servers answer 200, 401 and 403 as they should; ` +
    `${rounds} rounds of ${seconds} s each; load average ${loadavg()[0]?.toFixed(1)}`)
  const samples = new Map<string, Sample[]>([...servers.keys()].map(({ name }) => [name, []]))
  // Until the code of each is compiled as well as it will be.
  for (const [each, server] of servers) await sample(each, server)
  for (let round = 0; round < rounds; round++) {
    const turns = [...servers]
    // Nobody always comes behind the same neighbour's heat.
    if (round % 2) turns.reverse()
    for (const [each, server] of turns) samples.get(each.name)?.push(await sample(each, server))
    console.log(`round ${round + 1} of ${rounds}; load average ${loadavg()[0]?.toFixed(1)}`)
  }

  const results = {
    date: new Date().toISOString().slice(0, 10),
    versions: versions(),
    cpus: availableParallelism(),
    connections,
    rounds,
    seconds,
    rows: [...servers.keys()].map((each) => summarize(each, samples))
  }
  const fixed = (value: number, digits: number) => Number(value.toFixed(digits))
  console.table(Object.fromEntries(results.rows.map((each) => [each.name, {
    'req/s': each.requestsPerSecond,
    '× no auth': fixed(each.toBase, 2),
    '× @fastify/jwt': fixed(each.toReference, 2),
    'CPU µs/req': fixed(each.cpuMicroseconds, 1),
    'µs of auth': fixed(each.cpuAboveBase, 1),
    'p99 ms': each.p99Milliseconds
  }])))
  const installed = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`)
  console.log(`${results.date}; ${installed.join(', ')}`)
  if (only === '') {
    const rounded = (_key: string, value: unknown) => typeof value === 'number' ? Number(value.toPrecision(4)) : value
    writeFileSync(`${directory}results.json`, `${JSON.stringify(results, rounded, 2)}\n`)
    const chart = new URL('chart.mjs', import.meta.url).href
    const { draw } = await import(chart) as { draw: (given: typeof results) => Promise<string> }
    writeFileSync(`${directory}results.svg`, await draw(results))
  }
} finally {
  for (const server of servers.values()) server.stop()
  load.disconnect()
  keyServer.disconnect()
}
