import t from 'tap'
import { auth0, betterAuth, clerk, cognito, entra, keycloak, logto, okta, supabase } from '../../lib/index.js'
import { sameLength } from '../support/same-length.js'

t.test('options that are not an object stop the boot', async (t) => {
  for (const preset of [betterAuth, auth0, clerk, keycloak, cognito, entra, logto, okta, supabase]) {
    for (const options of [undefined, null, 'x']) {
      t.throws(() => preset(options as never), {
        code: 'FST_USER_SCOPE_INVALID_OPTION', message: `${preset.name}() must be given an object with its options`
      })
    }
  }
})

t.test('an own option is named before one of an entry', async (t) => {
  t.throws(() => supabase({ maxAge: 0, url: 'x' }), { message: /option "supabase\.url" must be/ })
  t.throws(() => supabase({ maxAge: 0, url: 'https://a.supabase.co' }), { message: /option "supabase\.maxAge" must be/ })
})

t.test('options that a class inherits, or has a getter for, count', async (t) => {
  class Options {
    url = 'https://abcdefghijklmnopqrst.supabase.co'
    get idPrefix () { return 's:' }
    get requiredClaims () { return { client_id: ['app'] } }
  }
  t.match(supabase(new Options()), sameLength({
    idPrefix: 's:', requiredClaims: { role: 'authenticated', session_id: true, client_id: ['app'] }, otherTokens: []
  }))
})
