import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value'
import { InvalidOptionError } from '../contract/errors.js'

// Fastify takes these from the options of any plugin; here they would look as if they limited the guard, and do nothing.
const hints: Record<string, string> = {
  prefix: '. To guard only the routes below a prefix, register the plugin inside a context that has the prefix'
}

/**
 * Options that are as their schema says, and of which none is present but undefined.
 * @throws InvalidOptionError that names the option
 */
export function assertValid<T extends TObject> (schema: T, options: unknown): asserts options is Static<T> {
  const [error] = Value.Errors(schema, options)
  if (error) throw new InvalidOptionError(explain(innermost(error), schema))
  // The schema's names too, as a class may inherit an option, or have a getter for it.
  const known = Object.keys(schema.properties).filter((name) => name in (options as object)).map((name) => [name, (options as Record<string, unknown>)[name]])
  const name = findUndefined({ ...Object.fromEntries(known) as object, claims: 0 })
  // `audience: process.env.AUDIENCE` must not switch the check off where the variable is missing.
  if (name) throw new InvalidOptionError(`option "${name}" is undefined. Give it a value, or leave the key out`)
}

/** The path of a key that is present and undefined. */
function findUndefined (value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) return key
    const deeper = findUndefined(inner)
    if (deeper) return `${key}.${deeper}`
  }
  return undefined
}

/** Of a union's error, that of the member which the value was meant to be: the one that fails further inside. */
function innermost (error: ValueError): ValueError {
  const deeper = error.errors.flatMap((variant) => [...variant]).find(({ path }) => path.length > error.path.length)
  return deeper && error.type === ValueErrorType.Union && !/\/\d+$/.test(deeper.path) ? deeper : error
}

function explain ({ path, type, schema }: ValueError, whole: TSchema): string {
  if (path === '') return 'the options must be an object'
  const name = path.slice(1).replaceAll('/', '.')
  if (type === ValueErrorType.ObjectAdditionalProperties) return `unknown option "${name}"${hints[name] ?? ''}`
  if (schema.expects !== undefined) return `option "${name}" must be ${String(schema.expects)}`
  const around = expectationAround(name.split('.'), whole)
  return `option "${around.name}" must be ${String(around.expects)}`
}

/** That of the innermost schema around a value which says one, with the option's name: an entry of a list is no list. */
function expectationAround (keys: readonly string[], whole: TSchema): { name: string, expects: unknown } {
  let schema: TSchema | undefined = whole
  let found = { name: '', expects: undefined as unknown }
  for (const [index, key] of keys.entries()) {
    const around: TSchema[] = [schema, ...schema?.anyOf ?? []] as TSchema[]
    schema = around.map((each) => each?.properties?.[key] ?? each?.items as TSchema | undefined).find(Boolean)
    if (schema?.expects !== undefined) found = { name: keys.slice(0, index + 1).join('.'), expects: schema.expects }
  }
  return found
}
