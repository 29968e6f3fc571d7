// A secret is often random bytes in base64 or hex. Some signers use those bytes as the key instead of the text. Others
// read it from a file, with the line break at its end.

import { createHmac } from 'node:crypto'
import { decode } from '../options/secret.js'

const misread = ', but with the bytes whose base64 or hex text it is. Fix: let the signer use the text as it stands'
const withLineBreak = ', but with it and a line break, as files have at their end. ' +
  'Fix: remove the line break at the signer'

/**
 * Creates a function that returns a hint for the log if a token was signed with a misread secret, else an empty text.
 * It checks at most one token per second, because a check costs as much as verifying a token. It never admits a token.
 */
export function createMisreadHint (secrets: readonly string[]): (token: string, alg: string) => string {
  const keys = secrets.flatMap((secret): Array<[key: Buffer | string, hint: string]> =>
    [...decode(secret).map((bytes): [Buffer, string] => [bytes, misread]), [`${secret}\n`, withLineBreak]])
  let last = -Infinity
  return (token, alg) => {
    const now = Date.now()
    if (Math.abs(now - last) < 1000) return ''
    last = now
    const end = token.lastIndexOf('.')
    const sign = (key: Buffer | string) =>
      createHmac(`sha${alg.slice(2)}`, key).update(token.slice(0, end)).digest('base64url')
    return keys.find(([key]) => sign(key) === token.slice(end + 1))?.[1] ?? ''
  }
}
