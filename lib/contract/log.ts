import type { FastifyBaseLogger } from 'fastify'

/**
 * Writes a line about a request. A serializer of the host's may want another kind of value in a field of that name, and
 * throw: that changes no answer, and nothing is lost.
 */
export function logLine (
  log: FastifyBaseLogger, level: 'debug' | 'info' | 'warn', line: object, message: string
): void {
  try {
    log[level](line, message)
  } catch {
    log[level](`${message} (the logger could not write its fields): ${JSON.stringify(line)}`)
  }
}
