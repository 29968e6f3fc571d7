import Fastify from 'fastify'
import userScope, {
  getOwnerId, requireScopes, type AccessRule, type Actor, type MayActFor, type ScopeName
} from 'fastify-user-scope'
import { typeOf } from '../equal.js'

declare module 'fastify-user-scope' {
  interface UserScopeTypes { scopes: 'tasks:read' | 'tasks:write' }
}

const mayActFor: MayActFor = async ({ user, ownerId, method, route, params }) => {
  typeOf(user.actor).is<Actor | null>()
  typeOf([ownerId, method, route]).is<string[]>()
  typeOf(params['org_id']).is<string | undefined>()
  return user.scopes.includes('staff')
}

const app = Fastify()
await app.register(userScope,
  { mayActFor, bind: { org_id: ['o', 'id'] } as const, impersonation: 'read-only', logUser: false })

const readOnly: AccessRule = { scopes: ['tasks:read'] }
app.get('/api/:user_id/tasks', { config: { access: readOnly } }, async (request) => {
  typeOf(getOwnerId(request)).is<string>()
  typeOf(request.user.scopes).is<readonly string[]>()
  requireScopes(request, 'tasks:read', 'tasks:write')
  // @ts-expect-error: a misspelt scope
  requireScopes(request, 'tasks:raed')
  // @ts-expect-error: which?
  requireScopes(request)
})
app.get('/a/:user_id', { config: { access: { delegates: true, scopes: { anyOf: ['tasks:read', 'tasks:write'] } } } },
  () => {})
app.get('/b/:user_id', { config: { access: { delegates: { scopes: ['tasks:read'], machines: true } } } }, () => {})
app.get('/c/:org_id', { config: { access: { level: 'user', unbound: ['org_id'] } } }, () => {})
// @ts-expect-error: a misspelt scope
app.get('/d', { config: { access: { scopes: ['tasks:raed'] } } }, () => {})
// @ts-expect-error: a misspelt scope of several
app.get('/e', { config: { access: { scopes: { anyOf: ['tasks:read', 'tasks'] } } } }, () => {})
// @ts-expect-error: a misspelt scope of delegates
app.get('/f/:user_id', { config: { access: { delegates: { scopes: ['staff'] } } } }, () => {})
// @ts-expect-error: a misspelt member
const misspelt: AccessRule = { scope: ['tasks:read'] }
// @ts-expect-error: a misspelt level
app.get('/h', { config: { access: { level: 'admin' } } }, () => {})
// @ts-expect-error: only true, or who
app.get('/i/:user_id', { config: { access: { delegates: false } } }, () => {})

typeOf(misspelt).is<AccessRule>()
typeOf<ScopeName>('tasks:read').is<'tasks:read' | 'tasks:write'>()

for (const { scopes, delegates, bound } of app.userScope.routes()) {
  typeOf(bound).is<readonly string[]>()
  if (scopes && 'anyOf' in scopes) typeOf(scopes.anyOf).is<readonly ScopeName[]>()
  if (delegates && delegates !== true) typeOf(delegates.machines).is<boolean | undefined>()
}
