import { LogController, type FastifyRequest, type FastifyServerOptions } from 'fastify'

/** A URL without its query, and of Better Auth's only the first segment: the rest may hold a token. */
const pathOf = (url = '') => url.replace(/[?#].*/s, '').replace(/^(\/api\/auth\/[^/]*)\/.*/s, '$1/*')

const messageFormat = '{if method}{method} {end}{if url}{url} {end}{msg}{if code} {code}{end}{if reason}: {reason}{end}'
const options = { messageFormat, ignore: 'pid,hostname,reqId,method,url,code,reason', singleLine: true }

export const logging = {
  logger: {
    level: 'warn', // while it starts; then LOG_LEVEL
    serializers: {
      req: ({ method, url }: FastifyRequest) => ({ method, url: pathOf(url) }),
      // No more of an error: a database's has the values of the query.
      err: ({ name, message, stack = '', code }: Error & { code?: string }) => ({ type: name, message, stack, code })
    },
    ...process.stdout.isTTY && { transport: { target: 'pino-pretty', options } }
  },
  // A refused request leaves one line, and that names the request.
  logController: new LogController({ disableRequestLogging: true }),
  childLoggerFactory: (logger, bindings, options, { method, url }) =>
    logger.child({ ...bindings, method, url: pathOf(url) }, options)
} satisfies FastifyServerOptions
