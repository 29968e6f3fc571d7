import type { IssuerOptions } from './issuer.js'
import type { MayActFor } from './access.js'
import type { RevocationsOptions, RevocationStore } from './revocations.js'

/** HMAC algorithms for tokens signed with a shared secret (RFC 7518 §3.2). */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'

/** How the OpenAPI document is found, and how the bearer scheme stands in it. */
export interface OpenApiOptions {
  /**
   * Key of the security scheme in the document. A scheme that the host declared under this name is kept. Default
   * `'bearerAuth'`.
   */
  schemeName?: string
  /** Text beside the scheme, shown by the Authorize dialog. Default `'The JWT of a signed-in user.'`. */
  description?: string
  /**
   * The name, or the names, of the decorator that returns the document: the option `decorator` of `@fastify/swagger`. A
   * name that is stated here and found nowhere stops the boot. Default `'swagger'`, in apps that have it.
   */
  decorator?: string | readonly string[]
}

/** How verified tokens are kept in memory: at most 32 MiB of their text and claims; none over 4 KB. */
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
   * without downtime). Each at least 32 bytes, 48 with HS384 and 64 with HS512 (RFC 7518 §3.2); key material, URLs,
   * tokens and published samples are refused. Default: `BETTER_AUTH_SECRETS` (`"2:new,1:old"`, newest first), else
   * `BETTER_AUTH_SECRET`.
   */
  secret?: string | readonly string[]
  /**
   * Remote issuers, verified by their keys, beside or instead of `secret`. Once given, the environment is not read:
   * state `secret` to accept both.
   */
  issuers?: readonly IssuerOptions[]
  /** Of tokens signed with a secret: once set, `iss` is required and must be this string exactly (RFC 7519 §4.1.1). */
  issuer?: string
  /**
   * Of tokens signed with a secret: once set, `aud` is required and must be this string, or an array that contains it
   * (RFC 7519 §4.1.3).
   */
  audience?: string
  /** Of tokens signed with a secret: accepted algorithms. Default `['HS256']`. */
  algorithms?: readonly SecretAlgorithm[]
  /**
   * Of tokens signed with a secret: the claim that holds the user id; once set, that claim alone. Default: `uid` where
   * the token has it, else `sub`.
   */
  userIdClaim?: string
  /** The path parameter that holds the owner's id: letters, digits and underscores. Default `'user_id'`. */
  userIdParam?: string
  /**
   * `true`: a route whose URL has a parameter that is compared with nothing must state its level in
   * `config.access`, or the boot stops. Default false.
   */
  requireStatedAccess?: boolean
  /** JSON Schema of type `object`, by TypeBox or by hand: the payload must satisfy it, else 401 `INVALID_CLAIMS`. */
  claims?: object
  /**
   * Seconds by which `exp`, `nbf`, `iat` and `maxTokenAge` may be missed, for clocks that differ. 0 to 3600. Default 5.
   */
  clockTolerance?: number
  /** Seconds since `iat` after which a token is refused whatever its `exp`; `iat` is then required. 1 to 315576000. */
  maxTokenAge?: number
  /**
   * More path parameters, each with the claim that it must equal, or that must be a list which has it: `'org_id'`, or
   * `['o', 'id']` for a nested one. Else 403 `FORBIDDEN_RESOURCE_ACCESS`. On routes of level `'owner'` and `'user'`.
   */
  bind?: Readonly<Record<string, string | readonly string[]>>
  /**
   * Whether a user may come in for an owner, on routes with `delegates: true`. Asked at each request, and has 5 seconds
   * to answer.
   */
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
   * Lets `app.userScope.revoke()` end access before tokens expire. `true`: in memory, for this registration alone. A
   * store: for all registrations and instances that share it. Default off.
   */
  revocations?: true | RevocationStore | RevocationsOptions
  /** The request property that holds the verified user; `UserScopeTypes` gives it its type. Default `'user'`. */
  decoratorName?: string
  /** Verified tokens are kept in memory: a known one is not verified again. `false`: verify each time. */
  cache?: false | CacheOptions
  /** `false` leaves the OpenAPI document alone. Default: on, in apps that register `@fastify/swagger`. */
  openapi?: false | OpenApiOptions
}
