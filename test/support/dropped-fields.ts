import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'

/** More header fields than Node reads. */
export const tooManyFields: readonly string[] = Array.from({ length: 1100 }, () => 'a:')

/** Whether Node drops the fields that it does not read. Newer versions refuse the request themselves, with 431. */
export const dropsFields: boolean = await hasAnswer()

async function hasAnswer (): Promise<boolean> {
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.write(['GET / HTTP/1.1', 'Host: x', 'Connection: close', ...tooManyFields, '', ''].join('\r\n'))
  const [status] = await once(client, 'data') as [Buffer]
  client.destroy()
  server.close()
  return status.toString().startsWith('HTTP/1.1 200 ')
}
