// A secret is often random bytes in base64 or hex. Some signers use those bytes as the key instead of the text.

import { createHmac } from 'node:crypto'
import { decode } from '../options/secret.js'

const misread = ', but with the bytes whose base64 or hex text it is. Fix: let the signer use the text as it stands'

/**
 * Creates a function that returns a hint for the log if a token was signed with the decoded bytes, else an empty text.
 * It checks at most one token per second, because a check costs as much as verifying a token. It never admits a token.
 */
export function createMisreadHint (secrets: readonly string[]): (token: string, alg: string) => string {
  const keys = secrets.flatMap(decode)
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
