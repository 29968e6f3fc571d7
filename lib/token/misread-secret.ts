// A secret is often the base64 or hex text of random bytes, and some signers use the bytes in place of the text.

import { createHmac } from 'node:crypto'

const misread = ', but with the bytes whose base64 or hex text it is. Fix: let the signer use the text as it stands'

/** The bytes that a secret may be the text of. */
export function bytesOf (secret: string): Buffer[] {
  const isHex = /^([\da-f]{2})+$/i.test(secret)
  const isBase64 = /^[\w+/-]+={0,2}$/.test(secret)
  return [...isHex ? [Buffer.from(secret, 'hex')] : [], ...isBase64 ? [Buffer.from(secret, 'base64')] : []]
}

/**
 * What to add to the reason where a token was signed with such bytes; else nothing. It looks once a second, as each
 * look costs what a token costs. Only the log depends on it: no token is let in.
 */
export function createMisreadHint (secrets: readonly string[]): (token: string, alg: string) => string {
  const keys = secrets.flatMap(bytesOf)
  let last = -Infinity
  return (token, alg) => {
    const now = Date.now()
    if (Math.abs(now - last) < 1000) return ''
    last = now
    const end = token.lastIndexOf('.')
    const sign = (key: Buffer) => createHmac(`sha${alg.slice(2)}`, key).update(token.slice(0, end)).digest('base64url')
    return keys.some((key) => sign(key) === token.slice(end + 1)) ? misread : ''
  }
}
