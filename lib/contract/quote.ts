/**
 * A value from outside, for a log line: a text as a JSON string, cut at 200 characters, so that it can neither forge
 * nor flood the log. Anything else is only named.
 */
export function quote (value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 200))
  return value === undefined ? 'missing' : 'not a string'
}
