/** One contender in a process of its own: tells its port, and its CPU time when asked. Ends with its parent. */
import { contenders } from './contenders.mjs'

const [name, settings] = process.argv.slice(2)

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send({ user: user / 1e6, system: system / 1e6 })
})
// An orderly exit, as --cpu-prof writes its file then.
process.on('disconnect', () => process.exit())
process.send({ port: await contenders[name](JSON.parse(settings)) })
