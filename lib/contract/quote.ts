const longest = 200

/** Cuts a text at 200 characters, so that it cannot flood the log. */
export const cut = (text: string): string => text.length > longest ? `${text.slice(0, longest)}…` : text

/** Quotes a value from outside for a log line: as JSON, so that it cannot forge a line, and cut. */
export const quote = (value: unknown): string => cut(JSON.stringify(value) ?? 'nothing')
