import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { RemoteKeys } from '../keys/remote-keys.js'
import type { IssuerSettings } from '../options/issuers.js'
import { issuerRules, type Settings } from '../options/settings.js'
import { createClaimsReader } from './claims-reader.js'
import { createSecretVerifier } from './secret-verifier.js'
import { routeByIssuer, type Verifier } from './verifier.js'

// `jose` is only loaded if there are issuers. Other hosts start faster without it.

/** @param onChange called when the keys of an issuer have changed */
export async function createKeys (
  issuers: readonly IssuerSettings[], log: FastifyBaseLogger, onChange: () => void
): Promise<readonly RemoteKeys[]> {
  if (issuers.length === 0) return []
  const { RemoteKeys } = await import('../keys/remote-keys.js')
  return issuers.map((issuer) => new RemoteKeys(issuer, log, onChange))
}

/** Creates the verifier for secrets, issuers, or both. */
export async function createVerifier (
  fastify: FastifyInstance, settings: Settings, keys: readonly RemoteKeys[]
): Promise<Verifier> {
  const { secrets, otherTokens, claimRules } = settings
  const verify = secrets.length > 0 ? await createSecretVerifier(fastify, settings) : undefined
  if (verify && keys.length === 0) return verify
  const { createJwksVerifier } = await import('./jwks-verifier.js')
  const byIssuer = new Map(keys.map((each) =>
    [each.settings.issuer, createJwksVerifier(each, createClaimsReader(issuerRules(settings, each.settings)))]))
  return routeByIssuer(byIssuer, verify && { verify, issuer: claimRules.issuer }, otherTokens)
}
