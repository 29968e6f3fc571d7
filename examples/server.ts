import { existsSync } from 'node:fs'
import { env } from 'node:process'
import { buildApp } from './app.js'
import { walk } from './demo.js'
import { readSettings, type Settings } from './settings.js'

async function start (): Promise<void> {
  readEnvFile()
  const settings = readSettings(env)
  const { app, demo } = await buildApp(settings)
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      app.close()
      // Whoever has not sent the rest of a request by then does not keep the others waiting.
      setTimeout(() => app.server.closeAllConnections(), 5000).unref()
    })
  }
  try {
    await listen(app, settings)
  } catch (error) {
    await app.close()
    throw error
  }
  console.log(`Todo API on ${settings.baseURL}, docs on ${settings.baseURL}/docs

Data: ${whereIs(settings.database)}
${Object.values(demo).map(({ email, id }) => `${email} has the id ${id}`).join('\n')}
The password of both: ${demo.alice.password}

${walk(settings.baseURL, demo)}

Stop with Ctrl+C.`)
}

function readEnvFile (): void {
  try {
    if (existsSync('.env')) process.loadEnvFile()
  } catch (error) {
    throw new Error(`.env cannot be read (${(error as Error).message}): make it a file that you may read, or take it away`)
  }
}

async function listen (app: Awaited<ReturnType<typeof buildApp>>['app'], { host, port }: Settings): Promise<void> {
  const inUse = new Error(`port ${port} of ${host} is in use: stop what holds it, or choose another with PORT`)
  await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    const noAddress = new Error(`HOST ${host} is no address of this machine (${error.message}): choose localhost, or 0.0.0.0 for all it has`)
    const notAllowed = new Error(`port ${port} is not for every user (${error.message}): choose one above 1023 with PORT`)
    throw { EADDRINUSE: inUse, EADDRNOTAVAIL: noAddress, ENOTFOUND: noAddress, EAI_AGAIN: noAddress, EACCES: notAllowed }[String(error.code)] ?? error
  })
  // Fastify listens on every address of localhost, and says nothing where only some of them are free.
  if (host === 'localhost' && !app.addresses().some((bound) => typeof bound === 'object' && bound.address === '127.0.0.1')) throw inUse
}

function whereIs (database: Settings['database']): string {
  if (database === 'memory') return 'in memory, gone when it stops'
  return 'folder' in database ? database.folder : 'on the server of DATABASE_URL'
}

start().catch((error: Error) => {
  console.error(`Cannot start: ${error.message}`)
  process.exitCode = 1
})
