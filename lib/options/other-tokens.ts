import { Type, type TObject } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { InvalidOptionError } from '../contract/errors.js'
import type { OtherToken } from '../contract/issuer.js'
import { text } from './schemas.js'

const expects = 'an object schema of @sinclair/typebox, complete in itself'
const objectSchema = Type.Optional(Type.Unsafe<TObject>(Type.Object({}, { opaque: true, expects })))

export const otherTokensSchema = Type.Array(Type.Object({
  says: text('a text for the log', /[^]/),
  text: Type.Optional(text('a regular expression, written as a text', /[^]/)),
  header: objectSchema,
  payload: objectSchema
}, { additionalProperties: false, expects: 'an object: { says, text }, or { says, header, payload }' }), {
  expects: 'a list of { says, text } or { says, header, payload }'
})

export interface TokenForm {
  readonly says: string
  /** Whether a text that is not a JWS is such a token. */
  readonly fitsText: (text: string) => boolean
  /** Whether a JWS is such a token. */
  readonly fits: (jws: { header: object, payload: object }) => boolean
}

/** @throws InvalidOptionError if a regular expression or a schema does not compile */
export function compileOtherTokens (tokens: readonly OtherToken[], option: string): readonly TokenForm[] {
  return Object.freeze(tokens.map((token, index) => {
    try {
      return compile(token)
    } catch {
      throw new InvalidOptionError(`option "${option}.${index}" does not compile: "text" must be a regular ` +
        `expression, or "header" or "payload" ${expects}`)
    }
  }))
}

function compile ({ says, text, header, payload }: OtherToken): TokenForm {
  if (text === undefined && header === undefined && payload === undefined) throw new Error() // it would match nothing
  const pattern = text === undefined ? undefined : new RegExp(text)
  const parts = { ...header && { header }, ...payload && { payload } }
  const ofJws = header || payload ? TypeCompiler.Compile(Type.Object(parts)) : undefined
  return Object.freeze<TokenForm>({
    says,
    fitsText: (text) => pattern?.test(text) ?? false,
    fits: (jws) => ofJws?.Check(jws) ?? false
  })
}
