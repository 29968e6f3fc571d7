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

/**
 * A small value that a JSON schema accepts: what it states itself (`const`, `enum`, `default`, `examples`), else the least of its type,
 * with the required properties alone. The server's own validation has the last word.
 * @throws NoSampleError
 */
export function sampleValue (given: unknown, resolve: Resolve, path: string): unknown {
  const schema = merge(given, resolve, path)
  if ('const' in schema) return schema.const
  const stated = schema.enum?.[0] ?? schema.default ?? schema.examples?.[0]
  if (stated !== undefined) return stated
  const { anyOf, oneOf, ...rest } = schema
  const choices = anyOf ?? oneOf
  if (choices) return firstOf(choices, (choice) => sampleValue({ ...rest, allOf: [choice] }, resolve, path))
  const type = [schema.type].flat()[0] ?? (schema.properties ? 'object' : 'string')
  return samplers[type]?.(schema, resolve, path) ?? (type === 'null' ? null : fail(path, `the type "${type}"`))
}

const samplers: Record<string, (schema: Schema, resolve: Resolve, path: string) => unknown> = {
  string: ({ format, pattern, minLength = 0 }, _resolve, path) => {
    if (pattern !== undefined) return sampleText(pattern, minLength) ?? fail(path, `the pattern ${pattern}`)
    return format === undefined ? 'x'.padEnd(minLength, 'x') : formats[format] ?? fail(path, `the format "${format}"`)
  },
  number: sampleNumber,
  integer: (schema) => Math.ceil(sampleNumber({ ...schema, multipleOf: schema.multipleOf ?? 1 })),
  boolean: () => true,
  array: ({ items, minItems = 0 }, resolve, path) => Array.from({ length: minItems }, (_, index) => sampleValue(items, resolve, `${path}/${index}`)),
  object: ({ required = [], properties = {} }, resolve, path) => Object.fromEntries(required.map((name) => [name, sampleValue(properties[name], resolve, `${path}/${name}`)]))
}

/** The least from 1 up that fits. */
function sampleNumber ({ minimum, exclusiveMinimum, maximum = Infinity, multipleOf: step }: Schema): number {
  const least = exclusiveMinimum === undefined ? minimum ?? Math.min(1, maximum) : exclusiveMinimum + (step ?? 1)
  return step === undefined ? least : Math.ceil(least / step) * step
}

/** With what `$ref` and `allOf` say beside it. */
function merge (given: unknown, resolve: Resolve, path: string): Schema {
  if (given === undefined || given === true) return {}
  if (typeof given !== 'object' || given === null) return fail(path, 'a schema that allows nothing')
  const { $ref, allOf = [], ...schema } = given as Schema
  if ($ref !== undefined && resolve($ref) === undefined) return fail(path, `the reference ${$ref}`)
  const parts = [...$ref === undefined ? [] : [resolve($ref)], ...allOf].map((part) => merge(part, resolve, path))
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

function fail (path: string, what: string): never {
  throw new NoSampleError(`${path}: no value is made up for ${what}`)
}
