// A secret is often random bytes in base64 or hex. Some signers use those bytes as the key instead of the text. Others
// read it from a file, with the line break at its end.

import { createHmac } from 'node:crypto'
import { decode } from '../options/secret.js'
import type { CompactJws } from './jws.js'
import { namedIssuer } from './reasons.js'

const misread = ', but with the bytes whose base64 or hex text it is. Fix: let the signer use the text as it stands'
const withLineBreak = ', but with it and a line break, as files have at their end. ' +
  'Fix: remove the line break at the signer'

/**
 * Creates a function that returns a hint for the log if a signature does not verify: that the token was signed with a
 * misread secret, or else its issuer. It hints at most once per second, else it returns an empty text: a hint costs as
 * much as verifying a token, and forged ones may come in floods. It never admits a token.
 */
export function createSignatureHint (secrets: readonly string[]) {
  const keys = secrets.flatMap((secret): Array<[key: Buffer | string, hint: string]> =>
    [...decode(secret).map((bytes): [Buffer, string] => [bytes, misread]), [`${secret}\n`, withLineBreak]])
  let last = -Infinity
  return (jws: Pick<CompactJws, 'token' | 'header' | 'payload'>): string => {
    const now = Date.now()
    if (Math.abs(now - last) < 1000) return ''
    last = now
    const { token, header } = jws
    const end = token.lastIndexOf('.')
    const hash = `sha${String(header['alg']).slice(2)}`
    const sign = (key: Buffer | string) => createHmac(hash, key).update(token.slice(0, end)).digest('base64url')
    return keys.find(([key]) => sign(key) === token.slice(end + 1))?.[1] ?? namedIssuer(jws)
  }
}
