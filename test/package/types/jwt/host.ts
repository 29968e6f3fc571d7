import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { getUser, userScope, type VerifiedUser } from 'fastify-user-scope'
import { typeOf } from '../equal.js'

declare module '@fastify/jwt' {
  interface FastifyJWT { user: VerifiedUser }
}

const app = Fastify()
await app.register(jwt, { secret: 'a', decoratorName: 'signer' })
await app.register(userScope)

app.get('/api/:user_id/tasks', async (request) => {
  typeOf(request.user).is<VerifiedUser>()
  typeOf(request.user.id).is<string>()
  return [getUser(request)?.id, app.jwt.sign({ sub: request.user.id })]
})
