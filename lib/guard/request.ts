import type { FastifyReply, FastifyRequest, RawServerBase, RouteGenericInterface } from 'fastify'
import type { ScopeName } from '../contract/access.js'
import { NoOwnerError, refuse, type Refusal } from '../contract/errors.js'
import type { Claims, VerifiedUser } from '../contract/types.js'
import type { Watches } from '../revocations/watches.js'
import type { Judgement } from './judgement.js'
import { logRefusal } from './refusal.js'
import { judgeScopes } from './rights.js'

// These symbols are global, so that all copies of the package share them.
/** The judgement of a request, which the preHandler hook checks again. */
export const kJudgement = Symbol.for('fastify-user-scope.judgement')
/** The reply to a request, needed if its handler refuses. */
export const kReply = Symbol.for('fastify-user-scope.reply')
export const kForHandlers = Symbol.for('fastify-user-scope.for-handlers')

interface ForHandlers {
  /** Undefined if the guard has not judged the request. */
  readonly refuseLate: (request: FastifyRequest, refusal: Refusal) => Refusal | undefined
  readonly watches: Watches
}

export type GuardedRequest = FastifyRequest & {
  /** Undefined in contexts that were created before the plugin was registered. */
  [kJudgement]?: Judgement | null
  [kReply]?: FastifyReply | null
  /** Undefined outside of every registration. */
  readonly [kForHandlers]?: ForHandlers
}

export type AnyRequest = FastifyRequest<RouteGenericInterface, RawServerBase>

/**
 * Returns the verified user of a request, or null if there is none: on a `'public'` route, on an `'optional'` one
 * without a token, outside of every registration, and after a refusal by the guard's hooks.
 */
export function getUser<C = Claims> (request: AnyRequest): VerifiedUser<C> | null {
  const judgement = (request as GuardedRequest)[kJudgement]
  return (judgement?.refusal ? null : judgement?.verified?.user ?? null) as VerifiedUser<C> | null
}

/**
 * Returns the owner's id in the path: the caller's own id or, for a delegate, the id of the user it acts for. On routes
 * that admit delegates, queries must use it instead of `request.user.id`.
 * @throws NoOwnerError if no owner was compared, because an undefined owner matches every row in some query builders
 */
export function getOwnerId (request: AnyRequest): string {
  const judgement = (request as GuardedRequest)[kJudgement]
  if (!judgement?.owner || judgement.refusal) {
    throw new NoOwnerError('getOwnerId() is for routes of level \'owner\', and no owner was judged for this request. ' +
      'Fix: on routes of level \'user\' use request.user.id; else give the route the owner\'s parameter, in a ' +
      'context that registers the plugin, and in a hook only after the plugin\'s')
  }
  return judgement.owner
}

/** The end of a reason that begins with the function whose request has no user. */
export const withoutUser = 'was given a request without a verified user. Fix: level \'user\' or \'owner\' for its ' +
  'route (a \'public\' one reads no token, and an \'optional\' one may come without), in a context that registers ' +
  'the plugin; in a hook, register that after the plugin'

/** Refuses like the guard. Where it has not judged the request, only the log says why. */
export const refuseLate = (request: GuardedRequest, refusal: Refusal): Refusal =>
  request[kForHandlers]?.refuseLate(request, refusal) ?? logRefusal(refusal, request)

/**
 * Refuses the request like the guard unless its token has all of the scopes: for scopes that depend on the request.
 * @throws InsufficientScopeError, or MissingTokenError without a user; TypeError without scopes, because that would
 * admit everybody
 */
export function requireScopes (request: AnyRequest, ...names: [ScopeName, ...ScopeName[]]): void {
  const scopes = names.flat() // plain JavaScript may pass a list
  if (scopes.length === 0) throw new TypeError('requireScopes() was given no scopes. Fix: name those that are required')
  const user = getUser(request)
  const refusal = user ? judgeScopes(user, scopes) : refuse('MISSING_TOKEN', `requireScopes() ${withoutUser}`)
  if (refusal === null) return
  throw refuseLate(request as GuardedRequest, refusal)
}
