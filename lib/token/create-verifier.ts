import type { FastifyInstance } from 'fastify'
import type { RemoteKeys } from '../keys/remote-keys.js'
import { issuerRules, type Settings } from '../options/settings.js'
import { createClaimsReader } from './claims-reader.js'
import { createJwksVerifier } from './jwks-verifier.js'
import { createSecretVerifier } from './secret-verifier.js'
import { routeByIssuer, type Verifier } from './verifier.js'

/** The verifier for secrets alone, issuers alone, or both. */
export async function createVerifier (
  fastify: FastifyInstance, settings: Settings, keys: readonly RemoteKeys[]
): Promise<Verifier> {
  if (keys.length === 0) return await createSecretVerifier(fastify, settings)
  const byIssuer = new Map(keys.map((each) =>
    [each.settings.issuer, createJwksVerifier(each, createClaimsReader(issuerRules(settings, each.settings)))]))
  const { secrets, otherTokens, claimRules } = settings
  if (secrets.length === 0) return routeByIssuer(byIssuer, undefined, otherTokens)
  const verify = await createSecretVerifier(fastify, settings)
  return routeByIssuer(byIssuer, { verify, issuer: claimRules.issuer }, otherTokens)
}
