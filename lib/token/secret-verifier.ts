import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { createClaimsReader } from './claims-reader.js'
import { refuse, type Refusal } from '../contract/errors.js'
import { quote } from '../contract/quote.js'
import type { Settings } from '../options/settings.js'
import type { CompactJws } from './jws.js'
import { bytesOf, createMisreadHint } from './misread-secret.js'
import { withoutStacks } from './stacks.js'
import type { Verifier } from './verifier.js'

/** Null where the signature verifies, else the code of the library's error. */
type SignatureCheck = (token: string) => string | null

/**
 * A synchronous verifier for tokens signed with one of the shared secrets. `@fastify/jwt` judges algorithm and
 * signature, but not the claims: it accepts several that the contract refuses, and throws a RangeError at some dates.
 */
export async function createSecretVerifier (fastify: FastifyInstance, settings: Settings): Promise<Verifier> {
  const { secrets, algorithms, claimRules } = settings
  const readClaims = createClaimsReader(claimRules)
  const checks: SignatureCheck[] = []
  const misread: SignatureCheck[] = []
  for (const secret of secrets) {
    await addCheck(checks, fastify, secret, algorithms)
    for (const bytes of bytesOf(secret)) await addCheck(misread, fastify, bytes, algorithms)
  }
  const hint = createMisreadHint(misread)
  return (jws) => {
    assertAlgorithm(jws, settings)
    const fault = withoutStacks(() => faultOf(jws.token, checks, hint))
    if (fault) throw fault
    return readClaims(jws)
  }
}

/** In a child context of its own, so that none of the decorators of `@fastify/jwt` reaches the host. */
async function addCheck (
  checks: SignatureCheck[], fastify: FastifyInstance, secret: string | Buffer, algorithms: Settings['algorithms']
): Promise<void> {
  await fastify.register(async (child) => {
    await child.register(jwt, {
      secret,
      // The host may have decorated its requests with `user`, and children inherit that.
      decoratorName: 'fastifyUserScopeJwt',
      verify: { algorithms: [...algorithms], ignoreExpiration: true, ignoreNotBefore: true }
    })
    const { verify } = child.jwt
    checks.push((token) => {
      try {
        verify(token)
        return null
      } catch (error) {
        // Whatever is thrown, the signature is not verified. Only the code is kept: a message may quote the token.
        return String((error as { code?: unknown }).code)
      }
    })
  })
}

/** By the configured list and never by what the token asks for (RFC 8725 §3.1). */
function assertAlgorithm (jws: CompactJws, { algorithms, claimRules }: Settings): void {
  const { alg } = jws.header
  if ((algorithms as readonly unknown[]).includes(alg)) return
  const kind = claimRules.otherTokens.find((other) => other.fits(jws))
  const hint = kind ? `, ${kind.says}` : ' (option "algorithms")'
  throw refuse('INVALID_TOKEN_SIGNATURE', 'header parameter "alg" is not one of ' +
    `${algorithms.join(', ')}: received ${quote(alg)}${hint}`)
}

/** Null where one of the secrets verifies the token. */
function faultOf (token: string, checks: readonly SignatureCheck[], hint: (token: string) => string): Refusal | null {
  let code: string | null = 'no secret'
  for (const check of checks) {
    code = check(token)
    if (code === null) return null
    if (code !== 'FAST_JWT_INVALID_SIGNATURE') break // any other fault is one with each secret
  }
  // The library judges "crit" only after it has found the signature good.
  if (code === 'FAST_JWT_INVALID_CRIT_HEADER') return refuse('INVALID_CLAIMS', 'header parameter "crit" is not allowed')
  const reason = `the signature does not verify with a configured secret (${code})${hint(token)}`
  return refuse('INVALID_TOKEN_SIGNATURE', reason)
}
