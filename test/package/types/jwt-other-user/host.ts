// @fastify/jwt has `request.user` for itself; the owner stands under another name.
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { getUser, userScope, type VerifiedUser } from 'fastify-user-scope'
import { typeOf } from '../equal.js'

interface Session { sid: number }

declare module '@fastify/jwt' {
  interface FastifyJWT { user: Session }
}

declare module 'fastify-user-scope' {
  interface UserScopeTypes { decoratorName: 'owner' }
}

const app = Fastify()
await app.register(jwt, { secret: 'a' })
await app.register(userScope, { decoratorName: 'owner' })

app.get('/api/:user_id/tasks', async (request) => {
  typeOf(request.user).is<Session>()
  typeOf(request.owner).is<VerifiedUser>()
  const owner = getUser(request)
  typeOf(owner).is<VerifiedUser | null>()
  return [request.user.sid, request.owner.id, owner?.id, app.jwt.sign({})]
})
