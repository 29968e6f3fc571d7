import { existsSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.js'
import { walk } from './plugins/demo.js'

try {
  if (existsSync('.env')) process.loadEnvFile()
  const app = await buildApp()
  // With a listener for these signals, a crashed process would spin on one core instead of ending.
  closeWithGrace({ skip: ['SIGILL', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] }, async ({ err }) => {
    if (err) app.log.fatal(err)
    // A client that never completes its request must not delay the shutdown.
    setTimeout(() => app.server.closeAllConnections(), 3000).unref()
    await app.close()
  })
  const { HOST: host, PORT: port, LOG_LEVEL: level = 'info' } = app.settings
  await app.listen({ host, port })
  // Fastify listens on every address of localhost, and does not say if only some of them are free.
  const isFree = app.addresses().some((bound) => typeof bound === 'object' && bound?.address === '127.0.0.1')
  if (host === 'localhost' && !isFree) throw new Error(`listen EADDRINUSE: address already in use 127.0.0.1:${port}`)
  console.log([...walk(app), '# Stop with Ctrl+C.'].join('\n\n'))
  app.log.level = level
} catch (error) {
  const { message } = error as Error
  const fix = /^(listen|getaddrinfo) E/.test(message) ? '. Fix: choose another PORT or HOST, or stop what holds it' : ''
  console.error(`Cannot start: ${message}${fix}`)
  process.exit(1)
}
