import { Type, type TObject } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { InvalidOptionError } from '../contract/errors.js'
import { cut, quote } from '../contract/quote.js'
import { isPlain } from './validate.js'

const expects = 'a JSON Schema of an object, complete in itself, such as Type.Object({ … })'

const stateType = "Fix: state it, also of a union or an intersection: Type.Union([…], { type: 'object' })"

export const claimsSchema = Type.Unsafe<object>(Type.Object({}, { expects, opaque: true }))

/**
 * Compiles option `claims` to a function that says why a payload does not satisfy it; null if it does. Schemas of
 * `@sinclair/typebox` and of `typebox` are JSON Schema too.
 * @throws InvalidOptionError for a keyword that the compiler does not know, which would otherwise check nothing
 */
export function compileClaims (schema: object | undefined): (payload: unknown) => string | null {
  if (schema === undefined) return () => null
  // Own properties: a member of Object.prototype must not replace a missing claim.
  const ajv = new Ajv({ ownProperties: true, logger: false })
  // The draft does not matter, because an unknown keyword stops the boot.
  const { $schema: _draft, ...body } = schema as { $schema?: unknown } & Partial<TObject>
  try {
    if (!isPlain(schema)) {
      throw new Error('it is no plain object. Fix: convert a schema of zod or the like, as ' +
        'z.toJSONSchema(z.looseObject({ … })) does')
    }
    if (body.type !== 'object') throw new Error(`its "type" is not "object". ${stateType}`)
    if ('$async' in body) throw new Error('"$async" is not supported') // its promise would count as true
    assertWhole(schema)
    const validate = ajv.compile(body)
    const { additionalProperties, properties = {}, patternProperties } = body
    if (additionalProperties === false && !Object.hasOwn(properties, 'exp') && !patternProperties) {
      throw new Error('it allows no other claims, and lacks "exp", which every token has. Fix: leave out ' +
        '"additionalProperties" (with zod: z.looseObject), or list all claims that tokens have')
    }
    return (payload) => validate(payload) ? null : faultIn(validate.errors?.at(-1) as ErrorObject)
  } catch (error) {
    const { message } = error as Error
    // The compiler says that it ignores the format, but the boot stops.
    const reason = message
      .replace(/^(unknown format .*) ignored (.*)$/, '$1 $2. Fix: leave "format" out, and use "pattern"')
    throw new InvalidOptionError(`option "claims" must be ${expects}: ${reason}`)
  }
}

/**
 * For the log: what the schema says and where, but no value of the payload. Names inside of claims are left out, too,
 * because they may be data, such as e-mail addresses. The last of several errors sums them up.
 */
function faultIn ({ instancePath, schemaPath, message, params }: ErrorObject): string {
  const [, claim] = instancePath.split('/')
  if (claim !== undefined) return `claim ${quote(claim)} ${cut(String(message))} (${cut(schemaPath)})`
  const { additionalProperty: name } = params as Record<string, unknown>
  return `the payload ${cut(String(message))}${name === undefined ? '' : `: ${quote(name)}`}`
}

const annotations = ['title', 'description', 'default', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly']

/** Whether TypeBox itself makes this kind. The host registers its own with functions. */
const isKnownKind = (kind: string) => kind in Type || ['This', 'Import'].includes(kind)

/**
 * Refuses keywords that would silently check nothing: undefined ones, as from an environment variable that is not set,
 * and checks of TypeBox that are functions, its own or of kinds that the host has registered.
 */
function assertWhole (schema: object): void {
  for (const key of Reflect.ownKeys(schema)) {
    const name = typeof key === 'symbol' ? String(key.description) : key
    if (['~refine', '~codec', 'TypeBox.Transform'].includes(name)) throw new Error(`"${name}" is no JSON Schema`)
    const value = (schema as Record<typeof key, unknown>)[key]
    if (name === 'TypeBox.Kind' && !isKnownKind(String(value))) {
      throw new Error(`kind "${String(value)}" is none of TypeBox itself, and its function would not be called. ` +
        'Fix: say it in JSON Schema, without [Kind]')
    }
    if (value === undefined && !annotations.includes(name)) throw new Error(`"${name}" is undefined`)
    if (typeof value === 'object' && value !== null) assertWhole(value)
  }
}
