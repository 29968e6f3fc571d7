import type { FastifyRequest } from 'fastify'
import type { RequiredScopes } from '../contract/access.js'
import { isRefusal, refuse, type Refusal } from '../contract/errors.js'
import { quote } from '../contract/quote.js'
import type { VerifiedUser } from '../contract/types.js'
import { isSafe } from '../options/rights.js'
import type { Settings } from '../options/settings.js'
import type { Demand } from '../routes/access.js'
import { claimAt, fitsClaim, type BoundParam } from '../routes/bind.js'
import { hasDotSegment } from '../routes/dot-segments.js'
import { isSame, readParam } from '../routes/owner.js'
import { isAnyOf, scopeName, scopesIn } from '../routes/rule.js'
import { readScopes } from '../token/scopes.js'
import { faultOfId } from '../token/user-id.js'
import type { Verified } from '../token/verifier.js'
import { askMayActFor } from './delegates.js'
import { andThen, type Delegated, type Judgement } from './judgement.js'
import { methodOf } from './method.js'

/** Creates the check whether a verified user may call a route. It returns a promise only if option `mayActFor` does. */
export function createRightsCheck ({ userIdParam, mayActFor, impersonation }: Settings) {
  return (
    request: FastifyRequest, demand: Demand, verified: Verified, cached: boolean
  ): Judgement | Promise<Judgement> => {
    /** Adds what is required of every user: actor, bound parameters, dot segments and scopes. A refusal stays. */
    const withRest = (owner: string | null, found: Refusal | null, delegated?: Delegated): Judgement => {
      const rest = found ?? judgeRest(request, demand, verified.user, owner)
      return isRefusal(rest)
        ? { refusal: rest, verified, demand, owner, cached }
        : { refusal: null, verified, demand, owner, boundValues: rest, delegated, cached }
    }
    if (demand.level !== 'owner') return withRest(null, null)
    const param = readParam(request, userIdParam)
    if (isSame(param, verified.user.id) && !verified.isMachine) return withRest(verified.user.id, null)
    // A value that cannot be the id of a token has no owner.
    const owner = faultOfId(param) === undefined ? String(param) : null
    const delegated = { method: request.method, params: { ...request.params as Delegated['params'] } }
    return andThen(judgeOther(request, demand, verified, owner), (refusal) => withRest(owner, refusal, delegated))
  }

  /** Judges a user of another id, or an application's token. Returns null if it may act for the owner. */
  function judgeOther (
    request: FastifyRequest, { delegates }: Demand, { user, isMachine }: Verified, owner: string | null
  ) {
    const staff = delegates === true ? null : delegates
    if (isMachine && !staff?.machines) {
      return refuse('FORBIDDEN_USER_ACCESS', 'the token is of an application and not of a user')
    }
    const reason = `path parameter "${userIdParam}" is not the user's id`
    if (owner === null) return refuse('FORBIDDEN_USER_ACCESS', reason)
    if (delegates === true && mayActFor) return askMayActFor(mayActFor, request, user, owner)
    if (!staff) return refuse('FORBIDDEN_USER_ACCESS', reason)
    if (hasScopes(user.scopes, staff.scopes)) return null
    return refuse('FORBIDDEN_USER_ACCESS',
      `${reason}, and as a delegate's the token needs all of ${quote(staff.scopes)}: it has ${quote(user.scopes)}`)
  }

  /** Returns the values of the bound parameters, or the refusal. */
  function judgeRest (
    request: FastifyRequest, { scopes, bound }: Demand, user: VerifiedUser, owner: string | null
  ): ReadonlyMap<string, string> | Refusal {
    const refusedWrite = judgeActor(request, user, impersonation)
    if (refusedWrite) return refusedWrite
    const values = bound.length > 0 ? compareBound(request, bound, user.claims) : none
    if (typeof values === 'string') return forbidden(values)
    if ((owner !== null || values.size > 0) && hasDotSegment(request.url)) {
      return forbidden('the path has a dot segment ("." or "..", however it is encoded)')
    }
    return (scopes && judgeScopes(user, scopes)) ?? values
  }
}

/** Refuses a write by an actor who may only read; else null. */
export function judgeActor (
  request: FastifyRequest, { actor }: VerifiedUser, impersonation: Settings['impersonation']
): Refusal | null {
  if (actor === null || impersonation !== 'read-only' || isSafe(methodOf(request))) return null
  return forbidden('the token has an actor (claim "act"), who may only read (option "impersonation")')
}

const none: ReadonlyMap<string, string> = new Map()

/** Returns the values of the bound parameters, or the reason why one does not fit its claim. */
function compareBound (
  request: FastifyRequest, params: readonly BoundParam[], claims: unknown
): ReadonlyMap<string, string> | string {
  const fitting = new Map<string, string>()
  for (const { param: name, path, isInUrl } of params) {
    const value = readParam(request, name)
    if (value === undefined && !isInUrl) continue
    if (!fitsClaim(value, claims, path)) {
      const claim = quote(path.length === 1 ? path[0] : path)
      const fault = faultOfClaim(claimAt(claims, path))
      return `path parameter "${name}" does not fit the claim ${claim}${fault} (option "bind")`
    }
    fitting.set(name, String(value))
  }
  return fitting
}

/** Says why a claim can fit no parameter; else nothing. */
function faultOfClaim (claim: unknown): string {
  if (claim === undefined) return ', which the token does not have'
  return [claim].flat().some((each) => typeof each === 'string') ? '' : ', which is no string and no list of strings'
}

const forbidden = (reason: string): Refusal => refuse('FORBIDDEN_RESOURCE_ACCESS', reason)

function hasScopes (scopes: readonly string[], required: RequiredScopes): boolean {
  const has = (name: string) => scopes.includes(name)
  return isAnyOf(required) ? required.anyOf.some(has) : required.every(has)
}

/** Refuses a user without the required scopes; else null. The challenge names all of them; for `anyOf`, the first. */
export function judgeScopes ({ scopes: found, claims }: VerifiedUser, required: RequiredScopes): Refusal | null {
  if (hasScopes(found, required)) return null
  const names = scopesIn(required)
  const [most, some] = isAnyOf(required) ? [1, 'one'] : [names.length, 'all']
  // The boot checks the scopes of routes, but a handler may pass input of the client to `requireScopes`.
  const scope = names.filter((name) => scopeName.test(name)).slice(0, most).join(' ')
  const other = ['scope', 'scp', 'permissions', 'scopes', 'roles']
    .find((name) => hasScopes(readScopes(claims, name), required))
  const place = found.length > 0 ? '' : ' (in the claim of option "scopeClaim", by default "scope" or "scp")'
  const hint = other ? `. Its claim "${other}" counts only if option "scopeClaim" names it` : ''
  const reason = `the token has the scopes ${quote(found)}${place}, and needs ${some} of ${quote(names)}${hint}`
  return refuse('INSUFFICIENT_SCOPE', reason, { scope })
}
