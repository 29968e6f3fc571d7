// A host's client. Its types are made from the document of the running server, into the file beside this one.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

const { BASE_URL: baseUrl = '', PASSWORD: password = '' } = process.env
// What a browser sends by itself.
const client = createClient<paths>({ baseUrl, headers: { origin: baseUrl } })

export async function walk () {
  const signIn = await client.POST('/api/auth/sign-in/email', { body: { email: 'alice@example.com', password } })
  const cookie = signIn.response.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const { data: { token } = {} } = await client.GET('/api/auth/token', { headers: { cookie } })
  const headers = { authorization: `Bearer ${token}` }
  const { data: me } = await client.GET('/api/me', { headers })
  const path = { user_id: me?.id ?? '' }

  const created = await client.POST('/api/{user_id}/tasks', { headers, params: { path }, body: { title: 'Buy milk' } })
  const listed = await client.GET('/api/{user_id}/tasks', { headers, params: { path, query: { limit: 1 } } })
  const other = await client.GET('/api/{user_id}/tasks', { headers, params: { path: { user_id: 'somebody-else' } } })
  const anonymous = await client.GET('/api/me')

  const description: Equal<NonNullable<typeof created.data>['description'], string | null> = true
  const refusal: Equal<components['schemas']['UserScopeError'], NonNullable<typeof anonymous.error>> = true
  return {
    typed: description && refusal,
    user: signIn.data?.user.id === me?.id,
    created: created.data?.title,
    listed: listed.data?.tasks.map(({ title, completed }) => ({ title, completed })),
    other: other.error,
    anonymous: anonymous.error?.code
  }
}

/** Only compiled. */
export async function wrong () {
  const params = { path: { user_id: 'alice' } }
  // @ts-expect-error a field that the document does not have
  await client.POST('/api/{user_id}/tasks', { params, body: { titel: 'Buy milk' } })
  // @ts-expect-error a field of another type
  await client.POST('/api/{user_id}/tasks', { params, body: { title: 1 } })
  // @ts-expect-error no owner
  await client.GET('/api/{user_id}/tasks')
  // @ts-expect-error a route that the document does not have
  await client.GET('/api/nobody')
  const { data, error } = await client.GET('/api/{user_id}/tasks', { params })
  // @ts-expect-error a field that the answer does not have
  data?.tasks[0]?.titel satisfies string | undefined
  // @ts-expect-error nor has an error
  error?.reason satisfies string | undefined
}

console.log(JSON.stringify(await walk()))
