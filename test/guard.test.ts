import t from 'tap'
import { bearer, build, refusals, tokenFor } from './helper.js'

t.test('the owner is let in, a stranger is not', async (t) => {
  const { send, log } = await build(t)
  t.match(await send({ url: '/api/alice/tasks', headers: bearer(tokenFor('alice')) }), { status: 200, body: { user: 'alice' } })
  t.match(await send({ url: '/api/bob/tasks', headers: bearer(tokenFor('alice')) }), {
    status: 403,
    body: { statusCode: 403, code: 'FORBIDDEN_USER_ACCESS', error: 'Forbidden', message: "Access denied: cannot access another user's resources" }
  })
  t.match(refusals(log), [{ code: 'FORBIDDEN_USER_ACCESS', reason: 'path parameter "user_id" is not the user\'s id' }])
})
