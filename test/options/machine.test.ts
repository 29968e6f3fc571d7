import t from 'tap'
import { createIssuer } from '../../lib/testing/index.js'
import { compileMachine } from '../../lib/options/machine.js'
import { bearer, build, tokenFor } from '../support/host.js'

const isMachine = compileMachine({
  idtyp: 'app',
  gty: ['client-credentials', 'password'],
  sub: '*@clients',
  name: 'service-account-*',
  bot: 'true'
})

const rows: Array<[payload: object, isMachine: boolean]> = [
  [{ idtyp: 'app' }, true],
  [{ idtyp: 'APP' }, false],
  [{ idtyp: 'apps' }, false],
  [{ idtyp: ['user', 'app'] }, true],
  [{ idtyp: [['app'], {}, null] }, false],
  [{ bot: true }, true],
  [{ bot: [true] }, true],
  [{ bot: false }, false],
  [{ bot: 1 }, false],
  [{ idtyp: null }, false],
  [{ gty: 'password' }, true],
  [{ gty: 'refresh_token' }, false],
  [{ sub: 'x@clients' }, true],
  [{ sub: '@clients' }, true],
  [{ sub: 'x@clients.org' }, false],
  [{ sub: 'x-clients' }, false],
  [{ name: 'service-account-x' }, true],
  [{ name: 'x-service-account-' }, false],
  [{ name: 'service-accountant' }, false],
  [{}, false]
]

t.test('one mark is enough to recognize an application', async (t) => {
  for (const [payload, expected] of rows) t.equal(isMachine({ ...payload }), expected, JSON.stringify(payload))
  t.equal(compileMachine({})({ sub: 'x@clients' }), false)
  t.equal(compileMachine({ sub: '*' })({ sub: 'x' }), true)
  for (const bot of [false, null, undefined, [], {}]) t.equal(compileMachine({ bot: '*' })({ bot }), false)
})

t.test('a marked token of an issuer never owns a path', async (t) => {
  const issuer = await createIssuer({ mode: 'jwks', t })
  const { send } = await build(t, { issuers: [{ ...issuer.entry, machine: { gty: 'client-credentials' } }] })
  const refused = { status: 403, code: 'FORBIDDEN_USER_ACCESS' }
  for (const [claims, answer] of [
    [{ gty: 'client-credentials' }, refused],
    [{ gty: 'password' }, { status: 200 }],
    [{ client_id: 'alice' }, refused],
    [{ azp: 'alice' }, refused],
    [{ cid: 'alice' }, refused],
    [{ cid: 'web' }, { status: 200 }],
    [{ client_id: 'web', azp: 'web' }, { status: 200 }]
  ] as const) {
    t.match(
      await send({ url: '/api/alice/tasks', headers: bearer(await issuer.token({ id: 'alice', ...claims })) }),
      answer
    )
  }
})

t.test('marks of issuers do not apply to tokens of the secret', async (t) => {
  const { send } = await build(t)
  for (const claims of [{ gty: 'client-credentials' }, { client_id: 'alice' }, { azp: 'alice' }]) {
    const headers = bearer(tokenFor('alice', claims))
    t.match(await send({ url: '/api/alice/tasks', headers }), { status: 200 }, JSON.stringify(claims))
  }
})
