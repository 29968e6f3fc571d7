const longest = 200

/** Cuts what may be long, so that it cannot flood the log. */
export const cut = (text: string): string => text.length > longest ? `${text.slice(0, longest)}…` : text

/** A value from outside, for a log line: as JSON, so that it cannot forge a line, and cut at 200 characters. */
export const quote = (value: unknown): string => cut(JSON.stringify(value) ?? 'nothing')
