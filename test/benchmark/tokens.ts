import { generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto'
import { now, otherSecret, secret, sign as signWithSecret } from '../support/host.js'

export { secret }
export const issuer = 'https://issuer.example'
export const audience = 'https://api.example'

export type Algorithm = 'HS256' | 'EdDSA' | 'ES256' | 'RS256'

interface TokenOptions {
  /** Signed by another key than the one whose `kid` it names. */
  forged?: boolean
  expired?: boolean
}

const makePair = {
  EdDSA: () => generateKeyPairSync('ed25519'),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 })
}
const pairs = Object.entries(makePair).map(([alg, make]) => ({ alg, pair: make(), other: make() }))

/** The public keys as an issuer publishes them. */
export const keySet = {
  keys: pairs.map(({ alg, pair }) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid: alg, alg, use: 'sig' }))
}

export const publicKey = (algorithm: Exclude<Algorithm, 'HS256'>): KeyObject => pairOf(algorithm).pair.publicKey

let serial = 0

/** A token that no call before has returned. */
export function makeToken (
  algorithm: Algorithm, user: string, { forged = false, expired = false }: TokenOptions = {}
): string {
  const iat = now() - 60
  const payload = {
    iss: issuer,
    aud: audience,
    sub: user,
    iat,
    exp: expired ? iat + 1 : iat + 86_400,
    jti: String(serial++)
  }
  if (algorithm === 'HS256') return signWithSecret(payload, { key: forged ? otherSecret : secret })
  const { pair, other } = pairOf(algorithm)
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const input = [{ alg: algorithm, typ: 'JWT', kid: algorithm }, payload].map(encode).join('.')
  const key = (forged ? other : pair).privateKey
  const hash = algorithm === 'EdDSA' ? null : 'sha256'
  const signature = signBytes(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

function pairOf (algorithm: string) {
  const found = pairs.find(({ alg }) => alg === algorithm)
  if (!found) throw new Error(`no keys for ${algorithm}`)
  return found
}
