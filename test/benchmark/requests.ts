/**
 * Requests per second and CPU time per request (in the process, without the kernel's) of servers that do the same with
 * and without this plugin, and with others: each server in a process of its own, the load from another, all of them by
 * turns. Prints a table and the ratios that matter, and writes results.json and results.svg. A sample during which
 * another process took the core is taken again.
 * `--quick`: the rows that have a ratio, for two to three minutes; writes no files.
 * BENCH_SECONDS for each run, 1 by default; BENCH_ROUNDS, 15 by default: many short ones, as a machine's speed changes.
 * BENCH_LAUNCHES, 5 by default: how often all servers are started anew, as one process may be a tenth slower than
 * another of the same code.
 * BENCH_ONLY=text;text takes the rows whose name has one of the texts, and writes no files. BENCH_PROFILE=directory
 * leaves CPU profiles there.
 */
import './install.js'
import { cpus, loadavg } from 'node:os'
import { answerOf, hasFastApi, startFastApi, startNode, startServer, type Server } from './processes.js'
import { print, resultsOf, write, type Sample } from './report.js'
import {
  base, byHand, isInRatio, request, requestsOf, rows as allRows, statusOf, type Request, type Row
} from './rows.js'
import { audience, issuer, keySet, makeToken, secret } from './tokens.js'

const isQuick = process.argv.includes('--quick')
const seconds = Number(process.env.BENCH_SECONDS ?? (isQuick ? 0.5 : 1))
const rounds = Number(process.env.BENCH_ROUNDS ?? (isQuick ? 3 : 15))
const launches = Number(process.env.BENCH_LAUNCHES ?? (isQuick ? 3 : 5))
const only = process.env.BENCH_ONLY ?? ''
const connections = 10
/** Of a core: what may be taken by others without changing a ratio. */
const tolerable = 0.15

const isWanted = ({ name }: Row) => only.split(';').some((each) => name.includes(each))
const rows = allRows.filter((each) => each.name === base || (isWanted(each) && (!isQuick || isInRatio(each))))

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
  const checked = { 'no-auth': 1, [byHand]: 3 }[contender] ?? cases.length
  for (const [what, expected, each] of cases.slice(0, checked)) {
    const found = await send(each)
    if (found !== expected) throw new Error(`${name} answers ${what} with ${found} instead of ${expected}`)
  }
}

interface Run {
  seconds: number
  total: number
  statuses: Record<string, number>
  failures: number
  p99: number
  /** Seconds of the process that sends the requests, since it was started. */
  cpu: number
}

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

/** Seconds of CPU time of this process, as the others. */
const ownTime = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
/** Those of all processes together, since the machine was started. */
const busy = () => cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000

async function sample (each: Row, server: Server, triesLeft = 3): Promise<Sample> {
  const requests = requestsOf(each)
  // Long enough to see each of 5,000 tokens.
  const time = each.load === 'many' ? Math.max(1, seconds / 4) : seconds / 4
  // What is to be new must not be known from the warm-up.
  const warmUp = await run(each, server.port, each.load === 'new' ? requestsOf(each) : requests, time)
  const [before, ownBefore, allBefore, start] = [await server.cpu(), ownTime(), busy(), performance.now()]
  const { total, seconds: took, p99, cpu: ofLoad } = await run(each, server.port, requests, seconds)
  const [after, own, all] = [await server.cpu(), ownTime() - ownBefore, busy() - allBefore]
  const user = after.user - before.user
  const known = own + ofLoad - warmUp.cpu + user + after.system - before.system
  const others = (all - known) / (performance.now() - start) * 1000
  if (others > tolerable && triesLeft > 0) {
    console.log(`${each.name}: others took ${others.toFixed(2)} of a core, once more`)
    return await sample(each, server, triesLeft - 1)
  }
  return { rate: total / took, cpu: user / total * 1e6, p99, others }
}

const servers = new Map<Row, Server>()
const keyServer = startNode('key-server.mjs', [JSON.stringify(keySet)])

async function start (each: Row, jwksUri: string): Promise<void> {
  const { contender, algorithm, cache } = each
  const settings = { algorithm, issuer, audience, cache, ...algorithm === 'HS256' ? { secret } : { jwksUri } }
  const server = contender === 'fastapi' ? await startFastApi(settings) : await startServer(contender, settings)
  servers.set(each, server)
  await check(each, server)
}

function stop (): void {
  for (const server of servers.values()) server.stop()
  servers.clear()
}

try {
  const { port } = await answerOf<{ port: number }>(keyServer)
  const present = rows.filter(({ name, contender }) => {
    if (contender !== 'fastapi' || hasFastApi()) return true
    console.log(`${name}: skipped, as Debian's packages python3-fastapi, python3-jose and uvicorn are not installed`)
    return false
  })
  const loads: number[] = []
  const samples = new Map<string, Sample[]>(present.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    if (round % Math.ceil(rounds / launches) === 0) {
      stop()
      for (const each of present) await start(each, `http://127.0.0.1:${port}/.well-known/jwks.json`)
      console.log(`${servers.size} servers answer 200, 401 and 403 as they should`)
      // Until the code of each is compiled as well as it will be.
      for (const [each, server] of servers) await sample(each, server, 0)
    }
    const turns = [...servers]
    // Nobody always comes behind the same neighbour's heat.
    if (round % 2) turns.reverse()
    for (const [each, server] of turns) samples.get(each.name)?.push(await sample(each, server))
    loads.push(Number(loadavg()[0]?.toFixed(1)))
    console.log(`round ${round + 1} of ${rounds} of ${seconds} s; load average ${loads.at(-1)}`)
  }

  const results = resultsOf(present, samples, { connections, rounds, launches, seconds, loads })
  print(results)
  if (only === '' && !isQuick) await write(results)
} finally {
  stop()
  load.disconnect()
  keyServer.disconnect()
}
