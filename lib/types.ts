import type { TObject } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/**
 * Who may call a route, stated in `config.access`:
 *
 * - `'owner'`: a valid token, and the path parameter must equal the user's id. Default for routes that have the parameter.
 * - `'user'`: a valid token. Default for routes that have not.
 * - `'optional'`: no token, or a valid one; a bad one is 401, never anonymous.
 * - `'public'`: the token is not read.
 */
export type AccessLevel = 'owner' | 'user' | 'optional' | 'public'

/** HMAC algorithms for tokens signed with a shared secret (RFC 7518 §3.2). */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'

/**
 * Open for declaration merging. Declare `claims` here and `request.user.claims` has that type everywhere:
 *
 * ```ts
 * declare module 'fastify-user-scope' {
 *   interface UserScopeTypes { claims: Static<typeof claims> }
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

/** Readonly all the way down, as the value is frozen all the way down. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** The user of a verified token. Deeply frozen: one object may serve several requests. */
export interface VerifiedUser<C = Claims> {
  /** The user id claim: a non-empty string, compared with the path parameter as it is. */
  readonly id: string
  /** The whole payload of the token. */
  readonly claims: DeepReadonly<C>
}

/** A route of the scope, as `app.userScope.routes()` tells it. */
export interface ScopedRoute {
  readonly method: string
  /** As declared, prefix included. */
  readonly url: string
  readonly access: AccessLevel
  /**
   * `'stated'` in `config.access`, `'default'` from the URL; `'late'` for a route that was declared before the plugin: from the URL too,
   * unless its own `config.access`, which cannot be seen from here, says another level.
   */
  readonly source: 'stated' | 'default' | 'late'
}

/** What the plugin decorates the instance with. */
export interface UserScope {
  /** Every route of the scope with its access level. Complete once the app is ready. */
  routes (): ScopedRoute[]
}

/** How the bearer scheme stands in the OpenAPI document. */
export interface OpenApiOptions {
  /** Key of the security scheme in the document. A scheme that the host declared under this name is kept. Default `'bearerAuth'`. */
  schemeName?: string
  /** Text beside the scheme, shown by the Authorize dialog. */
  description?: string
}

/** Options of the plugin. All are optional; unknown keys, and keys that are present but undefined, stop the boot. */
export interface UserScopeOptions {
  /**
   * Shared secret, or a list of secrets of which the first is the current one and the others still verify (rotation without
   * downtime). Each at least 32 bytes; key material, URLs, tokens and published samples are refused.
   * Default: `BETTER_AUTH_SECRETS` (`"2:new,1:old"`, newest first), else `BETTER_AUTH_SECRET`.
   */
  secret?: string | string[]
  /** Once set, `iss` is required and must be this string exactly (RFC 7519 §4.1.1). */
  issuer?: string
  /** Once set, `aud` is required and must be this string, or an array that contains it (RFC 7519 §4.1.3). */
  audience?: string
  /** Accepted algorithms. Default `['HS256']`. */
  algorithms?: SecretAlgorithm[]
  /** The claim that holds the user id; once set, that claim alone. Default: `uid` where the token has it, else `sub`. */
  userIdClaim?: string
  /** The path parameter that holds the owner's id: letters, digits and underscores. Default `'user_id'`. */
  userIdParam?: string
  /** TypeBox object schema that the payload must satisfy, else 401 `INVALID_CLAIMS`. */
  claims?: TObject
  /** Seconds by which `exp`, `nbf`, `iat` and `maxTokenAge` may be missed, for clocks that differ. 0 to 3600. Default 0. */
  clockTolerance?: number
  /** Seconds since `iat` after which a token is refused whatever its `exp`. Once set, `iat` is required. */
  maxTokenAge?: number
  /** The request property that holds the verified user. Default `'user'`. */
  decoratorName?: string
  /** `false` leaves the OpenAPI document alone. Default: on, where `@fastify/swagger` is registered. */
  openapi?: false | OpenApiOptions
}

/**
 * Where `request.user` is declared. Inherited, not merged, so that `@fastify/jwt`'s own declaration of `user` can stand beside it:
 * a host that has both says `interface FastifyJWT { user: VerifiedUser }`, as `@fastify/jwt` documents.
 */
export interface UserScopeRequest {
  /** The verified user. Null on `'public'` routes, and on `'optional'` ones without a token: use `getUser(request)` there. */
  user: FastifyInstance extends { jwt: unknown } ? unknown : VerifiedUser
}

declare module 'fastify' {

  interface FastifyRequest extends UserScopeRequest {}

  interface FastifyInstance {
    userScope: UserScope
  }

  interface FastifyContextConfig {
    /** Who may call this route; see `AccessLevel`. */
    access?: AccessLevel
  }
}
