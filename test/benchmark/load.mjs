/** Sends the load of one run, from its own process: each connection repeats its own share of the requests. */
import autocannon from 'autocannon'

process.on('disconnect', () => process.exit())
process.on('message', async ({ port, requests, connections, seconds: duration }) => {
  let [dealt, start] = [0, 0]
  const run = autocannon({
    url: `http://127.0.0.1:${port}`,
    connections,
    duration,
    setupClient: (client) => {
      const own = requests.filter((_, index) => index % connections === dealt % connections)
      dealt++
      client.setRequests(own.length > 0 ? own : requests)
    }
  })
  // To make many requests takes as long as some rounds.
  run.once('response', () => { start = performance.now() })
  const result = await run
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage()
  process.send({
    cpu: (user + system) / 1e6,
    seconds,
    total: result.requests.total,
    statuses: Object.fromEntries(Object.entries(result.statusCodeStats).map(([status, { count }]) => [status, count])),
    failures: result.errors + result.timeouts,
    p99: result.latency.p99
  })
})
