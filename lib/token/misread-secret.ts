// A secret is often the base64 or hex text of random bytes, and some signers use the bytes in place of the text.

const misread = ', but with the bytes whose base64 or hex text it is. Fix: let the signer use the text as it stands'

/** The bytes that a secret may be the text of. */
export function bytesOf (secret: string): Buffer[] {
  const isHex = /^([\da-f]{2})+$/i.test(secret)
  const isBase64 = /^[\w+/-]+={0,2}$/.test(secret)
  return [...isHex ? [Buffer.from(secret, 'hex')] : [], ...isBase64 ? [Buffer.from(secret, 'base64')] : []]
}

/**
 * What to add to the reason where a signature verifies with such bytes; else nothing. It looks once a second, as each
 * look costs what a token costs.
 */
export function createMisreadHint (checks: ReadonlyArray<(token: string) => unknown>): (token: string) => string {
  let last = -Infinity
  return (token) => {
    const now = Date.now()
    if (Math.abs(now - last) < 1000) return ''
    last = now
    const isMisread = checks.some((check) => typeof check(token) === 'object')
    return isMisread ? misread : ''
  }
}
