/** What 10,000 tokens in the cache take in memory, beyond their own text. Needs --expose-gc. */
import { setImmediate } from 'node:timers/promises'
import Fastify from 'fastify'
import { audience, issuer, makeToken, secret } from './tokens.js'

const count = 10_000
const built = new URL('../../dist/index.js', import.meta.url).href
const { default: userScope } = await import(built) as typeof import('../../lib/index.js')

const app = Fastify()
await app.register(userScope, { secret, issuer, audience })
app.get('/api/:user_id/tasks', async () => ({ tasks: [] }))
const tokens = Array.from({ length: count + 1000 }, (_, index) => makeToken('HS256', `user-${index}`))

async function send (from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) {
    const headers = { authorization: `Bearer ${tokens[index]}` }
    const { statusCode } = await app.inject({ url: `/api/user-${index}/tasks`, headers })
    if (statusCode !== 200) throw new Error(`status ${statusCode}`)
  }
}

/** Bytes, buffers included. */
async function memory (): Promise<number> {
  // What a request leaves behind is let go in turns of the event loop.
  for (let i = 0; i < 10; i++) {
    await setImmediate()
    globalThis.gc?.()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

if (!globalThis.gc) throw new Error('start it with --expose-gc')
// Code and the first tokens, which are known then.
await send(count, count + 1000)
const before = await memory()
await send(0, count - 1000)
const kept = await memory() - before
const text = tokens.slice(0, count - 1000).reduce((sum, { length }) => sum + length, 0)
const forEach = (kept - text) / (count - 1000)
console.log(`${count - 1000} more tokens: ${(kept / 1e6).toFixed(1)} MB, of which ${(text / 1e6).toFixed(1)} MB are ` +
  `their text; ${Math.round(forEach)} bytes beyond it for each, ${(forEach * count / 1e6).toFixed(1)} MB for ${count}`)
await app.close()
