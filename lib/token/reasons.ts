// Reasons of refusals, for the log. They never quote a token or a secret.

import { cut, quote } from '../contract/quote.js'
import type { TokenForm } from '../options/other-tokens.js'

export const inWords = (expected: readonly unknown[]): string =>
  cut(expected.map((each) => JSON.stringify(each)).join(' or '))

export const instead = (expected: readonly unknown[] = [], received: unknown): string =>
  `expected ${inWords(expected)}, received ${quote(received)}`

/** Common mistakes of clients: a pattern for the header, and a text for the log. */
const mistakes: Array<[form: RegExp, says: string]> = [
  [
    /^Bearer (undefined|null|NaN|true|false|\[object \w+\])$/i,
    'the client has no token, and sends the text "$1" in its place. Fix: let it wait for the token, or sign in first'
  ],
  [/^Bearer *$/i, 'the client sends no token after "Bearer"'],
  [/^Bearer Bearer /i, 'the client puts "Bearer" before a value that already has it'],
  [/^[^,]+, *(Bearer|Basic) /i, 'several Authorization headers, which a proxy or the client joined with a comma'],
  [/^Bearer ["'`<{]/i, 'the token is in quotes or brackets'],
  [
    /^Bearer \$/i,
    'the client sends the name of a variable in place of the token. ' +
      'Fix: double quotes in a shell, backticks in JavaScript'
  ],
  [
    /^DPoP /i,
    'the client sends a token bound to its key (DPoP), which is not supported. Fix: let it request a bearer token'
  ],
  [/^eyJ[\w-]*\./, 'the token has no scheme. Fix: put "Bearer" and one space before it']
]

/** Names the issuer that a token claims to have, which tells a token of another environment. */
export const namedIssuer = ({ payload }: { readonly payload: Readonly<Record<string, unknown>> }): string =>
  Object.hasOwn(payload, 'iss') ? `. Its claim "iss" is ${quote(payload['iss'])}` : ''

/**
 * Explains a header without a JWS, for the log; undefined if no explanation is known.
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
