import { Type } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { InvalidOptionError } from '../contract/errors.js'
import { cut, quote } from '../contract/quote.js'

const expects = 'a JSON Schema of an object, complete in itself, such as Type.Object({ … })'

export const claimsSchema = Type.Unsafe<object>(Type.Object({}, { expects, opaque: true }))

/**
 * Option `claims` → why a payload does not satisfy it; null where it does. Schemas of `@sinclair/typebox` and of
 * `typebox` are JSON Schema too.
 * @throws InvalidOptionError for what the compiler does not know, which would otherwise go unchecked
 */
export function compileClaims (schema: object | undefined): (payload: unknown) => string | null {
  if (schema === undefined) return () => null
  // Own properties: something on Object.prototype must not stand in for a claim that is missing.
  const ajv = new Ajv({ ownProperties: true, logger: false })
  // Which draft it is of decides nothing: a keyword that the compiler does not know stops the boot.
  const { $schema: draft, ...rest } = schema as { $schema?: unknown }
  const body: { type?: unknown } = draft === undefined ? schema : rest
  const isPlain = Object.getPrototypeOf(schema) === Object.prototype
  try {
    // What such libraries convert to may be marked as well (https://standardschema.dev), and shows it to nobody.
    if ('~standard' in schema && (!isPlain || Object.keys(schema).includes('~standard'))) {
      throw new Error('it is a schema of zod or the like. Fix: convert it first, as z.toJSONSchema() does')
    }
    if (body.type !== 'object') throw new Error('its "type" is not "object"')
    if (draft !== undefined && !isPlain) throw new Error('it is no plain object')
    if ('$async' in schema) throw new Error('"$async" is not supported') // its promise would be taken for a yes
    assertWhole(schema)
    const validate = ajv.compile(body)
    return (payload) => validate(payload) ? null : faultIn(validate.errors?.at(-1) as ErrorObject)
  } catch (error) {
    throw new InvalidOptionError(`option "claims" must be ${expects}: ${(error as Error).message}`)
  }
}

/** For the log: names of claims and what the schema says, but no value. Of several faults the last is the whole one. */
function faultIn ({ instancePath, message, params }: ErrorObject): string {
  const { additionalProperty: name } = params as Record<string, unknown>
  const place = instancePath === '' ? 'the payload' : quote(instancePath)
  return `${place} ${cut(String(message))}${name === undefined ? '' : `: ${quote(name)}`}`
}

const annotations = ['title', 'description', 'default', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly']

/**
 * What would check nothing although its author means it to: an undefined keyword, such as of an environment variable
 * that is not set, and checks of TypeBox that are functions and no JSON Schema.
 */
function assertWhole (schema: object): void {
  for (const key of Reflect.ownKeys(schema)) {
    const name = typeof key === 'symbol' ? String(key.description) : key
    if (['~refine', '~codec', 'TypeBox.Transform'].includes(name)) throw new Error(`"${name}" is no JSON Schema`)
    const value = (schema as Record<typeof key, unknown>)[key]
    if (value === undefined && !annotations.includes(name)) throw new Error(`"${name}" is undefined`)
    if (typeof value === 'object' && value !== null) assertWhole(value)
  }
}
