import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import { getUser, userScope, type VerifiedUser } from 'fastify-user-scope'
import { typeOf } from '../equal.js'

const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
await app.register(userScope, { secret: 'a' })

const schema = {
  params: Type.Object({ user_id: Type.String(), task: Type.Integer() }),
  body: Type.Object({ title: Type.String() })
}

app.post('/api/:user_id/tasks/:task', { schema }, async (request) => {
  typeOf(request.params).is<{ user_id: string, task: number }>()
  typeOf(request.body.title).is<string>()
  typeOf(request.user).is<VerifiedUser>()
  return getUser(request)
})

app.route({
  method: 'GET',
  url: '/api/:user_id/tasks/:task',
  schema,
  config: { access: 'owner' },
  preHandler: async (request) => { getUser(request) },
  handler: async (request) => {
    typeOf(request.params.task).is<number>()
    typeOf(request.user.id).is<string>()
  }
})

// @ts-expect-error: an unknown level
app.get('/health', { schema, config: { access: 'none' } }, async () => null)
