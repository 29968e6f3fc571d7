import type { FastifyReply, FastifyRequest, RawServerBase, RouteGenericInterface } from 'fastify'
import type { ScopeName } from '../contract/access.js'
import { NoOwnerError, refuse, type Refusal } from '../contract/errors.js'
import type { Claims, VerifiedUser } from '../contract/types.js'
import type { Watches } from '../revocations/watches.js'
import type { Judgement } from './judgement.js'
import { hasScopes, refuseScopes } from './rights.js'

// Symbols that are one for all copies of the package.
/** The judgement of a request, which its preHandler hook looks at again. */
export const kJudgement = Symbol.for('fastify-user-scope.judgement')
/** The reply to a request, for a refusal by its handler. */
export const kReply = Symbol.for('fastify-user-scope.reply')
/** What the registration around a request does for its handler. */
export const kScope = Symbol.for('fastify-user-scope.scope')

/** What functions that handlers call need of a registration. */
interface Scope {
  readonly refuseLate: (request: FastifyRequest, refusal: Refusal) => Refusal
  readonly watches: Watches
}

export type GuardedRequest = FastifyRequest & {
  /** Undefined in contexts that were created before the plugin was registered. */
  [kJudgement]?: Judgement | null
  [kReply]?: FastifyReply | null
  /** Undefined outside of every scope. */
  readonly [kScope]?: Scope
  [decorator: string]: unknown
}

/** A request on whatever route. */
type AnyRequest = FastifyRequest<RouteGenericInterface, RawServerBase>

/**
 * The verified user of a request, or null where there is none: a `'public'` route, or an `'optional'` one without a
 * token.
 */
export function getUser<C = Claims> (request: AnyRequest): VerifiedUser<C> | null {
  const judgement = (request as GuardedRequest)[kJudgement]
  return (judgement?.refusal ? null : judgement?.verified?.user ?? null) as VerifiedUser<C> | null
}

/**
 * Whose data the request is about: the id in the path, be it the user's own or, where a rule admits delegates, that of
 * another. Queries must use it instead of `request.user.id`.
 * @throws NoOwnerError where no owner was judged, as an undefined owner matches every row in some query builders
 */
export function getOwnerId (request: AnyRequest): string {
  const judgement = (request as GuardedRequest)[kJudgement]
  if (!judgement?.owner || judgement.refusal) {
    throw new NoOwnerError('getOwnerId() is for routes of level \'owner\', and no owner was judged for this request. ' +
      'Fix: use request.user.id, or give the route the owner\'s parameter, inside a context that registers the plugin')
  }
  return judgement.owner
}

/**
 * For what only a handler can know: refuses a request as the guard does where the token has not all of the scopes.
 * @throws InsufficientScopeError, or MissingTokenError without a user; TypeError without scopes, as that would let
 * everybody in
 */
export function requireScopes (request: AnyRequest, ...scopes: [ScopeName, ...ScopeName[]]): void {
  if (scopes.length === 0) throw new TypeError('requireScopes() was given no scopes. Fix: name those that are required')
  const user = getUser(request)
  if (user && hasScopes(user.scopes, scopes)) return
  const refusal = user ? refuseScopes(scopes) : refuse('MISSING_TOKEN', 'the handler requires scopes')
  throw (request as GuardedRequest)[kScope]?.refuseLate(request as FastifyRequest, refusal) ?? refusal
}
