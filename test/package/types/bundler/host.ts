// Another module resolution, in which a default import of CommonJS means something else: none of the types may turn
// into `any`.
import Fastify from 'fastify'
import userScope, { ForbiddenUserAccessError, InvalidOptionError, getUser, type VerifiedUser } from 'fastify-user-scope'
import { typeOf } from '../equal.js'

const app = Fastify()
await app.register(userScope, { secret: 'a' })
app.get('/api/:user_id/tasks', async (request) => {
  typeOf(request.user).is<VerifiedUser>()
  return getUser(request)?.id
})
// @ts-expect-error: a misspelt option
app.register(userScope, { audiance: 'c' })

typeOf(new ForbiddenUserAccessError().code).is<'FORBIDDEN_USER_ACCESS'>()
typeOf(new InvalidOptionError().statusCode).is<500>()
