import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { createClaimsReader } from './claims.js'
import { refuse, type Refusal } from '../contract/errors.js'
import type { Settings } from '../options/settings.js'
import { withoutStacks } from './stacks.js'
import type { Verifier } from './verifier.js'

type VerifySignature = (token: string) => unknown

/**
 * A synchronous verifier for tokens signed with one of the shared secrets. `@fastify/jwt` judges algorithm and signature; it
 * stands in child contexts, so that none of its decorators reaches the host. The claims are not left to it: it takes
 * several that the contract refuses, and throws a RangeError at some dates.
 */
export async function createSecretVerifier (fastify: FastifyInstance, { secrets, algorithms, claimRules }: Settings): Promise<Verifier> {
  const readClaims = createClaimsReader(claimRules)
  const signatures: VerifySignature[] = []
  for (const secret of secrets) {
    await fastify.register(async (child) => {
      await child.register(jwt, {
        secret,
        // The host may have decorated its requests with `user`, and children inherit that.
        decoratorName: 'fastifyUserScopeJwt',
        verify: { algorithms: [...algorithms], ignoreExpiration: true, ignoreNotBefore: true }
      })
      signatures.push(child.jwt.verify)
    })
  }
  return (jws) => {
    assertAlgorithm(jws.header.alg, algorithms)
    assertSignature(jws.token, signatures)
    return readClaims(jws)
  }
}

/** By the configured list and never by what the token asks for (RFC 8725 §3.1). */
function assertAlgorithm (alg: unknown, algorithms: readonly string[]): void {
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw refuse('INVALID_TOKEN_SIGNATURE', `header parameter "alg" is not one of ${algorithms.join(', ')}`)
  }
}

function assertSignature (token: string, signatures: VerifySignature[]): void {
  const fault = withoutStacks(() => faultOf(token, signatures))
  if (fault) throw fault
}

/** Null where one of the secrets verifies the token. */
function faultOf (token: string, signatures: VerifySignature[]): Refusal | null {
  let error: unknown
  for (const verify of signatures) {
    try {
      verify(token)
      return null
    } catch (caught) {
      error = caught
      if (codeOf(caught) !== 'FAST_JWT_INVALID_SIGNATURE') break // only a signature may fit the next secret
    }
  }
  return translate(error)
}

/**
 * Whatever the library throws, known or not, is no proof of a signature; its list of critical extensions alone it judges after the
 * signature was found good. Its messages may quote the token, so only the code is kept.
 */
function translate (error: unknown): Refusal {
  const code = codeOf(error)
  return code === 'FAST_JWT_INVALID_CRIT_HEADER'
    ? refuse('INVALID_CLAIMS', 'header parameter "crit" is not allowed')
    : refuse('INVALID_TOKEN_SIGNATURE', `the signature does not verify with a configured secret (${code})`)
}

const codeOf = (error: unknown) => String((error as { code?: unknown }).code)
