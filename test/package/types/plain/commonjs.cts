import Fastify = require('fastify')
import scope = require('fastify-user-scope')

const app = Fastify()
app.register(scope.userScope, { secret: 'a' })
app.register(scope.default)
app.get('/api/:user_id/tasks', async (request) => [request.user.id, scope.getUser(request)])
// @ts-expect-error: a misspelt option
app.register(scope.default, { audiance: 'c' })
