import type { UserScopeTypes, VerifiedUser } from './types.js'

/**
 * Who may call a route, stated in `config.access`:
 *
 * - `'owner'`: a valid token, and the path parameter must equal the user's id. Default for routes that have the
 * parameter.
 * - `'user'`: a valid token. Default for routes that have not.
 * - `'optional'`: no token, or a valid one; a bad one is 401, never anonymous.
 * - `'public'`: the token is not read. Default for routes that serve OPTIONS alone.
 */
export type AccessLevel = 'owner' | 'user' | 'optional' | 'public'

/** The names of scopes: those that the host declared in `UserScopeTypes`, else any. */
export type ScopeName = UserScopeTypes extends { scopes: infer Name extends string } ? Name : string

/** All of the scopes, or one of them. */
export type RequiredScopes = readonly ScopeName[] | { readonly anyOf: readonly ScopeName[] }

/** Who may come in for the owner: those of whom `mayActFor` says so, or those who have all of these scopes. */
export type Delegates = true | {
  readonly scopes: readonly ScopeName[]
  /** `true`: tokens of applications too. Default false. */
  readonly machines?: boolean
}

/** Stated in `config.access` where a level alone is not enough. What is unknown or without effect stops the boot. */
export interface AccessRule {
  /** Default: from the URL. */
  readonly level?: AccessLevel
  /** Scopes that the token must have, else 403 `INSUFFICIENT_SCOPE`. */
  readonly scopes?: RequiredScopes
  /** For level `'owner'`: who may come in besides the owner. `getOwnerId(request)` tells whose route it is. */
  readonly delegates?: Delegates
  /** Parameters of option `bind` that this route does not compare. */
  readonly unbound?: readonly string[]
}

/** What `mayActFor` is asked. */
export interface DelegateQuestion {
  /** Who calls. Never an application, as far as tokens of `issuers` tell. */
  readonly user: VerifiedUser
  /** The id in the path: another than the user's. */
  readonly ownerId: string
  /** One that the route serves, whatever method a header of the client claims to middleware. */
  readonly method: string
  /** The URL of the route as declared. */
  readonly route: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Only `true` lets the user in. An error, or no answer in 5 seconds, is 503 `ACCESS_CHECK_UNAVAILABLE`. */
export type MayActFor = (question: DelegateQuestion) => boolean | Promise<boolean>
