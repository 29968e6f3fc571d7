import type { UserScopeTypes, VerifiedUser } from './types.js'

/**
 * Who may call a route, stated in `config.access`:
 *
 * - `'owner'`: a valid token, and the path parameter must equal the user's id. Default for routes that have the
 * parameter.
 * - `'user'`: a valid token. Default for all other routes.
 * - `'optional'`: no token, or a valid one. A bad token is 401, never anonymous.
 * - `'public'`: the token is not read. Default for routes that serve OPTIONS alone.
 */
export type AccessLevel = 'owner' | 'user' | 'optional' | 'public'

/** The name of a scope: one of those declared in `UserScopeTypes`, else any string. */
export type ScopeName = UserScopeTypes extends { scopes: infer Name extends string } ? Name : string

/** All of the scopes, or one of them. */
export type RequiredScopes = readonly ScopeName[] | { readonly anyOf: readonly ScopeName[] }

/** Who may act for the owner: users for whom `mayActFor` returns true, or users with all of these scopes. */
export type Delegates = true | {
  readonly scopes: readonly ScopeName[]
  /** `true`: also tokens of applications. Default false. */
  readonly machines?: boolean
}

/** Stated in `config.access` if a level is not enough. A member that is unknown or has no effect stops the boot. */
export interface AccessRule {
  /** Default: from the URL. */
  readonly level?: AccessLevel
  /** Scopes that the token must have. Otherwise 403 `INSUFFICIENT_SCOPE`. */
  readonly scopes?: RequiredScopes
  /** For level `'owner'`: who may call the route besides the owner. `getOwnerId(request)` returns the owner's id. */
  readonly delegates?: Delegates
  /** Parameters of option `bind` that this route does not compare. */
  readonly unbound?: readonly string[]
}

/** The argument of `mayActFor`. */
export interface DelegateQuestion {
  /** The caller. Never an application, if its token is recognized as one (`machine` in `issuers`). */
  readonly user: VerifiedUser
  /** The id in the path. It is not the user's. */
  readonly ownerId: string
  /** Always a method that the route serves, even if middleware has overwritten `request.method`. */
  readonly method: string
  /** The URL of the route as declared. */
  readonly route: string
  /**
   * The path parameters as the client sent them, decoded, before any schema. If one of them later changes, the request
   * is refused.
   */
  readonly params: Readonly<Record<string, string | undefined>>
}

/** Only `true` admits the user. An error, or no answer within 5 seconds, is 503 `ACCESS_CHECK_UNAVAILABLE`. */
export type MayActFor = (question: DelegateQuestion) => boolean | Promise<boolean>
