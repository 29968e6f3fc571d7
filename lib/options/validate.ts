import type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox'
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value'
import { InvalidOptionError } from '../contract/errors.js'
import { nearest } from './nearest.js'

// Fastify reads `prefix` from the options of any plugin. Here it would seem to limit the guard, and have no effect.
const prefixHint = '. To guard only the routes below a prefix, register the plugin inside a context that has the ' +
  'prefix; if a loader such as @fastify/autoload passes it on, wrap the plugin without its options'

/**
 * Asserts that options satisfy their schema, and that none is present but undefined.
 * @param name the function with these options, put in front of their names; empty for the plugin itself
 * @throws InvalidOptionError that names the option
 */
export function assertValid<T extends TObject> (schema: T, options: unknown, name = ''): asserts options is Static<T> {
  const fault = faultOf(schema, options, name)
  if (fault !== undefined) throw new InvalidOptionError(fault)
}

/** Returns the fault as a text, for callers with their own error; undefined if nothing is wrong. */
export function faultOf (schema: TObject, options: unknown, name = ''): string | undefined {
  const error = first(listOf(Value.Errors(schema, options)))
  if (error) return explain(innermost(error), schema, name)
  const path = findUndefined(schema, options as object)
  // `audience: process.env.AUDIENCE` must not switch the check off where the variable is missing.
  return path && `option "${join(name, path)}" is undefined. Give it a value, or leave the key out`
}

/** With functions in a list, the check for unique items throws after it has yielded the error. */
function listOf (errors: Iterable<ValueError>): ValueError[] {
  const found: ValueError[] = []
  try {
    for (const error of errors) found.push(error)
  } catch (error) {
    if (found.length === 0) throw error
  }
  return found
}

/** Returns the error to report: a misspelt option rather than the one that is missing because of it. */
const first = (errors: ValueError[]): ValueError | undefined => errors.find(isUnknown) ?? errors[0]
const isUnknown = ({ type }: ValueError) => type === ValueErrorType.ObjectAdditionalProperties

const join = (...names: string[]) => names.filter((name) => name !== '').join('.')

/** Returns the path of an option that is present but undefined. */
function findUndefined (schema: TObject, options: object): string | undefined {
  return undefinedIn(pick(options, schema.properties), schema)
}

/** Returns the options with these names, inherited ones too: an instance of a class may inherit a getter. */
export function pick (options: object, properties: TProperties): Record<string, unknown> {
  const names = Object.keys(properties).filter((name) => name in options)
  return Object.fromEntries(names.map((name) => [name, (options as Record<string, unknown>)[name]]))
}

function undefinedIn (value: unknown, schema: TSchema | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || schema?.opaque) return undefined
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) return key
    const deeper = undefinedIn(inner, schemaOf(schema, key))
    if (deeper) return join(key, deeper)
  }
  return undefined
}

/** Returns the schema of a member, or of a list's entries. */
const schemaOf = (schema: TSchema | undefined, key: string): TSchema | undefined =>
  (schema?.properties?.[key] ?? schema?.items) as TSchema | undefined

/** Returns the error of the most likely variant of a union: the one that fails at a deeper path. */
function innermost (error: ValueError): ValueError {
  const ofVariants = error.errors.flatMap(listOf)
  const deeper = first(ofVariants.filter(({ path }) => path.length > error.path.length))
  return deeper && error.type === ValueErrorType.Union && !/\/\d+$/.test(deeper.path) ? deeper : error
}

function explain (error: ValueError, whole: TSchema, name: string): string {
  const { path, schema } = error
  if (path === '' && name === '') return 'the options must be an object'
  if (path === '') return `${name}() must be given an object with its options: ${namesIn(schema)}`
  // RFC 6901 §4
  const keys = path.slice(1).split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  // A record does not list its names, but says what all of them must be.
  if (isUnknown(error) && schema.properties === undefined) keys.pop()
  else if (isUnknown(error)) {
    const meant = nearest(String(keys.at(-1)), Object.keys(schema.properties as object))
    const hint = meant ? `. Did you mean "${meant}"?` : `. Use one of: ${namesIn(schema)}`
    const option = join(name, ...keys)
    return `unknown option "${option}"${option === 'prefix' ? prefixHint : hint}`
  }
  const isStated = schema.expects !== undefined
  const around = isStated ? { keys, expects: schema.expects as unknown } : expectationAround(keys, whole)
  return `option "${join(name, ...around.keys)}" must be ${String(around.expects)}${isStated ? meantBy(error) : ''}`
}

/** Returns a hint if the value is almost one of the allowed words. */
function meantBy ({ value, schema }: ValueError): string {
  const words = ((schema.anyOf ?? []) as TSchema[]).map((each): unknown => each.const)
  const meant = typeof value === 'string' ? nearest(value, words.filter((word) => typeof word === 'string')) : undefined
  return meant === undefined ? '' : `. Did you mean "${meant}"?`
}

/** Lists the names, required ones first. */
const namesIn = ({ required = [], properties }: TSchema): string =>
  [...new Set([...required as string[], ...Object.keys(properties as object)])].join(', ')

/** Finds the innermost schema around a value that has `expects`, and the name of its option. */
function expectationAround (keys: readonly string[], whole: TSchema): { keys: readonly string[], expects: unknown } {
  let schema: TSchema | undefined = whole
  let found = { keys, expects: undefined as unknown }
  for (const [index, key] of keys.entries()) {
    schema = schemaOf(schema, key)
    if (schema?.expects !== undefined) found = { keys: keys.slice(0, index + 1), expects: schema.expects }
  }
  return found
}
