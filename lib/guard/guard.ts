import type {
  FastifyReply, FastifyRequest, HookHandlerDoneFunction, RawServerBase, RouteGenericInterface
} from 'fastify'
import { refuse } from '../contract/errors.js'
import type { Claims, VerifiedUser } from '../contract/types.js'
import type { Settings } from '../options/settings.js'
import type { Revocations } from '../revocations/revocations.js'
import type { Demand } from '../routes/access.js'
import { hasDotSegment } from '../routes/dot-segments.js'
import { isOwnId, isStillOwnId, readParam } from '../routes/owner.js'
import type { TokenCache } from '../token/cache.js'
import { parseBearer, readAuthorization } from '../token/header.js'
import { parseCompactJws } from '../token/jws.js'
import type { Verified, Verifier } from '../token/verifier.js'
import { now, publish } from './diagnostics.js'
import { anonymous, refused, refusedBy, unread, type Judgement } from './judgement.js'
import { answer } from './refusal.js'

/** The verified user, whatever name the host gave the public decorator and whatever it did to that since. */
export const kUser = Symbol.for('fastify-user-scope.user') // one for all copies of the package
/** The judgement of a request, which its preHandler hook looks at again. */
export const kJudgement = Symbol('fastify-user-scope.judgement')
/** The reply of a request, which `untilRevoked` is not given. */
export const kReply = Symbol.for('fastify-user-scope.reply')

type GuardedRequest = FastifyRequest & {
  [kUser]: VerifiedUser | null
  /** Undefined in contexts that were created before the plugin was registered. */
  [kJudgement]?: Judgement | null
  [kReply]?: FastifyReply | null
  [decorator: string]: unknown
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

export interface Guard {
  /** Refuses a request, or decorates it with its user. Runs before the body is parsed. */
  readonly onRequest: Hook
  /** Refuses a request whose path parameter was changed, by validation or a hook, after it was compared. */
  readonly preHandler: Hook
}

/**
 * The two hooks of one registration. They refuse by an error and never by `reply.send()`: after a slow `onSend` hook
 * the handler would still run.
 */
export function createGuard (
  { userIdParam, decoratorName, otherTokens }: Settings,
  demandOf: (request: FastifyRequest) => Demand,
  verify: Verifier,
  cache: TokenCache | null,
  revocations: Pick<Revocations, 'check'> | null
): Guard {
  function judge (request: FastifyRequest): Judgement | Promise<Judgement> {
    const demand = demandOf(request)
    if (demand.level === 'public') return unread
    if (demand.fault) return refused(refuse('FORBIDDEN_USER_ACCESS', demand.fault))
    const header = readAuthorization(request)
    if (header === undefined) {
      return demand.level === 'optional' ? anonymous : refused(refuse('MISSING_TOKEN', 'no Authorization header'))
    }
    const known = cache?.find(header)
    if (known) return authorize(request, demand, known, true)
    const verified = verifyNew(request, parseBearer(header, otherTokens))
    return verified instanceof Promise
      ? verified.then((found) => authorize(request, demand, found, false))
      : authorize(request, demand, verified, false)
  }

  function verifyNew (request: FastifyRequest, token: string): Verified | Promise<Verified> {
    const generation = cache?.generation
    const keep = (verified: Verified): Verified => {
      request.log.debug({ verifiedBy: verified.user.issuer }, 'token verified')
      cache?.keep(token, verified, generation)
      return verified
    }
    const verified = verify(parseCompactJws(token, otherTokens))
    return verified instanceof Promise ? verified.then(keep) : keep(verified)
  }

  function authorize (request: FastifyRequest, { level }: Demand, verified: Verified, cached: boolean): Judgement {
    const revoked = revocations?.check(verified.user) ?? null
    if (revoked || level !== 'owner') return { refusal: revoked, verified, owner: null, cached }
    const { id } = verified.user
    let refusal = null
    if (verified.isMachine) {
      refusal = refuse('FORBIDDEN_USER_ACCESS', 'the token is of an application and not of a user')
    } else if (!isOwnId(readParam(request, userIdParam), id)) {
      refusal = refuse('FORBIDDEN_USER_ACCESS', `path parameter "${userIdParam}" is not the user's id`)
    } else if (hasDotSegment(request.url)) {
      refusal = refuse('FORBIDDEN_RESOURCE_ACCESS', 'the path has a dot segment ("." or "..", however it is encoded)')
    }
    return { refusal, verified, owner: id, cached }
  }

  function judgeAgain (request: FastifyRequest, judgement: Judgement | null): Judgement {
    // A host's hook that calls `done` twice gets here before the guard has judged.
    if (judgement === null) return refused(refuse('MISSING_TOKEN', 'the request was not admitted'))
    const { owner } = judgement
    if (owner === null || isStillOwnId(readParam(request, userIdParam), owner)) return judgement
    const reason = readParam(request, userIdParam) === undefined
      ? 'was removed after it was checked. Fix: list it in the params schema, which drops what it does not list'
      : 'was changed after it was checked'
    return refused(refuse('FORBIDDEN_USER_ACCESS', `path parameter "${userIdParam}" ${reason}`))
  }

  function decorate (request: GuardedRequest, user: VerifiedUser | null, judgement: Judgement | null): void {
    request[kJudgement] = judgement
    request[kUser] = user
    request[decoratorName] = user
  }

  function onRequest (request: GuardedRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (isRefused(request)) return
    const start = now()
    decorate(request, null, null)
    request[kReply] = reply
    const conclude = (judgement: Judgement): void => {
      const { refusal, verified } = judgement
      decorate(request, refusal ? null : verified?.user ?? null, judgement)
      if (judgement !== unread) publish(request, judgement, start)
      done(refusal ? answer(refusal, request, reply) : undefined)
    }
    let judgement
    try {
      judgement = judge(request)
    } catch (error) {
      judgement = refusedBy(error)
    }
    // Two steps, as an error of what comes after the hook is no error of the check.
    if (judgement instanceof Promise) judgement.catch(refusedBy).then(conclude)
    else conclude(judgement)
  }

  function preHandler (request: GuardedRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (isRefused(request)) return
    if (request.is404) return done()
    const start = now()
    const before = request[kJudgement] ?? null
    const judgement = judgeAgain(request, before)
    if (judgement.refusal === null) return done()
    decorate(request, null, judgement)
    publish(request, judgement, start)
    done(answer(judgement.refusal, request, reply))
  }

  return { onRequest: onRequest as Hook, preHandler: preHandler as Hook }
}

/** Already refused: a host's hook that calls `done` twice must get no further, and nobody replies twice. */
const isRefused = (request: GuardedRequest): boolean => Boolean(request[kJudgement]?.refusal) && !request.is404

/**
 * The verified user of a request, or null where there is none: a `'public'` route, or an `'optional'` one without a
 * token.
 */
export function getUser<C = Claims> (
  request: FastifyRequest<RouteGenericInterface, RawServerBase>
): VerifiedUser<C> | null {
  return ((request as GuardedRequest)[kUser] ?? null) as VerifiedUser<C> | null
}
