import { randomUUID } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyReply, FastifyRequest, InjectOptions, RouteOptions } from 'fastify'
import { detailsOf, isRefusal } from '../contract/errors.js'
import { routesOf } from '../routes/app-routes.js'

/** The answer to a request whose handler was held back. */
export interface HeldAnswer {
  /** 0 if there was no answer. */
  status: number
  /** The code of the error, or its message. */
  says: string
  /** Why the plugin refused, as its log line says. */
  reason?: string
  /** The route whose handler would have run; null if something answered before. */
  reached: RouteOptions | null
  /** As the handler would have seen them. */
  params: Readonly<Record<string, unknown>>
  /** JSON pointer to the path parameter that the route's schema refuses. */
  invalidParam?: string | undefined
  /** Whether a 404 handler would have run. */
  notFound: boolean
}

/** @param validate whether validation refuses the request as usual; otherwise it goes on to the handler */
export type Send = (request: InjectOptions, validate?: boolean) => Promise<HeldAnswer>

type Run = HeldAnswer & { readonly validate: boolean }

const markHeader = 'x-fastify-user-scope-held'
// Registered symbols, so that all copies of the kit share them.
// On raw requests that are held back:
const kRun = Symbol.for('fastify-user-scope.run')
// In the config of routes: whether they handle validation errors themselves.
const kAttach = Symbol.for('fastify-user-scope.attach')
/** Requests in flight, by the value of their mark, which is secret. */
const sent = new Map<unknown, Run>()
const prepared = new WeakSet<object>()
const holds = new WeakSet<object>()

// Fastify documents this channel for packages that must see an app before its first route (Reference, Hooks).
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance }
  prepared.add(fastify.server)
  fastify.addHook('onRequest', takeMark)
  // The first of all preHandler hooks. With `attachValidation`, invalid requests get this far and no further.
  fastify.addHook('preHandler', refuseInvalid)
  fastify.addHook('onError', takeReason)
  fastify.addHook('onRoute', (options) => {
    // A route may have the options of another, such as a HEAD route: with its config, and with its hook of this kit.
    options.config = Object.assign({ [kAttach]: options.attachValidation }, options.config)
    options.attachValidation = true
    options.preHandler = [...[options.preHandler ?? []].flat().filter((hook) => !holds.has(hook)), holdBack(options)]
  })
})

async function takeMark ({ raw }: FastifyRequest): Promise<void> {
  const run = sent.get(raw.headers[markHeader])
  if (!run) return
  delete raw.headers[markHeader]
  Object.assign(raw, { [kRun]: run })
}

const runOf = (raw: object) => (raw as { [kRun]?: Run })[kRun]

async function refuseInvalid (request: FastifyRequest, reply: FastifyReply) {
  const { raw, validationError } = request
  const run = runOf(raw)
  if (run && request.is404) {
    run.notFound = true
    throw heldBack(404)
  }
  const { [kAttach]: isAsked } = request.routeOptions.config as { [kAttach]?: boolean }
  if (validationError === undefined || isAsked || run?.validate === false) return
  delete request.validationError
  return reply.send(validationError) // as Fastify does it
}

/**
 * An answer to HEAD has no body, and only the log has the reason. Synchronous, so that the app's timing stays the same.
 */
function takeReason ({ raw }: FastifyRequest, _reply: FastifyReply, error: Error, done: () => void): void {
  const run = runOf(raw)
  if (run && isRefusal(error)) Object.assign(run, { says: error.code, reason: detailsOf(error).reason })
  done()
}

function holdBack (route: RouteOptions) {
  const hold = async ({ raw, params, validationError }: FastifyRequest) => {
    const run = runOf(raw)
    if (!run) return
    const { validationContext, validation } = validationError ?? {}
    const invalidParam = validationContext === 'params' ? validation?.[0]?.instancePath : undefined
    Object.assign(run, { reached: route, params: { ...params as object }, invalidParam })
    throw heldBack(418)
  }
  holds.add(hold)
  return hold
}

/**
 * Replaces the answer of the handler. It is an error, so that a host's `preHandler` hook can clean up in `onError` or
 * `onSend`, such as end a transaction. It is not a 5xx, which may raise an alarm.
 */
const heldBack = (statusCode: 404 | 418) =>
  Object.assign(new Error('the handler was held back by fastify-user-scope/testing'), { statusCode })

export const createdBefore = 'the app was created before the test kit was loaded, so its routes are unknown. Fix: ' +
  "move this line above the import of the app: import … from 'fastify-user-scope/testing'"

/** Sends requests through routing, hooks and validation up to handlers. @throws TypeError where one would run */
export function holdRequests (app: FastifyInstance, timeout: number): Send {
  if (!prepared.has(app.server)) throw new TypeError(createdBefore)
  const isHeld = ({ preHandler = [] }: RouteOptions) => [preHandler].flat().some((hook) => holds.has(hook))
  const loose = routesOf(app)?.find(({ options }) => !isHeld(options))
  if (loose) {
    throw new TypeError(`an onRoute hook replaces the option "preHandler" of ${String(loose.options.method)} ` +
      `${loose.url}, so its handler would run. Fix: add to the list that is there, or turn off in tests what wraps ` +
      'hooks, such as tracing. Nothing was sent')
  }
  return async (request, validate = false) => {
    const run: Run = { status: 0, says: '', reached: null, params: {}, notFound: false, validate }
    const mark = randomUUID()
    sent.set(mark, run)
    try {
      const headers = { ...request.headers, [markHeader]: mark }
      const { statusCode, body } = await injectWithin(app, { ...request, headers }, timeout)
      Object.assign(run, { status: statusCode, says: summaryOf(body) || (statusCode < 400 ? '' : run.says) })
    } catch (error) {
      run.says = (error as Error).message.split('\n', 1)[0] as string // as a row of the table
    }
    sent.delete(mark)
    return { ...run }
  }
}

/** @param timeout milliseconds @throws Error where no answer has come by then */
export async function injectWithin (app: FastifyInstance, request: InjectOptions, timeout = 10_000) {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeout)
  return await app.inject({ ...request, signal: late.signal }).catch((error: unknown) => {
    throw late.signal.aborted ? new Error(`no answer within ${timeout / 1000} s`) : error
  }).finally(() => { clearTimeout(timer) })
}

/** @param route the one that was meant */
export function describeAnswer ({ status, reached, notFound, says }: HeldAnswer, route: RouteOptions): string {
  if (reached !== null) return reached === route ? 'its handler' : `the handler of ${reached.url}`
  return notFound ? '404, no route' : [status || 'none:', says].filter(Boolean).join(' ')
}

/** Returns the status of an answer, and the text of an error. */
export const answerText = ({ statusCode, body }: { statusCode: number, body: string }): string =>
  statusCode < 400 ? String(statusCode) : `${statusCode} ${summaryOf(body)}`.trimEnd()

/** Returns the code of an error or its message, also of problem details (RFC 9457 §3.1) and `{ error: { … } }`. */
function summaryOf (body: string): string {
  try {
    const whole = JSON.parse(body) as Record<string, unknown>
    const { code, title, detail, message = detail ?? title } = { ...whole, ...Object(whole.error) as typeof whole }
    return [code, code === 'FST_ERR_VALIDATION' || !code ? message : undefined].filter(Boolean).join(' ')
  } catch {
    return ''
  }
}
