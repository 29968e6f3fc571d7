// What the log says of a refused token. A reason never quotes a token or a secret.

import { cut, quote } from '../contract/quote.js'
import type { TokenForm } from '../options/other-tokens.js'

/** What was expected and what came. */
export function instead (expected: readonly unknown[] = [], received: unknown): string {
  return `expected ${cut(expected.map((each) => JSON.stringify(each)).join(' or '))}, received ${quote(received)}`
}

/** What clients send by mistake: forms of the header's value, and what the log says of them. */
const mistakes: Array<[form: RegExp, says: string]> = [
  [
    /^Bearer (undefined|null|NaN|true|false|\[object \w+\])$/i,
    'the client has no token, and sends the text "$1" in its place. Fix: let it wait for the token, or sign in first'
  ],
  [/^Bearer Bearer /i, 'the client writes "Bearer" before a value that has it already'],
  [/^Bearer ["'`<{]/i, 'the token stands in quotes or brackets'],
  [/^eyJ[\w-]*\./, 'a token without its scheme: "Bearer" and one space go before it']
]

/**
 * What is known of a header value that brings no JWS, for the log; undefined where it is nothing known.
 * @param others tokens of another purpose that the configured issuers hand out
 */
export function mistakeIn (header: string, others: readonly TokenForm[]): string | undefined {
  for (const [form, says] of mistakes) {
    const found = form.exec(header)
    if (found) return says.replace('$1', cut(found[1] ?? ''))
  }
  const token = header.replace(/^Bearer /i, '')
  const kinds = new Set(others.filter((other) => other.fitsText(token)).map((other) => other.says))
  return kinds.size > 0 ? [...kinds].join('; or ') : undefined
}
