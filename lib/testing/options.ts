/** In plain JavaScript nothing else tells of a misspelt option. @throws TypeError that names those there are */
export function assertKnownOptions (options: unknown, known: readonly string[], what: string): void {
  const has = `it has ${known.map((name) => `"${name}"`).join(', ')}`
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${what} takes its options as an object: ${has}`)
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new TypeError(`${what} has no option "${unknown}": ${has}`)
}
