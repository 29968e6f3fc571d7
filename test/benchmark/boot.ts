/**
 * Time to boot a host with 10,000 routes, half of them with the owner's parameter, with and without the plugin: each
 * boot in a process of its own, by turns. BENCH_ROUNDS: boots of each, 7 by default.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { answerOf } from './processes.js'
import { median } from './quantile.js'

// Its own: the helpers of the tests load tap, which sends its parent a message.
const secret = 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT'
const kinds = ['without', 'with'] as const
const routes = 10_000

interface Boot { time: number, cpu: number }

/** Milliseconds. */
async function boot (kind: string): Promise<Boot> {
  const built = new URL('../../dist/index.js', import.meta.url).href
  const { default: userScope } = await import(built) as typeof import('../../lib/index.js')
  const [start, used] = [performance.now(), process.cpuUsage()]
  const app = Fastify()
  if (kind === 'with') await app.register(userScope, { secret })
  else await app.register(async () => {})
  for (let i = 0; i < routes; i++) {
    app.get(i % 2 ? `/api/:user_id/things-${i}` : `/things-${i}/:thing_id`, async () => i)
  }
  await app.ready()
  const { user, system } = process.cpuUsage(used)
  return { time: performance.now() - start, cpu: (user + system) / 1000 }
}

async function measure (): Promise<void> {
  const boots = { without: [] as Boot[], with: [] as Boot[] }
  for (let round = 0; round < Number(process.env.BENCH_ROUNDS ?? 7); round++) {
    for (const kind of kinds) {
      boots[kind].push(await answerOf<Boot>(fork(fileURLToPath(import.meta.url), [kind]), 60_000))
    }
  }
  const of = (kind: typeof kinds[number], what: keyof Boot) => median(boots[kind].map((each) => each[what]))
  for (const [what, name] of [['time', 'time'], ['cpu', 'CPU time']] as const) {
    const [without, withPlugin] = [of('without', what), of('with', what)]
    const forEach = (withPlugin - without) / routes * 1000
    console.log(`${name} to boot ${routes} routes: ${without.toFixed(0)} ms without the plugin, ` +
      `${withPlugin.toFixed(0)} ms with it, ${forEach.toFixed(1)} µs more for each route`)
  }
}

const [kind] = process.argv.slice(2)
if (kind) process.send?.(await boot(kind))
else await measure()
