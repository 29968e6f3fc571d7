/** Sends the load of one run, from its own process: each connection repeats its own share of the requests. */
import autocannon from 'autocannon'

process.on('disconnect', () => process.exit())
process.on('message', async ({ port, requests, connections, seconds }) => {
  let dealt = 0
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections,
    duration: seconds,
    setupClient: (client) => {
      const own = requests.filter((_, index) => index % connections === dealt % connections)
      dealt++
      client.setRequests(own.length > 0 ? own : requests)
    }
  })
  const { user, system } = process.cpuUsage()
  process.send({
    cpu: (user + system) / 1e6,
    seconds: result.duration,
    total: result.requests.total,
    statuses: Object.fromEntries(Object.entries(result.statusCodeStats).map(([status, { count }]) => [status, count])),
    failures: result.errors + result.timeouts,
    p99: result.latency.p99
  })
})
