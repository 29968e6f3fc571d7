const longest = 200

/** Cuts a text at 200 characters, so that it cannot flood the log. */
export const cut = (text: string): string => text.length > longest ? `${text.slice(0, longest)}…` : text

// JSON leaves them as they are, but some readers of logs end a line at them, run them or turn the text around.
const unsafe = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** Quotes a value from outside for a log line: as JSON, so that it cannot forge a line, and cut. */
export const quote = (value: unknown): string => cut((JSON.stringify(value) ?? 'nothing').replace(unsafe, escaped))

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
