import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { refuse } from '../contract/errors.js'
import type { RemoteKeys } from '../keys/remote-keys.js'
import type { IssuerSettings } from '../options/issuers.js'
import type { TokenForm } from '../options/other-tokens.js'
import { issuerRules, type Settings } from '../options/settings.js'
import { createClaimsReader } from './claims-reader.js'
import { assertAccessToken } from './other-kinds.js'
import { instead } from './reasons.js'
import { createSecretVerifier } from './secret-verifier.js'
import type { Verifier } from './verifier.js'

// `jose` is only loaded if there are issuers. Other hosts start faster without it.

/** @param onChange called when the keys of an issuer have changed */
export async function createKeys (
  issuers: readonly IssuerSettings[], log: FastifyBaseLogger, onChange: () => void
): Promise<readonly RemoteKeys[]> {
  if (issuers.length === 0) return []
  const { RemoteKeys } = await import('../keys/remote-keys.js')
  return issuers.map((issuer) => new RemoteKeys(issuer, log, onChange))
}

export async function createVerifier (
  fastify: FastifyInstance, settings: Settings, keys: readonly RemoteKeys[]
): Promise<Verifier> {
  const { secrets, otherTokens, claimRules } = settings
  const verify = secrets.length > 0 ? await createSecretVerifier(fastify, settings) : undefined
  if (verify && keys.length === 0) return verify
  const { createJwksVerifier } = await import('./jwks-verifier.js')
  const byIssuer = new Map(keys.map((each) =>
    [each.settings.issuer, createJwksVerifier(each, createClaimsReader(issuerRules(settings, each.settings)))]))
  return chooseByIssuer(byIssuer, verify && { verify, issuer: claimRules.issuer }, otherTokens)
}

/**
 * Chooses the verifier by the token's `iss` alone, so that a key is never tried on a token of another issuer (RFC 8725
 * §3.8), and an unknown issuer causes no fetch.
 * @param byIssuer the verifiers of remote issuers
 * @param ofSecret the verifier for every other `iss`; with `issuer`, only for that one
 * @param otherTokens named in the log if such a token has no verifier
 */
export function chooseByIssuer (
  byIssuer: ReadonlyMap<unknown, Verifier>,
  ofSecret: { verify: Verifier, issuer: string | undefined } | undefined,
  otherTokens: readonly TokenForm[]
): Verifier {
  const issuers = [...byIssuer.keys(), ...ofSecret ? [ofSecret.issuer] : []]
  return (jws) => {
    const { iss } = jws.payload
    const isOfSecret = ofSecret && (ofSecret.issuer === undefined || ofSecret.issuer === iss)
    const verify = byIssuer.get(iss) ?? (isOfSecret ? ofSecret.verify : undefined)
    if (verify) return verify(jws)
    assertAccessToken(jws, otherTokens)
    const { alg } = jws.header
    const hint = typeof alg === 'string' && /^HS\d{3}$/.test(alg) && !ofSecret
      ? `. The token is signed with a secret (${alg}), and option "secret" is not set`
      : ''
    throw refuse('INVALID_CLAIMS', `claim "iss" is not a configured issuer: ${instead(issuers, iss)}${hint}`)
  }
}
