/** What revocations take in memory and in time, and what open signals take. Needs --expose-gc. */
import { EventEmitter } from 'node:events'
import { pino } from 'pino'
import type { VerifiedUser } from '../../lib/index.js'
import { median } from './quantile.js'

const lib = async <T>(path: string) => await import(new URL(`../../dist/${path}`, import.meta.url).href) as T
const { Revocations } = await lib<typeof import('../../lib/revocations/revocations.js')>('revocations/revocations.js')
const { RevocationList } = await lib<typeof import('../../lib/revocations/list.js')>('revocations/list.js')
const { Watches } = await lib<typeof import('../../lib/revocations/watches.js')>('revocations/watches.js')
const { refuse } = await lib<typeof import('../../lib/contract/errors.js')>('contract/errors.js')
const { readOptions } = await lib<typeof import('../../lib/options/settings.js')>('options/settings.js')

if (!globalThis.gc) throw new Error('start it with --expose-gc')

function memory (): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`

/** As random UUIDs have it, and as many bytes. */
const hex = (n: number, length: number) => n.toString(16).padStart(length, '0')
const idOf = (n: number) => `${hex(n, 8)}-95ff-4c65-b5a5-${hex(n * 7919, 12)}`
const now = Math.floor(Date.now() / 1000)
const userOf = (n: number): VerifiedUser => {
  // Parsed, as the strings of a token are.
  const text = JSON.stringify({ sub: idOf(n), sid: idOf(n + 1), jti: idOf(n + 2), iat: now - 5, exp: now + 900 })
  const claims = JSON.parse(text) as VerifiedUser['claims']
  return { id: String(claims.sub), issuer: 'secret', scopes: [], actor: null, claims }
}

const settings = readOptions({ secret: 'Zk9vq1tYw3pLx7sB2nD5hGfR8mJ4cKeT', revocations: true }, {})
const open = () => new Revocations(settings.revocations!, settings, pino({ level: 'silent' }), {}, () => {})

/**
 * Nanoseconds of one check of a token that is not revoked, the median of some rounds. The users are read before, 50 at
 * a time, as each was when its token was verified or found: that they come from the main memory is not the check's.
 */
function timeOf (check: (user: VerifiedUser) => unknown): number {
  const users = Array.from({ length: 20_000 }, (_, n) => userOf(5_000_000 + n * 13))
  const rounds = Array.from({ length: 31 }, () => {
    let time = 0
    for (let from = 0; from < users.length; from += 50) {
      const some = users.slice(from, from + 50)
      JSON.stringify(some)
      const start = performance.now()
      for (const user of some) if (check(user) !== null) throw new Error('revoked')
      time += performance.now() - start
    }
    return time * 1e6 / users.length
  })
  return median(rounds)
}

const revocations = open()
const users = Array.from({ length: 100_000 }, (_, n) => userOf(n))
const connections = users.map(() => new EventEmitter().on('close', () => {}))
const signals: AbortSignal[] = []
let isOut = false
const watches = new Watches((user) => isOut ? refuse('TOKEN_REVOKED', user.id) : revocations.check(user))
const beforeSignals = memory()
for (const [n, user] of users.entries()) signals.push(watches.open(user, connections[n] as EventEmitter))
console.log(`100,000 signals: ${megabytes(memory() - beforeSignals)}`)
isOut = true
const alive = setInterval(() => {}, 1000) // the watches' own timers keep no process alive
let start = performance.now()
watches.lookSoon()
await new Promise((resolve) => signals.at(-1)?.addEventListener('abort', resolve))
console.log(`until all of them have aborted: ${(performance.now() - start).toFixed(0)} ms`)
console.log(`a check with no entry: ${timeOf((user) => revocations.check(user)).toFixed(0)} ns`)
const before = memory()
for (let n = 0; n < 1_000_000; n++) await revocations.revoke({ user: idOf(n), issuedBefore: now - 10 })
console.log(`1,000,000 entries: ${megabytes(memory() - before)}`)
console.log(`a check with 1,000,000 entries: ${timeOf((user) => revocations.check(user)).toFixed(0)} ns`)

const list = new RevocationList()
for (let n = 0; n < 1_000_000; n++) list.add({ kind: 'user', id: idOf(n), issuer: '', moment: now - n % 2 })
start = performance.now()
if ([...list.without(0, 0, 0)].length > 0) throw new Error('all have this mark')
console.log(`looking for what a store lacks: ${(performance.now() - start).toFixed(0)} ms`)
start = performance.now()
list.deleteBefore(now)
console.log(`a sweep that removes half: ${(performance.now() - start).toFixed(0)} ms`)

clearInterval(alive)
revocations.stop()
