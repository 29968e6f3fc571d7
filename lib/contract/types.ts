import type { FastifyReply } from 'fastify'
import type { AccessLevel, AccessRule, Delegates, MayActFor, RequiredScopes } from './access.js'
import type { IssuerOptions, IssuerStatus } from './issuer.js'
import type { Revocation, RevocationsOptions, RevocationStore } from './revocations.js'

export type { AccessLevel }

/** HMAC algorithms for tokens signed with a shared secret (RFC 7518 §3.2). */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'

/**
 * Open for declaration merging: what the options say at run time, said to the compiler.
 *
 * - `claims`: the type of `request.user.claims`. Default: the registered claims, and unknown others.
 * - `decoratorName`: the request property that holds the user; several are written as a union. Default `'user'`.
 * - `scopes`: the names of all scopes, as a union. Default: any string.
 *
 * ```ts
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
  /** The state of each remote issuer's keys, for a health route. */
  issuers (): IssuerStatus[]
  /**
   * Refuses tokens from now on, in this process at once. Resolves when the store has it; rejects after 5 seconds in
   * which it could not be stored, and it still holds here then, and is stored later. Needs option `revocations`.
   */
  revoke (revocation: Revocation): Promise<void>
}

/** How the OpenAPI document is found, and how the bearer scheme stands in it. */
export interface OpenApiOptions {
  /**
   * Key of the security scheme in the document. A scheme that the host declared under this name is kept. Default
   * `'bearerAuth'`.
   */
  schemeName?: string
  /** Text beside the scheme, shown by the Authorize dialog. */
  description?: string
  /**
   * The name, or the names, of the decorator that returns the document: the option `decorator` of `@fastify/swagger`. A
   * name that is stated here and found nowhere stops the boot. Default `'swagger'`, in apps that have it.
   */
  decorator?: string | readonly string[]
}

/**
 * What the `diagnostics_channel` `fastify-user-scope:verify` publishes of a request, while somebody subscribes. Of one
 * that was admitted and is judged again, a second time: refused right before its handler, as its path parameter was
 * changed, or handed by `callNotFound()` to a 404 handler that asks for more than the route did.
 */
export interface VerifyMessage {
  /** `'anonymous'`: no token on an `'optional'` route. Requests to `'public'` ones are not published. */
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

/** How verified tokens are kept in memory. Bounded by 32 MiB of token text too; tokens over 4 KB are not kept. */
export interface CacheOptions {
  /** Tokens. 1 to 10000000. Default 10000. */
  max?: number
  /**
   * Seconds; a token leaves earlier with its `exp`, its `maxTokenAge` or the key that verified it. 1 to 86400. Default
   * 300.
   */
  ttl?: number
}

/** Options of the plugin. All are optional; unknown keys, and keys that are present but undefined, stop the boot. */
export interface UserScopeOptions {
  /**
   * Shared secret, or a list of secrets of which the first is the current one and the others still verify (rotation
   * without downtime). Each at least 32 bytes; key material, URLs, tokens and published samples are refused. Default:
   * `BETTER_AUTH_SECRETS` (`"2:new,1:old"`, newest first), else `BETTER_AUTH_SECRET`.
   */
  secret?: string | readonly string[]
  /**
   * Remote issuers, verified by their keys, beside or instead of `secret`. Once given, the environment is not read:
   * state `secret` to accept both.
   */
  issuers?: IssuerOptions[]
  /** Once set, `iss` is required and must be this string exactly (RFC 7519 §4.1.1). */
  issuer?: string
  /** Once set, `aud` is required and must be this string, or an array that contains it (RFC 7519 §4.1.3). */
  audience?: string
  /** Accepted algorithms. Default `['HS256']`. */
  algorithms?: readonly SecretAlgorithm[]
  /**
   * The claim that holds the user id; once set, that claim alone. Default: `uid` where the token has it, else `sub`.
   */
  userIdClaim?: string
  /** The path parameter that holds the owner's id: letters, digits and underscores. Default `'user_id'`. */
  userIdParam?: string
  /**
   * `true`: a route whose URL has a parameter that is compared with nothing must state `config.access`, or the boot
   * stops. Default false.
   */
  requireStatedAccess?: boolean
  /** JSON Schema, by TypeBox or by hand, that the payload must satisfy, else 401 `INVALID_CLAIMS`. */
  claims?: object
  /**
   * Seconds by which `exp`, `nbf`, `iat` and `maxTokenAge` may be missed, for clocks that differ. 0 to 3600. Default 5.
   */
  clockTolerance?: number
  /** Seconds since `iat` after which a token is refused whatever its `exp`. Once set, `iat` is required. */
  maxTokenAge?: number
  /**
   * More path parameters, each with the claim that it must equal, or that must be a list which has it: `'org_id'`, or
   * `['o', 'id']` for a nested one. Else 403 `FORBIDDEN_RESOURCE_ACCESS`. On routes of level `'owner'` and `'user'`.
   */
  bind?: Readonly<Record<string, string | readonly string[]>>
  /** Whether a user may come in for an owner, on routes with `delegates: true`. Asked each time, for 5 seconds. */
  mayActFor?: MayActFor
  /** The claim with the scopes of a token signed with a secret. Default: `scope` where the token has it, else `scp`. */
  scopeClaim?: string
  /**
   * What to do with tokens that somebody else holds (claim `act`): `'read-only'` is 403 for other methods than GET,
   * HEAD and OPTIONS; `'refuse'` is 401. Default `'allow'`.
   */
  impersonation?: 'allow' | 'read-only' | 'refuse'
  /** Whether the log names the user in refusals after verification, and when a delegate comes in. Default true. */
  logUser?: boolean
  /**
   * Lets `app.userScope.revoke()` end access before tokens expire. `true`: in this process. A store: on all instances
   * that share it. Default off.
   */
  revocations?: true | RevocationStore | RevocationsOptions
  /** The request property that holds the verified user; `UserScopeTypes` gives it its type. Default `'user'`. */
  decoratorName?: string
  /** Verified tokens are kept in memory, so that each is verified once. `false`: verify each time. */
  cache?: false | CacheOptions
  /** `false` leaves the OpenAPI document alone. Default: on, in apps that register `@fastify/swagger`. */
  openapi?: false | OpenApiOptions
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
   * there.
   */
  user: FastifyReply extends { jwtSign: unknown } ? unknown : VerifiedUser
}

declare module 'fastify' {
  interface FastifyRequest extends UserScopeRequest {}

  interface FastifyInstance {
    userScope: UserScope
  }

  interface FastifyContextConfig {
    /** Who may call this route: a level, or a rule where a level is not enough. */
    access?: AccessLevel | AccessRule
  }
}
