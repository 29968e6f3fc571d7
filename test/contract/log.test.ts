import t from 'tap'
import type { FastifyBaseLogger } from 'fastify'
import { logLine, warnHost } from '../../lib/contract/log.js'
import { processWarnings } from '../support/host.js'

t.test('a line whose fields cannot be serialized is written as text', async (t) => {
  const lines: unknown[][] = []
  const warn = (...args: unknown[]) => {
    if (args.length > 1 && 'bad' in Object(args[0])) throw new Error('no text')
    lines.push(args)
  }
  const log = { warn } as unknown as FastifyBaseLogger
  logLine(log, 'warn', { good: 1 }, 'said')
  logLine(log, 'warn', { bad: 'a\nb' }, 'said')
  t.same(lines, [
    [{ good: 1 }, 'said'], ['said (the logger could not write its fields): {"bad":"a\\nb"}']
  ])
})

t.test('a logger that always throws does not stop its caller', (t) => {
  const warn = () => { throw new Error('full') }
  logLine({ warn } as unknown as FastifyBaseLogger, 'warn', {}, 'said')
  warnHost({ level: 'info', warn } as unknown as FastifyBaseLogger, 'said', ['GET /a'])
  t.end()
})

t.test('a warning names its routes in the log, and without a level also to the process', async (t) => {
  const warnings = processWarnings(t)
  for (const level of [undefined, 'info']) {
    const lines: unknown[][] = []
    const warn = (...args: unknown[]) => { lines.push(args) }
    warnHost({ level, warn } as unknown as FastifyBaseLogger, `at ${level}`, ['GET /a', 'PUT /b'])
    t.same(lines, [[{ routes: ['GET /a', 'PUT /b'] }, `at ${level}: GET /a, PUT /b`]])
  }
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warnings, ['at undefined: GET /a, PUT /b'])
})
