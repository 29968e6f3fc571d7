/**
 * A bounded load of valid, expired, forged and malformed requests, with keep-alive and aborted sockets, against a
 * server of this process on loopback. Ends with a table, and with exit code 1 on a 5xx, another user's data, or a heap
 * that grows. SOAK_SECONDS: how long, 60 by default.
 */
import { Agent, request } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import userScope from '../../lib/index.js'
import { now, otherSecret, secret, sign } from './host.js'
import { median } from '../benchmark/quantile.js'

const seconds = Number(process.env.SOAK_SECONDS ?? 60)
const lanes = 16
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const app = Fastify()
await app.register(userScope, { secret })
app.get('/api/:user_id/tasks', async (request) => ({ user: request.user.id }))
app.post('/api/:user_id/tasks', async (request) => ({ user: request.user.id }))
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as AddressInfo
const agent = new Agent({ keepAlive: true, maxSockets: lanes })

let turn = 0
/** Each kind of request: what it sends, and the status that it must get. */
type Kind = [name: string, status: number, make: (user: string) => { path?: string, authorization?: string }]
const kinds: Kind[] = [
  ['valid', 200, (user) => ({ authorization: `Bearer ${sign({ sub: user, exp: now() + 60, n: turn })}` })],
  ['other path', 403, (user) =>
    ({ path: 'somebody', authorization: `Bearer ${sign({ sub: user, exp: now() + 60 })}` })],
  ['expired', 401, (user) => ({ authorization: `Bearer ${sign({ sub: user, exp: now() - 60 })}` })],
  ['forged', 401, (user) =>
    ({ authorization: `Bearer ${sign({ sub: user, exp: now() + 60 }, { key: otherSecret })}` })],
  ['malformed', 401, () => ({ authorization: `Bearer ${'.'.repeat(turn % 50)}${'x'.repeat(turn % 9000)}` })],
  ['no token', 401, () => ({})]
]

const counts = new Map<string, number>()
const faults: string[] = []
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)

function send (): Promise<void> {
  const [kind, status, make] = kinds[turn++ % kinds.length] as (typeof kinds)[number]
  const user = `user-${turn % 1000}`
  const { path = user, authorization } = make(user)
  return new Promise((resolve) => {
    const method = turn % 3 ? 'GET' : 'POST'
    const headers = { ...authorization && { authorization } }
    const sent = request({ port, agent, path: `/api/${path}/tasks`, method, headers }, (response) => {
      let body = ''
      response.on('data', (chunk) => { body += String(chunk) })
      response.on('end', () => {
        count(`${kind} ${response.statusCode}`)
        if (response.statusCode !== status) faults.push(`${kind}: ${response.statusCode} ${body}`)
        if (status === 200 && body !== JSON.stringify({ user })) faults.push(`${user} was given ${body}`)
        resolve()
      })
    })
    sent.on('error', (error) => { faults.push(`${kind}: ${error.message}`); resolve() })
    sent.end()
  })
}

/** Goes away in the middle of the request, or right behind it. */
function abort (): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      const token = sign({ sub: 'alice', exp: now() + 60 })
      const text = `POST /api/alice/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"title":'
      socket.write(text.slice(0, turn * 7 % text.length), () => socket.destroy())
    })
    socket.on('close', () => { count('aborted'); resolve() })
    socket.on('error', () => {})
  })
}

const heap = () => { collectGarbage(); return process.memoryUsage().heapUsed / 2 ** 20 }
const end = Date.now() + seconds * 1000
const warm = Date.now() + seconds * 200
const samples: number[] = []

async function lane (index: number): Promise<void> {
  while (Date.now() < end) {
    await (turn % 20 === 0 ? (turn++, abort()) : send())
    if (index === 0 && turn % 2000 < lanes && Date.now() > warm) samples.push(heap())
  }
}
await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)))
samples.push(heap())
agent.destroy()
await app.close()

// The median of the last third against that of the first: a leak grows, a spike does not.
const third = Math.ceil(samples.length / 3)
const growth = median(samples.slice(-third)) - median(samples.slice(0, third))
console.table(Object.fromEntries([...counts].sort()))
console.log(
  `${[...counts.values()].reduce((a, b) => a + b)} requests in ${seconds} s; heap ${median(samples).toFixed(1)} MB, ` +
  `grown by ${growth.toFixed(2)} MB after warm-up; ${faults.length} faults`
)
for (const fault of new Set(faults.slice(0, 20))) console.error(fault)
if (faults.length > 0 || growth > 2) process.exitCode = 1
