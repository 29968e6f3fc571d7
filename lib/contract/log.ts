import type { FastifyBaseLogger } from 'fastify'

/**
 * Warns about the app. The text names its routes too, because some formatters show nothing else. Without a logger
 * (Fastify's default) its level is undefined. Then the warning is also one of the process. A logger of the host may
 * have no level either.
 */
export function warnHost (log: FastifyBaseLogger, problem: string, routes?: readonly string[]): void {
  const message = routes ? `${problem}: ${routes.join(', ')}` : problem
  logLine(log, 'warn', { routes }, message)
  if ((log as Partial<FastifyBaseLogger>).level === undefined) process.emitWarning(message, 'UserScopeWarning')
}

/**
 * Writes a line. A serializer of the host may expect another value in one of these fields and throw.
 * Then the line is written as text, and nothing else changes. It never throws: from a hook, an error would replace the
 * refusal, and Fastify would go on to the handler if the logger throws undefined.
 */
export function logLine (
  log: FastifyBaseLogger, level: 'debug' | 'info' | 'warn' | 'error', line: object, message: string
): void {
  try {
    log[level](line, message)
  } catch {
    try {
      log[level](`${message} (the logger could not write its fields): ${JSON.stringify(line)}`)
    } catch {} // there is nobody left to tell
  }
}
