// The host decorates `request.user` and `app.jwt` itself; two scopes stand under two other names.
import Fastify from 'fastify'
import { getUser, userScope, type VerifiedUser } from 'fastify-user-scope'
import { typeOf } from '../equal.js'

interface Visitor { name: string }

declare module 'fastify' {
  interface FastifyRequest { user?: Visitor }
  interface FastifyInstance { jwt: (payload: object) => string }
}

declare module 'fastify-user-scope' {
  interface UserScopeTypes { decoratorName: 'owner' | 'agent' }
}

const app = Fastify()
app.register(async (scope) => { await scope.register(userScope, { decoratorName: 'owner' }) })
app.register(async (scope) => { await scope.register(userScope, { decoratorName: 'agent' }) })

app.get('/api/:user_id/tasks', async (request) => {
  typeOf(request.user).is<Visitor | undefined>()
  typeOf(request.owner).is<VerifiedUser>()
  typeOf(request.agent).is<VerifiedUser>()
  return [request.owner.id, getUser(request)?.id, app.jwt({})]
})
