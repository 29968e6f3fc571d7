import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { databaseFault } from '../schemas.js'

const Progress = Type.Object({ open: Type.Integer(), completed: Type.Integer() }, { description: 'Numbers of tasks' })
const params = Type.Object({ org_id: Type.String({ examples: ['acme'] }) })

/** Registered under a prefix with `:org_id`, which option `bind` compares with the token: for members only. */
export const organizations: FastifyPluginAsyncTypebox = async (app) => {
  const summary = 'What its members have done, and what is left'
  const schema = { tags: ['organizations'], summary, params, response: { 200: Progress, 503: databaseFault } }
  app.get('/progress', { schema }, async ({ params }) => {
    const { all, completed } = await app.db.selectFrom('task').innerJoin('user', 'user.id', 'task.user_id')
      .where('user.organization', '=', params.org_id)
      .select(({ fn }) => [
        fn.countAll<string>().as('all'),
        fn.countAll<string>().filterWhere('completed', '=', true).as('completed')
      ]).executeTakeFirstOrThrow()
    return { open: Number(all) - Number(completed), completed: Number(completed) }
  })
}
