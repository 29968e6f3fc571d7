import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import type { VerifiedUser } from 'fastify-user-scope'

// Both packages type `request.user`; what a request carries here is the plugin's.
declare module '@fastify/jwt' {
  interface FastifyJWT { user: VerifiedUser }
}

/**
 * Stands in for the identity provider, which signs the tokens of a real system. An instance of its own, so that nothing that can sign
 * is within reach of the API, which only verifies.
 */
export async function createSigner (secret: string, lifetime: string): Promise<(userId: string) => string> {
  const provider = Fastify()
  await provider.register(jwt, { secret, sign: { algorithm: 'HS256', expiresIn: lifetime } })
  return (userId) => provider.jwt.sign({ sub: userId })
}
