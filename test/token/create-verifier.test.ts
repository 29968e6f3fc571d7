import t from 'tap'
import type { UserScopeOptions } from '../../lib/index.js'
import { createIssuer } from '../../lib/testing/index.js'
import { bearer, build, now, otherSecret, secret, sign, tokenFor } from '../support/host.js'

t.test('tokens of a secret, of issuers, or of both are verified', async (t) => {
  const remote = await createIssuer({ mode: 'jwks', t })
  const issuers = [{ ...remote.entry, idPrefix: '' }]
  const tokens = { secret: tokenFor('alice'), remote: await remote.token('alice') }
  const rows: Array<[options: UserScopeOptions, statuses: number[]]> = [
    [{ secret }, [200, 401]],
    [{ issuers }, [401, 200]],
    [{ secret, issuers }, [200, 200]],
    [{ secret, issuer: 'https://s.example', issuers }, [401, 200]]
  ]
  for (const [options, expected] of rows) {
    const { send } = await build(t, options)
    const requests = Object.values(tokens).map((token) => ({ url: '/api/alice/tasks', headers: bearer(token) }))
    const answers = await Promise.all(requests.map(send))
    t.same(answers.map(({ status }) => status), expected, Object.keys(options).join())
  }
  // No key is tried on it, as there is no secret, or one that has an issuer too.
  for (const options of [{ issuers }, { secret, issuer: 'https://s.example', issuers }]) {
    const { send } = await build(t, options)
    const foreign = sign({ sub: 'alice', iss: 'https://x.example', exp: now() + 60 }, { key: otherSecret })
    t.match(await send({ url: '/api/me', headers: bearer(foreign) }), { status: 401, code: 'INVALID_CLAIMS' })
  }
})
