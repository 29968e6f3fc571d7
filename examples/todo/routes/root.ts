import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { walk } from '../plugins/demo.js'
import { databaseFault } from '../schemas.js'

const Me = Type.Object({ id: Type.String() }, { description: 'The user' })
const Issuer = Type.Object({ issuer: Type.String() }, { additionalProperties: true })
const Health = Type.Object({ ok: Type.Boolean(), issuers: Type.Array(Issuer) }, { description: 'All is well' })

const style = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
button { font: inherit; font-size: .875rem; padding: .125rem .75rem }
div { display: flex; flex-wrap: wrap; gap: .5rem; justify-content: end; align-items: start; margin: 1rem 0 }
pre { flex: 1 1 20rem; margin: 0; padding: .75rem; border-radius: .5rem; background: light-dark(#f0f0f3, #2a2a2e);
  font-size: .875rem; white-space: pre-wrap; overflow-wrap: anywhere }`

const script = `document.querySelectorAll('button').forEach((button) => button.addEventListener('click', async () => {
  const commands = (button.closest('div') ?? document).querySelectorAll('pre')
  await navigator.clipboard.writeText(Array.from(commands, (pre) => pre.textContent + '\\n').join('\\n'))
  button.textContent = 'Copied'
}))`
const escape = (text: string) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)

export const root: FastifyPluginAsyncTypebox = async (app) => {
  const open = { config: { access: 'public' } } as const
  const page = `<!doctype html><html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<title>Todo API</title><style>${style}</style><script src="/home.js" defer></script>
<main><h1>Todo API</h1>
<p>Sign in and try it on the <a href="/docs">docs page</a>, or paste this into a shell: <button>Copy all</button></p>
${walk(app).map((step) => `<div><pre>${escape(step)}</pre><button>Copy</button></div>`).join('\n')}
</main>`
  const hidden = { ...open, schema: { hide: true } }
  app.get('/', hidden, async (_request, reply) => reply.type('text/html; charset=utf-8').send(page))
  app.get('/home.js', hidden, async (_request, reply) => reply.type('text/javascript; charset=utf-8').send(script))

  const me = { tags: ['me'], summary: 'Who the token belongs to', response: { 200: Me } }
  app.get('/api/me', { schema: me }, async ({ user }) => ({ id: user.id }))

  const summary = 'Whether the server is up, and with which keys it verifies tokens'
  const health = { tags: ['health'], summary, response: { 200: Health, 503: databaseFault } }
  app.get('/health', { ...open, schema: health }, async () => {
    // A query for anybody who asks, without a limit: in production, let only the load balancer reach this route.
    await sql`select 1`.execute(app.db)
    return { ok: true, issuers: [...app.userScope.issuers()] }
  })
}
