import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { FetchFault } from './limited-fetch.js'

/** A key that is left out, and why, for the log. */
export interface IgnoredKey {
  readonly kid: string | null
  readonly reason: string
}

type Member = Record<string, unknown>

// Only what a public key consists of goes on: certificates, URLs and whatever else a set may hold are never used.
const members = ['kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'x', 'y', 'n', 'e']
const curves = new Set<unknown>(['P-256', 'P-384', 'P-521', 'Ed25519'])
const minModulusLength = 2048 // bits, RFC 7518 §3.3

/** What must not be so, and what to say of it (RFC 7517 §4, RFC 8725 §3.5). */
const faults: Array<[fits: (key: Member) => boolean, reason: string]> = [
  [({ kty }) => !['RSA', 'EC', 'OKP'].includes(kty as string), 'not an RSA, EC or OKP key'],
  [(key) => 'd' in key, 'a private key'],
  [({ kid }) => kid !== undefined && typeof kid !== 'string', 'its kid is not a string'],
  [({ use }) => use !== undefined && use !== 'sig', 'not for signatures (use)'],
  [({ key_ops: operations }) => operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')), 'not for verification (key_ops)'],
  [({ kty, crv }) => kty !== 'RSA' && !curves.has(crv), 'on a curve that is not supported'],
  [(key) => !isSound(key), 'malformed, not on its curve, or an RSA key under 2048 bits or with a bad exponent']
]

function isSound (key: Member): boolean {
  let parsed: KeyObject
  try {
    parsed = createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
  } catch {
    return false
  }
  const { modulusLength = Infinity, publicExponent = 3n } = parsed.asymmetricKeyDetails as NonNullable<typeof parsed.asymmetricKeyDetails>
  return modulusLength >= minModulusLength && publicExponent >= 3n && publicExponent % 2n === 1n
}

/**
 * The keys of a JWK Set (RFC 7517 §5) that can verify by one of the algorithms; the others are named. Two keys with one `kid` are both
 * left out, as a token could not tell them apart.
 */
export function usableKeys (set: unknown, algorithms: readonly string[]): { keys: JWK[], ignored: IgnoredKey[] } {
  const listed = (set as { keys?: unknown } | null)?.keys
  if (!Array.isArray(listed)) throw new FetchFault('not a JWK Set')
  const ignored: IgnoredKey[] = []
  const sound = new Map<string, JWK>()
  for (const key of listed as unknown[]) {
    const reason = faultOf(key, algorithms)
    if (reason) ignored.push({ kid: forLog((key as Member | null)?.kid), reason })
    else {
      const reduced = Object.fromEntries(members.filter((name) => name in (key as Member)).map((name) => [name, (key as Member)[name]]))
      sound.set(JSON.stringify(reduced), reduced as JWK) // one key listed twice is one key
    }
  }
  const unique = [...sound.values()].filter(({ kid }, _, all) => {
    const isAmbiguous = kid !== undefined && all.filter((other) => other.kid === kid).length > 1
    if (isAmbiguous) ignored.push({ kid: forLog(kid), reason: 'another key has the same kid' })
    return !isAmbiguous
  })
  return { keys: unique, ignored }
}

/** It is the issuer's text, and may be an object with anything in it. */
const forLog = (kid: unknown) => typeof kid === 'string' ? kid.slice(0, 64) : null

function faultOf (key: unknown, algorithms: readonly string[]): string | undefined {
  if (typeof key !== 'object' || key === null) return 'not an object'
  const fault = faults.find(([fits]) => fits(key as Member))
  if (fault) return fault[1]
  const { alg } = key as Member
  return alg === undefined || algorithms.includes(alg as string) ? undefined : 'for an algorithm that is not configured'
}
