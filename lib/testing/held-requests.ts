import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type HTTPMethods } from 'fastify'
import { wireBody } from './request-body.js'
import { authorize } from './test-tokens.js'

/** A request as the test kit sends it. */
export interface HeldRequest {
  readonly method: string
  /** Path and query, encoded. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is a text beside a content type of the headers, bytes, or a stream. */
  readonly body?: unknown
}

export const withToken = (token: string, request: HeldRequest): HeldRequest => ({ ...request, headers: { ...request.headers, ...authorize(token) } })

/** What came of a request. */
export interface HeldAnswer {
  /** 0 where none came; of no meaning where the handler was reached. */
  readonly status: number
  /** The URL of the route whose handler would have run; null where something answered before. */
  readonly reached: string | null
  /** The path parameters that the handler would have seen; empty where it was not reached. */
  readonly params: Readonly<Record<string, unknown>>
  /** Whether no route was found, or a hook answered as if none had been. */
  readonly notFound: boolean
  /** What the answer says of itself: its code, or its message. */
  readonly says: string
}

export interface HeldRequests {
  /** Sends a request through routing, hooks and validation up to its handler, which does not run. */
  send (request: HeldRequest): Promise<HeldAnswer>
  /** For the end: what was sent and is not answered yet is held back still. */
  release (): void
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown
interface RouteContext { handler: Handler }
interface Run { reached: string | null, notFound: boolean, params: Readonly<Record<string, unknown>> }

/**
 * Tells the kit's requests from all others; read from the raw headers, as a header schema may take it out of the parsed
 * ones.
 */
const markHeader = 'x-fastify-user-scope-held'
const channel = 'tracing:fastify.request.handler:start'

/**
 * Requests whose handlers are held back, for an app that may have served others before: hooks and `onRoute` come too
 * late then, and a handler that was wrapped when its route was declared is not the one that a later `onRoute` hook put
 * in its place. What is left is the moment before the call. Fastify announces it on a diagnostics channel, and reads
 * the handler from the context of the request only afterwards; so a subscriber can give this one request a context
 * whose handler is ours. Contexts of routes are shared, and stay as they are: a request of somebody else at the same
 * time is not touched, whatever it awaits. The handlers for unknown URLs are not announced; those are wrapped for good,
 * and pass every other request on. (Older versions of Fastify 5 copy them for each route: there a hook of the host that
 * calls `reply.callNotFound()` has them run.)
 *
 * That Fastify works so is no promise of it. It is tried on a small app each time, before the first request to the
 * host's.
 * @throws Error where a handler of this version of Fastify cannot be held back
 */
export async function holdRequests (app: FastifyInstance, timeout: number): Promise<HeldRequests> {
  await assertHolds()
  await app.ready()
  return hold(app, timeout)
}

async function assertHolds (): Promise<void> {
  let ran = false
  const handler: Handler = () => { ran = true }
  const probe = Fastify()
  probe.get('/', handler)
  probe.setNotFoundHandler(handler)
  await probe.ready()
  const held = hold(probe, 10_000)
  try {
    const [found, unknown] = [await held.send({ method: 'GET', url: '/' }), await held.send({ method: 'GET', url: '/unknown' })]
    if (ran || found.reached === null || !unknown.notFound) {
      throw new Error(`handlers of Fastify ${probe.version} cannot be held back as this version of fastify-user-scope/testing knows it, so that it would run them: nothing was sent`)
    }
  } finally {
    held.release()
    await probe.close()
  }
}

function hold (app: FastifyInstance, timeout: number): HeldRequests {
  const runs = new Map<string, Run>()
  const pending: Array<Promise<unknown>> = []
  const runOf = ({ raw }: FastifyRequest): Run | undefined => {
    // A request that was never on a wire, as `injectWS` of `@fastify/websocket` makes it, has none.
    const { rawHeaders = [] } = raw as { rawHeaders?: string[] }
    return runs.get(String(rawHeaders[rawHeaders.indexOf(markHeader) + 1]))
  }

  const onStart = (message: unknown) => {
    const { request } = message as { request: FastifyRequest }
    const run = runOf(request)
    if (!run) return
    for (const key of symbolsOf(request, 'fastify.context')) {
      const contexts = request as unknown as Record<symbol, RouteContext>
      contexts[key] = Object.create(contexts[key] as RouteContext, {
        handler: {
          value: (({ routeOptions, params }) => {
            run.reached = String(routeOptions.url)
            run.params = { ...params as object }
            throw new HeldBackError(418)
          }) satisfies Handler
        }
      }) as RouteContext
    }
  }
  subscribe(channel, onStart)
  for (const context of notFoundContexts(app)) {
    const { handler } = context
    context.handler = (request, reply) => {
      const run = runOf(request)
      if (!run) return handler(request, reply)
      run.notFound = true
      throw new HeldBackError(404)
    }
  }

  return {
    release () {
      // One that took too long may get to its handler yet.
      Promise.allSettled(pending).then(() => unsubscribe(channel, onStart))
    },
    async send (request) {
      const { method, url, headers } = request
      const { payload, contentType } = wireBody(request)
      const mark = randomUUID()
      const run: Run = { reached: null, notFound: false, params: {} }
      runs.set(mark, run)
      const response = app.inject({
        method: method as HTTPMethods,
        url,
        headers: { ...contentType !== undefined && { 'content-type': contentType }, ...headers, [markHeader]: mark },
        ...payload !== undefined && { payload }
      })
      pending.push(response)
      const { status, says } = await answerTo(response, timeout)
      return { ...run, status, says: run.reached === null && !run.notFound ? says : '' }
    }
  }
}

/**
 * In the handler's place. An error, as hooks of the host that opened something in `preHandler`, a transaction say, end
 * it in `onError` or `onSend` then, and none of them takes it for the handler's answer. Its status is none of the
 * server's faults, which hosts alarm somebody about.
 */
class HeldBackError extends Error {
  readonly statusCode: number

