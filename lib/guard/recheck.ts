import type { FastifyRequest } from 'fastify'
import { refuse, type Refusal, type RefusalCode } from '../contract/errors.js'
import type { Settings } from '../options/settings.js'
import type { Revocations } from '../revocations/revocations.js'
import { comparesOwner } from '../routes/access.js'
import { isStillSame, readParam } from '../routes/owner.js'
import { findExpiry } from '../token/claim-rules.js'
import type { Judgement } from './judgement.js'
import { judgeActor } from './rights.js'

/**
 * Creates the check of the `preHandler` hook: the path must still be the owner's, and the token must still be valid.
 * Time may have passed: a client can send its body slowly, and hooks of the host can be slow. It returns null if the
 * handler may run.
 */
export function createRecheck (
  { userIdParam, claimRules, impersonation }: Pick<Settings, 'userIdParam' | 'claimRules' | 'impersonation'>,
  revocations: Pick<Revocations, 'check'> | null
) {
  return (request: FastifyRequest, judgement: Judgement | null | undefined): Refusal | null => {
    // If a hook of the host calls `done` twice, this runs before the guard has judged the request.
    if (!judgement) return refuse('MISSING_TOKEN', 'the request was not admitted')
    try {
      const change = findChange(request, judgement)
      if (change) return change
    } catch {
      return refuse('FORBIDDEN_USER_ACCESS', 'the path parameters cannot be read: an object of the host\'s throws')
    }
    if (judgement.verified === null) return null
    const { user } = judgement.verified
    // Not `expiresAt`: the ttl of the cache and the age of an issuer's keys set earlier times.
    return refuseOverride(request, judgement) ?? judgeActor(request, user, impersonation) ??
      findExpiry(user, claimRules) ?? revocations?.check(user) ?? null
  }

  /** Middleware of the host may have overridden the method, and `mayActFor` was asked about another. */
  function refuseOverride (request: FastifyRequest, judgement: Judgement): Refusal | null {
    const asked = askedAbout(judgement)
    if (!asked || request.method === asked.method) return null
    return refuse('FORBIDDEN_USER_ACCESS', 'the method was overridden after option "mayActFor" was asked. Fix: ' +
      'register what overrides it before the plugin')
  }

  function findChange (request: FastifyRequest, judgement: Judgement): Refusal | null {
    const { demand, owner, boundValues } = judgement
    if (demand === null) return null
    const param = readParam(request, userIdParam)
    if (owner === null ? comparesOwner(demand, param) : !isStillSame(param, owner)) {
      return refuseChange('FORBIDDEN_USER_ACCESS', userIdParam, owner, param)
    }
    for (const { param: name } of demand.bound) {
      const held = boundValues?.get(name) ?? null
      const value = readParam(request, name)
      if (held === null ? value !== undefined : !isStillSame(value, held)) {
        return refuseChange('FORBIDDEN_RESOURCE_ACCESS', name, held, value)
      }
    }
    // It was asked about the text "1e1", and the handler would see the document 10.
    for (const [name, held] of Object.entries(askedAbout(judgement)?.params ?? {})) {
      const value = readParam(request, name)
      const isChanged = held !== undefined && value !== undefined && String(value) !== held
      if (isChanged) return refuseChange('FORBIDDEN_USER_ACCESS', name, held, value)
    }
    return null
  }
}

/** Returns what `mayActFor` was asked about; undefined if it was not asked. */
const askedAbout = ({ demand, delegated }: Judgement) => demand?.delegates === true ? delegated : undefined

function refuseChange (code: RefusalCode, name: string, held: string | null, value: unknown): Refusal {
  const removed = 'removed after it was checked. Fix: list it in the params schema, which drops what it does not ' +
    'list, or look for a hook that removes it'
  const changed = held === null
    ? 'added after the check. Fix: look for a hook that adds it'
    : 'changed after it was checked. Fix: look at the params schema, which may convert it, or for a hook'
  return refuse(code, `path parameter "${name}" was ${value === undefined ? removed : changed}`)
}
