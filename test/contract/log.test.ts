import t from 'tap'
import type { FastifyBaseLogger } from 'fastify'
import { logLine } from '../../lib/contract/log.js'

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
