import type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox'
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value'
import { InvalidOptionError } from '../contract/errors.js'
import { nearest } from './nearest.js'

// Fastify takes it from the options of any plugin; here it would look as if it limited the guard, and do nothing.
const prefixHint = '. To guard only the routes below a prefix, register the plugin inside a context that has the ' +
  'prefix; if a loader such as @fastify/autoload passes it on, wrap the plugin without its options'

/**
 * Options that are as their schema says, and of which none is present but undefined.
 * @param name the function that takes them, which goes before the names of its options; the plugin's own stand alone
 * @throws InvalidOptionError that names the option
 */
export function assertValid<T extends TObject> (schema: T, options: unknown, name = ''): asserts options is Static<T> {
  const fault = faultOf(schema, options, name)
  if (fault !== undefined) throw new InvalidOptionError(fault)
}

/** The same as a text, for a caller with an error of its own; undefined where nothing is wrong. */
export function faultOf (schema: TObject, options: unknown, name = ''): string | undefined {
  const error = first(listOf(Value.Errors(schema, options)))
  if (error) return explain(innermost(error), schema, name)
  const path = findUndefined(schema, options as object)
  // `audience: process.env.AUDIENCE` must not switch the check off where the variable is missing.
  return path && `option "${join(name, path)}" is undefined. Give it a value, or leave the key out`
}

/** The search for doubles in a list throws at functions, behind the errors that say they have no place there. */
function listOf (errors: Iterable<ValueError>): ValueError[] {
  const found: ValueError[] = []
  try {
    for (const error of errors) found.push(error)
  } catch (error) {
    if (found.length === 0) throw error
  }
  return found
}

/** The one to tell of: a misspelt option goes before the one that is then missing. */
const first = (errors: ValueError[]): ValueError | undefined => errors.find(isUnknown) ?? errors[0]
const isUnknown = ({ type }: ValueError) => type === ValueErrorType.ObjectAdditionalProperties

const join = (...names: string[]) => names.filter((name) => name !== '').join('.')

/** The path of an option that is present and undefined. */
function findUndefined (schema: TObject, options: object): string | undefined {
  return undefinedIn(pick(options, schema.properties), schema)
}

/** The options of these names, the object's own or not: a class may inherit an option, or have a getter for it. */
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

/** The schema of a member, or of an entry of a list. */
const schemaOf = (schema: TSchema | undefined, key: string): TSchema | undefined =>
  (schema?.properties?.[key] ?? schema?.items) as TSchema | undefined

/** Of a union's error, that of the member which the value was meant to be: the one that fails further inside. */
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
  // A record has no names to choose from: it says what all of them must be.
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

/** A word that is nearly one of those to choose from. */
function meantBy ({ value, schema }: ValueError): string {
  const words = ((schema.anyOf ?? []) as TSchema[]).map((each): unknown => each.const)
  const meant = typeof value === 'string' ? nearest(value, words.filter((word) => typeof word === 'string')) : undefined
  return meant === undefined ? '' : `. Did you mean "${meant}"?`
}

/** Those that are required go first. */
const namesIn = ({ required = [], properties }: TSchema): string =>
  [...new Set([...required as string[], ...Object.keys(properties as object)])].join(', ')

/** Of the innermost schema around a value that says one, with the option's name: an entry of a list is not a list. */
function expectationAround (keys: readonly string[], whole: TSchema): { keys: readonly string[], expects: unknown } {
  let schema: TSchema | undefined = whole
  let found = { keys, expects: undefined as unknown }
  for (const [index, key] of keys.entries()) {
    schema = schemaOf(schema, key)
    if (schema?.expects !== undefined) found = { keys: keys.slice(0, index + 1), expects: schema.expects }
  }
  return found
}
