import { isUtf8 } from 'node:buffer'
import { scan } from 'secure-json-parse'
import { refuse } from '../contract/errors.js'
import type { TokenForm } from '../options/other-tokens.js'
import type { Json } from './claim-rules.js'
import { mistakeIn } from './reasons.js'
import { withoutStacks } from './stacks.js'

/** A parsed token that is not verified yet. */
export class CompactJws {
  readonly #text: string
  #payload: Json | undefined

  /** @param text the text of the payload, which may turn out not to be JSON */
  constructor (readonly token: string, readonly header: Json, text: string) {
    this.#text = text
    // Parsed here, because this parser refuses `__proto__`, and that of a verifier may accept it.
    if (mayHoldProto(text)) this.#payload = readObject(text, 'payload')
  }

  /**
   * Parsed at the first access, because the verifier of secrets parses it itself.
   * @throws Refusal `MALFORMED_TOKEN` if it is not a JSON object
   */
  get payload (): Json {
    this.#payload ??= readObject(this.#text, 'payload')
    return this.#payload
  }
}

const maxLength = 8192
const tooLong = `longer than ${maxLength} bytes. Fix: let the issuer leave out long claims, such as groups`
// Other characters than those of base64url would be ignored by the decoder of Buffer.
const compact = /^([\w-]*)\.([\w-]*)\.([\w-]*)$/

/**
 * Parses a JWS in compact serialization (RFC 7515 §5.2, steps 1 to 7) strictly: at most 8 KB, three segments of
 * canonical base64url, header and payload JSON objects in UTF-8. So the same bytes have only one spelling.
 * @param others tokens of other kinds: if the client sent one, the log says which
 * @throws Refusal `MALFORMED_TOKEN`
 */
export function parseCompactJws (token: string, others: readonly TokenForm[] = []): CompactJws {
  if (token.length > maxLength) throw malformed(tooLong)
  const segments = compact.exec(token)
  if (segments === null) throw malformed(faultOfForm(token, others))
  const [, header, payload, signature] = segments as string[] as [string, string, string, string]
  assertWhole(signature, 'signature')
  return new CompactJws(token, readHeader(header), readText(payload, 'payload'))
}

let lastHeader: { segment: string | null, value: Json } = { segment: null, value: {} }

/** Keeps the last header, frozen: most tokens of an issuer have the same, which the claims reader then checks once. */
function readHeader (segment: string): Json {
  if (segment !== lastHeader.segment) {
    lastHeader = { segment, value: Object.freeze(readObject(readText(segment, 'header'), 'header')) }
  }
  return lastHeader.value
}

const malformed = (reason: string) => refuse('MALFORMED_TOKEN', reason)

const notCanonical = (part: string) =>
  `the ${part} is not canonical base64url: cut off, or with padding or characters of plain base64`

function faultOfForm (token: string, others: readonly TokenForm[]): string {
  const segments = token.split('.', 6)
  const fix = 'Fix: let the client request a signed access token for this API, by its audience'
  const other = {
    1: `an opaque token and no JWT (segments: 1 instead of 3). ${fix}`,
    3: notCanonical(['header', 'payload'][segments.findIndex((each) => /[^\w-]/.test(each))] ?? 'signature'),
    5: `an encrypted token (JWE). ${fix}`
  }[segments.length]
  return mistakeIn(`Bearer ${token}`, others) ?? other ?? `segments: ${segments.length} instead of 3`
}

// The allowed last characters, by `length % 4`. Any other has bits that a decoder ignores.
const lastCharacters: Record<number, string> = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' }

/** Refuses unused bits in the last character, so that a token has only one spelling (RFC 4648 §3.5). */
function assertWhole (segment: string, part: string): void {
  const rest = segment.length % 4
  if (rest === 0 || lastCharacters[rest]?.includes(segment.charAt(segment.length - 1))) return
  throw malformed(notCanonical(part))
}

/** Decodes a segment. Its text must be UTF-8 and not nested too deeply. */
function readText (segment: string, part: string): string {
  assertWhole(segment, part)
  const bytes = Buffer.from(segment, 'base64url')
  if (!isUtf8(bytes)) throw malformed(`the ${part} is not UTF-8`)
  const text = bytes.toString()
  // RFC 8259 §8.1
  if (text.startsWith('\ufeff')) throw malformed(`the ${part} begins with a byte order mark`)
  if (isDeep(text)) throw malformed(`the ${part} is nested more than ${maxDepth} deep`)
  return text
}

/** JSON can spell `__proto__` with escapes, so a backslash counts too (RFC 8259 §7). */
const mayHoldProto = (text: string) => text.includes('__proto__') || text.includes('\\')

const maxDepth = 64
const hasManyBrackets = new RegExp(`^(?:[^[{]*[[{]){${maxDepth + 1}}`)
const isFlat = (text: string) => text.indexOf('{', 1) < 0 && !text.includes('[') // most are, and this is fast

/** Deep nesting makes a parser slow, and no claim needs it. Brackets inside of strings do not count. */
function isDeep (text: string): boolean {
  if (isFlat(text) || !hasManyBrackets.test(text)) return false
  let [depth, isInString] = [0, false]
  // Not a pattern, which would take up to twenty times as long.
  for (let i = 0; i < text.length && depth <= maxDepth; i++) {
    const character = text[i]
    if (character === '"') isInString = !isInString
    else if (isInString) {
      if (character === '\\') i++
    } else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
  }
  return depth > maxDepth
}

const withoutProto = { protoAction: 'error', constructorAction: 'ignore' } as const

/** The error of the parser quotes its input, so it is dropped and not even kept as a cause. */
function readObject (text: string, part: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
    // Not `parse` of secure-json-parse, which sets `Error.stackTraceLimit` and throws if the host has frozen Error.
    if (mayHoldProto(text)) withoutStacks(() => scan(value as object, withoutProto))
  } catch {
    throw malformed(`the ${part} is not JSON, or has a member named __proto__`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw malformed(`the ${part} is not a JSON object`)
}
