import t from 'tap'
import { constraintsText, printRoutes } from '../../lib/routes/print.js'

const route = (method: string, url: string, access = 'user', constraints = {}) => ({
  method, url, access, source: 'default', constraints, scopes: null, delegates: null, bound: [], unbound: []
})

t.test('each URL and level is one line, sorted by URL, with all its methods', async (t) => {
  const routes = [route('POST', '/b'), route('GET', '/b'), route('GET', '/a', 'unguarded'), route('PUT', '/b', 'owner')]
  t.equal(printRoutes(routes), [
    'unguarded  /a  GET  default',
    'owner      /b  PUT  default',
    'user       /b  GET, POST  default',
    ''
  ].join('\n'))
  t.equal(printRoutes([]), '')
  t.equal(printRoutes([{ ...route('GET', '/a'), source: '' }]), 'user       /a  GET\n')
})

t.test('constraints distinguish two versions of a route', async (t) => {
  const versions = [{ version: '2.0.0' }, { version: '1.0.0' }].map((version) => route('GET', '/a', 'user', version))
  t.equal(
    printRoutes(versions),
    'user       /a {"version":"1.0.0"}  GET  default\nuser       /a {"version":"2.0.0"}  GET  default\n'
  )
  t.equal(constraintsText({ host: /^a\./ }), ' {"host":"/^a\\\\./"}')
  t.equal(constraintsText({}), '')
})
