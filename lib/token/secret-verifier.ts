import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { Json } from './claim-rules.js'
import { createClaimsReader } from './claims-reader.js'
import { refuse, type Refusal } from '../contract/errors.js'
import { quote } from '../contract/quote.js'
import type { Settings } from '../options/settings.js'
import type { CompactJws } from './jws.js'
import { createSignatureHint } from './misread-secret.js'
import { namedIssuer } from './reasons.js'
import { withoutStacks } from './stacks.js'
import type { Verifier } from './verifier.js'

/** Returns the payload if the signature verifies, else the code of the library's error. */
type SignatureCheck = (token: string) => Json | string

const unlisted = 'its algorithm is not listed'
const badSignature = 'FAST_JWT_INVALID_SIGNATURE'

/**
 * Creates a synchronous verifier for tokens signed with one of the shared secrets. `@fastify/jwt` checks algorithm and
 * signature, but not the claims: it accepts some that this plugin refuses, and throws a RangeError at some dates.
 */
export async function createSecretVerifier (fastify: FastifyInstance, settings: Settings): Promise<Verifier> {
  const { secrets, algorithms, claimRules } = settings
  const readClaims = createClaimsReader(claimRules)
  const checks: SignatureCheck[] = []
  for (const secret of secrets) checks.push(await createCheck(fastify, secret, settings))
  const hint = createSignatureHint(secrets)
  return (jws) => {
    const { token, header } = jws
    // The configured list decides, never the token (RFC 8725 §3.1).
    const isListed = (algorithms as readonly unknown[]).includes(header.alg)
    const found = isListed ? withoutStacks(() => trySecrets(token, checks)) : unlisted
    // The refusal reads the payload, whose parser may throw, too.
    if (typeof found === 'string') throw withoutStacks(() => refusalOf(jws, found, settings, hint))
    return readClaims({ header, payload: found })
  }
}

/** Registers `@fastify/jwt` in a child context, so that none of its decorators reaches the host. */
async function createCheck (fastify: FastifyInstance, secret: string, { algorithms }: Settings) {
  let check!: SignatureCheck
  await fastify.register(async (child) => {
    await child.register(jwt, {
      secret,
      // The host may have a request decorator `user`, which child contexts inherit.
      decoratorName: 'fastifyUserScopeJwt',
      verify: { algorithms: [...algorithms], ignoreExpiration: true, ignoreNotBefore: true }
    })
    const { verify } = child.jwt
    check = (token) => {
      try {
        return verify<Json>(token)
      } catch (error) {
        // Whatever is thrown, the signature is not verified. Only the code is kept, as a message may quote the token.
        return String((error as { code?: unknown }).code)
      }
    }
  })
  return check
}

function trySecrets (token: string, checks: readonly SignatureCheck[]): Json | string {
  for (const check of checks) {
    const found = check(token)
    if (found !== badSignature) return found // verified, or wrong with every secret
  }
  return badSignature
}

/** @throws Refusal `MALFORMED_TOKEN` if reading the payload shows that it is not a JSON object */
function refusalOf (
  jws: CompactJws, code: string, { algorithms, claimRules }: Settings, hint: ReturnType<typeof createSignatureHint>
): Refusal {
  const reason = `the signature does not verify with a configured secret (${code})`
  // The library parses the payload before it checks the signature, so with this code the payload is JSON.
  if (code === badSignature) return refuse('INVALID_TOKEN_SIGNATURE', reason + hint(jws))
  const { header, payload } = jws
  if (code === unlisted) {
    const kind = claimRules.otherTokens.find((other) => other.fits({ header, payload }))
    const fix = kind ? `, ${kind.says}` : ' (option "algorithms")'
    return refuse('INVALID_TOKEN_SIGNATURE', 'header parameter "alg" is not one of ' +
      `${algorithms.join(', ')}: received ${quote(header['alg'])}${fix}${namedIssuer(jws)}`)
  }
  // The library checks "crit" only after the signature.
  if (code === 'FAST_JWT_INVALID_CRIT_HEADER') return refuse('INVALID_CLAIMS', 'header parameter "crit" is not allowed')
  return refuse('INVALID_TOKEN_SIGNATURE', reason)
}
