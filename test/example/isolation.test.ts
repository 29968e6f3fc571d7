import t from 'tap'
// As the example finds the plugin: built. Before the example, as an app is seen from its beginning.
import { assertDocumentMatchesGuards, assertIsolation, assertOwnership } from 'fastify-user-scope/testing'
import { alice as account } from '../../examples/todo/plugins/demo.js'
import { buildApp } from '../../examples/todo/app.js'

t.test('the example is sound, by the test kit', async (t) => {
  const app = await buildApp()
  t.teardown(() => app.close())
  const { settings: { baseURL: origin } } = app

  const signIn = async (name: 'alice' | 'bob') => {
    const payload = { ...account, email: `${name}@example.com` }
    const entered = await app.inject({ method: 'POST', url: '/api/auth/sign-in/email', headers: { origin }, payload })
    const cookies = Object.fromEntries(entered.cookies.map((cookie) => [cookie.name, cookie.value]))
    const { token } = (await app.inject({ url: '/api/auth/token', cookies })).json<{ token: string }>()
    return { id: entered.json<{ user: { id: string } }>().user.id, token }
  }
  const people = { alice: await signIn('alice'), bob: await signIn('bob') }
  await t.resolves(assertOwnership(app, people))
  await t.resolves(assertIsolation(app, {
    ...people,
    objects: {
      task_id: async ({ inject, owner }) => {
        const response = await inject({ method: 'POST', url: `/api/${owner}/tasks`, payload: { title: 'Buy milk' } })
        return response.json<{ id: number }>().id
      }
    },
    params: { 'PUT /api/:user_id/tasks/:task_id': { body: { title: 'Buy bread' } } }
  }))
  const undocumented = [/^(GET|HEAD) \/(docs|home|$)/, /^[A-Z]+ \/api\/auth\//]
  await t.resolves(assertDocumentMatchesGuards(app, { allow: undocumented }))
})
