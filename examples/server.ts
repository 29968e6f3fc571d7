import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { env } from 'node:process'
import { buildServer } from './app.js'
import { createSigner } from './tokens.js'

const lifetime = '1h'

async function start (): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile()
  const isRandom = currentSecret() === undefined
  if (isRandom) env.BETTER_AUTH_SECRET = randomBytes(32).toString('base64url')

  const app = await buildServer({ logger: { level: env.LOG_LEVEL || 'warn' } })
  const sign = await createSigner(String(currentSecret()), lifetime)
  const address = await app.listen({ host: env.HOST || '127.0.0.1', port: Number(env.PORT || 3000) })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())

  if (isRandom) console.log('BETTER_AUTH_SECRET is not set: using a random secret, good for this run only.\n')
  console.log(instructions(address, sign('alice'), sign('bob')))
}

/** The one that tokens are signed with, in Better Auth's order: the newest of the list, else the single one. */
function currentSecret (): string | undefined {
  return env.BETTER_AUTH_SECRETS ? env.BETTER_AUTH_SECRETS.split(',')[0]?.replace(/^\s*\d+:/, '') : env.BETTER_AUTH_SECRET
}

function instructions (address: string, alice: string, bob: string): string {
  const as = (token: string) => `-H 'Authorization: Bearer ${token}' `
  const task = '-H \'Content-Type: application/json\' -d \'{"title":"Buy milk"}\' '
  const curl = (flags: string, path: string) => `curl -i ${flags}'${address}${path}'`
  return `Todo API on ${address}, docs on ${address}/docs

Tokens (${lifetime}):
alice: ${alice}
bob: ${bob}

201, alice adds a task:
${curl(as(alice) + task, '/api/alice/tasks')}

200, alice lists her tasks:
${curl(as(alice), '/api/alice/tasks')}

200, bob asks who he is:
${curl(as(bob), '/api/me')}

200, the health, without a token:
${curl('', '/health')}

401, alice's tasks without a token:
${curl('', '/api/alice/tasks')}

403, alice's tasks with bob's token:
${curl(as(bob), '/api/alice/tasks')}

Stop with Ctrl+C.`
}

start().catch((error: Error) => {
  console.error(`Cannot start: ${error.message}`)
  process.exitCode = 1
})
