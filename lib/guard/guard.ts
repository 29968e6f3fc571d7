import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { refuse, type Refusal } from '../contract/errors.js'
import { logLine } from '../contract/log.js'
import type { Settings } from '../options/settings.js'
import type { Revocations } from '../revocations/revocations.js'
import type { Demand } from '../routes/access.js'
import type { TokenCache } from '../token/cache.js'
import { parseBearer, readAuthorization } from '../token/authorization.js'
import { parseCompactJws } from '../token/jws.js'
import type { Verified, Verifier } from '../token/verifier.js'
import { publish, startTime } from './diagnostics.js'
import { anonymous, andThen, isThenable, refused, refusedBy, unread, type Judgement } from './judgement.js'
import { createRecheck } from './recheck.js'
import { logAndPrepare } from './refusal.js'
import { getUser, kJudgement, kReply, type GuardedRequest } from './request.js'
import { createRightsCheck } from './rights.js'
import { surviveReset } from './upgrade.js'

/**
 * Creates the two hooks of a registration. `onRequest` finds the token in the cache or verifies it, then asks
 * revocations and rights. `preHandler` checks what may have changed since. `refuseLate` is for handlers.
 *
 * The hooks refuse by `done(error)` and never by `reply.send()`: with a slow `onSend` hook, Fastify would run the
 * handler before the reply is sent.
 */
export function createGuard (
  settings: Settings,
  demandOf: (request: FastifyRequest) => Demand,
  verify: Verifier,
  cache: TokenCache | null,
  revocations: Pick<Revocations, 'check'> | null
) {
  const { decoratorName, otherTokens, logUser } = settings
  const judgeRights = createRightsCheck(settings)
  const recheck = createRecheck(settings, revocations)

  function judge (request: FastifyRequest): Judgement | Promise<Judgement> {
    const demand = demandOf(request)
    if (demand.fault) return refused(refuse('FORBIDDEN_USER_ACCESS', demand.fault))
    if (demand.level === 'public') return unread
    const header = readAuthorization(request)
    if (header === undefined) {
      return demand.level === 'optional' ? anonymous : refused(refuse('MISSING_TOKEN', 'no Authorization header'))
    }
    const known = cache?.find(header)
    if (known) return authorize(request, demand, known, true)
    return andThen(verifyNew(request, header), (verified) => authorize(request, demand, verified, false))
  }

  function verifyNew (request: FastifyRequest, header: string): Verified | Promise<Verified> {
    const generation = cache?.generation
    const keep = (verified: Verified): Verified => {
      logLine(request.log, 'debug', { verifiedBy: verified.user.issuer }, 'token verified')
      cache?.keep(header, verified, generation)
      return verified
    }
    return andThen(verify(parseCompactJws(parseBearer(header, otherTokens), otherTokens)), keep)
  }

  function authorize (
    request: FastifyRequest, demand: Demand, verified: Verified, cached: boolean
  ): Judgement | Promise<Judgement> {
    const revoked = judgeRevocation(verified, cached)
    if (revoked) return revoked
    const judgement = judgeRights(request, demand, verified, cached)
    if (!isThenable(judgement)) return judgement
    // The token may have been revoked while `mayActFor` was running.
    return judgement.then((judged) => judgeRevocation(verified, cached) ?? judged)
  }

  function judgeRevocation (verified: Verified, cached: boolean): Judgement | null {
    const refusal = revocations?.check(verified.user)
    return refusal ? { ...refused(refusal), verified, cached } : null
  }

  function decorate (request: GuardedRequest, judgement: Judgement): void {
    request[kJudgement] = judgement
    const value = getUser(request)
    let isSet = false
    try {
      const decorated = request as unknown as Record<string, unknown>
      decorated[decoratorName] = value
      isSet = decorated[decoratorName] === value
    } catch {} // a getter without a setter
    // Contexts that were created before the plugin was loaded may have a getter of this name.
    if (!isSet) Object.defineProperty(request, decoratorName, { value, writable: true })
  }

  const nameInLog = ({ verified }: Judgement) => logUser ? verified?.user.id : undefined

  function logDelegate (request: FastifyRequest, { verified, owner }: Judgement): void {
    const { url: route } = request.routeOptions
    logLine(request.log, 'info', logUser ? { user: verified?.user.id, owner, route } : { route }, 'delegate admitted')
  }

  /** Refuses a request or decorates it with its user, before its body is parsed. */
  function onRequest (request: GuardedRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (isRefused(request)) return
    const start = startTime()
    surviveReset(request, reply)
    request[kReply] = reply
    const answer = (judgement: Judgement): void => {
      decorate(request, judgement)
      if (judgement !== unread) publish(request, judgement, start)
      if (judgement.refusal) return done(logAndPrepare(judgement.refusal, request, reply, nameInLog(judgement)))
      if (judgement.delegated) logDelegate(request, judgement)
      done()
    }
    let judgement
    try {
      judgement = judge(request)
    } catch (error) {
      judgement = refusedBy(error)
    }
    // `answer` runs outside of the try block, because an error of a later hook must not become a refusal.
    if (isThenable(judgement)) {
      // If the host's time limit has already answered, nothing was admitted or refused.
      judgement.catch(refusedBy).then((judged) => { if (!reply.sent) answer(judged) }).catch(done)
        .catch(() => {}) // Fastify throws if it is already answering, such as a timeout whose `onError` hook is slow
    } else answer(judgement)
  }

  /** Refuses a request if its path parameter has changed, or its token is no longer valid. */
  function preHandler (request: GuardedRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (isRefused(request)) return
    if (request.is404) return done()
    const start = startTime()
    const admitted = request[kJudgement]
    const refusal = recheck(request, admitted)
    if (refusal === null) return done()
    const judgement = { ...unread, ...admitted, refusal }
    decorate(request, judgement)
    publish(request, judgement, start)
    done(logAndPrepare(refusal, request, reply, nameInLog(judgement)))
  }

  /** Refuses from inside a handler: sets headers and logs, like the hooks. */
  function refuseLate (request: GuardedRequest, refusal: Refusal): Refusal | undefined {
    const { [kReply]: reply, [kJudgement]: judgement } = request
    if (!reply || !judgement) return undefined // called by a hook that runs before the guard
    if (judgement.refusal) return judgement.refusal // called by an error handler: the first refusal stays
    publish(request, { ...judgement, refusal }, startTime())
    return logAndPrepare(refusal, request, reply, nameInLog(judgement))
  }

  return { onRequest, preHandler, refuseLate }
}

/**
 * Whether the request was already refused. A hook of the host may call `done` twice: then the request stops here. A 404
 * handler is public, even if a guarded route calls it.
 */
const isRefused = (request: GuardedRequest): boolean => Boolean(request[kJudgement]?.refusal) && !request.is404
