import type { FastifyBaseLogger } from 'fastify'

/**
 * Writes a line. A serializer of the host may expect another value in one of these fields and throw.
 * Then the line is written as text, and nothing else changes.
 */
export function logLine (
  log: FastifyBaseLogger, level: 'debug' | 'info' | 'warn' | 'error', line: object, message: string
): void {
  try {
    log[level](line, message)
  } catch {
    log[level](`${message} (the logger could not write its fields): ${JSON.stringify(line)}`)
  }
}
