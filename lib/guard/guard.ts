import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RawServerBase, RouteGenericInterface } from 'fastify'
import { isOwnId, isStillOwnId, readParam } from '../routes/access.js'
import { parseBearer, readAuthorization } from '../token/header.js'
import { refusalHeaders } from './challenge.js'
import { parseCompactJws } from '../token/jws.js'
import { observe, type Observation } from './diagnostics.js'
import { isRefusal, reasonOf, refuse, type Refusal } from '../contract/errors.js'
import type { Settings } from '../options/settings.js'
import type { HookNames } from '../routes/late-routes.js'
import type { LevelReader } from '../routes/table.js'
import type { TokenCache } from '../token/cache.js'
import type { AccessLevel, Claims, VerifiedUser } from '../contract/types.js'
import type { Verified, Verifier } from '../token/verifier.js'

/** The verified user, whatever name the host gave the public decorator and whatever it did to that since. */
export const kUser = Symbol.for('fastify-user-scope.user') // one for all copies of the package
/** The owner whom the path must still name after validation; `'verified'` where no path is looked at, `'unread'` where no token is. */
type State = VerifiedUser | 'verified' | 'anonymous' | 'unread' | 'refused' | null

/** A request as this plugin decorates it. In contexts that are older than the plugin, or outside of it, the properties are not there at first. */
type GuardedRequest = FastifyRequest & { [kUser]: VerifiedUser | null, [kState: symbol]: State, [decorator: string]: unknown }

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

export interface Guard {
  /** The request property that holds how far a request came. One for each registration: what another has verified counts for nothing. */
  readonly kState: symbol
  /** Refuses, or decorates the request with its user. Before the body is parsed. */
  onRequest: Hook
  /** Refuses when validation, a default or a hook has changed the path parameter since. For routes that `onRoute` did not see. */
  preHandler: Hook
  /** The same for the others, where it can stand behind every hook that might change the parameter. */
  lastPreHandler: Hook
}

/**
 * The hooks of one registration. They refuse by throwing and never by `reply.send()`: behind a slow `onSend` hook the handler
 * would run after all.
 */
export function createGuard ({ userIdParam, decoratorName, otherTokens }: Settings, verify: Verifier, readLevel: LevelReader, names: HookNames, cache: TokenCache | null): Guard {
  const kState = Symbol('fastify-user-scope.state')

  /** Null for an anonymous request that may be one. */
  function authenticate (request: FastifyRequest, anonymousAllowed: boolean, observation: Observation | null): Verified | Promise<Verified> | null {
    const header = readAuthorization(request)
    if (header === undefined) {
      if (anonymousAllowed) return null
      throw refuse('MISSING_TOKEN', 'no Authorization header')
    }
    const known = cache?.find(header)
    if (known === undefined) return verifyNew(request, parseBearer(header, otherTokens))
    if (observation) observation.cached = true
    return known
  }

  function verifyNew (request: FastifyRequest, token: string): Verified | Promise<Verified> {
    const generation = cache?.generation
    const verified = verify(parseCompactJws(token, otherTokens))
    return verified instanceof Promise
      ? verified.then((found) => keep(request, token, found, generation))
      : keep(request, token, verified, generation)
  }

  function keep (request: FastifyRequest, token: string, verified: Verified, generation: number | undefined): Verified {
    request.log.debug({ verifiedBy: verified.verifiedBy }, 'token verified')
    cache?.keep(token, verified, generation)
    return verified
  }

  function decorate (request: GuardedRequest, level: AccessLevel, verified: Verified, observation: Observation | null): void {
    const { user, isMachine } = verified
    if (observation) observation.verified = verified
    if (level === 'owner') {
      if (isMachine) throw refuse('FORBIDDEN_USER_ACCESS', 'the token is of an application and not of a user')
      if (!isOwnId(readParam(request, userIdParam), user.id)) throw refuse('FORBIDDEN_USER_ACCESS', `path parameter "${userIdParam}" is not the user's id`)
    }
    admitAs(request, user, level === 'owner' ? user : 'verified')
  }

  function admitAs (request: GuardedRequest, user: VerifiedUser | null, state: State): void {
    request[kState] = state
    request[kUser] = user
    request[decoratorName] = user
  }

  function admit (request: GuardedRequest, observation: Observation | null): void | Promise<void> {
    admitAs(request, null, null)
    const level = readLevel(request)
    if (level === 'public') {
      observation?.discard()
      return admitAs(request, null, 'unread')
    }
    const verified = authenticate(request, level === 'optional', observation)
    if (verified === null) return admitAs(request, null, 'anonymous')
    if (verified instanceof Promise) return verified.then((found) => decorate(request, level, found, observation))
    decorate(request, level, verified, observation)
  }

  /** Publishes what it refuses, and what it judges again for a 404 handler; else the request was published as admitted. */
  function readmit (request: GuardedRequest, observation: Observation | null): void | Promise<void> {
    const state = request[kState] ?? null // undefined outside of the scope, and behind a hook that stood in front of the guard
    // A 404 handler has a level of its own, and `callNotFound()` of a route or an error handler runs no onRequest hook for it.
    if (request.is404 && !suffices(state, readLevel(request))) return admit(request, observation)
    if (state === 'verified' || state === 'anonymous' || state === 'unread') return observation?.discard()
    // A hook of the host that goes on twice gets here by the guard's side, before it has judged.
    if (state === null || state === 'refused') throw refuse('MISSING_TOKEN', 'the request was not admitted')
    if (!isStillOwnId(readParam(request, userIdParam), state.id)) {
      throw refuse('FORBIDDEN_USER_ACCESS', `path parameter "${userIdParam}" was changed after it was checked`)
    }
    observation?.discard()
  }

  return { kState, onRequest: hook(names.guard, kState, admit), preHandler: hook(names.guard, kState, readmit), lastPreHandler: hook(names.seen, kState, readmit) }
}

