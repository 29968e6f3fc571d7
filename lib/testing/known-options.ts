/**
 * In plain JavaScript nothing else says that an option has another name, and what it should do is then left undone.
 * @param what as the host calls it
 * @throws TypeError where options are no object, or have a key that is not known
 */
export function assertKnownOptions (options: unknown, known: readonly string[], what: string): asserts options is object {
  const has = `it has ${known.map((name) => `"${name}"`).join(', ')}`
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${what} takes its options as an object: ${has}`)
  }
  const [unknown] = Object.keys(options).filter((name) => !known.includes(name))
  if (unknown !== undefined) throw new TypeError(`${what} has no option "${unknown}": ${has}`)
}
