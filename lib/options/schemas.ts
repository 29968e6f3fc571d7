import { Type, type TArray, type TString } from '@sinclair/typebox'

// `expects` is the text of an error message after "must be". An `opaque` value belongs to the host, and its members may
// be undefined.

const anyText = /^\S(.*\S)?$/ // white space at an end is of a file or a paste, and would fit no token

/** @param pattern default: not empty, and no white space at its ends */
export const text = (expects: string, pattern = anyText) => Type.String({ pattern: pattern.source, expects })

export const claimName = text('the name of a claim, without white space at its ends (one inside another claim cannot ' +
  'be read)')

/** The two forms of one text or several, for a union. */
export function oneOrMore (pattern = anyText): [TString, TArray<TString>] {
  const one = Type.String({ pattern: pattern.source })
  return [one, Type.Array(one, { minItems: 1 })]
}

export const texts = (expects: string, pattern?: RegExp) => Type.Union(oneOrMore(pattern), { expects })

export const oneOf = <const Word extends string>(words: readonly Word[], expects?: string) =>
  Type.Union(words.map((word) => Type.Literal(word)), { expects })

export const flag = Type.Boolean({ expects: 'true or false' })

/** @param aka the maximum in words */
export function seconds (minimum: number, maximum: number, aka?: string) {
  const inWords = aka ? ` (${aka})` : ''
  return Type.Number({ minimum, maximum, expects: `a number of seconds from ${minimum} to ${maximum}${inWords}` })
}
