import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { InvalidOptionError } from '../contract/errors.js'
import { hintAt } from './nearest.js'

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
  const fault = faultInside(schema, options, name, Boolean(schema.opaque))
  if (fault !== undefined || (Value.Check(schema, options) && !isForeign(schema, options))) return fault
  if (name === '') return 'the options must be an object. Fix: app.register(userScope, { … })'
  const call = name.endsWith(')') ? name : `${name}()`
  return `${call} must be given an object with its options: ${namesIn(schema)}`
}

function faultAt (schema: TSchema, value: unknown, option: string, isOpaque: boolean): string | undefined {
  const fault = faultInside(schema, value, option, isOpaque || Boolean(schema.opaque))
  // A schema without `expects` is explained by the one around it.
  if (fault !== undefined || schema.expects === undefined) return fault
  if (Value.Check(schema, value) && (isOpaque || schema.opaque || !isForeign(schema, value))) return undefined
  const words = ((schema.anyOf ?? []) as TSchema[]).map((each): unknown => each.const)
  const names = words.filter((word) => typeof word === 'string')
  return `option "${option}" must be ${String(schema.expects)}${hintFor(value, names)}`
}

function hintFor (value: unknown, names: string[]): string {
  if (value === undefined) return '. It is undefined'
  return value instanceof URL ? '. It is a URL object' : hintAt(value, names)
}

/** Whether a value is an object of another kind, such as a promise or a Map, which would count as an empty one. */
function isForeign (schema: TSchema, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isPlain(value)) return false
  return !Object.keys({ ...shapeOf(schema, value).properties }).some((name) => name in value)
}

/**
 * Whether an object is a plain one, or has no prototype. Test runners have an Object.prototype for each context, so it
 * is recognized by being the last prototype and having `hasOwnProperty`.
 */
export function isPlain (object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'))
}

function faultInside (schema: TSchema, value: unknown, option: string, isOpaque: boolean): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { properties = {}, required = [], additionalProperties, note } = shapeOf(schema, value)
  const nameOf = (key: string) => option === '' ? key : `${option}.${key}`
  // First, because an option may be missing only because it is misspelt.
  const unknown = Object.keys(value).find((key) => additionalProperties === false && !Object.hasOwn(properties, key))
  if (unknown !== undefined) {
    const isInEntry = (list: TSchema) => Object.hasOwn((list.items as Shape | undefined)?.properties ?? {}, unknown)
    const [list] = Object.entries(properties).find(([, member]) => isInEntry(member)) ?? []
    const hint = list ? `. It belongs in an entry of option "${list}"` : hintAt(unknown, Object.keys(properties))
    const fix = hint || `. Use one of: ${namesIn({ properties, required })}${note ? `; ${note}` : ''}`
    return `unknown option "${nameOf(unknown)}"${nameOf(unknown) === 'prefix' ? prefixHint : fix}`
  }
  for (const [key, member] of Object.entries(properties)) {
    const inner = (value as Record<string, unknown>)[key]
    if (inner !== undefined || required.includes(key)) {
      const fault = faultAt(member, inner, nameOf(key), isOpaque)
      if (fault !== undefined) return fault
    } else if (key in value && !isOpaque) {
      // `audience: process.env.AUDIENCE` must not switch the check off where the variable is missing.
      return `option "${nameOf(key)}" is undefined. Fix: give it a value (is an environment variable or ` +
        'a claim missing?), or, to do without it, leave the key out'
    }
  }
  return undefined
}

/** A `note` ends the list of names in a message about an unknown one. */
type Shape = Partial<Pick<TObject, 'properties' | 'required' | 'additionalProperties'>> & { note?: string }

/** Returns the object schema for a value: of a union its object, of a record or a list one with the value's keys. */
function shapeOf (schema: TSchema, value: object): Shape {
  if (Array.isArray(value)) return everyKey(Object.keys(value), schema.expects ? schema.items as TSchema : undefined)
  const [member] = Object.values<TSchema>(schema.patternProperties ?? {})
  if (member) return everyKey(Object.keys(value), member)
  return [...(schema.anyOf ?? []) as Shape[], schema as Shape].find((variant) => variant.properties) ?? {}
}

const everyKey = (keys: string[], schema: TSchema | undefined): Shape =>
  schema ? { properties: Object.fromEntries(keys.map((key) => [key, schema])), required: keys } : {}

/** Lists the names, required ones first. */
const namesIn = ({ properties = {}, required = [] }: Shape): string =>
  [...new Set([...required, ...Object.keys(properties)])].join(', ')

/** Returns the members with these names, inherited ones too: an instance of a class may inherit a getter. */
export const pick = (object: object, names: readonly string[]): Record<string, unknown> => Object.fromEntries(
  names.filter((name) => name in object).map((name) => [name, (object as Record<string, unknown>)[name]]))
