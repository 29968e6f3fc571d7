/** A JWK Set on loopback, in a process of its own. */
import { createServer } from 'node:http'

const [keys] = process.argv.slice(2)
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(keys)
})
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
