import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import type { Database } from './database.js'
import { databaseFault } from './schemas.js'

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()])

const Issuer = Type.Object({ issuer: Type.String(), keys: Type.Array(orNull(Type.String())), age: orNull(Type.Number()), lastError: orNull(Type.String()) })
const Health = Type.Object({ ok: Type.Boolean(), issuers: Type.Array(Issuer) }, { description: 'The server is up, and so is its database' })

/** Who one is, and whether all is well. */
export const status: FastifyPluginAsyncTypebox<{ db: Database }> = async (app, { db }) => {
  app.get('/api/me', {
    schema: {
      tags: ['me'],
      summary: 'Who the token belongs to',
      description: '401: no token, or one that is not valid.',
      response: { 200: Type.Object({ id: Type.String() }, { description: 'The user' }) }
    }
  }, async ({ user }) => ({ id: user.id }))

  app.get('/health', {
    config: { access: 'public' },
    schema: { tags: ['health'], summary: 'Whether the server is up, and which keys it verifies tokens with', response: { 200: Health, 503: databaseFault } }
  }, async () => {
    await sql`select 1`.execute(db)
    return { ok: true, issuers: app.userScope.issuers().map((issuer) => ({ ...issuer, keys: [...issuer.keys] })) }
  })
}
