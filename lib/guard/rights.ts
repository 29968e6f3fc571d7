import type { FastifyRequest } from 'fastify'
import type { RequiredScopes } from '../contract/access.js'
import { refuse, type Refusal } from '../contract/errors.js'
import { quote } from '../contract/quote.js'
import { isSafe } from '../options/rights.js'
import type { Settings } from '../options/settings.js'
import type { Demand } from '../routes/access.js'
import { claimAt, fitsClaim, type BoundParam } from '../routes/bind.js'
import { hasDotSegment } from '../routes/dot-segments.js'
import { isSame, readParam } from '../routes/owner.js'
import type { Verified } from '../token/verifier.js'
import { askMayActFor } from './delegates.js'
import { isThenable, type HeldParam, type Judgement } from './judgement.js'
import { methodOf } from './method.js'

/** Decides whether a verified user may call a route. */
export type RightsCheck = (
  request: FastifyRequest, demand: Demand, verified: Verified, cached: boolean
) => Judgement | Promise<Judgement>

/** A judgement after the comparison of the owner. Scopes, bound parameters and the actor may still refuse it. */
type Provisional = Judgement & { readonly verified: Verified, readonly demand: Demand }

/** @returns a check that returns a promise only if option `mayActFor` does */
export function createRightsCheck ({ userIdParam, mayActFor, impersonation }: Settings): RightsCheck {
  return (request, demand, verified, cached) => {
    if (demand.level !== 'owner') return judgeRest(request, { refusal: null, verified, demand, owner: null, cached })
    const param = readParam(request, userIdParam)
    if (isSame(param, verified.user.id) && !verified.isMachine) {
      return judgeRest(request, { refusal: null, verified, demand, owner: verified.user.id, cached })
    }
    // A missing or empty parameter is nobody's id.
    const owner = typeof param === 'string' && param !== '' ? param : null
    const conclude = (refusal: Refusal | null): Judgement => refusal
      ? { refusal, verified, demand, owner, cached }
      : judgeRest(request, { refusal, verified, demand, owner, cached, isDelegate: true })
    const answer = judgeOther(request, demand, verified, owner)
    return isThenable(answer) ? answer.then(conclude) : conclude(answer)
  }

  /** Judges a user of another id, or an application's token. Returns null if it may act for the owner. */
  function judgeOther (request: FastifyRequest, demand: Demand, verified: Verified, owner: string | null) {
    const { user, isMachine } = verified
    const { delegates } = demand
    const scopes = delegates === true ? null : delegates
    if (isMachine && !scopes?.machines) {
      return refuse('FORBIDDEN_USER_ACCESS', 'the token is of an application and not of a user')
    }
    if (owner !== null && delegates === true && mayActFor) return askMayActFor(mayActFor, request, user, owner)
    if (owner !== null && scopes && hasScopes(user.scopes, scopes.scopes)) return null
    return refuse('FORBIDDEN_USER_ACCESS', `path parameter "${userIdParam}" is not the user's id`)
  }

  /**
   * Checks what is required of owners, delegates and all other users. It completes the given judgement in place: nobody
   * else has it yet, and a copy takes 3 µs.
   */
  function judgeRest (request: FastifyRequest, soFar: Provisional): Judgement {
    const { owner, verified: { user }, demand: { scopes, bound: params } } = soFar
    if (user.actor !== null && impersonation === 'read-only' && !isSafe(methodOf(request))) {
      return forbidden(soFar, 'the token has an actor (claim "act"), who may only read (option "impersonation")')
    }
    const bound = params.length > 0 ? compareBound(request, params, user.claims) : none
    if (typeof bound === 'string') return forbidden(soFar, bound)
    if ((owner !== null || bound.length > 0) && hasDotSegment(request.url)) {
      return forbidden(soFar, 'the path has a dot segment ("." or "..", however it is encoded)')
    }
    if (scopes && !hasScopes(user.scopes, scopes)) {
      return Object.assign(soFar, { refusal: refuseScopes(scopes, user.scopes) })
    }
    return bound.length > 0 ? Object.assign(soFar, { bound }) : soFar
  }
}

const none: readonly HeldParam[] = []

/** Returns the bound parameters, or the reason why one does not fit its claim. */
function compareBound (
  request: FastifyRequest, params: readonly BoundParam[], claims: unknown
): readonly HeldParam[] | string {
  const fitting: HeldParam[] = []
  for (const { param: name, path, isInUrl } of params) {
    const value = readParam(request, name)
    if (value === undefined && !isInUrl) continue
    if (!fitsClaim(value, claims, path)) {
      const claim = quote(path.length === 1 ? path[0] : path)
      const found = claimAt(claims, path) === undefined ? ', which the token does not have' : ''
      return `path parameter "${name}" does not fit the claim ${claim}${found} (option "bind")`
    }
    fitting.push([name, String(value)])
  }
  return fitting
}

const forbidden = (judgement: Judgement, reason: string): Judgement =>
  Object.assign(judgement, { refusal: refuse('FORBIDDEN_RESOURCE_ACCESS', reason) })

/** Not `'anyOf' in required`: a member of Object.prototype must not turn "all of" into "one of". */
const isList = (required: RequiredScopes): required is readonly string[] => Array.isArray(required)

export function hasScopes (scopes: readonly string[], required: RequiredScopes): boolean {
  const has = (name: string) => scopes.includes(name)
  return isList(required) ? required.every(has) : required.anyOf.some(has)
}

/** The challenge names all required scopes; for `anyOf`, the first. */
export function refuseScopes (required: RequiredScopes, found: readonly string[]): Refusal {
  const isAnyOf = !isList(required)
  const names = isAnyOf ? required.anyOf : required
  // The boot checks the scopes of routes, but a handler may pass input of the client to `requireScopes`.
  const scope = names.filter((name) => /^[!#-[\]-~]+$/.test(name)).slice(0, isAnyOf ? 1 : names.length).join(' ')
  const reason = `the token has ${isAnyOf ? 'none' : 'not all'} of the scopes ${quote(names)}, and has ${quote(found)}`
  return refuse('INSUFFICIENT_SCOPE', reason, { scope })
}
