import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

interface Demo { alice: string, bob: string, sam: string }
declare module 'fastify' { interface FastifyInstance { demo: Demo | null } }

export const alice = { email: 'alice@example.com', password: 'demo-password-1234' }
const bob = { ...alice, email: 'bob@example.com' }
const sam = { ...alice, email: 'sam@example.com' } // of the support team

/** The ids of users whose password is known. They only exist if no other machine can connect. */
export const demo = fp(async (app) => {
  const { $context, api: { signUpEmail } } = app.betterAuth
  const { internalAdapter } = await $context
  const find = async (email: string) => (await internalAdapter.findUserByEmail(email))?.user.id ?? ''
  const ensure = async (name: string, { email, password }: typeof alice, columns: object) => {
    const found = await find(email)
    if (found !== '') return found // perhaps not made here: whoever has it gets no rights by it
    // If another server creates the user at the same time, that one sets the columns.
    const made = await signUpEmail({ body: { name, email, password } }).then(({ user }) => user.id, () => '')
    if (made !== '') await internalAdapter.updateUser(made, columns)
    return made || find(email)
  }
  // A proxy on this machine can make a loopback address public. Then it is stated, or clients use another origin.
  const { HOST, baseURL, TRUST_PROXY } = app.settings
  const isLoopback = TRUST_PROXY === undefined && [HOST, new URL(baseURL).hostname]
    .every((host) => ['localhost', '127.0.0.1', '::1', '[::1]'].includes(host))
  const make = async () => ({
    alice: await ensure('Alice', alice, { organization: 'acme' }),
    bob: await ensure('Bob', bob, { organization: 'acme' }),
    sam: await ensure('Sam', sam, { role: 'support' })
  })
  app.decorate('demo', isLoopback ? await make() : null)
  if (!isLoopback) for (const { email } of [alice, bob, sam]) await internalAdapter.deleteUser(await find(email))
})

/** Commands to print and paste. Comments have no special characters, because an interactive zsh interprets them. */
export function walk ({ settings: { baseURL, DATABASE_URL }, demo }: FastifyInstance): string[] {
  const about = `# Todo API on ${baseURL}, docs on ${baseURL}/docs
# Data: ${DATABASE_URL ? 'on the server of DATABASE_URL' : 'in memory, gone when it stops'}`
  if (!demo) return [`${about}\n# No demo users, as other machines can connect: sign up on the docs page`]
  const curl = "curl -sw '\\n%{http_code}\\n'"
  const as = `${curl} -H "Authorization: Bearer $TOKEN"`
  const signIn = (person: object) => `${curl} -c .cookies ${json(person)} $API/api/auth/sign-in/email`
  const token = "TOKEN=$(curl -s -b .cookies $API/api/auth/token | node -p 'JSON.parse(fs.readFileSync(0)).token')"
  const json = (body: object) => `-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`
  const steps = {
    'The server and its users': `API=${baseURL} ALICE=${demo.alice} BOB=${demo.bob}`,
    '200, alice signs in, her session goes to the file .cookies': signIn(alice),
    'Her token, good for 15 minutes': token,
    '200, who she is': `${as} $API/api/me`,
    '201, she adds a task': `${as} ${json({ title: 'Buy milk' })} $API/api/$ALICE/tasks`,
    '200, her tasks': `${as} $API/api/$ALICE/tasks`,
    '403, the tasks of bob with her token': `${as} $API/api/$BOB/tasks`,
    '401, her tasks without a token': `${curl} $API/api/$ALICE/tasks`,
    '200, what is left to do in her organization': `${as} $API/api/orgs/acme/progress`,
    '403, that of another organization': `${as} $API/api/orgs/other/progress`,
    '200, sam of the support team signs in': signIn(sam),
    'His token': token,
    '200, he may read her tasks': `${as} $API/api/$ALICE/tasks`,
    '403, and add none': `${as} ${json({ title: 'Buy milk' })} $API/api/$ALICE/tasks`,
    '200, the health, for anybody': `${curl} $API/health`
  }
  return [`${about}
# ${alice.email} has the id ${demo.alice}
# ${bob.email} has the id ${demo.bob}
# ${sam.email} has the id ${demo.sam}
# The password of all: ${alice.password}`, ...Object.entries(steps).map((step) => `# ${step.join(':\n')}`)]
}
