import t from 'tap'
import type { UserScopeOptions } from '../../lib/index.js'
import { boot } from '../support/environment.js'
import { otherSecret, secret } from '../support/host.js'

t.test('the option goes before BETTER_AUTH_SECRETS, which goes before BETTER_AUTH_SECRET', async (t) => {
  const [first, second, third] = [secret, otherSecret, 'Mn4bVc7xZa1sDf6gHj3kLq8wEr5tYu2i'] as [string, string, string]
  const cases: Array<[what: string, env: Record<string, string>, options: UserScopeOptions, statuses: number[]]> = [
    ['the variable', { BETTER_AUTH_SECRET: first }, {}, [200, 401, 401]],
    ['the list before the variable',
      { BETTER_AUTH_SECRETS: `2:${second},1:${third}`, BETTER_AUTH_SECRET: first }, {}, [401, 200, 200]],
    ['versions of two digits', { BETTER_AUTH_SECRETS: `11:${second},10:${third}` }, {}, [401, 200, 200]],
    ['an empty list is none', { BETTER_AUTH_SECRETS: '', BETTER_AUTH_SECRET: first }, {}, [200, 401, 401]],
    ['spaces between entries', { BETTER_AUTH_SECRETS: `2:${second}, 1:${third}` }, {}, [401, 200, 200]],
    ['the option before both',
      { BETTER_AUTH_SECRETS: `1:${second}`, BETTER_AUTH_SECRET: third }, { secret: first }, [200, 401, 401]],
    ['a list of options', {}, { secret: [first, third] }, [200, 401, 200]]
  ]
  for (const [what, env, options, statuses] of cases) {
    const statusFor = await boot(t, env, options)
    t.same([await statusFor(first), await statusFor(second), await statusFor(third)], statuses, what)
  }
})

t.test('a fault in an environment variable names the variable', async (t) => {
  const cases: Array<[env: Record<string, string>, message: RegExp, options?: UserScopeOptions]> = [
    [{}, /set the environment variable BETTER_AUTH_SECRET \(or give the option "secret"\)/],
    [{}, /Fix: .*openssl rand .* give the option "issuers" instead/],
    [{}, /openssl rand -base64 32\. /, { algorithms: ['HS256'] }],
    [{}, /openssl rand -base64 48\. /, { algorithms: ['HS384'] }],
    [{}, /openssl rand -hex 64\. /, { algorithms: ['HS256', 'HS512'] }],
    [{ BETTER_AUTH_SECRET: '' }, /BETTER_AUTH_SECRET is empty/],
    [{ BETTER_AUTH_SECRETS: secret },
      /entry 1, is not of the form "<version>:<secret>"\. Fix: write the newest first/],
    // As in an env file that is read raw.
    [{ BETTER_AUTH_SECRETS: `"2:${secret},1:${otherSecret}"` },
      /entry 1, is not of the form "<version>:<secret>"\. Fix: .* without quotes, as in 2:new,1:old$/],
    [{ BETTER_AUTH_SECRETS: `2:${secret},v1:${otherSecret}` }, /entry 2, is not of the form/],
    [{ BETTER_AUTH_SECRETS: `2:${secret},old:${otherSecret}` }, /entry 2, is not of the form/],
    [{ BETTER_AUTH_SECRETS: `2:${secret},` }, /entry 2, is not of the form/],
    [{ BETTER_AUTH_SECRETS: `2:Zk9v,${secret},1:${otherSecret}` }, /entry 2, .* Fix: .* no comma in a secret/],
    [{ BETTER_AUTH_SECRETS: '2:' }, /BETTER_AUTH_SECRETS, entry 1, is empty/],
    [{ BETTER_AUTH_SECRETS: `2:${secret}\n` }, /entry 1, begins or ends with white space/]
  ]
  for (const [env, message, options] of cases) await t.rejects(boot(t, env, options), { message })
})
