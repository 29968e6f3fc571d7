import { sampleText } from './sample-text.js'

interface Schema {
  $ref?: string
  const?: unknown
  enum?: unknown[]
  default?: unknown
  examples?: unknown[]
  type?: string | string[]
  format?: string
  pattern?: string
  minLength?: number
  minimum?: number
  exclusiveMinimum?: number
  maximum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  minItems?: number
  items?: unknown
  required?: string[]
  properties?: Record<string, unknown>
  allOf?: unknown[]
  anyOf?: unknown[]
  oneOf?: unknown[]
}

/** A schema that no value is found for; the message names the place. */
export class NoSampleError extends Error {}

/** What `$ref` names; undefined where it is not known. */
export type Resolve = (ref: string) => unknown

const formats: Record<string, string> = {
  uuid: '00000000-0000-4000-8000-000000000000',
  'date-time': '2026-01-01T00:00:00Z',
  'iso-date-time': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  'iso-time': '00:00:00Z',
  duration: 'P1D',
  email: 'a@example.com',
  'idn-email': 'a@example.com',
  uri: 'https://example.com/',
  iri: 'https://example.com/',
  url: 'https://example.com/',
  'uri-reference': '/a',
  'uri-template': '/a',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  'json-pointer': '/a',
  'relative-json-pointer': '0',
  regex: 'a',
  byte: 'YQ=='
}

/** Where in a schema a value is made up. */
interface Place {
  readonly path: string
  readonly resolve: Resolve
  /** The schemas around it. */
  readonly around: readonly unknown[]
}

/**
 * A small value that a JSON schema accepts: what it states itself (`const`, `enum`, `default`, `examples`), else the
 * least of its type, with the required properties alone. The server's own validation has the last word.
 * @throws NoSampleError
 */
export const sampleValue = (given: unknown, resolve: Resolve, path: string): unknown => sample(given, { path, resolve, around: [] })

function sample (given: unknown, place: Place): unknown {
  const schema = merge(given, place)
  if ('const' in schema) return schema.const
  const stated = schema.enum?.[0] ?? schema.default ?? schema.examples?.[0]
  if (stated !== undefined) return stated
  const inside = within(place, given)
  const { anyOf, oneOf, ...rest } = schema
  const choices = anyOf ?? oneOf
  if (choices) return firstOf(choices, (choice) => sample({ ...rest, allOf: [choice] }, inside))
  const type = [schema.type].flat()[0] ?? (schema.properties ? 'object' : 'string')
  return samplers[type]?.(schema, inside) ?? (type === 'null' ? null : fail(place, `the type "${type}"`))
}

const within = (place: Place, schema: unknown): Place => ({ ...place, around: [...place.around, schema] })

const below = (place: Place, name: string | number): Place => ({ ...place, path: `${place.path}/${name}` })

const samplers: Record<string, (schema: Schema, place: Place) => unknown> = {
  string: ({ format, pattern, minLength = 0 }, place) => {
    if (pattern !== undefined) return sampleText(pattern, minLength) ?? fail(place, `the pattern ${pattern}`)
    return format === undefined ? 'x'.padEnd(minLength, 'x') : formats[format] ?? fail(place, `the format "${format}"`)
  },
  number: sampleNumber,
  integer: (schema, place) => sampleNumber({ ...schema, multipleOf: Math.ceil(schema.multipleOf ?? 1) }, place),
  boolean: () => true,
  array: ({ items, minItems = 0 }, place) => Array.from({ length: minItems }, (_, index) => sample(items, below(place, index))),
  object: ({ required = [], properties = {} }, place) => Object.fromEntries(required.map((name) => [name, sample(properties[name], below(place, name))]))
}

/** The least where there is one, else 1, or what comes near. */
function sampleNumber ({ minimum = -Infinity, exclusiveMinimum = -Infinity, maximum = Infinity, exclusiveMaximum = Infinity, multipleOf }: Schema, place: Place): number {
  const step = multipleOf ?? 1
  const near = [minimum, 1, exclusiveMinimum + step, maximum, exclusiveMaximum - step, (Math.max(minimum, exclusiveMinimum) + Math.min(maximum, exclusiveMaximum)) / 2]
  const numbers = multipleOf === undefined ? near : near.flatMap((number) => [Math.ceil(number / step) * step, Math.floor(number / step) * step])
  const found = numbers.find((number) => Number.isFinite(number) && number >= minimum && number > exclusiveMinimum && number <= maximum && number < exclusiveMaximum)
  return found ?? fail(place, 'the limits of its number')
}

/** With what `$ref` and `allOf` say beside it. */
function merge (given: unknown, place: Place): Schema {
  if (given === undefined || given === true) return {}
  if (typeof given !== 'object' || given === null) return fail(place, 'a schema that allows nothing')
  if (place.around.includes(given)) return fail(place, 'a schema that requires itself')
  const { $ref, allOf = [], ...schema } = given as Schema
  const referred = $ref === undefined ? [] : [place.resolve($ref) ?? fail(place, `the reference ${$ref}`)]
  const parts = [...referred, ...allOf].map((part) => merge(part, within(place, given)))
  return [...parts, schema].reduce((all, part) => ({
    ...all,
    ...part,
    ...(all.required && part.required) && { required: [...all.required, ...part.required] },
    ...(all.properties && part.properties) && { properties: { ...all.properties, ...part.properties } }
  }))
}

function firstOf<T, R> (choices: T[], attempt: (choice: T) => R): R {
  const [choice, ...others] = choices as [T, ...T[]]
  try {
    return attempt(choice)
  } catch (error) {
    if (others.length === 0) throw error
    return firstOf(others, attempt)
  }
}

function fail ({ path }: Place, what: string): never {
  throw new NoSampleError(`${path}: no value is made up for ${what}`)
}
