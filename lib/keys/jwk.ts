import { createPublicKey } from 'node:crypto'
import type { JWK } from 'jose'
import { pick } from '../options/validate.js'
import { FetchFault } from './limited-fetch.js'

type Member = Record<string, unknown>

// Only the parts of a public key are kept. Certificates and URLs in a set are never used. `use` and `key_ops` are
// checked and dropped, because an import would refuse a key whose `key_ops` has more than "verify".
const members = ['kty', 'kid', 'alg', 'crv', 'x', 'y', 'n', 'e']
const curves = new Set<unknown>(['P-256', 'P-384', 'P-521', 'Ed25519'])
const minModulusLength = 2048 // bits, RFC 7518 §3.3
const maxKeys = 100 // because each key is parsed at every fetch

/** Many issuers publish such a key beside the others, for encryption. */
export const forOtherUse = 'not for signatures (use)'

/** The faults that make a key unusable (RFC 7517 §4, RFC 8725 §3.5). */
const faults: Array<[applies: (key: Member, algorithms: readonly unknown[]) => boolean, reason: string]> = [
  [(key) => typeof key !== 'object' || key === null, 'not an object'],
  [({ kty }) => !['RSA', 'EC', 'OKP'].includes(kty as string), 'not an RSA, EC or OKP key'],
  [(key) => 'd' in key, 'a private key'],
  [({ kid }) => kid !== undefined && typeof kid !== 'string', 'its kid is not a string'],
  [({ use }) => use !== undefined && use !== 'sig', forOtherUse],
  [({ key_ops: ops }) => ops !== undefined && !isForVerification(ops), 'not for verification (key_ops)'],
  [({ kty, crv }) => kty !== 'RSA' && !curves.has(crv), 'on a curve that is not supported'],
  [(key) => !isSound(key), 'malformed, not on its curve, or an RSA key under 2048 bits or with a bad exponent'],
  [
    ({ alg }, algorithms) => alg !== undefined && !algorithms.includes(alg),
    'for an algorithm that is not configured (option "algorithms")'
  ]
]

const isForVerification = (operations: unknown) => Array.isArray(operations) && operations.includes('verify')

function isSound (key: Member): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: pick(key, members), format: 'jwk' })
    const { modulusLength = Infinity, publicExponent = 3n } = { ...asymmetricKeyDetails }
    return modulusLength >= minModulusLength && publicExponent >= 3n && publicExponent % 2n === 1n
  } catch {
    return false
  }
}

/**
 * Returns the keys of a JWK Set (RFC 7517 §5) that can verify with one of the algorithms, and the ignored ones for the
 * log. If a token's `kid` and `alg` fit several keys, `jose` uses none of them.
 */
export function usableKeys (set: unknown, algorithms: readonly string[]) {
  const listed = (set as { keys?: unknown } | null)?.keys
  if (!Array.isArray(listed)) throw new FetchFault('not a JWK Set')
  const ignored: Array<{ kid: string | null, reason: string }> = []
  const ignore = (kid: unknown, reason: string) => {
    // The issuer chooses the kid, so it may be anything of any length.
    ignored.push({ kid: typeof kid === 'string' ? kid.slice(0, 64) : null, reason })
  }
  if (listed.length > maxKeys) ignore(null, `the set has ${listed.length} keys; only the first ${maxKeys} are used`)
  const sound = new Map<string, JWK>()
  for (const key of listed.slice(0, maxKeys) as Member[]) {
    const [, reason] = faults.find(([applies]) => applies(key, algorithms)) ?? []
    if (reason !== undefined) {
      ignore((key as Member | null)?.kid, reason)
    } else {
      const reduced = pick(key, members) as JWK
      sound.set(JSON.stringify(reduced), reduced) // a key that is listed twice counts once
    }
  }
  return { keys: [...sound.values()], ignored }
}
