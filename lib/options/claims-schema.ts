import { Kind, Type, TypeGuard, type TObject } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { FormatRegistry } from '@sinclair/typebox/type'
import { InvalidOptionError } from '../contract/errors.js'

const expects = 'an object schema of @sinclair/typebox, complete in itself: Type.Object({ … })'

export const claimsSchema = Type.Unsafe<TObject>(Type.Object({}, { expects, opaque: true }))

/**
 * Option `claims` → whether a payload satisfies it.
 * @throws InvalidOptionError where no payload ever could
 */
export function compileClaims (schema: TObject | undefined): (payload: unknown) => boolean {
  if (schema === undefined) return () => true
  const format = unknownFormat(schema)
  if (format) {
    throw new InvalidOptionError(`option "claims" uses the format "${format}", which TypeBox does not know, so that ` +
      'no token could satisfy it. Define it with FormatRegistry.Set')
  }
  try {
    const compiled = TypeGuard.IsObject(schema) && TypeCompiler.Compile(schema)
    // Something on Object.prototype must not stand in for a claim that is missing.
    if (compiled) return (payload) => compiled.Check(Object.setPrototypeOf({ ...payload as object }, null))
  } catch {} // a reference to a schema that is not there
  throw new InvalidOptionError(`option "claims" must be ${expects}`)
}

/**
 * TypeBox refuses every value of a string whose format it does not know: better to say so at boot than with each token.
 */
function unknownFormat (schema: unknown, seen = new Set()): string | undefined {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return undefined
  seen.add(schema)
  const { format, [Kind]: kind } = schema as { format?: unknown, [Kind]?: string }
  if (kind === 'String' && typeof format === 'string' && !FormatRegistry.Has(format)) return format
  for (const inner of Object.values(schema)) {
    const found = unknownFormat(inner, seen)
    if (found) return found
  }
  return undefined
}
