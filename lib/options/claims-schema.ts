import { Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { InvalidOptionError } from '../contract/errors.js'

const expects = 'a JSON Schema of an object, complete in itself, such as Type.Object({ … })'

export const claimsSchema = Type.Unsafe<object>(Type.Object({}, { expects, opaque: true }))

/**
 * Option `claims` → whether a payload satisfies it. Schemas of `@sinclair/typebox` and `typebox` are JSON Schema too.
 * @throws InvalidOptionError for what the compiler does not know, which would otherwise go unchecked
 */
export function compileClaims (schema: object | undefined): (payload: unknown) => boolean {
  if (schema === undefined) return () => true
  // Own properties: something on Object.prototype must not stand in for a claim that is missing.
  const ajv = new Ajv({ ownProperties: true, strictTypes: false, strictTuples: false, logger: false })
  try {
    if (!('type' in schema) || schema.type !== 'object') throw new Error('its "type" is not "object"')
    if ('$async' in schema) throw new Error('"$async" is not supported') // its promise would be taken for a yes
    const validate = ajv.compile(schema)
    return (payload) => validate(payload)
  } catch (error) {
    throw new InvalidOptionError(`option "claims" must be ${expects}: ${(error as Error).message}`)
  }
}
