import { Type } from '@sinclair/typebox'
import { texts } from './schemas.js'

const mark = texts(
  'a string or a list of strings, each with at most one "*", at its start or its end', /^(\*[^*]*|[^*]+\*?)$/
)

export const machineSchema = Type.Record(Type.String(), mark, {
  expects: 'an object: claim name to a string or a list of strings'
})

/** The marks of option `machine` → whether a payload has one of them. */
export function compileMachine (
  marks: Readonly<Record<string, string | readonly string[]>>
): (payload: Record<string, unknown>) => boolean {
  const rows = Object.entries(marks).map(([claim, values]) => [claim, [values].flat()] as const)
  return (payload) => rows.some(([claim, values]) => values.some((value) => fits(payload[claim], value)))
}

function fits (found: unknown, value: string): boolean {
  if (typeof found !== 'string') return false
  if (value.startsWith('*')) return found.endsWith(value.slice(1))
  return value.endsWith('*') ? found.startsWith(value.slice(0, -1)) : found === value
}
