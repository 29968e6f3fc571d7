import { Type, type TProperties } from '@sinclair/typebox'
import { faultOf, pick } from '../options/validate.js'

/** An option that is judged where it is used. */
const anything = Type.Optional(Type.Unknown({ opaque: true }))

/** Options of which no more is said than their names. */
export const named = (...names: string[]): TProperties => Object.fromEntries(names.map((name) => [name, anything]))

/**
 * In plain JavaScript nothing else tells of a misspelt option. What is undefined counts as left out.
 * @param what the function that takes the options
 * @throws TypeError that names the option, and says what it must be
 */
export function assertOptions (properties: TProperties, options: unknown, what: string): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  const fault = faultOf(Type.Object(properties, { additionalProperties: false }),
    isObject ? statedIn(options, properties) : options, what)
  if (fault !== undefined) throw new TypeError(fault)
}

/** A name that is unknown is told though it is undefined. */
const statedIn = (options: object, known: TProperties) => Object.fromEntries(
  Object.entries({ ...options, ...pick(options, known) })
    .filter(([name, value]) => value !== undefined || !Object.hasOwn(known, name)))