/** Whether what was found of a request for its route is enough for a 404 handler of this level. */
function suffices (state: State, level: AccessLevel): boolean {
  switch (state) {
    case null:
    case 'refused': return false
    case 'unread': return level === 'public'
    case 'anonymous': return level === 'public' || level === 'optional'
    case 'verified': return level !== 'owner'
    default: return true // an owner, whose path is compared
  }
}

/**
 * A hook under the name by which `printRoutes` shows it. Whatever fails inside, a format that the host defined for its claims
 * say, is a refusal and not a 500.
 */
function hook (name: string, kState: symbol, check: (request: GuardedRequest, observation: Observation | null) => void | Promise<void>): Hook {
  const run: Hook = (request, reply, done) => {
    // The answer is on its way already: whoever goes on here must come no further, and a second answer would be one too many.
    if ((request as GuardedRequest)[kState] === 'refused' && !request.is404) return
    const observation = observe()
    let pending
    try {
      pending = check(request as GuardedRequest, observation)
    } catch (error) {
      return done(answer(error, request, reply, kState, observation)) // as if thrown, and each throw costs a walk over the stack
    }
    if (pending) return goOn(pending, request, reply, done, kState, observation)
    observation?.publish(request, null)
    done()
  }
  return Object.defineProperty(run, 'name', { value: name })
}

function goOn (pending: Promise<void>, request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction, kState: symbol, observation: Observation | null): void {
  // Two handlers for one promise, as an error of what comes after the hook is none of the check.
  pending.then(() => {
    observation?.publish(request, null)
    done()
  }, (error: unknown) => done(answer(error, request, reply, kState, observation)))
}

/** Status and headers before the error is thrown, as a host's error handler may send its own body and set neither. */
function answer (error: unknown, request: FastifyRequest, reply: FastifyReply, kState: symbol, observation: Observation | null): Refusal {
  // Of an unknown error nothing is read: even its name may be a getter that throws.
  const refusal = isRefusal(error) ? error : refuse('INVALID_CLAIMS', 'a check failed unexpectedly')
  ;(request as GuardedRequest)[kState] = 'refused'
  reply.code(refusal.statusCode).headers(refusalHeaders(refusal))
  if (request.headers.upgrade !== undefined && request.server.server.listenerCount('upgrade') > 0) closeAfter(reply)
  request.log.info({ code: refusal.code, reason: reasonOf(refusal) }, 'request refused')
  observation?.publish(request, refusal)
  return refusal
}

/**
 * Node leaves the socket of an upgrade to whoever handles it, and a WebSocket plugin whose hooks run behind this one never learns of
 * the request: the socket would stay open for ever.
 */
function closeAfter (reply: FastifyReply): void {
  const socket = reply.raw.socket as Partial<Socket> | null
  reply.header('connection', 'close')
  reply.raw.once('finish', () => socket?.destroySoon?.())
}

/** The verified user of a request, or null where there is none: a `'public'` route, or an `'optional'` one without a token. */
export function getUser<C = Claims> (request: FastifyRequest<RouteGenericInterface, RawServerBase>): VerifiedUser<C> | null {
  return ((request as GuardedRequest)[kUser] ?? null) as VerifiedUser<C> | null
}
