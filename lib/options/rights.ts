import { Type } from '@sinclair/typebox'
import type { MayActFor } from '../contract/access.js'
import { InvalidOptionError } from '../contract/errors.js'
import type { UserScopeOptions } from '../contract/options.js'
import { claimName, flag, oneOf } from './schemas.js'

const step = Type.String({ minLength: 1 })
const claimPath = Type.Union([step, Type.Array(step, { minItems: 1 })], {
  expects: 'the name of a claim, or a list of names that leads to a nested one'
})

/** The options about who may do what. */
export const rightsSchemas = {
  bind: Type.Optional(Type.Record(
    Type.String({ pattern: '^(?!__proto__$)\\w+$' }), claimPath, {
      additionalProperties: false,
      minProperties: 1,
      expects: 'an object: path parameter (letters, digits and underscores, no colon) to the name of a claim, or to ' +
        'a list of names that leads to a nested one; at least one parameter'
    })),
  mayActFor: Type.Optional(Type.Unsafe<MayActFor>(Type.Function([], Type.Any(), {
    expects: 'a function that answers { user, ownerId, method, route, params } with true or false'
  }))),
  scopeClaim: Type.Optional(claimName),
  impersonation: Type.Optional(oneOf(['allow', 'read-only', 'refuse'], "'allow', 'read-only' or 'refuse'")),
  logUser: Type.Optional(flag)
}

/** A path parameter that must fit a claim. */
export interface Binding {
  readonly param: string
  /** The names that lead to the claim. */
  readonly path: readonly string[]
}

export interface RightsSettings {
  readonly bind: readonly Binding[]
  readonly mayActFor: MayActFor | undefined
  readonly impersonation: Exclude<UserScopeOptions['impersonation'], undefined>
  readonly logUser: boolean
}

/** @throws InvalidOptionError */
export function readRights (options: UserScopeOptions): RightsSettings {
  const { bind = {}, userIdParam = 'user_id' } = options // not a rest pattern, which would lose what a class inherits
  if (Object.hasOwn(bind, userIdParam)) {
    throw new InvalidOptionError(`option "bind.${userIdParam}" is the owner's parameter, which is compared with the ` +
      'user\'s id. Fix: leave it out; options "userIdClaim" and "userIdParam" say what is compared')
  }
  return {
    bind: Object.freeze(Object.entries(bind)
      .map(([param, path]) => Object.freeze({ param, path: Object.freeze([path].flat()) }))),
    mayActFor: options.mayActFor,
    impersonation: options.impersonation ?? 'allow',
    logUser: options.logUser ?? true
  }
}

/** Whether a method changes nothing (RFC 9110 §9.2.1). With `'read-only'`, actors may use only these. */
export const isSafe = (method: string): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method)
