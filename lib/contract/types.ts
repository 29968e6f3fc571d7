import type { FastifyReply } from 'fastify'
import type { AccessLevel, AccessRule, Delegates, RequiredScopes } from './access.js'
import type { IssuerStatus } from './issuer.js'
import type { Revocation } from './revocations.js'

/**
 * Open for declaration merging: what the options say at run time, said to the compiler.
 *
 * - `claims`: the type of `request.user.claims`. Default: the registered claims, and unknown others.
 * - `decoratorName`: the request property that holds the user; several are written as a union. Default `'user'`.
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

/** The registered claims of RFC 7519 §4.1, as they stand after verification. */
export interface RegisteredClaims {
  iss?: string
  sub?: string
  aud?: string | string[]
  exp: number
  nbf?: number
  iat?: number
  jti?: string
}

/** The verified payload: the host's own type where it declared one, else the registered claims and unknown others. */
export type Claims = UserScopeTypes extends { claims: infer C }
  ? RegisteredClaims & C
  : RegisteredClaims & { [claim: string]: unknown }

/**
 * Readonly all the way down, as the value is frozen all the way down. Branded strings, which are objects too, stay as
 * they are.
 */
export type DeepReadonly<T> =
  T extends string | number | boolean ? T
    : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** Who holds a token that was made out for somebody else. */
export interface Actor {
  /** The `sub` of the claim `act`, after the issuer's `idPrefix`. */
  readonly id: string
  /** The ids of all actors: the current one, which is `id`, then those before it. */
  readonly chain: readonly string[]
}

/** The user of a verified token. Deeply frozen: one object may serve several requests. */
export interface VerifiedUser<C = Claims> {
  /**
   * The user id claim, after the `idPrefix` of its issuer: a non-empty string, compared with the path parameter as it
   * is.
   */
  readonly id: string
  /** Who vouched for the user: the token's issuer, or `'secret'`. */
  readonly issuer: string
  /** Those of the token. Empty where it has none, or where their claim is malformed. */
  readonly scopes: readonly string[]
  /** Who acts as the user, of a token with the claim `act` (RFC 8693 §4.1); else null. */
  readonly actor: Actor | null
  /** The whole payload of the token. */
  readonly claims: DeepReadonly<C>
}

/** A route of the scope, as `app.userScope.routes()` tells it. */
export interface ScopedRoute {
  readonly method: string
  /** As declared, prefix included. */
  readonly url: string
  readonly access: AccessLevel
  /** The path parameter that must be the user's id; null where none is looked at. */
  readonly parameter: string | null
  /** `'stated'` in `config.access`, `'default'` from the URL. */
  readonly source: 'stated' | 'default'
  /** Fastify's route constraints, such as `{ version: '1.0.0' }`; empty where there are none. */
  readonly constraints: Readonly<Record<string, unknown>>
  /** What the rule in `config.access` asks for beyond the level; null where it asks for nothing. */
  readonly scopes: RequiredScopes | null
  readonly delegates: Delegates | null
  /** Parameters in the URL that are compared with claims; see option `bind`. */
  readonly bound: readonly string[]
  /** Those that are not, as the rule says so. */
  readonly unbound: readonly string[]
}

/** What the plugin decorates the instance with. */
export interface UserScope {
  /** Every route of the scope with its access level. Complete once the app is ready. */
  routes (): ScopedRoute[]
  /**
   * The same as text, a line for each URL and level, the level first, sorted by URL: for a review, or a snapshot in a
   * test.
   */
  printRoutes (): string
  /** The state of each remote issuer's keys, for a health route. Asking has old keys fetched, as a request does. */
  issuers (): IssuerStatus[]
  /**
   * Refuses tokens from now on, for this registration at once. Resolves when the store has it. Rejects with a
   * RevocationsUnavailableError after 5 seconds in which it could not be stored: it still holds here then, and is
   * stored later. Rejects with an InvalidOptionError for what is no revocation, or without option `revocations`.
   */
  revoke (revocation: Revocation): Promise<void>
}

/**
 * What the `diagnostics_channel` `fastify-user-scope:verify` publishes of a request, while somebody subscribes. Of one
 * that was admitted, and is refused after that, a second time: right before its handler, as its path parameter was
 * changed, or by `requireScopes` or `untilRevoked`.
 */
export interface VerifyMessage {
  /** `'anonymous'`: no token on an `'optional'` route. Of `'public'` ones only what a handler's call refuses. */
  outcome: 'admitted' | 'refused' | 'anonymous'
  /** The error's code; null for what was let in. */
  code: string | null
  method: string
  /** The URL of the route as declared, not that of the request. */
  route: string | null
  /** The issuer, or `'secret'`; null where no token was verified, this time. */
  verifiedBy: string | null
  /** The id of the verified user; null where no token was verified. */
  user: string | null
  /** The owner's id in the path, once it was compared; null where it was not. */
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
 * Where the verified user is declared: inherited by `FastifyRequest`, as a property that is merged must have the same
 * type everywhere, and `@fastify/jwt` declares `user` too. A host that loads those types (`reply.jwtSign` shows it)
 * says `interface FastifyJWT { user: VerifiedUser }`, as `@fastify/jwt` documents. Said here, it would load them into
 * every host.
 */
export type UserScopeRequest = UserScopeTypes extends { decoratorName: infer Name extends string }
  ? Record<Name, VerifiedUser>
  : DefaultUserScopeRequest

interface DefaultUserScopeRequest {
  /**
   * The verified user. Null on `'public'` routes, and on `'optional'` ones without a token: use `getUser(request)`
   * there. Undefined outside of every registration.
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
    /** Who may call this route: a level, or a rule where a level is not enough. */
    access?: AccessLevel | AccessRule & object // or any text would do, as no member is required
  }
}
