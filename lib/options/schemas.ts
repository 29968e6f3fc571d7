import { Type } from '@sinclair/typebox'

// `expects` is what an error says that the option must be.

export const text = (expects: string) => Type.String({ minLength: 1, expects })

/** One or several. */
export const texts = (expects: string) => Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })], { expects })

export const flag = Type.Boolean({ expects: 'true or false' })

/** @param aka the maximum in words */
export function seconds (minimum: number, maximum: number, aka?: string) {
  return Type.Number({ minimum, maximum, expects: `a number of seconds from ${minimum} to ${maximum}${aka ? ` (${aka})` : ''}` })
}
