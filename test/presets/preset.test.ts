import t from 'tap'
import { auth0, betterAuth, clerk, cognito, entra, keycloak } from '../../lib/index.js'

t.test('options that are no object stop the boot', async (t) => {
  for (const preset of [betterAuth, auth0, clerk, keycloak, cognito, entra]) {
    for (const options of [undefined, null, 'x']) {
      t.throws(() => preset(options as never), {
        code: 'FST_USER_SCOPE_INVALID_OPTION', message: `${preset.name}() must be given an object with its options`
      })
    }
  }
})
