import t from 'tap'
import { bearer, build, challengeOf, refusals, sign, tokenFor } from '../support/host.js'

t.test('status and header fields stay, whatever the error handler of the host sends', async (t) => {
  const { send } = await build(t, {}, {}, (app) => {
    app.setErrorHandler(async () => ({ mine: true }))
    app.get('/api/:user_id/tasks', async () => 'in')
  })
  const expired = bearer(sign({ sub: 'alice', exp: 1 }))
  t.match(await send({ url: '/api/alice/tasks', headers: expired }), {
    status: 401, headers: { 'www-authenticate': challengeOf('Token expired'), 'cache-control': 'no-store' }
  })
})

t.test('one line in the log for each refusal', async (t) => {
  const { send, log } = await build(t)
  await send('/api/me')
  await send({ url: '/api/bob/tasks', headers: bearer(tokenFor('alice')) })
  t.match(refusals(log), [
    { code: 'MISSING_TOKEN', reason: 'no Authorization header', user: undefined },
    { code: 'FORBIDDEN_USER_ACCESS', reason: 'path parameter "user_id" is not the user\'s id', user: 'alice' }
  ])
})
