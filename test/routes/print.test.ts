import t from 'tap'
import { constraintsText, printRoutes } from '../../lib/routes/print.js'

const route = (method: string, url: string, access = 'user', constraints = {}) => ({ method, url, access, source: 'default', constraints })

t.test('a line for each URL and level, sorted by URL, with its methods together', async (t) => {
  t.equal(printRoutes([route('POST', '/b'), route('GET', '/b'), route('GET', '/a', 'unguarded'), route('PUT', '/b', 'owner')]), [
    'unguarded  /a  GET  default',
    'owner      /b  PUT  default',
    'user       /b  GET, POST  default',
    ''
  ].join('\n'))
  t.equal(printRoutes([]), '')
  t.equal(printRoutes([{ ...route('GET', '/a'), source: '' }]), 'user       /a  GET\n')
})

t.test('constraints tell two versions of a route apart', async (t) => {
  t.equal(printRoutes([route('GET', '/a', 'user', { version: '2.0.0' }), route('GET', '/a', 'user', { version: '1.0.0' })]),
    'user       /a {"version":"1.0.0"}  GET  default\nuser       /a {"version":"2.0.0"}  GET  default\n')
  t.equal(constraintsText({ host: /^a\./ }), ' {"host":"/^a\\\\./"}')
  t.equal(constraintsText({}), '')
})
