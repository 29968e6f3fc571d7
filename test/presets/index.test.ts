import t from 'tap'
import * as main from '../../lib/index.js'
import * as presets from '../../lib/presets/index.js'
import type { IssuerOptions } from '../../lib/index.js'
import { readOptions } from '../../lib/options/settings.js'
import { readScopes } from '../../lib/token/scopes.js'

const { auth0, betterAuth, clerk, cognito, entra, keycloak, logto, okta, supabase } = presets

t.test('every preset is exported', async (t) => {
  t.match(main, presets)
})

t.test('each preset says which claim has the scopes, and what is the user\'s is never merged in', async (t) => {
  const claims = { scope: 'a', scp: 'b', permissions: ['c'], roles: ['d'] }
  const guid = '11111111-1111-1111-1111-111111111111'
  const rows: Array<[entry: IssuerOptions, scopes: string[]]> = [
    [auth0({ domain: 'tenant.eu.auth0.com', audience: 'api' }), ['a']],
    [auth0({ domain: 'tenant.eu.auth0.com', audience: 'api', scopeClaim: 'permissions' }), ['c']],
    [okta({ domain: 'example.okta.com', audience: 'api://default' }), ['b']],
    [logto({ endpoint: 'https://tenant.logto.app', audience: 'api' }), ['a']],
    [entra({ tenantId: guid, audience: guid }), ['b']],
    [keycloak({ baseURL: 'https://sso.example.com', realm: 'r', audience: 'api' }), ['a']],
    [betterAuth({ baseURL: 'https://auth.example.com', oauthProvider: true, audience: 'api' }), ['a']],
    [cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_a', clientId: 'web' }), ['a']]
  ]
  for (const [entry, scopes] of rows) {
    const { scopeClaim } = readOptions({ issuers: [entry] }, {}).issuers[0] as { scopeClaim: string }
    t.same(readScopes(claims, scopeClaim), scopes, entry.issuer)
    t.same(readScopes({ permissions: ['c'], roles: ['d'] }, scopeClaim), scopes.filter((name) => name === 'c'))
    t.same(readScopes({ scp: 'b', permissions: ['c'] }, scopeClaim), scopes.filter((name) => name !== 'a'))
  }
  const session = clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: 'https://app.example.com' })
  t.equal(session.scopeClaim, undefined)
  t.equal(supabase({ url: 'https://a.supabase.co' }).scopeClaim, undefined)
})
