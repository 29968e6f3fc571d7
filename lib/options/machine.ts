import { Type } from '@sinclair/typebox'
import { texts } from './schemas.js'

const mark = texts(
  'a string or a list of strings, each with at most one "*", at its start or its end', /^(\*[^*]*|[^*]+\*?)$/
)

export const machineSchema = Type.Record(Type.String(), mark, {
  expects: 'an object: claim name to a string or a list of strings'
})

type Payload = Record<string, unknown>

/** Compiles option `machine` to a function that tells whether a payload is an application's and not a user's. */
export function compileMachine (marks: Readonly<Record<string, string | readonly string[]>>) {
  const rows = Object.entries(marks).map(([claim, values]) => [claim, [values].flat()] as const)
  return (payload: Payload): boolean =>
    isClient(payload) || rows.some(([claim, values]) =>
      partsOf(payload[claim]).some((part) => values.some((value) => fits(part, value))))
}

/** The entries of a list, or the value alone. What is true counts as its text. */
const partsOf = (claim: unknown): unknown[] => [claim].flat().map((part) => part === true ? 'true' : part)

/** Whether the subject is the client itself, so no person is involved (RFC 6749 §4.4, RFC 9068 §2.2). */
const isClient = ({ sub, client_id: client, azp, cid }: Payload) =>
  sub !== undefined && [client, azp, cid].includes(sub)

function fits (found: unknown, value: string): boolean {
  if (typeof found !== 'string') return false
  if (value.startsWith('*')) return found.endsWith(value.slice(1))
  return value.endsWith('*') ? found.startsWith(value.slice(0, -1)) : found === value
}
