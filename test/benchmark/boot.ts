/**
 * Time to import the plugin, and to boot a host with 1,000, 5,000 and 10,000 routes, half of them with the owner's
 * parameter, with and without the plugin: each boot in a process of its own, by turns. BENCH_ROUNDS: boots of each, 11
 * by default.
 */
import { execFileSync, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { answerOf } from './processes.js'
import { median } from './quantile.js'

// Its own: the helpers of the tests load tap, which sends its parent a message.
const secret = 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT'
const kinds = ['without', 'with'] as const
const sizes = [1_000, 5_000, 10_000] as const

interface Boot { time: number, cpu: number }

const built = new URL('../../dist/index.js', import.meta.url).href

/** Milliseconds. */
async function boot (kind: string, routes: number): Promise<Boot> {
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

/** Milliseconds behind Fastify, without the loader that this process has. */
function importOnce (): number {
  const script = `await import('fastify'); const start = performance.now(); await import('${built}'); ` +
    'console.log(performance.now() - start)'
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }))
}

async function measure (routes: number): Promise<void> {
  const boots = { without: [] as Boot[], with: [] as Boot[] }
  for (let round = 0; round < Number(process.env.BENCH_ROUNDS ?? 11); round++) {
    for (const kind of kinds) {
      const child = fork(fileURLToPath(import.meta.url), [kind, String(routes)])
      boots[kind].push(await answerOf<Boot>(child, 60_000))
    }
  }
  const of = (kind: typeof kinds[number], what: keyof Boot) => median(boots[kind].map((each) => each[what]))
  for (const [what, name] of [['time', 'time'], ['cpu', 'CPU time']] as const) {
    const [without, withPlugin] = [of('without', what), of('with', what)]
    const more = withPlugin - without
    console.log(`${name} to boot ${routes} routes: ${without.toFixed(0)} ms without the plugin, ` +
      `${withPlugin.toFixed(0)} ms with it (${(100 * withPlugin / without).toFixed(0)} %), ` +
      `${(more / routes * 1000).toFixed(1)} µs more for each route`)
  }
}

const [kind, routes] = process.argv.slice(2)
if (kind) process.send?.(await boot(kind, Number(routes)))
else {
  console.log(`time to import the plugin: ${median(Array.from({ length: 11 }, importOnce)).toFixed(0)} ms`)
  for (const size of sizes) await measure(size)
}
