// One secret, shared with the service that signs the tokens (HS256), instead of an issuer's published keys.
import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import userScope from 'fastify-user-scope'
import { SignJWT } from 'jose'

// Random only to try it out: a restart, or a second server, would not accept the tokens of the first.
const secret = process.env.BETTER_AUTH_SECRET ?? randomBytes(32).toString('base64')
const app = Fastify()
await app.register(userScope, { secret })

app.get('/api/:user_id/tasks', async (request) => ({ tasks: [], owner: request.user.id })) // the owner only
app.get('/api/me', async (request) => request.user) // any signed-in user
app.get('/health', { config: { access: 'public' } }, async () => ({ ok: true })) // anybody

const address = await app.listen({ port: Number(process.env.PORT || 3000) })

// What that service does.
const alice = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h')
const token = await alice.sign(Buffer.from(secret))
console.log(`curl -i -H 'Authorization: Bearer ${token}' ${address}/api/alice/tasks`)