  constructor (statusCode: number) {
    super('the handler was held back by fastify-user-scope/testing')
    this.statusCode = statusCode
  }
}

async function answerTo (pending: Promise<{ statusCode: number, body: string }>, timeout: number): Promise<Pick<HeldAnswer, 'status' | 'says'>> {
  let timer
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeout / 1000} s`)), timeout)
  })
  const answer = await Promise.race([pending, late])
    .then(({ statusCode, body }) => ({ status: statusCode, says: describe(body) }), (error: unknown) => ({ status: 0, says: (error as Error).message }))
  clearTimeout(timer)
  return answer
}

function describe (body: string): string {
  try {
    // Of problem details (RFC 9457 §3.1), too.
    const { code, title, detail, message = detail ?? title } = JSON.parse(body) as Record<string, unknown>
    return [code, code === 'FST_ERR_VALIDATION' || !code ? message : undefined].filter(Boolean).join(' ')
  } catch {
    return ''
  }
}

/** Of the contexts that serve unknown URLs those of all encapsulation contexts; the others inherit from them. */
function notFoundContexts (app: FastifyInstance): Set<RouteContext> {
  let root = app
  while (Object.getPrototypeOf(root) !== Object.prototype) root = Object.getPrototypeOf(root) as FastifyInstance
  const contexts = new Set<RouteContext>()
  const visit = (instance: FastifyInstance) => {
    const held = instance as unknown as Record<symbol, RouteContext & FastifyInstance[]>
    for (const key of symbolsOf(instance, 'fastify.404ContextKey')) contexts.add(held[key] as RouteContext)
    for (const key of symbolsOf(instance, 'fastify.children')) held[key]?.forEach(visit)
  }
  visit(root)
  return contexts
}

const symbolsOf = (object: object, description: string) => Object.getOwnPropertySymbols(object).filter((key) => key.description === description)
