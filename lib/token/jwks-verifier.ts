import { constants, KeyObject, verify, type webcrypto } from 'node:crypto'
import { compactVerify, errors } from 'jose'
import { detailsOf, isRefusal, refuse, type Refusal } from '../contract/errors.js'
import { quote } from '../contract/quote.js'
import type { RemoteKeys } from '../keys/remote-keys.js'
import { apply, rulesBeforeKeys } from './claim-rules.js'
import type { ClaimsReader } from './claims-reader.js'
import type { CompactJws } from './jws.js'
import { instead, namedIssuer } from './reasons.js'
import type { Verifier } from './verifier.js'

export function createJwksVerifier (keys: RemoteKeys, readClaims: ClaimsReader): Verifier {
  const { issuer, algorithms } = keys.settings
  const options = { algorithms: [...algorithms] }
  return async (jws) => {
    const { alg } = jws.header
    // The configured list decides, never the token (RFC 8725 §3.1).
    if (!(algorithms as readonly unknown[]).includes(alg)) {
      throw refuse('INVALID_TOKEN_SIGNATURE', 'header parameter "alg" is not one of those configured for the issuer ' +
        `"${issuer}": ${instead(algorithms, alg)}${fixOf(alg)}`)
    }
    apply(rulesBeforeKeys, jws.header)
    try {
      if (/^[RP]S/.test(String(alg))) await verifyRsa(jws, keys)
      else await compactVerify(jws.token, keys.getKey, options)
    } catch (error) {
      throw translate(error, keys, jws.header.kid)
    }
    try {
      const found = readClaims(jws)
      return { ...found, expiresAt: Math.min(found.expiresAt, keys.freshUntil) }
    } catch (error) {
      // With several issuers, only one may have a wrong clock or audience.
      throw isRefusal(error) ? refuse(error.code, detailsOf(error).reason + namedIssuer(jws)) : error
    }
  }
}

/** Option "algorithms" cannot list those of secrets. */
const fixOf = (alg: unknown): string => typeof alg === 'string' && /^HS\d{3}$/.test(alg)
  ? '. A secret signed it. Fix: let the issuer sign with a private key'
  : ' (option "algorithms")'

/**
 * Checks an RSA signature on this thread (RFC 7518 §3.3, §3.5): that takes less time than waking the thread of
 * `jose`. For the other algorithms, which are slower, the thread is worth its cost.
 */
async function verifyRsa ({ token, header }: CompactJws, keys: RemoteKeys): Promise<void> {
  const alg = String(header['alg'])
  const end = token.lastIndexOf('.')
  const found = await keys.getKey({ ...header, alg })
  const key = {
    key: KeyObject.from(found),
    padding: alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST // ignored for PKCS1
  }
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  // OpenSSL would accept a PSS signature without its leading zeros (RFC 8017 §8.1.2, step 1, does not).
  const { modulusLength } = found.algorithm as webcrypto.RsaKeyAlgorithm
  const isGood = signature.length === Math.ceil(modulusLength / 8) &&
    verify(`sha${alg.slice(2)}`, Buffer.from(token.slice(0, end)), key, signature)
  if (!isGood) throw new errors.JWSSignatureVerificationFailed()
}

/** Whatever `jose` throws, the signature is not verified. Only the code is kept, as a message may quote the token. */
function translate (error: unknown, { settings: { issuer }, kids }: RemoteKeys, kid: unknown): Refusal {
  if (isRefusal(error)) return error // the keys are unavailable
  const code = String((error as { code?: unknown }).code)
  const hint = {
    ERR_JWKS_NO_MATCHING_KEY: `: none fits its "kid" (${quote(kid)}) and "alg" (the issuer has ${quote(kids)}; ` +
      'new keys are looked for once per "cooldown")',
    // OpenID Connect Core 1.0 §10.1
    ERR_JWKS_MULTIPLE_MATCHING_KEYS: ': several fit, so its tokens need a "kid" that only one key has'
  }[code] ?? ''
  const reason = `the signature does not verify with a key of the issuer "${issuer}" (${code})${hint}`
  return refuse('INVALID_TOKEN_SIGNATURE', reason)
}
