const longest = 200

/** Cuts a text at 200 characters, so that it cannot flood the log. */
export const cut = (text: string): string => text.length > longest ? `${text.slice(0, longest)}…` : text

// JSON leaves most of them as they are, but some readers of logs end a line there, hide text or turn it around.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Quotes a value from outside for a log line: as JSON, so that it cannot forge a line, and cut. */
export const quote = (value: unknown): string =>
  cut((JSON.stringify(value) ?? 'nothing').slice(0, longest + 1).replace(unsafe, escaped)) // cut first, which is faster

const escaped = (character: string) =>
  character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
