// Both plugins, and `FastifyJWT.user` not declared: it compiles, and `request.user` is what @fastify/jwt says.
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { getUser, userScope, type VerifiedUser } from 'fastify-user-scope'
import { typeOf } from '../equal.js'

const app = Fastify()
await app.register(jwt, { secret: 'a', decoratorName: 'signer' })
await app.register(userScope)

app.get('/api/:user_id/tasks', async (request) => {
  typeOf(request.user).is<string | object | Buffer>()
  const user = getUser(request)
  typeOf(user).is<VerifiedUser | null>()
  return app.jwt.sign({ sub: user?.id })
})
