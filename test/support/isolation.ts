import { mock } from 'node:test'
import timers from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import {
  assertIsolation, createIssuer, ScopeAssertionError, type IsolationOptions
} from '../../lib/testing/index.js'
import { buildTodo, sameAs, todoObjects, todoParams, todoRoutes, type Store } from './todo.js'

export const issuer = createIssuer()
export const people = { issuer, alice: 'alice', bob: 'bob' }
export const objects = { ...todoObjects, parent_id: sameAs('task_id'), task_ids: sameAs('task_id') }

/**
 * What the assertion says, without the columns' width; empty where nothing is wrong.
 * @param hasClock whether answers have a time, for which the assertion must really pause between two reads
 */
export async function say (
  app: FastifyInstance, options: Partial<IsolationOptions> = {}, hasClock = false
): Promise<string> {
  const pause = hasClock ? undefined : mock.method(timers, 'setTimeout', async () => {})
  const error = await assertIsolation(app, { ...people, objects, params: todoParams, ...options } as IsolationOptions)
    .then(() => null, (error: unknown) => error)
    .finally(() => { pause?.mock.restore() })
  if (error !== null && !(error instanceof ScopeAssertionError)) throw error
  return error?.message.replace(/(?<=\S) {2,}/g, '  ') ?? ''
}

export interface Host {
  Params: { task_id: string, list_id: string },
  Querystring: { list_id?: string },
  Body: { title: string, list_id: string, task_ids: string[] }
}
export type Handler = (request: FastifyRequest<Host>, reply: FastifyReply, store: Store) => unknown

/** The sound app, in which some routes have other handlers. */
export async function host (t: Test, handlers: Record<string, Handler>) {
  const app = await buildTodo(issuer.options, (app, store) => {
    app.addHook('onRoute', (options) => {
      const handler = handlers[`${String(options.method)} ${options.url}`]
      if (handler) options.handler = async (request, reply) => handler(request as FastifyRequest<Host>, reply, store)
    })
    todoRoutes(app, store)
  })
  t.teardown(() => app.close())
  return app
}

export const none = (reply: FastifyReply, message = 'there is no such object') =>
  reply.code(404).send({ code: 'NOT_FOUND', message })
export const one = '/api/:user_id/tasks/:task_id'
