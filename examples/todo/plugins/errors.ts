import createError from '@fastify/error'
import type { FastifyError } from 'fastify'
import fp from 'fastify-plugin'

const InvalidTextError = createError('INVALID_TEXT', 'The character NUL is not allowed', 400)
const InternalError = createError('INTERNAL_ERROR', 'Internal error', 500)
export const NotFoundError = createError('NOT_FOUND', 'Not found', 404)
export const TaskNotFoundError = createError('TASK_NOT_FOUND', 'Task not found', 404)
export const TooManyRequestsError = createError<[string]>('TOO_MANY_REQUESTS', 'Too many requests: wait %s', 429)

/** The request is fine, and the client can try again. */
export class DatabaseUnavailableError extends createError('DATABASE_UNAVAILABLE', 'The database does not answer', 503) {
  readonly headers = { 'retry-after': '5' }
}

export const errors = fp(async (app) => {
  app.setNotFoundHandler(() => { throw new NotFoundError() })
  app.setErrorHandler((thrown: FastifyError, { log }) => {
    // 22021: what the routes of Better Auth pass on to the database. The schemas of the other routes refuse it.
    const error = thrown.code === '22021' ? new InvalidTextError() : thrown
    const { statusCode = 500, code, message: reason } = error
    const isLogged = [401, 403].includes(statusCode) // by the guard
    if (statusCode < 500 && !isLogged) log.info({ code, reason }, 'request refused')
    if (error.statusCode) throw error
    log.error(error) // not sent to the client, because the message may name the database server
    throw code === '57014' ? new DatabaseUnavailableError() : new InternalError() // 57014: a query took too long
  })
  app.addHook('onResponse', async ({ log, ip }, { statusCode }) => { log.debug({ ip, statusCode }, 'answered') })
})
