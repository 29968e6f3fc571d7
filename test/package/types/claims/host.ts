import One from 'typebox'
import { Type, type Static } from '@sinclair/typebox'
import Fastify from 'fastify'
import userScope, { getUser, type DeepReadonly, type VerifiedUser } from 'fastify-user-scope'
import { typeOf } from '../equal.js'

type TeamId = string & { readonly brand: 'TeamId' }
type Roles = string[] & { readonly brand: 'Roles' }
/** As Supabase and others type what may be any JSON. */
type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined }
interface Team { name: string, inside?: Team[] }
interface Kinds {
  metadata: Json
  root: Team
  pair: [1, { of: string[] }]
  some: [TeamId, ...Team[]]
  roles: Roles
  any: any[]
}

const claims = Type.Object({
  sub: Type.String(),
  role: Type.Union([Type.Literal('admin'), Type.Literal('member')]),
  teams: Type.Array(Type.Object({ id: Type.Unsafe<TeamId>(Type.String()), name: Type.Optional(Type.String()) }))
})

declare module 'fastify-user-scope' {
  interface UserScopeTypes { claims: Static<typeof claims> }
}

const app = Fastify()
await app.register(userScope, { claims })

app.get('/api/:user_id/tasks', async ({ user }) => {
  typeOf(user).is<VerifiedUser>()
  typeOf(user.id).is<string>()
  typeOf(user.claims.role).is<'admin' | 'member'>()
  typeOf(user.claims.teams).is<readonly { readonly id: TeamId, readonly name?: string }[]>()
  // The registered claims stand beside the declared ones, and a schema that asks for one makes it certain.
  typeOf(user.claims.sub).is<string>()
  typeOf(user.claims.exp).is<number>()
  typeOf(user.claims.iat).is<number | undefined>()
  // @ts-expect-error: not in the schema
  typeOf(user.claims.scope)
  // @ts-expect-error: read-only
  user.claims.role = 'admin'
  // @ts-expect-error: all the way down
  user.claims.teams.push()
})

app.get('/', { config: { access: 'optional' } }, async (request) => {
  const user = getUser(request)
  typeOf(user).is<VerifiedUser | null>()
  typeOf(user?.claims.role).is<'admin' | 'member' | undefined>()
  typeOf(getUser<{ role: 'guest' }>(request)?.claims.role).is<'guest' | undefined>()
})

// Types that contain themselves, and lists of every kind
app.get('/any-json', async (request) => {
  const user = getUser<Kinds>(request)
  if (!user) return null
  const { metadata, root, pair, any, some, roles } = user.claims
  typeOf(pair).is<readonly [1, { readonly of: readonly string[] }]>()
  typeOf(any).is<readonly any[]>()
  typeOf(some[0]).is<TeamId>()
  typeOf(some[1]?.inside?.[0]?.name).is<string | undefined>()
  typeOf(roles.brand).is<'Roles'>()
  // @ts-expect-error: read-only
  some.push({ name: '' })
  typeOf(root.inside?.[0]?.inside?.[0]?.name).is<string | undefined>()
  const given: DeepReadonly<Json> = { list: [1, null] } satisfies Json
  // @ts-expect-error: read-only
  root.inside?.push({ name: '' })
  if (metadata === null || typeof metadata !== 'object') return [given, metadata]
  // @ts-expect-error: in any JSON, too
  if (!('length' in metadata)) metadata['a'] = 1
  return metadata
})

app.register(userScope, { claims: One.Object({ role: One.String() }) })
const written = { type: 'object', properties: { role: { type: 'string' } }, required: ['role'] }
app.register(userScope, { claims: written })
// @ts-expect-error: not a schema
app.register(userScope, { claims: 'role' })
