import { LogController, type FastifyRequest, type FastifyServerOptions } from 'fastify'

/** Returns the path of a URL, but only the first segment of Better Auth's paths: the rest may have a token. */
const pathOf = (url = '') =>
  url.replace(/^https?:\/\/[^/?#]*|[?#].*/gis, '').replace(/^(\/api\/auth\/[^/]*)\/.*/s, '$1/*')

const messageFormat = '{if method}{method} {end}{if url}{url} {end}{msg}{if code} {code}{end}{if reason}: {reason}{end}'
const options = { messageFormat, ignore: 'pid,hostname,reqId,method,url,code,reason', singleLine: true }

export const logging = {
  logger: {
    level: 'warn', // while it starts; then LOG_LEVEL
    serializers: {
      req: ({ method, url }: FastifyRequest) => ({ method, url: pathOf(url) }),
      // No other members: the error of a database has the values of the query.
      err: ({ name, message, stack = '', code }: Error & { code?: string }) => ({ type: name, message, stack, code })
    },
    ...process.stdout.isTTY && { transport: { target: 'pino-pretty', options } }
  },
  // The plugin writes one line for a refused request, which has its method and URL.
  logController: new LogController({ disableRequestLogging: true }),
  childLoggerFactory: (logger, bindings, options, { method, url }) =>
    logger.child({ ...bindings, method, url: pathOf(url) }, options)
} satisfies FastifyServerOptions
