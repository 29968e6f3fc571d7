import { inspect } from 'node:util'
import { Type } from '@sinclair/typebox'
import type { AccessLevel, AccessRule, Delegates, RequiredScopes } from '../contract/access.js'
import type { RightsSettings } from '../options/rights.js'
import { hintAt } from '../options/nearest.js'
import { flag, oneOf } from '../options/schemas.js'
import { faultOf, isPlain } from '../options/validate.js'
import type { BoundParam } from './bind.js'

export const accessLevels: readonly AccessLevel[] = ['owner', 'user', 'optional', 'public']

export type RuleSettings = Pick<RightsSettings, 'bind' | 'mayActFor'>

/** What a route demands beyond its level. */
export interface Conditions {
  readonly scopes: RequiredScopes | null
  readonly delegates: Delegates | null
  /** Parameters to compare with claims, if the request has them. */
  readonly bound: readonly BoundParam[]
  readonly unbound: readonly string[]
}

/** RFC 6749 §3.3. Without quotes and backslashes, so that a challenge can have it as it is. */
export const scopeName = /^[!#-[\]-~]+$/
const scopeNames = 'scope names of letters, digits and marks, without spaces, quotes and backslashes (RFC 6749 §3.3)'
const scopeList = `a list of ${scopeNames}, at least one and each once`
const names = Type.Array(Type.String({ pattern: scopeName.source }), { minItems: 1, uniqueItems: true })
// Not a member with a name: the message for `allOf` would be to use `anyOf`, which asks for less.
const anyOf = Type.Record(Type.String({ pattern: '^anyOf$' }), names, { additionalProperties: false, minProperties: 1 })
const rule = Type.Object({
  level: Type.Optional(oneOf(accessLevels, `one of: ${accessLevels.join(', ')}`)),
  scopes: Type.Optional(Type.Union([names, anyOf], {
    expects: `${scopeList}, all of which the token must have, or { anyOf: […] }`
  })),
  delegates: Type.Optional(Type.Union([
    Type.Literal(true), Type.Object({ scopes: names, machines: Type.Optional(flag) }, { additionalProperties: false })
  ], {
    expects: 'left out for the owner alone, or be true, which asks option "mayActFor", or ' +
      `{ scopes: […], machines } with ${scopeNames}`
  })),
  unbound: Type.Optional(Type.Array(Type.String(), {
    minItems: 1, uniqueItems: true, expects: 'a list of parameters of option "bind", at least one and each once'
  }))
}, { additionalProperties: false, note: 'roles count as scopes if option "scopeClaim" names their claim' })

/** The members of a rule. The boot warns about one that is outside of `config.access`, where it has no effect. */
export const ruleMembers = Object.keys(rule.properties)

/** Copies a rule without prototypes: a member of Object.prototype must not be a member of every rule. */
function bare<T> (value: T): T {
  if (typeof value !== 'object' || Array.isArray(value)) return value
  const members = Object.entries(value as object).map(([name, member]) => [name, bare(member)])
  return Object.assign(Object.create(null) as T & object, Object.fromEntries(members))
}

const good = (rule: AccessRule) => ({ rule: bare(rule), fault: null })
const bad = (fault: string) => ({ rule: bare<AccessRule>({}), fault })

const shortly = { depth: 0, breakLength: Infinity }

/** Reads `config.access` as a rule, or says why it is not one. */
export function readRule (access: unknown): { rule: AccessRule, fault: string | null } {
  if (access === undefined) return good({})
  if (isLevel(access)) return good({ level: access })
  if (!isPlainObject(access) || Object.keys(access).length === 0) {
    return bad(`config.access is ${inspect(access, shortly)}. Use one of: ${accessLevels.join(', ')}; or a plain ` +
      `object with at least one of: ${ruleMembers.join(', ')}${hintAt(access, accessLevels)}`)
  }
  const fault = faultOf(rule, access, 'config.access')
  if (fault !== undefined) return bad(fault)
  try {
    return good(structuredClone(access))
  } catch {
    return bad('config.access cannot be copied. Write it as a plain object')
  }
}

/** Not `'anyOf' in required`: a member of Object.prototype must not turn "all of" into "one of". */
export const isAnyOf = (required: RequiredScopes): required is Extract<RequiredScopes, { anyOf: unknown }> =>
  !Array.isArray(required)

export const scopesIn = (required: RequiredScopes) => isAnyOf(required) ? required.anyOf : required

export const isLevel = (value: unknown): value is AccessLevel => accessLevels.includes(value as AccessLevel)

/** Other objects are refused, because inherited members would be ignored or have a hidden effect. */
const isPlainObject = (value: unknown): value is AccessRule =>
  typeof value === 'object' && value !== null && isPlain(value)

/** Says why a rule has no effect or a wrong effect on this route; null if it is fine. */
export function faultOfRule (
  rule: AccessRule, level: AccessLevel, parameters: readonly string[], settings: RuleSettings
): string | null {
  const { delegates, unbound = [] } = rule
  const member = Object.keys(rule).find((name) => name !== 'level')
  if (member && (level === 'public' || level === 'optional')) {
    const levels = delegates ? "'owner'" : "'user' or 'owner'"
    return `config.access.${member} is without effect on a route of level '${level}'. Use level ${levels}, or leave ` +
      'it out'
  }
  if (delegates && level !== 'owner') {
    return `config.access.delegates is for routes of level 'owner', and this one is '${level}'. Use level 'owner', ` +
      'with the owner\'s parameter in the URL, or state scopes instead: without either, any signed-in user may call it'
  }
  if (delegates === true && settings.mayActFor === undefined) {
    return 'config.access.delegates is true, which needs the option "mayActFor". Give that option, or use { scopes }'
  }
  for (const name of unbound) {
    if (!settings.bind.some(({ param }) => param === name)) {
      return `config.access.unbound names "${name}", and option "bind" has no such parameter. Leave it out`
    }
    if (!parameters.includes(name)) {
      return `config.access.unbound has "${name}", and the URL has no parameter ":${name}". Leave it out`
    }
  }
  return null
}

export const noConditions: Conditions = { scopes: null, delegates: null, bound: [], unbound: [] }

export function conditionsOf (
  rule: AccessRule, level: AccessLevel, parameters: readonly string[], { bind }: RuleSettings
): Conditions {
  const { scopes = null, delegates = null, unbound = [] } = rule
  const compared = level === 'owner' || level === 'user' ? bind.filter(({ param }) => !unbound.includes(param)) : []
  const bound = compared.map((each) => ({ ...each, isInUrl: parameters.includes(each.param) }))
  return { scopes, delegates, bound, unbound }
}
