/**
 * A pattern for `t.match` with lists that match only those of the same length. Without it, longer ones match too, and
 * any list matches an empty one.
 */
export function sameLength (pattern: unknown): unknown {
  if (typeof pattern !== 'object' || pattern === null) return pattern
  const isList = Array.isArray(pattern)
  if (!isList && Object.getPrototypeOf(pattern) !== Object.prototype) return pattern // such as a regular expression
  const members = Object.entries(pattern).map(([name, value]) => [name, sameLength(value)])
  return { ...Object.fromEntries(members), ...isList && { length: pattern.length } }
}
