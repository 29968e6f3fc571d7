import t from 'tap'
import * as main from '../../lib/index.js'
import * as presets from '../../lib/presets/index.js'

t.test('every preset has a place among the public names', async (t) => {
  t.match(main, presets)
  t.strictSame(Object.keys(presets).sort(), ['auth0', 'betterAuth', 'clerk', 'cognito', 'entra', 'keycloak'])
})
