import type { FastifyReply } from 'fastify'
import type { AccessLevel, AccessRule, Delegates, RequiredScopes } from './access.js'
import type { IssuerStatus } from './issuer.js'
import type { Revocation } from './revocations.js'

/**
 * For declaration merging: types that depend on your options.
 *
 * - `claims`: the type of `request.user.claims`. Default: the registered claims, and unknown others.
 * - `decoratorName`: the request property for the user, or a union of several. Default `'user'`.
 * - `scopes`: the names of all scopes, as a union. Default: any string.
 *
 * ```ts
 * import 'fastify-user-scope' // or the module would be declared anew
 * declare module 'fastify-user-scope' {
 *   interface UserScopeTypes { claims: Static<typeof claims>, decoratorName: 'owner' }
 * }
 * ```
 */
export interface UserScopeTypes {}

/**
 * The registered claims of RFC 7519 §4.1. In a verified token, `exp`, and `nbf` and `iat` if present, are numbers. To
 * be sure of the types of other claims, state a schema in option `claims`.
 */
export interface RegisteredClaims {
  iss?: string
  sub?: string
  aud?: string | string[]
  exp: number
  nbf?: number
  iat?: number
  jti?: string
}

/** The verified payload: the type declared in `UserScopeTypes`, else the registered claims and unknown others. */
export type Claims = UserScopeTypes extends { claims: infer C }
  ? RegisteredClaims & C
  : RegisteredClaims & { [claim: string]: unknown }

/** Readonly at every depth, as the value is frozen. Branded strings, which are objects too, stay as they are. */
export type DeepReadonly<T> =
  T extends string | number | boolean ? T
    : T extends ReadonlyArray<infer Item> ? ReadonlyList<T, Item>
      : T extends object ? ReadonlyMembers<T> : T

// Mapped, a list whose items may be such lists (any JSON) would never end. Tuples, also open ones, have to be mapped.
type ReadonlyList<T, Item> = Item[] extends T ? readonly DeepReadonly<Item>[] : ReadonlyMembers<T>
type ReadonlyMembers<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> }

/** Who holds a token that was issued for somebody else. */
export interface Actor {
  /** The `sub` of the claim `act`, after the issuer's `idPrefix`. */
  readonly id: string
  /** The ids of all actors: the current one, which is `id`, then those before it. */
  readonly chain: readonly string[]
}

/** The user of a verified token. Deeply frozen: one object may serve several requests. */
export interface VerifiedUser<C = Claims> {
  /** The user id claim, after the issuer's `idPrefix`: a non-empty string. The path parameter must equal it exactly. */
  readonly id: string
  /** The token's `iss`, or `'secret'` for a token signed with a shared secret. */
  readonly issuer: string
  /** The scopes of the token. Empty if it has none, or if their claim is malformed. */
  readonly scopes: readonly string[]
  /** Who acts as the user, if the token has the claim `act` (RFC 8693 §4.1); else null. */
  readonly actor: Actor | null
  /** The whole payload of the token. */
  readonly claims: DeepReadonly<C>
}

/** A route of the registration, as in `app.userScope.routes()`. */
export interface ScopedRoute {
  readonly method: string
  /** As declared, prefix included. */
  readonly url: string
  readonly access: AccessLevel
  /** The path parameter that must be the user's id; null if none is compared. */
  readonly parameter: string | null
  /** `'stated'` in `config.access`; `'default'` from the URL, or from the method if the route only serves OPTIONS. */
  readonly source: 'stated' | 'default'
  /** Fastify's route constraints, such as `{ version: '1.0.0' }`; empty if there are none. */
  readonly constraints: Readonly<Record<string, unknown>>
  /** The scopes that the rule in `config.access` requires; null if none. */
  readonly scopes: RequiredScopes | null
  /** Who may act for the owner, by that rule; null if nobody. */
  readonly delegates: Delegates | null
  /** Parameters in the URL that are compared with claims (option `bind`). */
  readonly bound: readonly string[]
  /** Parameters of option `bind` that the rule exempts. */
  readonly unbound: readonly string[]
}

/** The decorator `app.userScope`. Its functions need no `this`. */
export interface UserScope {
  /** Every route of the registration with its access level. Complete once the app is ready. */
  readonly routes: () => ScopedRoute[]
  /** The same as text, for a snapshot: a line for each URL and level, sorted by URL. */
  readonly printRoutes: () => string
  /** The state of each remote issuer's keys, for a health route. Calling it fetches missing or old keys. */
  readonly issuers: () => IssuerStatus[]
  /**
   * Refuses tokens from now on: here immediately, elsewhere once it is stored. Resolves when it is stored. Rejects with
   * a RevocationsUnavailableError after 5 seconds, or when the app closes; the revocation still holds here, and is
   * stored later. Rejects with an InvalidOptionError if the argument is not a revocation, or without option
   * `revocations`.
   */
  readonly revoke: (revocation: Revocation) => Promise<void>
}

/**
 * A message on the `diagnostics_channel` `fastify-user-scope:verify`, published for each judged request. A request has
 * a second message if it is refused later: before its handler, because a compared parameter has changed or the token is
 * no longer valid, or by `requireScopes` or `untilRevoked`.
 */
export interface VerifyMessage {
  /** `'anonymous'`: no token on an `'optional'` route. A `'public'` route only has messages if its handler refuses. */
  outcome: 'admitted' | 'refused' | 'anonymous'
  /** The code of the error; null for an admitted request. */
  code: string | null
  method: string
  /** The URL of the route as declared, not the URL of the request. */
  route: string | null
  /** The issuer of the verified token, or `'secret'`; null without one. */
  verifiedBy: string | null
  /** The id of the verified user; null without one. */
  user: string | null
  /** The owner's id in the path; null if it was not compared. */
  owner: string | null
  /** Who acts as the user: `request.user.actor.id`, or null. */
  actor: string | null
  /** `request.id`, as in the log. */
  requestId: string
  /** Whether the token was found in the cache. */
  cached: boolean
  /** Nanoseconds that the guard took. */
  duration: number
}

/**
 * Declares the verified user. `FastifyRequest` inherits it, because a merged property must have the same type
 * everywhere, and `@fastify/jwt` declares `user` too. An app with those types (recognized by `reply.jwtSign`) declares
 * `interface FastifyJWT { user: VerifiedUser }`, as `@fastify/jwt` documents. Declared here, it would load the types of
 * `@fastify/jwt` into every app.
 */
export type UserScopeRequest = UserScopeTypes extends { decoratorName: infer Name extends string }
  ? Record<Name, VerifiedUser>
  : DefaultUserScopeRequest

interface DefaultUserScopeRequest {
  /**
   * The verified user. Null on `'public'` routes, on `'optional'` ones without a token, and after a refusal: use
   * `getUser(request)` there. Undefined outside of every registration.
   */
  user: FastifyReply extends { jwtSign: unknown } ? unknown : VerifiedUser
}

declare module 'fastify' {
  interface FastifyRequest extends UserScopeRequest {}

  interface FastifyInstance {
    /** On the context that registered the plugin, and those inside it; undefined elsewhere. */
    userScope: UserScope
  }

  interface FastifyContextConfig {
    /** Who may call this route: a level, or a rule if a level is not enough. */
    access?: AccessLevel | AccessRule & object // without `object`, any string would be a rule without members
  }
}
